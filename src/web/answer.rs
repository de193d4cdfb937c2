//! What a web server said, without what is secret. Pure.

use std::time::Duration;

use chrono::DateTime;
use hyper::HeaderMap;
use hyper::header::RETRY_AFTER;
use tokio_rustls::rustls::pki_types::UnixTime;

use crate::config::WebUrl;
use crate::record::one_line;

/// Shortest piece of a URL that is blanked: shorter ones are words of any answer.
const MIN_PIECE: usize = 6;

/// What a server answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its status.
    pub(crate) status: u16,
    /// When it wants to be asked again.
    pub(crate) retry_after: Option<Duration>,
    /// The first bytes of its text, where it did not take the request.
    pub(crate) text: Vec<u8>,
}

/// Seconds, or a date (RFC 9110 §10.2.3).
pub(super) fn retry_after(headers: &HeaderMap, now: UnixTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTime::parse_from_rfc2822(text).ok()?.timestamp();
    Some(Duration::from_secs(u64::try_from(at).ok()?.saturating_sub(now.as_secs())))
}

/// What may not be shown, although a server says it: servers echo what they are asked.
#[derive(Clone, Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// The path and query of a URL, whole and in pieces.
    pub(crate) fn of_url(url: &WebUrl) -> Self {
        let pieces = url.path.split(['/', '?', '&', '=', ':']).filter(|piece| piece.len() >= MIN_PIECE);
        let whole = std::iter::once(url.path.as_str()).filter(|path| path.len() > 1);
        Self(whole.chain(pieces).map(str::to_owned).collect())
    }

    /// And this one.
    #[must_use]
    pub(crate) fn and(mut self, secret: &str) -> Self {
        if !secret.is_empty() {
            self.0.push(secret.to_owned());
        }
        self
    }

    /// The text without any of them, the longest first.
    fn blank(&self, text: &str) -> String {
        let mut secrets: Vec<&str> = self.0.iter().map(String::as_str).collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "<secret>"))
    }
}

impl Answer {
    /// The first words of its text in one line, without what is secret.
    pub(crate) fn words(&self, secrets: &Secrets) -> String {
        const LONGEST: usize = 160;
        let text = secrets.blank(&String::from_utf8_lossy(&self.text));
        let line = secrets.blank(&one_line(&text));
        match line.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(text: &str) -> Answer {
        Answer { status: 404, retry_after: None, text: text.as_bytes().to_vec() }
    }

    #[test]
    fn what_a_server_echoes_of_the_url_is_not_shown() {
        let url = WebUrl::parse("https://hooks.example.com/services/T0/hunter2hunter2?key=opensesame").unwrap();
        let secrets = Secrets::of_url(&url).and("s3cret");
        for text in [
            "Cannot POST /services/T0/hunter2hunter2?key=opensesame",
            "no such hook: hunter2hunter2",
            "key `opensesame` is wrong",
            "Authorization: s3cret",
        ] {
            let words = answer(text).words(&secrets);
            let shown = ["hunter2", "opensesame", "s3cret"].iter().any(|secret| words.contains(secret));
            assert!(!shown && words.contains("<secret>"), "{words}");
        }
    }

    #[test]
    fn the_words_of_an_answer_are_one_short_line() {
        let page = format!("<h1>Bad\r\nGateway</h1>\u{1b}[31m{}", "x".repeat(500));
        let words = answer(&page).words(&Secrets::default());
        assert!(words.starts_with("<h1>Bad Gateway</h1>") && words.chars().count() <= 161, "{words}");
    }

    #[test]
    fn a_server_may_say_when_to_come_again_by_seconds_or_by_a_date() {
        let now = UnixTime::since_unix_epoch(Duration::from_hours(498_660)); // 2026-11-20 12:00:00
        let after = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(after("120"), Some(120));
        assert_eq!(after("Fri, 20 Nov 2026 12:01:30 GMT"), Some(90));
        assert_eq!(after("Fri, 20 Nov 2026 11:00:00 GMT"), Some(0), "a date that is over is now");
        assert_eq!((after("soon"), after("-1")), (None, None));
    }
}
