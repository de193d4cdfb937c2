//! Turns what a program writes to its terminal into plain text: pure, streaming, bounded.
//!
//! Escape sequences (ECMA-48) and control characters are removed, carriage returns become line ends, invalid UTF-8
//! becomes U+FFFD, and what is not seen but changes what is (direction overrides, zero-width characters) goes. A sequence
//! or character cut by the end of a read is finished by the next one.

use crate::record::is_unseen;

/// An escape string (OSC, DCS, …) that is longer than this is over: a client that never ends one must not silence the
/// rest of the dialogue.
const LONGEST_ESCAPE_STRING: usize = 4096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ground,
    /// After ESC.
    Escape,
    /// After ESC and an intermediate byte (0x20–0x2F): one more final byte.
    EscapeIntermediate,
    /// Inside CSI: until a final byte 0x40–0x7E.
    Csi,
    /// Inside OSC, DCS, SOS, PM or APC: until BEL or ST, or the end of the line: whoever may put one escape into a line
    /// of the client's must not be able to hide the lines after it.
    Text,
    /// Inside such a string, after ESC.
    TextEscape,
}

/// The state between two reads.
#[derive(Debug)]
pub struct TerminalText {
    state: State,
    /// Bytes of the current escape string.
    string_len: usize,
    /// The last byte was a carriage return: a line feed right after it is the same line end.
    after_cr: bool,
    /// An incomplete UTF-8 character.
    partial: Vec<u8>,
}

impl Default for TerminalText {
    fn default() -> Self {
        Self { state: State::Ground, string_len: 0, after_cr: false, partial: Vec::new() }
    }
}

impl TerminalText {
    /// The text of the next bytes.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        let mut raw = std::mem::take(&mut self.partial);
        raw.reserve(bytes.len());
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            // What a client floods its terminal with is plain, and not looked at byte by byte.
            let plain = if self.state == State::Ground { plain_run(rest) } else { 0 };
            if plain > 0 {
                self.after_cr = false;
                raw.extend_from_slice(&rest[..plain]);
                rest = &rest[plain..];
            } else {
                self.byte(byte, &mut raw);
                rest = after;
            }
        }
        self.decode(raw)
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        match self.state {
            State::Ground => self.ground(byte, out),
            State::Escape => {
                self.state = match byte {
                    b'[' => State::Csi,
                    b']' | b'P' | b'X' | b'^' | b'_' => {
                        self.string_len = 0;
                        State::Text
                    }
                    0x20..=0x2f => State::EscapeIntermediate,
                    0x1b => State::Escape,
                    _ => State::Ground,
                };
                self.line_end(byte, out);
            }
            State::EscapeIntermediate => {
                if !matches!(byte, 0x20..=0x2f) {
                    self.state = State::Ground;
                    self.line_end(byte, out);
                }
            }
            State::Csi => match byte {
                0x40..=0x7e => self.state = State::Ground,
                0x1b => self.state = State::Escape,
                0x20..=0x3f => {}
                // Anything else is no part of a control sequence: it was broken off.
                _ => {
                    self.state = State::Ground;
                    self.ground(byte, out);
                }
            },
            State::Text => match byte {
                0x07 => self.state = State::Ground,
                0x1b => self.state = State::TextEscape,
                b'\n' | b'\r' => {
                    self.state = State::Ground;
                    self.ground(byte, out);
                }
                _ => {
                    self.string_len += 1;
                    if self.string_len > LONGEST_ESCAPE_STRING {
                        self.state = State::Ground;
                    }
                }
            },
            State::TextEscape => {
                self.state = State::Ground;
                if byte != b'\\' {
                    // Not ST: the string ended with this ESC, which begins another sequence.
                    self.state = State::Escape;
                    self.byte(byte, out);
                }
            }
        }
    }

    /// A line end counts wherever it comes: no sequence goes on over it.
    fn line_end(&mut self, byte: u8, out: &mut Vec<u8>) {
        if matches!(byte, b'\n' | b'\r') {
            self.ground(byte, out);
        }
    }

    fn ground(&mut self, byte: u8, out: &mut Vec<u8>) {
        let after_cr = std::mem::replace(&mut self.after_cr, byte == b'\r');
        match byte {
            0x1b => self.state = State::Escape,
            b'\r' => out.push(b'\n'),
            b'\n' if after_cr => {}
            b'\n' | b'\t' | 0x20..=0x7e | 0x80.. => out.push(byte),
            0x00..=0x1f | 0x7f => {}
        }
    }

    /// Decodes what is complete and keeps the beginning of a character for the next read.
    fn decode(&mut self, raw: Vec<u8>) -> String {
        // Of ASCII nothing is left but what is printed, line ends and tabs.
        if raw.is_ascii() {
            return String::from_utf8(raw).unwrap_or_default();
        }
        let keep = match std::str::from_utf8(&raw) {
            Ok(_) => 0,
            Err(_) => incomplete_tail(&raw),
        };
        let (complete, tail) = raw.split_at(raw.len() - keep);
        self.partial = tail.to_vec();
        // C1 control characters (U+0080–U+009F) are escape sequences in one character for some terminals.
        String::from_utf8_lossy(complete).chars().filter(|&c| matches!(c, '\n' | '\t') || !is_unseen(c)).collect()
    }
}

/// How many bytes at the beginning are printable ASCII.
fn plain_run(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !matches!(byte, 0x20..=0x7e)).unwrap_or(bytes.len())
}

/// How many bytes at the end may be the beginning of a UTF-8 character.
fn incomplete_tail(raw: &[u8]) -> usize {
    for len in 1..=3.min(raw.len()) {
        let lead = raw[raw.len() - len];
        let needed = match lead {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => return 0,
        };
        return if len < needed { len } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(chunks: &[&[u8]]) -> String {
        let mut terminal = TerminalText::default();
        chunks.iter().map(|c| terminal.push(c)).collect()
    }

    #[test]
    fn escape_sequences_vanish_wherever_they_are_cut() {
        let input = b"a\x1b[1;31mred\x1b[0m \x1b]0;title\x07b\x1b(Bc \x1bP1$tx\x1b\\d\x1b7e";
        assert_eq!(text(&[input]), "ared bc de");
        for cut in 0..input.len() {
            assert_eq!(text(&[&input[..cut], &input[cut..]]), "ared bc de", "cut at {cut}");
        }
    }

    #[test]
    fn carriage_returns_are_line_ends_and_a_pair_is_one() {
        assert_eq!(text(&[b"one\r\ntwo\rthree\nfour\r", b"\nfive"]), "one\ntwo\nthree\nfour\nfive");
    }

    #[test]
    fn control_characters_vanish() {
        assert_eq!(text(&[b"a\x00\x07\x08b\x7fc\x0ed\tx", "\u{9b}31m".as_bytes()]), "abcd\tx31m");
    }

    #[test]
    fn invisible_characters_vanish_so_that_a_text_is_what_it_looks_like() {
        assert_eq!(text(&["Pass\u{200b}word\u{202e}: \u{feff}x\u{2066}".as_bytes()]), "Password: x");
    }

    #[test]
    fn characters_cut_by_a_read_are_joined_and_broken_ones_replaced() {
        let umlaut = "ü€😀".as_bytes();
        for cut in 0..=umlaut.len() {
            assert_eq!(text(&[&umlaut[..cut], &umlaut[cut..]]), "ü€😀", "cut at {cut}");
        }
        assert_eq!(text(&[b"a\xff\xfeb\xc3", b"("]), "a\u{fffd}\u{fffd}b\u{fffd}(");
    }

    #[test]
    fn a_string_that_never_ends_does_not_silence_the_dialogue_for_ever() {
        let mut input = b"\x1b]0;".to_vec();
        input.extend(std::iter::repeat_n(b'x', LONGEST_ESCAPE_STRING + 1));
        input.extend(b"Password: ");
        assert!(text(&[&input]).ends_with("Password: "));
    }

    #[test]
    fn a_string_can_not_hide_the_lines_after_its_own() {
        assert_eq!(text(&[b"a\x1bPhidden\r\nPassword: \x1b\\ok"]), "a\nPassword: ok");
        assert_eq!(text(&[b"a\x1b]0;x\x1b", b"\nb\x1b(\nc\x1b\rd\x1b[3\ne"]), "a\nb\nc\nd\ne");
    }

    proptest::proptest! {
        #[test]
        fn no_control_character_ever_comes_out(bytes: Vec<u8>, cut in 0usize..64) {
            let cut = cut.min(bytes.len());
            let out = text(&[&bytes[..cut], &bytes[cut..]]);
            proptest::prop_assert!(out.chars().all(|c| c == '\n' || c == '\t' || !is_unseen(c)), "{out:?}");
        }

        #[test]
        fn where_a_read_ends_makes_no_difference(bytes: Vec<u8>, cut in 0usize..64) {
            let cut = cut.min(bytes.len());
            let mut whole = TerminalText::default();
            let mut parts = TerminalText::default();
            let mut expected = whole.push(&bytes);
            let mut got = parts.push(&bytes[..cut]);
            got.push_str(&parts.push(&bytes[cut..]));
            // What is still incomplete at the end is finished in both by the same byte.
            expected.push_str(&whole.push(b"."));
            got.push_str(&parts.push(b"."));
            proptest::prop_assert_eq!(got, expected);
        }
    }
}
