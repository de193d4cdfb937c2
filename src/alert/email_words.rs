//! How text becomes a mail's header: encoded words (RFC 2047) where there is need.

use lettre::message::header::{Header, HeaderName, HeaderValue, Subject};

/// Bytes of text in one encoded word, which may have 75 characters with its frame.
const WORD: usize = 45;

/// The header `Subject`. Text that looks like an encoded word itself is encoded, or a mail program would show something
/// else than was meant, invisible characters for instance.
pub(super) fn subject_header(subject: String) -> HeaderValue {
    if !subject.contains("=?") {
        return Subject::from(subject).display();
    }
    let encoded = words(&subject);
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str("Subject"), subject, encoded)
}

/// The text as nothing but encoded words, folded.
fn words(text: &str) -> String {
    let mut words = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(WORD));
        words.push(format!("=?utf-8?b?{}?=", base64(word.as_bytes())));
        rest = after;
    }
    words.join("\r\n ")
}

/// Base64 with padding (RFC 4648 §4), for encoded words, and to recognise what AUTH sent.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, &byte| bits << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let index = (bits >> (18 - 6 * position)) & 63;
            text.push(if position <= chunk.len() { char::from(ALPHABET[index as usize]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use lettre::message::header::Headers;

    use super::*;

    #[test]
    fn only_what_looks_like_an_encoded_word_is_encoded_here() {
        let header = |text: &str| {
            let mut headers = Headers::new();
            headers.insert_raw(subject_header(text.to_owned()));
            headers.to_string()
        };
        assert_eq!(header("paris = up?"), "Subject: paris = up?\r\n");
        assert_eq!(header("=?utf-8?q?=E2=80=AE?="), "Subject: =?utf-8?b?PT91dGYtOD9xPz1FMj04MD1BRT89?=\r\n");
    }

    #[test]
    fn a_word_ends_between_two_characters() {
        let encoded = words(&format!("=?{}", "ü".repeat(40)));
        let words: Vec<_> = encoded.split("\r\n ").collect();
        assert_eq!(words.len(), 2);
        assert!(words.iter().all(|word| word.len() <= 75), "{words:?}");
        assert_eq!(words[0], format!("=?utf-8?b?{}?=", base64(format!("=?{}", "ü".repeat(21)).as_bytes())));
    }
}
