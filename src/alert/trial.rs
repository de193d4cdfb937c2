//! One message to a channel, now and past the outbox: whether it would arrive. The alert state is not touched.

use chrono::{DateTime, Utc};

use super::event::steady_id;
use super::worker::in_time;
use super::{AlertEvent, AlertFacts, AlertKind, Channel, Outgoing, SendError};
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
    Outgoing::of(event, None, zone, at)
}

/// Sends it, within the deadline that every message has.
pub async fn try_channel(channel: &dyn Channel, message: &Outgoing) -> Result<(), SendError> {
    in_time(channel.send(message)).await
}

/// What to look at, by what the channel says.
pub fn hint_to(error: &SendError) -> Option<&'static str> {
    // The first that fits. What a web server is asked for has its step between colons, which no mail server's trouble has.
    const HINTS: [(&str, &str); 28] = [
        (": a password is sent over TLS only", "give the server TLS and write `https://`, or ask it on this host"),
        (": name: ", "is the host in the URL spelt right, and does this host resolve names (`getent hosts NAME`)?"),
        (": connection: ", "see host and port in the URL; does a firewall let it through? No proxy is used"),
        ("no certificate authorities", "install the system's authorities, or give the channel a `ca_file`"),
        ("cannot read the certificates in", "`ca_file` must be a file of certificates in PEM"),
        (": TLS: the certificate is not for this name", "the URL must have the name that the certificate is for"),
        (
            ": TLS: the certificate",
            "`ca_file` names the authority of a server whose certificate the system does not know",
        ),
        (": TLS: ", "does this port speak TLS? `http://` in the URL where it does not"),
        (": answer: status 401", "the server wants other credentials: see the URL, the token, or the password"),
        (": answer: status 403", "the server does not let this URL or token write there"),
        (": answer: status 404", "nothing is at this URL: was the webhook removed, the token or the chat changed?"),
        (": answer: status 3", "put the URL that it leads to into the configuration"),
        (": answer: status 429", "too many messages for this server: it takes them later"),
        (": answer: status 5", "the server's own trouble: its log says more"),
        (": answer: status 4", "the server understands another `format`, or another kind of channel"),
        (": answer: ", "the server took the request and said nothing: its own log says more"),
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
        ("cannot run the command", "the first word is a program: its whole path, and executable for this user"),
        ("did not end within", "it must end by itself; `timeout` may be 25s at most"),
        ("the command `", "run it by hand with a JSON object on its standard input"),
        ("secret", "see the key beside the channel's kind: the file is of mode 600 and belongs to this user"),
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
