//! What can befall a site, and when the prober itself was off or blind.

use vpnprobe::record::{FailureKind, MalfunctionKind, SiteKind, Stage};

use crate::random::Random;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A way to fail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) stage: Stage,
    pub(crate) reason: FailureKind,
    pub(crate) detail: &'static str,
}

const fn fault(stage: Stage, reason: FailureKind, detail: &'static str) -> Fault {
    Fault { stage, reason, detail }
}

/// Of a login through a client: all domains of fault.
const OF_SSL_VPN: [Fault; 14] = [
    fault(Stage::External, FailureKind::NoReply, "0 of 5 replies from 203.0.113.10"),
    fault(Stage::External, FailureKind::PacketLoss, "1 of 5 replies from 203.0.113.10, at most 80 % may be lost"),
    fault(Stage::Gateway, FailureKind::NameNotResolved, "`vpn.example.com`: no such name"),
    fault(Stage::Gateway, FailureKind::ConnectRefused, "203.0.113.10:443: connection refused"),
    fault(Stage::Gateway, FailureKind::TlsFailed, "handshake: peer said \"internal error\", then closed"),
    fault(Stage::Login, FailureKind::LoginTimeout, "no word after 60 s; last line: \"Please wait, connecting\""),
    fault(Stage::Login, FailureKind::SessionLimit, "Maximum sessions reached, please try again later"),
    fault(Stage::Login, FailureKind::AuthRejected, "Authentication failed due to wrong credentials."),
    fault(Stage::Login, FailureKind::PasswordExpired, "Your password has expired, change it at \"my account\""),
    fault(Stage::Login, FailureKind::NoInterface, "connected, but no `tun*` had an address and a route"),
    fault(Stage::Internal, FailureKind::NotThroughTunnel, "10.1.0.1 goes by eth0, not by tun0"),
    fault(Stage::Internal, FailureKind::Disconnected, "the client said \"Disconnected by gateway\""),
    fault(Stage::Internal, FailureKind::InternalUnreachable, "0 of 5 replies from 10.1.0.1"),
    fault(Stage::Internal, FailureKind::CheckFailed, "https://10.1.0.9/health: 503, expected 200"),
];

/// Of a tunnel of strongSwan.
const OF_IPSEC: [Fault; 6] = [
    fault(Stage::External, FailureKind::NoReply, "0 of 5 replies from 154.118.230.138"),
    fault(Stage::Sa, FailureKind::SaMissing, "no CHILD_SA; restart: peer said \"NO_PROPOSAL_CHOSEN\""),
    fault(Stage::Sa, FailureKind::SaNotInstalled, "CHILD_SA is REKEYING, not INSTALLED"),
    fault(Stage::Internal, FailureKind::MtuBlackhole, "1,372 bytes get no reply, 56 bytes do"),
    fault(Stage::Internal, FailureKind::InternalUnreachable, "0 of 5 replies from 154.118.230.140"),
    fault(Stage::Internal, FailureKind::CheckFailed, "tcp 154.118.230.140:9802: connection refused"),
];

/// Which faults a site of that kind can have.
pub(crate) const fn faults_of(kind: SiteKind) -> &'static [Fault] {
    match kind {
        SiteKind::Ipsec => &OF_IPSEC,
        SiteKind::SslVpn => &OF_SSL_VPN,
    }
}

/// The prober's own trouble, a single cycle of it.
pub(crate) const fn malfunctions_of(kind: SiteKind) -> &'static [(Stage, MalfunctionKind, &'static str)] {
    match kind {
        SiteKind::Ipsec => &[(Stage::Sa, MalfunctionKind::ViciUnreachable, "/var/run/charon.vici: connection refused")],
        SiteKind::SslVpn => &[
            (Stage::Prepare, MalfunctionKind::ClientBusy, "`openconnect` (4711) holds tun0, started by another"),
            (Stage::Login, MalfunctionKind::ClientExited, "status 1: \"java: cannot allocate memory\""),
            (Stage::Login, MalfunctionKind::UnexpectedPrompt, "\"Accept the new licence, yes or no?\""),
        ],
    }
}

/// Stretches of time in which the prober was not running, or not able to tell.
#[derive(Debug, Default)]
pub(crate) struct Prober {
    off: Vec<(i64, i64)>,
    blind: Vec<(i64, i64)>,
}

impl Prober {
    /// Over so many days from `start`: off for about an hour every third week and for about a day every fourth month;
    /// a short history has one of each too, where it is long enough.
    pub(crate) fn of(random: &mut Random, start: i64, days: i64) -> Self {
        let mut prober = Self::default();
        for day in 0..days {
            let at = start + day * DAY + signed(random.between(0, 86_399_999));
            if day == 1 || random.once_in(20) {
                prober.off.push((at, at + signed(random.of_any_size(600_000, 7_200_000))));
            } else if day == 3 || random.once_in(120) {
                prober.off.push((at, at + signed(random.between(70_000_000, 130_000_000))));
            } else if day == 2 || random.once_in(15) {
                prober.blind.push((at, at + signed(random.of_any_size(300_000, 10_800_000))));
            }
        }
        prober
    }

    /// Whether it was not running.
    pub(crate) fn is_off(&self, time: i64) -> bool {
        within(&self.off, time)
    }

    /// Whether its own uplink was down.
    pub(crate) fn is_blind(&self, time: i64) -> bool {
        within(&self.blind, time)
    }
}

fn within(stretches: &[(i64, i64)], time: i64) -> bool {
    stretches.iter().any(|(start, end)| (*start..*end).contains(&time))
}

pub(crate) fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
