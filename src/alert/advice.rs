//! One line per reason: what to try first. Written for the person paged at 3 a.m.

use crate::record::{FailureKind, MalfunctionKind, Reason};

/// What to try.
pub(super) const fn what_to_try(reason: Reason) -> &'static str {
    match reason {
        Reason::Failure(kind) => after_failure(kind),
        Reason::Malfunction(kind) => after_malfunction(kind),
    }
}

const fn after_failure(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::NoReply => {
            "Ping the gateway's public address from here and from another network: silent from both, the gateway or its provider is down; from here only, look at this host's uplink."
        }
        FailureKind::PacketLoss => {
            "Run mtr to the gateway's public address: the hop where the loss begins says whom to call."
        }
        FailureKind::Unreachable => {
            "Check this host's routes (ip route get ADDRESS); a router on the way says that it knows no way there."
        }
        FailureKind::NameNotResolved => {
            "The name does not exist: check the DNS zone of the gateway and the spelling of the address."
        }
        FailureKind::ConnectRefused => {
            "The gateway's host is up but nothing listens on the port: check its VPN service."
        }
        FailureKind::ConnectTimeout => {
            "The gateway's port does not answer: check the gateway and the firewalls before it."
        }
        FailureKind::TlsFailed => {
            "The TLS handshake failed: look at the gateway's certificate and TLS versions (openssl s_client -connect)."
        }
        FailureKind::CertificateUntrusted => {
            "The certificate is not the pinned one. If it was renewed on purpose, pin its new fingerprint; if not, treat it as an attack: nothing was typed."
        }
        FailureKind::SaMissing => {
            "strongSwan has no SA of this tunnel, and it was not brought back: try `swanctl --initiate --child NAME`; its words name the side at fault."
        }
        FailureKind::SaNotInstalled => {
            "The IKE_SA stands, its CHILD_SA does not: compare traffic selectors and proposals with the peer's; strongSwan's log has its answer."
        }
        FailureKind::RestartFailed => {
            "The tunnel could not be brought back: the detail has strongSwan's words. Ask the peer's side; it may be down or changed."
        }
        FailureKind::RestartLimit => {
            "The tunnel falls again and again, and is left alone for now: look for the cause (peer, line, lifetimes) before you restart it."
        }
        FailureKind::CertificateExpired => "Renew the gateway's certificate: users are warned off or refused now.",
        FailureKind::SessionLimit => "End the test account's old sessions on the gateway, or raise its session limit.",
        FailureKind::NoLicense => {
            "The gateway is out of licences: end idle sessions or add licences. Users are refused now."
        }
        FailureKind::NoAddress => {
            "The gateway's address pool is used up: end idle sessions or enlarge it. Users are refused now."
        }
        FailureKind::PostureRejected => {
            "The gateway's posture check refuses this host: compare its rules with what this host has."
        }
        FailureKind::RealmUnknown => {
            "The gateway does not know this realm (login group): was it renamed? Compare with the site's `realm`."
        }
        FailureKind::LoginTimeout => {
            "The login did not end in time: read below where it stopped; check the gateway's load and its directory (RADIUS, LDAP)."
        }
        FailureKind::AuthRejected => {
            "Log in by hand with the test account, once: was its password changed? The prober tries again only after a rest, so as not to lock it."
        }
        FailureKind::AccountLocked => {
            "Unlock the test account in the directory; find out who locked it before probing goes on."
        }
        FailureKind::PasswordExpired => "Set a new password for the test account and put it where the prober reads it.",
        FailureKind::OtpRequired => {
            "The gateway asks for a one-time code and the site has no `otp_secret`: configure it, or exempt the account."
        }
        FailureKind::OtpRejected => {
            "The one-time code was refused: check this host's clock first (timedatectl: half a minute is too much), then the site's `otp_secret`."
        }
        FailureKind::Disconnected => {
            "The tunnel was closed right after the login: look for this account's session in the gateway's log."
        }
        FailureKind::NoInterface => {
            "The client says connected but no tunnel came up: run the client by hand and look at its log."
        }
        FailureKind::NotThroughTunnel => {
            "The way to the inside does not lead through the tunnel: compare the routes that the gateway hands out with `internal_ip`."
        }
        FailureKind::MtuBlackhole => {
            "Small packets pass the tunnel, large ones vanish: lower the tunnel's MTU on the gateway, or let ICMP \"fragmentation needed\" through. Users see pages that never load."
        }
        FailureKind::InternalUnreachable => {
            "The login works, the inside does not answer: check the internal host, then the gateway's routes and rules for the test account."
        }
        FailureKind::CheckFailed => {
            "The tunnel works, a service behind it does not: the detail says which and how. Look at that service, then at the gateway's rules for it."
        }
    }
}

const fn after_malfunction(kind: MalfunctionKind) -> &'static str {
    match kind {
        MalfunctionKind::ClientMissing => {
            "Install the VPN client on the prober's host, or correct the profile's `command`."
        }
        MalfunctionKind::ClientExited => {
            "The client ended before it spoke to the gateway: run it by hand on the prober's host."
        }
        MalfunctionKind::ClientTooOld => {
            "The client, or the Java that it runs in, is too old: update it on the prober's host; if the gateway wants a newer client, users will be asked too."
        }
        MalfunctionKind::ClientBusy => {
            "Somebody else's client runs on the prober's host and is left alone, also after a second try: end it, or wait."
        }
        MalfunctionKind::UnexpectedPrompt => {
            "The client asked something that its profile does not know, or would not answer with the echo on: read below what, and add a rule."
        }
        MalfunctionKind::NoPty => "No pseudo-terminal could be had: check the prober's limits (open files, /dev/pts).",
        MalfunctionKind::NoIcmpPermission => {
            "The prober may not ping: give it CAP_NET_RAW, or set net.ipv4.ping_group_range."
        }
        MalfunctionKind::ResolverFailed => {
            "The prober's own resolver does not answer: check /etc/resolv.conf on its host."
        }
        MalfunctionKind::ViciUnreachable => {
            "strongSwan does not answer on its VICI socket: is it running, is `strongswan-swanctl` installed, may the prober open the socket?"
        }
        MalfunctionKind::TunnelNotConfigured => {
            "strongSwan knows no tunnel of this name: compare `child_sa` with `swanctl --list-conns`; was its configuration loaded?"
        }
        MalfunctionKind::OwnUplinkDown => {
            "The prober's own way to the network is down: look at its cable, its address and its default route first."
        }
        MalfunctionKind::AccountPaused => {
            "The test account rests after it was refused: put the account right; a changed secret ends the pause."
        }
        MalfunctionKind::PrepareFailed => {
            "The prober's own host can't do what the cycle needs: read above what; if something of an earlier login stayed, run `vpnprobe cleanup` there."
        }
        MalfunctionKind::Cancelled => "The prober was stopped in the middle of a cycle: is it running again?",
        MalfunctionKind::ProberKilled => {
            "The prober was killed in the middle of a cycle: look for the cause in its host's journal (memory, watchdog)."
        }
        MalfunctionKind::Panicked => "The prober has a bug: its log has the place; please report it.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_one_line_of_advice_of_its_own() {
        let failures = FailureKind::ALL.iter().map(|&kind| Reason::from(kind));
        let malfunctions = MalfunctionKind::ALL.iter().map(|&kind| Reason::from(kind));
        let mut seen = std::collections::HashSet::new();
        for reason in failures.chain(malfunctions) {
            let advice = what_to_try(reason);
            assert!(
                advice.len() <= 200 && advice.ends_with(['.', '?']) && !advice.contains('\n'),
                "{reason}: {advice}"
            );
            assert!(seen.insert(advice), "{reason} has the advice of another");
        }
    }
}
