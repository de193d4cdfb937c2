//! Whether a packet as large as the tunnel takes gets through it: `mtu-blackhole`.
//!
//! A tunnel whose largest packets vanish without a word passes every ordinary ping, and then no page loads. So after
//! a good ping one more echo request goes out, as large as the tunnel's interface takes and not to be cut into pieces.

use std::net::IpAddr;

use super::StageEnd;
use super::external::small_series;
use crate::config::PingConfig;
use crate::net::{Fragments, NetContext, PingError, PingReport, PingRequest};
use crate::record::FailureKind;

/// Requests beyond the first one, where that one is not answered.
const FURTHER_TRIES: u32 = 2;

/// What is known of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Large {
    target: IpAddr,
    /// Size of the packet, its headers included.
    size: u32,
}

impl Large {
    /// A packet to `target` that fills an interface of this MTU; `None` where there is nothing to try.
    pub(super) fn of(target: IpAddr, mtu: u32) -> Option<Self> {
        // Smaller ones every link has (RFC 791, RFC 8200); a larger packet than these there is not.
        let least = if target.is_ipv4() { 576 } else { 1280 };
        (mtu >= least).then(|| Self { target, size: mtu.min(65_535) })
    }

    /// One reply is enough; silence is asked for again, and then for a small packet, which must still be answered.
    pub(super) async fn tried(self, net: &dyn NetContext, ping: &PingConfig) -> Tried {
        let first = Answer::to(&net.ping(self.request(ping, 1)).await);
        if first != Answer::Silence {
            return Tried { large: self, answer: first };
        }
        let mut answer = Answer::to(&net.ping(self.request(ping, FURTHER_TRIES)).await);
        if answer == Answer::Silence {
            let small = net.ping(PingRequest { count: 1, ..small_series(self.target, ping) }).await;
            if small.is_ok_and(|report| report.stats.received == 0) {
                answer = Answer::SmallOnesToo;
            }
        }
        Tried { large: self, answer }
    }

    fn request(self, ping: &PingConfig, count: u32) -> PingRequest {
        // IP header and ICMP header.
        let headers = if self.target.is_ipv4() { 28 } else { 48 };
        let payload = usize::try_from(self.size - headers).unwrap_or(0);
        PingRequest { count, payload, fragments: Fragments::Forbidden, ..small_series(self.target, ping) }
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Reply,
    /// A router or this host says why not: then everybody's connections learn of it too.
    Word(String),
    Silence,
    /// Nothing comes back at all any more.
    SmallOnesToo,
}

impl Answer {
    fn to(report: &Result<PingReport, PingError>) -> Self {
        match report {
            Ok(report) if report.stats.received > 0 => Self::Reply,
            Ok(PingReport { unreachable: Some(words), .. }) => Self::Word(words.clone()),
            Ok(_) => Self::Silence,
            Err(error) => Self::Word(error.to_string()),
        }
    }
}

/// What the large packet brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tried {
    large: Large,
    answer: Answer,
}

impl Tried {
    /// Judges it after a ping of which so much was lost.
    pub(super) fn judge(self, lost_pct: f64, ping: &StageEnd) -> StageEnd {
        let size = self.large.size;
        let said = ping.detail.as_deref().unwrap_or_default();
        match self.answer {
            Answer::Reply => StageEnd::passed_with(format!("{said}, {size} bytes whole")),
            Answer::Word(words) => StageEnd::passed_with(format!("{said}, {size} bytes: {words}")),
            // Where small packets get lost, large ones do.
            Answer::Silence if lost_pct > 0.0 => StageEnd::passed_with(format!("{said}, {size} bytes: no reply")),
            Answer::SmallOnesToo => StageEnd::passed_with(format!("{said}, then silence")),
            Answer::Silence => {
                let tries = FURTHER_TRIES + 1;
                let words =
                    format!("{tries} packets of {size} bytes, as large as the tunnel takes, vanished; small: {said}");
                StageEnd::because(FailureKind::MtuBlackhole, words)
            }
        }
    }
}

#[cfg(test)]
#[path = "mtu_tests.rs"]
mod tests;
