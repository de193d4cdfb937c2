//! The dialogue with a client, kept for people: bounded, secrets blanked.

use std::collections::VecDeque;
use std::time::Duration;

use crate::config::Secret;
use crate::record::DialogueEvent;

/// Lines kept from the beginning of a dialogue…
const HEAD_LINES: usize = 60;
/// …and from its end. What lies between is counted and left out.
const TAIL_LINES: usize = 140;
/// A longer line is cut.
const LONGEST_LINE: usize = 500;

/// What was said, by whom and when.
#[derive(Debug, Default)]
pub struct Transcript {
    head: Vec<DialogueEvent>,
    tail: VecDeque<DialogueEvent>,
    omitted: u64,
    /// The line that the client has not finished, and when it began.
    open: String,
    open_at: Duration,
}

impl Transcript {
    /// The client printed this; `at` counts from its start.
    pub fn received(&mut self, at: Duration, text: &str) {
        for piece in text.split_inclusive('\n') {
            if self.open.is_empty() {
                self.open_at = at;
            }
            // Twice the length that will be shown: a secret on the border is still seen whole, and blanked.
            if self.open.len() < 2 * LONGEST_LINE {
                self.open.push_str(piece.trim_end_matches('\n'));
            }
            if piece.ends_with('\n') {
                self.close_line();
            }
        }
    }

    /// The prober typed this (`shown`: without secrets).
    pub fn sent(&mut self, at: Duration, shown: &str) {
        self.close_line();
        self.push(DialogueEvent { at_ms: millis(at), sent: true, text: shown.to_owned() });
    }

    /// The last line that the client printed and that is not blank, unfinished ones included.
    pub fn last_line(&self, secrets: &[(String, Secret)]) -> Option<String> {
        let said = self.head.iter().chain(&self.tail).rev().filter(|e| !e.sent).map(|e| e.text.as_str());
        let line = std::iter::once(self.open.as_str()).chain(said).find(|line| !line.trim().is_empty())?;
        Some(cut(&blank(line.trim(), secrets)))
    }

    /// The lines, secrets blanked, with a note where lines were left out.
    pub fn events(&self, secrets: &[(String, Secret)]) -> Vec<DialogueEvent> {
        let shown = |event: &DialogueEvent| DialogueEvent { text: cut(&blank(&event.text, secrets)), ..event.clone() };
        let mut events: Vec<_> = self.head.iter().map(shown).collect();
        if self.omitted > 0 {
            let at_ms = self.tail.front().map_or(0, |e| e.at_ms);
            let text = format!("[{} lines left out]", self.omitted);
            events.push(DialogueEvent { at_ms, sent: false, text });
        }
        events.extend(self.tail.iter().map(shown));
        if !self.open.trim().is_empty() {
            let text = cut(&blank(&self.open, secrets));
            events.push(DialogueEvent { at_ms: millis(self.open_at), sent: false, text });
        }
        events
    }

    fn close_line(&mut self) {
        let line = std::mem::take(&mut self.open);
        if !line.trim().is_empty() {
            let text = line.trim_end().to_owned();
            self.push(DialogueEvent { at_ms: millis(self.open_at), sent: false, text });
        }
    }

    fn push(&mut self, event: DialogueEvent) {
        if self.head.len() < HEAD_LINES {
            self.head.push(event);
            return;
        }
        self.tail.push_back(event);
        if self.tail.len() > TAIL_LINES {
            self.tail.pop_front();
            self.omitted += 1;
        }
    }
}

/// Replaces every secret by its field's name, the longest first, so that none hides inside another.
pub(crate) fn blank(text: &str, secrets: &[(String, Secret)]) -> String {
    let mut by_length: Vec<_> = secrets.iter().filter(|(_, secret)| !secret.reveal().is_empty()).collect();
    by_length.sort_by_key(|(_, secret)| std::cmp::Reverse(secret.reveal().len()));
    by_length.into_iter().fold(text.to_owned(), |text, (name, secret)| {
        if text.contains(secret.reveal()) { text.replace(secret.reveal(), &format!("<{name}>")) } else { text }
    })
}

fn cut(line: &str) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

fn millis(at: Duration) -> u64 {
    u64::try_from(at.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets() -> Vec<(String, Secret)> {
        vec![("password".into(), Secret::new("hunter2"))]
    }

    #[test]
    fn an_echoed_secret_is_blanked_even_when_it_comes_in_pieces() {
        let mut transcript = Transcript::default();
        transcript.received(Duration::ZERO, "Password: hun");
        transcript.received(Duration::from_millis(3), "ter2\nnext\n");
        let texts: Vec<_> = transcript.events(&secrets()).into_iter().map(|e| e.text).collect();
        assert_eq!(texts, ["Password: <password>", "next"]);
    }

    #[test]
    fn a_prompt_and_its_answer_are_two_lines() {
        let mut transcript = Transcript::default();
        transcript.received(Duration::from_millis(10), "Username:");
        transcript.sent(Duration::from_millis(12), "probe");
        let events = transcript.events(&[]);
        assert_eq!(events.len(), 2);
        assert!(!events[0].sent && events[1].sent);
        assert_eq!((events[0].at_ms, events[1].at_ms), (10, 12));
    }

    #[test]
    fn a_flood_keeps_its_beginning_and_its_end_and_counts_the_rest() {
        let mut transcript = Transcript::default();
        for line in 0..10_000 {
            transcript.received(Duration::ZERO, &format!("line {line}\n"));
        }
        let events = transcript.events(&[]);
        assert_eq!(events.len(), HEAD_LINES + 1 + TAIL_LINES);
        assert_eq!(events[0].text, "line 0");
        assert_eq!(events[HEAD_LINES].text, "[9800 lines left out]");
        assert_eq!(events.last().unwrap().text, "line 9999");
    }

    #[test]
    fn a_line_without_end_stays_small_and_its_secrets_blanked() {
        let mut transcript = Transcript::default();
        transcript.received(Duration::ZERO, &"x".repeat(LONGEST_LINE - 3));
        transcript.received(Duration::ZERO, "hunter2");
        transcript.received(Duration::ZERO, &"y".repeat(1_000_000));
        let events = transcript.events(&secrets());
        assert!(events[0].text.len() < 2 * LONGEST_LINE);
        assert!(!events[0].text.contains("hun"), "{}", events[0].text);
    }

    #[test]
    fn the_last_line_may_be_an_unfinished_prompt() {
        let mut transcript = Transcript::default();
        transcript.received(Duration::ZERO, "Welcome\n\nAccept the terms? ");
        assert_eq!(transcript.last_line(&[]).as_deref(), Some("Accept the terms?"));
    }
}
