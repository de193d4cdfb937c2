//! What the `ping` program printed, line by line (iputils; busybox too).
//!
//! Pure. Must not trust its summary for more than the number sent: duplicates and late replies are sorted out here.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::record::PingStats;

/// What was understood.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ProgramOutput {
    /// Requests sent, from the summary; none when it ended before that.
    pub(super) sent: Option<u32>,
    /// Round-trip time of the first reply to each request.
    replies: BTreeMap<u64, Duration>,
    /// Errors from the network, by request.
    errors: BTreeMap<u64, String>,
    /// The first thing on standard error that says that there is no way.
    no_way: Option<String>,
    /// The last line on standard error.
    pub(super) complaint: Option<String>,
    /// Whether it complains of a missing right.
    pub(super) not_permitted: bool,
}

impl ProgramOutput {
    /// The figures of the replies that came within `timeout`.
    pub(super) fn stats(&self, sent: u32, timeout: Duration) -> PingStats {
        let in_time: Vec<_> = self.replies.values().copied().filter(|&took| took <= timeout).collect();
        PingStats::from_rtts(sent, &in_time)
    }

    /// The first error that came instead of a reply.
    pub(super) fn unreachable(&self) -> Option<String> {
        let instead = self.errors.iter().find(|(sequence, _)| !self.replies.contains_key(sequence));
        instead.map(|(_, words)| words.clone()).or_else(|| self.no_way.clone())
    }
}

/// Reads both outputs.
pub(super) fn parse(output: &str, errors: &str) -> ProgramOutput {
    let mut read = ProgramOutput::default();
    for line in output.lines() {
        if let Some((sequence, took)) = reply(line) {
            read.replies.entry(sequence).or_insert(took);
        } else if let Some((sequence, words)) = icmp_error(line) {
            read.errors.entry(sequence).or_insert(words);
        } else if let Some(sent) = line.split_once(" packets transmitted").and_then(|(sent, _)| sent.parse().ok()) {
            read.sent = Some(sent);
        }
    }
    for line in errors.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words = line.strip_prefix("ping: ").unwrap_or(line);
        let lower = words.to_lowercase();
        if ["unreachable", "no route to host", "message too long"].iter().any(|way| lower.contains(way)) {
            // Without the name of the system call in front ("sendmsg: ").
            read.no_way.get_or_insert_with(|| lower.rsplit(": ").next().unwrap_or_default().to_owned());
        }
        read.not_permitted |= lower.contains("not permitted") || lower.contains("permission denied");
        read.complaint = Some(words.to_owned());
    }
    read
}

/// `64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.045 ms`.
fn reply(line: &str) -> Option<(u64, Duration)> {
    let (_, rest) = line.split_once(" bytes from ")?;
    let (_, time) = rest.split_once("time=").or_else(|| rest.split_once("time<"))?;
    let milliseconds: f64 = time.split_whitespace().next()?.parse().ok()?;
    Some((sequence(rest)?, Duration::try_from_secs_f64(milliseconds / 1000.0).ok()?))
}

/// `From 10.0.0.1 icmp_seq=1 Destination Host Unreachable`; a redirect is no error.
fn icmp_error(line: &str) -> Option<(u64, String)> {
    let rest = line.strip_prefix("From ")?;
    let (from, rest) = rest.split_once(' ')?;
    let (_, words) = rest.split_once("seq=")?.1.split_once(' ')?;
    let words = words.trim().to_lowercase();
    let from = from.trim_end_matches(':');
    (!words.starts_with("redirect")).then(|| Some((sequence(rest)?, format!("{words} from {from}"))))?
}

/// The number after `icmp_seq=` or `seq=`.
fn sequence(text: &str) -> Option<u64> {
    let (_, rest) = text.split_once("seq=")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn replies_are_counted_once_with_the_first_time() {
        let output = "PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.\n\
            64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.045 ms\n\
            64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.900 ms (DUP!)\n\
            64 bytes from 127.0.0.1: seq=2 ttl=64 time=1.5 ms\n\
            \n\
            --- 127.0.0.1 ping statistics ---\n\
            3 packets transmitted, 2 received, +1 duplicates, 33.3333% packet loss, time 2ms\n\
            rtt min/avg/max/mdev = 0.045/0.045/0.045/0.000 ms\n";
        let read = parse(output, "");
        let stats = read.stats(read.sent.unwrap(), SECOND);
        assert_eq!((stats.sent, stats.received), (3, 2));
        let rtt = stats.rtt.unwrap();
        assert_eq!((rtt.min.as_micros(), rtt.max.as_micros()), (45, 1500));
        assert_eq!(read.unreachable(), None);
    }

    #[test]
    fn errors_are_told_in_the_same_words_as_our_own() {
        for (line, expected) in [
            (
                "From 10.0.0.1 icmp_seq=1 Destination Host Unreachable",
                Some("destination host unreachable from 10.0.0.1"),
            ),
            ("From 10.0.0.1: icmp_seq=2 Time to live exceeded", Some("time to live exceeded from 10.0.0.1")),
            (
                "From fd00::1 icmp_seq=1 Destination unreachable: No route",
                Some("destination unreachable: no route from fd00::1"),
            ),
            ("From 10.0.0.1: icmp_seq=1 Redirect Host(New nexthop: 10.0.0.2)", None),
            ("From 10.0.0.1", None),
        ] {
            assert_eq!(parse(line, "").unreachable().as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn what_it_says_on_standard_error_is_sorted() {
        for (line, no_way, not_permitted) in [
            ("ping: connect: Network is unreachable", Some("network is unreachable"), false),
            ("ping: sendmsg: No route to host", Some("no route to host"), false),
            ("ping: local error: message too long, mtu=1400", Some("message too long, mtu=1400"), false),
            ("ping: socket: Operation not permitted", None, true),
            ("ping: unknown option", None, false),
        ] {
            let read = parse("", line);
            assert_eq!((read.unreachable().as_deref(), read.not_permitted), (no_way, not_permitted), "{line}");
        }
    }

    #[test]
    fn an_error_before_the_reply_says_nothing() {
        let output = "From 10.0.0.1 icmp_seq=1 Destination Host Unreachable\n\
            64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.1 ms\n";
        assert_eq!(parse(output, "").unreachable(), None);
    }

    proptest! {
        #[test]
        fn no_output_makes_it_panic(
            output in "(From |bytes from |seq=|time=|-?[0-9.e]{0,30}| |:|\n|\\PC){0,30}",
            errors in "\\PC{0,50}",
        ) {
            let read = parse(&output, &errors);
            let _ = read.stats(1, SECOND);
            let _ = read.unreachable();
        }
    }
}
