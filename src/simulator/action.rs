//! What goes wrong at a step of a scenario.

use serde::Deserialize;

/// What happens at a fault. One that does not end the client is followed by the next fault of the same step, and then
/// by the step itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing any more, for ever; the client lives.
    Hang,
    /// The client ends.
    #[serde(rename_all = "kebab-case")]
    Die {
        /// Its last words; none: not a word.
        #[serde(default)]
        say: Option<String>,
        /// Its exit status. Default 1.
        #[serde(default = "failure_status")]
        status: u8,
    },
    /// It says this, in a line of its own.
    Say(String),
    /// It asks this, waits for a line and takes whatever it is.
    Ask(String),
    /// It fills the terminal with noise.
    Flood(Flood),
    /// This one step is spoken so, beside what the scenario's `manners` say of all.
    Speak(Manner),
    /// Something beside the dialogue, as a shell command (a matter of the carrier): it loses the tunnel, leaves a route
    /// behind, starts a process that stays.
    Run(String),
    /// It begins anew, with its first word; a tunnel that stands stays as it is.
    Restart,
}

const fn failure_status() -> u8 {
    1
}

/// Noise on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flood {
    /// How many kB (1000 bytes). Default 1000; `null`: without end.
    pub kilobytes: Option<u64>,
    /// Whether it comes in lines, or is one line. Default lines.
    pub lines: bool,
}

impl Default for Flood {
    fn default() -> Self {
        Self { kilobytes: Some(1_000), lines: true }
    }
}

/// How a text comes on the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Manner {
    /// Lines end with carriage return and line feed, which the terminal turns into two of the first and one of the other.
    Crlf,
    /// Colours, changed in the middle of words.
    Colours,
    /// The cursor is hidden, moved and shown.
    Cursor,
    /// The line is erased before.
    EraseLine,
    /// The window gets a title before, which says that all is well.
    Title,
    /// A prompt is there, is erased, and is there again.
    Redrawn,
    /// Before and after it come lines of another encoding.
    InvalidUtf8,
    /// Byte by byte.
    InPieces,
    /// The second half never comes.
    Unfinished,
    /// Without its line end.
    NoLineEnd,
}

impl Manner {
    /// `text`, said so; [`Manner::InPieces`] is the console's.
    pub(super) fn apply(self, text: Vec<u8>) -> Vec<u8> {
        let around = |before: &[u8], after: &[u8]| [before, text.as_slice(), after].concat();
        match self {
            Self::Crlf => text.iter().flat_map(|b| if *b == b'\n' { b"\r\n".to_vec() } else { vec![*b] }).collect(),
            Self::Colours => coloured(&text),
            Self::Cursor => around(b"\x1b[?25l\x1b[7;1H\x1b[1A\x1b[1G", b"\x1b[?25h"),
            Self::EraseLine => around(b"\r\x1b[2K", b"\x1b[K"),
            Self::Title => around(b"\x1b]0;Connected\x07\x1b]1;Disconnected\x07\x1b]2;Password:\x1b\\", b""),
            Self::Redrawn if text.ends_with(b"\n") || text.is_empty() => text,
            Self::Redrawn => {
                let from = text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
                around(b"", &[b"\r\x1b[2K", &text[from..]].concat())
            }
            Self::InvalidUtf8 => {
                let after: &[u8] = if text.ends_with(b"\n") { b"\xe2\x82\n" } else { b"" };
                around(b"\xff\xfe caf\xe9 \xc0\x80\n", after)
            }
            Self::InPieces => text,
            Self::Unfinished => text[..text.len() / 2].to_vec(),
            Self::NoLineEnd => text.strip_suffix(b"\n").unwrap_or(&text).to_vec(),
        }
    }
}

/// Another colour for every three bytes, but never inside a character or a sequence.
fn coloured(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for (place, byte) in text.iter().enumerate() {
        let is_letter = byte.is_ascii_alphanumeric();
        if is_letter && place % 3 == 0 {
            out.extend(format!("\x1b[1;3{}m", place % 8).into_bytes());
        }
        out.push(*byte);
        if is_letter && place % 3 == 2 {
            out.extend(b"\x1b[0m");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_redrawn_and_a_line_is_not() {
        assert_eq!(Manner::Redrawn.apply(b"OK\nUser:".to_vec()), b"OK\nUser:\r\x1b[2KUser:");
        assert_eq!(Manner::Redrawn.apply(b"OK\n".to_vec()), b"OK\n");
    }

    #[test]
    fn half_a_text_and_a_line_without_end_are_what_they_say() {
        assert_eq!(Manner::Unfinished.apply(b"Password:".to_vec()), b"Pass");
        assert_eq!(Manner::NoLineEnd.apply(b"Connected\n".to_vec()), b"Connected");
    }

    #[test]
    fn colours_change_in_the_middle_of_a_word() {
        let text = String::from_utf8(Manner::Colours.apply(b"Username:".to_vec())).unwrap();
        assert_eq!(text, "\x1b[1;30mUse\x1b[0m\x1b[1;33mrna\x1b[0m\x1b[1;36mme:");
    }
}
