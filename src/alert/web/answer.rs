//! What a server's answer means. Pure.

use std::time::Duration;

use serde_json::Value;

use crate::alert::SendError;
use crate::config::WebUrl;
use crate::web::{Answer, Secrets, Step};

/// Whether it took the message; if not, whether trying the same again soon may help.
pub(super) fn judge(url: &WebUrl, answer: &Answer, secrets: &Secrets) -> Result<(), SendError> {
    let status = answer.status;
    if (200..300).contains(&status) {
        return Ok(());
    }
    let words = answer.words(secrets);
    let said = match status {
        300..400 => " (a redirect, which is not followed)".to_owned(),
        _ if words.is_empty() => String::new(),
        _ => format!(": {words}"),
    };
    let text = format!("{url}: {}: status {status}{said}", Step::Answer.as_str());
    let mut error = if is_passing(status) { SendError::transient(text) } else { SendError::permanent(text) };
    error.retry_after = answer.retry_after.or_else(|| retry_after_in(&answer.text));
    Err(error)
}

/// Whether the same request may be taken later.
const fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500..)
}

/// Telegram says it in its text.
fn retry_after_in(text: &[u8]) -> Option<Duration> {
    let document: Value = serde_json::from_slice(text).ok()?;
    document.pointer("/parameters/retry_after")?.as_u64().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, text: &str) -> Result<(), SendError> {
        let url = WebUrl::parse("https://hooks.example.com/services/hunter2").unwrap();
        let answer = Answer { status, retry_after: None, text: text.as_bytes().to_vec() };
        judge(&url, &answer, &Secrets::of_url(&url))
    }

    #[test]
    fn a_status_says_whether_trying_again_may_help() {
        for status in [200, 202, 204] {
            assert_eq!(judged(status, ""), Ok(()));
        }
        for status in [408, 425, 429, 500, 502, 503, 504, 599] {
            assert!(!judged(status, "").unwrap_err().permanent, "{status}");
        }
        for status in [301, 307, 400, 401, 403, 404, 410, 422] {
            assert!(judged(status, "").unwrap_err().permanent, "{status}");
        }
    }

    #[test]
    fn an_error_says_who_answered_what_and_never_the_path() {
        let error = judged(404, "no /services/hunter2 here\n").unwrap_err();
        assert_eq!(error.text, "hooks.example.com:443: answer: status 404: no <secret> here");
        let error = judged(302, "<a href=x>").unwrap_err();
        assert_eq!(error.text, "hooks.example.com:443: answer: status 302 (a redirect, which is not followed)");
    }

    #[test]
    fn telegram_says_when_to_come_again() {
        let text = r#"{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":35}}"#;
        assert_eq!(judged(429, text).unwrap_err().retry_after, Some(Duration::from_secs(35)));
    }
}
