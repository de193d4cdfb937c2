//! The bookkeeping of one series: which requests went out, which were answered, refused or lost.
//!
//! Pure: times are handed in. Must not know how a message travels.

use std::time::Duration;

use super::clock::{Stamp, round_trip};
use crate::net::{PingError, PingReport};
use crate::record::PingStats;

/// A series in progress.
#[derive(Debug)]
pub(super) struct Ledger {
    timeout: Duration,
    requests: Vec<Request>,
    fault: Option<PingError>,
}

#[derive(Debug)]
struct Request {
    sent: Stamp,
    outcome: Outcome,
}

#[derive(Debug)]
enum Outcome {
    Open,
    Answered(Duration),
    /// Something said that there will be no reply; a reply counts all the same.
    Unreachable(String),
    /// The host could not send it.
    NotSent,
}

impl Ledger {
    /// A series without requests yet; each may take `timeout`.
    pub(super) const fn new(timeout: Duration) -> Self {
        Self { timeout, requests: Vec::new(), fault: None }
    }

    /// How many requests were made.
    pub(super) fn made(&self) -> u32 {
        u32::try_from(self.requests.len()).unwrap_or(u32::MAX)
    }

    /// The sequence number of the next request; they start at 1, as those of `ping`, and wrap.
    pub(super) fn next_sequence(&self) -> u16 {
        let [.., high, low] = self.made().wrapping_add(1).to_be_bytes();
        u16::from_be_bytes([high, low])
    }

    /// A request went out.
    pub(super) fn sent(&mut self, at: Stamp) {
        self.requests.push(Request { sent: at, outcome: Outcome::Open });
    }

    /// A request could not go out because there is no way there.
    pub(super) fn no_way(&mut self, at: Stamp, words: String) {
        self.requests.push(Request { sent: at, outcome: Outcome::Unreachable(words) });
    }

    /// A request could not go out by the host's own fault.
    pub(super) fn not_sent(&mut self, at: Stamp, fault: PingError) {
        self.requests.push(Request { sent: at, outcome: Outcome::NotSent });
        self.fault.get_or_insert(fault);
    }

    /// A reply came in: stamped by the kernel `arrived`, read at `read`. The first one within the time-out counts.
    pub(super) fn answered(&mut self, sequence: u16, arrived: Option<Duration>, read: Stamp) {
        let timeout = self.timeout;
        if let Some(request) = self.request(sequence)
            && !matches!(request.outcome, Outcome::Answered(_))
        {
            let took = round_trip(request.sent, arrived, read);
            if took <= timeout {
                request.outcome = Outcome::Answered(took);
            }
        }
    }

    /// An ICMP error came in for a request.
    pub(super) fn unreachable(&mut self, sequence: u16, words: String) {
        if let Some(request) = self.request(sequence)
            && matches!(request.outcome, Outcome::Open)
        {
            request.outcome = Outcome::Unreachable(words);
        }
    }

    /// How long, after `now`, a reply may still come that counts; `None` when nothing is waited for any more.
    pub(super) fn waits(&self, now: Stamp) -> Option<Duration> {
        let open = self.requests.iter().rev().find(|request| matches!(request.outcome, Outcome::Open))?;
        let left = open.sent.steady.saturating_add(self.timeout).saturating_sub(now.steady);
        (!left.is_zero()).then_some(left)
    }

    /// The figures. When the host could not send a single request and nothing speaks of the target, it is an error.
    pub(super) fn close(self) -> Result<PingReport, PingError> {
        let made = self.made();
        let mut round_trips = Vec::new();
        let mut unreachable = None;
        for request in self.requests {
            match request.outcome {
                Outcome::Answered(took) => round_trips.push(took),
                Outcome::Unreachable(words) => {
                    unreachable.get_or_insert(words);
                }
                Outcome::Open | Outcome::NotSent => {}
            }
        }
        match self.fault {
            Some(fault) if round_trips.is_empty() && unreachable.is_none() => Err(fault),
            _ => Ok(PingReport { stats: PingStats::from_rtts(made, &round_trips), unreachable }),
        }
    }

    /// The latest request with this sequence number: numbers come again after 65,536 requests, long after the replies.
    fn request(&mut self, sequence: u16) -> Option<&mut Request> {
        let behind = usize::from(self.next_sequence().wrapping_sub(sequence));
        let place = self.requests.len().checked_sub(behind)?;
        self.requests.get_mut(place)
    }
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
