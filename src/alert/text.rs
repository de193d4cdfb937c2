//! Text from outside made safe for a header, a body or a log: one line, no control character, no escape sequence.

use crate::record::is_unseen;

/// `text` as one line of at most `max` characters: escape sequences are removed, other control characters (newlines,
/// direction overrides) become single spaces, and what is cut off is marked with `…`.
pub(super) fn one_line(text: &str, max: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let c = match c {
            '\u{1b}' => {
                skip_escape_sequence(&mut rest);
                continue;
            }
            '\u{9b}' => {
                skip_control_sequence(&mut rest);
                continue;
            }
            c if is_unseen(c) || c.is_whitespace() => ' ',
            c => c,
        };
        if c == ' ' && (line.is_empty() || line.ends_with(' ')) {
            continue;
        }
        if length == max {
            line.pop();
            line.push('…');
            break;
        }
        line.push(c);
        length += 1;
    }
    line.truncate(line.trim_end().len());
    line
}

/// `text` in as many UTF-16 units at most; what is cut off is marked with `…`. Receivers say "characters" and count one way or
/// another: this way no other counts more.
pub(super) fn shortened(text: &str, longest: usize) -> String {
    let mut used = 0;
    let fits = |c: char, room: usize, used: &mut usize| {
        *used += c.len_utf16();
        *used <= room
    };
    if text.chars().all(|c| fits(c, longest, &mut used)) {
        return text.to_owned();
    }
    used = 0;
    let kept: String = text.chars().take_while(|&c| fits(c, longest.saturating_sub(1), &mut used)).collect();
    kept + "…"
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

/// Skips what follows an ESC (ECMA-48): a control sequence, an operating system command, or one character.
fn skip_escape_sequence(rest: &mut Chars<'_>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            skip_control_sequence(rest);
        }
        Some(']' | 'P' | '^' | '_' | 'X') => {
            for c in rest.by_ref() {
                if matches!(c, '\u{7}' | '\u{9c}' | '\\' | '\n') {
                    break;
                }
            }
        }
        Some(c) if !c.is_control() => {
            rest.next();
        }
        _ => {}
    }
}

/// Skips parameters up to the final byte of a control sequence.
fn skip_control_sequence(rest: &mut Chars<'_>) {
    while rest.next_if(|c| matches!(c, ' '..='?')).is_some() {}
    rest.next_if(|c| matches!(c, '@'..='~'));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_made_safe() {
        let cases = [
            ("plain text", "plain text"),
            ("a\r\nBcc: everyone@example.com", "a Bcc: everyone@example.com"),
            ("\u{1b}[1;31mred\u{1b}[0m end", "red end"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{9b}31mred", "red"),
            ("tab\tand  spaces  ", "tab and spaces"),
            ("over\u{202e}ride", "over ride"),
            ("\u{2066}a\u{2069} \u{feff}b\u{e0041}c", "a b c"),
            ("\u{1b}", ""),
            ("Zürich 東京", "Zürich 東京"),
            ("12345678901", "123456789…"),
        ];
        for (text, expected) in cases {
            assert_eq!(one_line(text, if text.starts_with("123") { 10 } else { 100 }), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_between_two_characters() {
        for (text, expected) in
            [("12345", "12345"), ("123456", "1234…"), ("🦀🦀", "🦀🦀"), ("🦀🦀🦀", "🦀🦀…"), ("", "")]
        {
            assert_eq!(shortened(text, 5), expected);
        }
    }

    proptest! {
        #[test]
        fn nothing_unsafe_passes(text in any::<String>(), max in 1_usize..50) {
            let line = one_line(&text, max);
            prop_assert!(!line.chars().any(is_unseen), "{line:?}");
            prop_assert!(line.chars().count() <= max);
            prop_assert_eq!(one_line(&line, max), line);
        }
    }
}
