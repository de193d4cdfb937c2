//! One message to a channel, now and past the outbox: whether it would arrive. The alert state is not touched.

use chrono::{DateTime, Utc};
use tokio::time::timeout;

use super::event::steady_id;
use super::{AlertEvent, AlertFacts, AlertKind, Channel, Outgoing, SEND_DEADLINE, SendError, render};
use crate::zone::Zone;

/// The test message of this prober; times in `zone`.
pub fn test_message(prober: &str, at: DateTime<Utc>, zone: &Zone) -> Outgoing {
    let id = steady_id(prober, at, "test");
    let event = AlertEvent {
        thread: id.clone(),
        id,
        subject: prober.to_owned(),
        at,
        kind: AlertKind::Test { version: env!("CARGO_PKG_VERSION").to_owned() },
        facts: AlertFacts { prober: prober.to_owned(), ..AlertFacts::default() },
    };
    let text = render(&event, zone);
    Outgoing { event, subject: text.subject, body: text.body, created_at: at }
}

/// Sends it, within the deadline that every message has.
pub async fn try_channel(channel: &dyn Channel, message: &Outgoing) -> Result<(), SendError> {
    let too_late = || SendError::transient(format!("not taken in time, {} s", SEND_DEADLINE.as_secs()));
    timeout(SEND_DEADLINE, channel.send(message)).await.unwrap_or_else(|_| Err(too_late()))
}

/// What to look at, by what the channel says.
pub fn hint_to(error: &SendError) -> Option<&'static str> {
    const HINTS: [(&str, &str); 8] = [
        (
            "answer the connection in time",
            "the server is silent: is `port` right, and does a firewall let it through? `tls: tls` goes with port 465 only",
        ),
        ("in time", "the server answered first and fell silent then: its own log says more"),
        ("the login", "`username` and the password beside it are what the server refuses"),
        ("certificate", "`ca_file` names the authority of a server whose certificate the system does not know"),
        ("no STARTTLS", "`tls: tls` with port 465 where the server speaks TLS from the first byte"),
        ("recipient", "see `to`: the server knows or allows none of them"),
        ("the sender", "see `from`: the server does not take mail from there"),
        ("the connection", "see `server` and `port`"),
    ];
    HINTS.iter().find(|(words, _)| error.text.contains(words)).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_that_it_is_a_test_by_whom_and_of_which_version() {
        let at = "2026-11-20T06:15:30Z".parse().unwrap();
        let message = test_message("edge-1", at, &"Europe/Paris".parse().unwrap());
        assert_eq!(message.subject, "[vpnprobe] TEST from edge-1: nothing is wrong");
        for words in ["This is a test", "edge-1", env!("CARGO_PKG_VERSION"), "2026-11-20 07:15:30 CET"] {
            assert!(message.body.contains(words), "{words}: {}", message.body);
        }
        assert_eq!(message.event.id, "edge-1.20261120T061530.000Z.test");
    }
}
