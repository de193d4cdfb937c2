//! Characters that are not seen but change what is: never in a record, a log, a mail or a row.

/// Whether a character is a control character or an invisible one that changes the direction, the order or the look of
/// the text around it (Unicode's general category Cf and its invisible fillers): a terminal would obey it, a reader
/// would be shown another text than the one that is there, and two texts that look alike would differ.
///
/// Line ends and tabs are control characters here too; whoever keeps them asks for them first.
pub const fn is_unseen(c: char) -> bool {
    matches!(c,
            // C0 with DEL, C1.
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}'
            // Soft hyphen, grapheme joiner, Arabic and Syriac marks, Mongolian selectors.
            | '\u{ad}' | '\u{34f}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}' | '\u{890}'..='\u{891}'
            | '\u{8e2}' | '\u{180b}'..='\u{180f}'
            // Hangul and Khmer fillers: letters that are blank.
            | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{3164}' | '\u{ffa0}'
            // Zero width, directions, line and paragraph separators, overrides, isolates, invisible operators.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            // Variation selectors, annotations, shorthand and musical controls, tags.
            | '\u{fe00}'..='\u{fe0f}' | '\u{fff0}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1345f}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The text on one line, with a space for each character that is not seen.
pub fn seen(text: &str) -> String {
    text.chars().map(|c| if is_unseen(c) { ' ' } else { c }).collect()
}

/// The same for a spreadsheet, which must not take it for a formula, written in full width neither.
pub fn no_formula(text: &str) -> String {
    let text = seen(text);
    if text.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reader_can_not_see_is_told_from_what_he_can() {
        let unseen = "\u{0}\u{7}\u{1b}\u{7f}\u{85}\u{9b}\u{ad}\u{61c}\u{200b}\u{200d}\u{200e}\u{2028}\u{202a}\u{202e}\u{2060}\
                      \u{2066}\u{2069}\u{feff}\u{fe0f}\u{fff9}\u{e0041}\u{e0100}\u{3164}";
        for c in unseen.chars() {
            assert!(is_unseen(c), "{c:?}");
        }
        for c in " aZ09=\u{fffd}üß東京אבعرب😀…—".chars() {
            assert!(!is_unseen(c), "{c:?}");
        }
    }
}
