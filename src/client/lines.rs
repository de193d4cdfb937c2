//! Small questions about text and its lines: pure.

/// The line (or lines) in which a match stands.
pub(super) fn line_around(text: &str, start: usize, end: usize) -> String {
    let from = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let to = text[end..].find('\n').map_or(text.len(), |at| end + at);
    text[from..to].split('\n').map(str::trim).filter(|l| !l.is_empty()).collect::<Vec<_>>().join("; ")
}

/// The last line that is not blank.
pub(super) fn last_line(text: &str) -> Option<&str> {
    text.rsplit('\n').map(str::trim).find(|line| !line.is_empty())
}

pub(super) fn floor_char(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

pub(super) fn ceil_char(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

pub(super) fn next_char(text: &str, at: usize) -> usize {
    ceil_char(text, (at + 1).min(text.len()))
}

/// Whether what follows a match is the rest of its line and nothing more.
pub(super) fn is_on_last_line(rest: &str) -> bool {
    rest.split_once('\n').is_none_or(|(_, below)| below.trim().is_empty())
}

/// Whether what follows a match says nothing: blanks, and the marks that end a prompt.
pub(super) fn is_last_word(rest: &str) -> bool {
    !rest.chars().any(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_terminal_is_told_from_its_middle() {
        for (rest, line, word) in [
            ("", true, true),
            (": ", true, true),
            (" [YES/NO]? ", true, false),
            (":\r\n \n", true, true),
            (" for probe: ", true, false),
            (":\nWelcome", false, false),
        ] {
            assert_eq!((is_on_last_line(rest), is_last_word(rest)), (line, word), "{rest:?}");
        }
    }
}
