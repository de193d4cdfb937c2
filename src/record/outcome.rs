//! Stages, outcomes and reasons, with the names that users hold on to.

use std::fmt;

/// Declares an enum whose variants have a public name each.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// Every value, in the order of its declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The public name.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The value with this public name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                Self::from_name(&name).ok_or_else(|| serde::de::Error::unknown_variant(&name, &[$($text),+]))
            }
        }
    };
}

named! {
    /// What is probed.
    SiteKind {
        /// An SSL VPN gateway, through its client.
        SslVpn = "ssl-vpn",
        /// An IPsec tunnel of strongSwan, over VICI.
        Ipsec = "ipsec",
    }
}

named! {
    /// One step of a cycle.
    Stage {
        /// Removes leftovers and repairs resolv.conf before the site is touched.
        Prepare = "prepare",
        /// Pings the gateway's public address.
        External = "external",
        /// Looks at the gateway without logging in: name, TCP, TLS, certificate.
        Gateway = "gateway",
        /// Runs the client until it says that the tunnel is up.
        Login = "login",
        /// Asks strongSwan whether the tunnel is configured and installed.
        Sa = "sa",
        /// Pings and checks through the tunnel.
        Internal = "internal",
        /// Brings a fallen or stale tunnel back.
        Restart = "restart",
        /// Sends one packet through the tunnel, so that it does not fall asleep.
        Keepalive = "keepalive",
        /// Asks the client to leave, and makes it leave.
        Teardown = "teardown",
        /// Checks against what stood there before the login, and removes what stayed.
        Cleanup = "cleanup",
    }
}

named! {
    /// The verdict over a cycle.
    Verdict {
        /// The site did what it is there for.
        Up = "up",
        /// It did not.
        Down = "down",
        /// The prober could not tell.
        Unknown = "unknown",
    }
}

named! {
    /// Whose fault a reason is.
    FaultDomain {
        /// The network between the prober and the gateway.
        Carrier = "carrier",
        /// The gateway.
        Gateway = "gateway",
        /// The test account.
        Identity = "identity",
        /// The tunnel.
        Tunnel = "tunnel",
        /// What lies behind the gateway.
        Inside = "inside",
        /// The prober's own host.
        Own = "own",
    }
}

named! {
    /// Why a stage failed: the fault of what is probed.
    FailureKind {
        /// Not one echo reply.
        NoReply = "no-reply",
        /// More echo requests lost than `max_loss_pct`.
        PacketLoss = "packet-loss",
        /// An ICMP error, or no route at all.
        Unreachable = "unreachable",
        /// The name does not exist.
        NameNotResolved = "name-not-resolved",
        /// TCP connection refused.
        ConnectRefused = "connect-refused",
        /// TCP connection not answered.
        ConnectTimeout = "connect-timeout",
        /// TLS handshake failed.
        TlsFailed = "tls-failed",
        /// The certificate is not one of the pinned ones, or its chain is not trusted.
        CertificateUntrusted = "certificate-untrusted",
        /// The certificate has expired.
        CertificateExpired = "certificate-expired",
        /// The account's session limit is reached.
        SessionLimit = "session-limit",
        /// The gateway has no licence left.
        NoLicense = "no-license",
        /// The gateway could not assign an address.
        NoAddress = "no-address",
        /// The gateway's posture check refused this host.
        PostureRejected = "posture-rejected",
        /// The realm (login group) does not exist.
        RealmUnknown = "realm-unknown",
        /// The login did not end within the site's `timeout`.
        LoginTimeout = "login-timeout",
        /// User name or password refused.
        AuthRejected = "auth-rejected",
        /// The account is locked.
        AccountLocked = "account-locked",
        /// The password has expired.
        PasswordExpired = "password-expired",
        /// A one-time code was asked for and none is configured.
        OtpRequired = "otp-required",
        /// The one-time code was refused.
        OtpRejected = "otp-rejected",
        /// The tunnel went away, or never came, after the gateway had spoken.
        Disconnected = "disconnected",
        /// The client said connected, and no interface with an address and a route came.
        NoInterface = "no-interface",
        /// The way to the internal address is not the tunnel.
        NotThroughTunnel = "not-through-tunnel",
        /// Small packets pass the tunnel, large ones vanish.
        MtuBlackhole = "mtu-blackhole",
        /// The tunnel is configured, and nothing of it is there.
        SaMissing = "sa-missing",
        /// Its `IKE_SA` is there, and no `CHILD_SA` that carries anything.
        SaNotInstalled = "sa-not-installed",
        /// The tunnel could not be brought back.
        RestartFailed = "restart-failed",
        /// It was brought back too often within the last hour, and is left alone.
        RestartLimit = "restart-limit",
        /// The internal address does not answer through the tunnel.
        InternalUnreachable = "internal-unreachable",
        /// A check through the tunnel failed.
        CheckFailed = "check-failed",
    }
}

named! {
    /// Why a stage could not tell: the prober's own trouble.
    MalfunctionKind {
        /// The client is not installed.
        ClientMissing = "client-missing",
        /// The client ended before any word of the gateway.
        ClientExited = "client-exited",
        /// The gateway wants a newer client.
        ClientTooOld = "client-too-old",
        /// Another's client is running and is left alone.
        ClientBusy = "client-busy",
        /// The client asks something that the profile does not know.
        UnexpectedPrompt = "unexpected-prompt",
        /// No pseudo-terminal could be had.
        NoPty = "no-pty",
        /// Neither ICMP socket is allowed and there is no `ping` program.
        NoIcmpPermission = "no-icmp-permission",
        /// The host's own resolver does not answer.
        ResolverFailed = "resolver-failed",
        /// strongSwan's VICI socket is not there, or nobody answers on it.
        ViciUnreachable = "vici-unreachable",
        /// strongSwan knows no such tunnel.
        TunnelNotConfigured = "tunnel-not-configured",
        /// The prober's own way to the network is down.
        OwnUplinkDown = "own-uplink-down",
        /// The account rests after an identity failure.
        AccountPaused = "account-paused",
        /// Leftovers could not be removed before the cycle.
        PrepareFailed = "prepare-failed",
        /// The prober was asked to stop.
        Cancelled = "cancelled",
        /// The prober was killed in the middle of the cycle.
        ProberKilled = "prober-killed",
        /// The cycle panicked.
        Panicked = "panicked",
    }
}

named! {
    /// What a cycle left behind on the host.
    LeftoverKind {
        /// A process of the client survived KILL, or may not be killed.
        ClientSurvived = "client-survived",
        /// The client's interface is still there.
        InterfaceLeft = "interface-left",
        /// The routes are not those of before.
        RouteLeft = "route-left",
        /// resolv.conf is not that of before.
        ResolvConfNotRestored = "resolv-conf-not-restored",
    }
}

impl FailureKind {
    /// Whose fault it is (contract: reasons).
    pub const fn fault_domain(self) -> FaultDomain {
        match self {
            Self::NoReply | Self::PacketLoss | Self::Unreachable | Self::NameNotResolved => FaultDomain::Carrier,
            Self::ConnectRefused
            | Self::ConnectTimeout
            | Self::TlsFailed
            | Self::CertificateUntrusted
            | Self::CertificateExpired
            | Self::SessionLimit
            | Self::NoLicense
            | Self::NoAddress
            | Self::PostureRejected
            | Self::RealmUnknown
            | Self::LoginTimeout => FaultDomain::Gateway,
            Self::AuthRejected
            | Self::AccountLocked
            | Self::PasswordExpired
            | Self::OtpRequired
            | Self::OtpRejected => FaultDomain::Identity,
            Self::Disconnected
            | Self::NoInterface
            | Self::NotThroughTunnel
            | Self::MtuBlackhole
            | Self::SaMissing
            | Self::SaNotInstalled
            | Self::RestartFailed
            | Self::RestartLimit => FaultDomain::Tunnel,
            Self::InternalUnreachable | Self::CheckFailed => FaultDomain::Inside,
        }
    }
}

/// Why a cycle is not up: the fault of what is probed, or the prober's own trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    /// The fault of what is probed: makes the site down.
    Failure(FailureKind),
    /// The prober's own trouble: makes the cycle unknown.
    Malfunction(MalfunctionKind),
}

impl Reason {
    /// The public name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failure(kind) => kind.as_str(),
            Self::Malfunction(kind) => kind.as_str(),
        }
    }

    /// The reason with this public name; no name stands for both a failure and a malfunction.
    pub fn from_name(name: &str) -> Option<Self> {
        FailureKind::from_name(name)
            .map(Self::Failure)
            .or_else(|| MalfunctionKind::from_name(name).map(Self::Malfunction))
    }

    /// Whose fault it is.
    pub const fn fault_domain(self) -> FaultDomain {
        match self {
            Self::Failure(kind) => kind.fault_domain(),
            Self::Malfunction(_) => FaultDomain::Own,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl serde::Serialize for Reason {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Reason {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| serde::de::Error::custom(format!("unknown reason `{name}`")))
    }
}

impl From<FailureKind> for Reason {
    fn from(kind: FailureKind) -> Self {
        Self::Failure(kind)
    }
}

impl From<MalfunctionKind> for Reason {
    fn from(kind: MalfunctionKind) -> Self {
        Self::Malfunction(kind)
    }
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// What is probed did what was asked.
    Passed,
    /// It did not: counts against it.
    Failed(FailureKind),
    /// The prober could not tell: counts against nobody.
    Inconclusive(MalfunctionKind),
    /// Something stayed on the host: never changes the verdict.
    Left(LeftoverKind),
    /// An earlier stage made this one pointless.
    Skipped {
        /// That stage.
        because_of: Stage,
    },
}

impl Outcome {
    /// The outcome that this reason stands for.
    pub const fn from_reason(reason: Reason) -> Self {
        match reason {
            Reason::Failure(kind) => Self::Failed(kind),
            Reason::Malfunction(kind) => Self::Inconclusive(kind),
        }
    }

    /// The reason, where there is one.
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::Failed(kind) => Some(Reason::Failure(kind)),
            Self::Inconclusive(kind) => Some(Reason::Malfunction(kind)),
            Self::Passed | Self::Left(_) | Self::Skipped { .. } => None,
        }
    }

    /// The word of the `stages` column: `passed`, `skipped` or the reason's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(kind) => kind.as_str(),
            Self::Inconclusive(kind) => kind.as_str(),
            Self::Left(kind) => kind.as_str(),
            Self::Skipped { .. } => "skipped",
        }
    }

    /// Whether the stage passed.
    pub const fn is_passed(self) -> bool {
        matches!(self, Self::Passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_found_by_its_name_and_no_name_is_used_twice() {
        let mut seen = std::collections::HashSet::new();
        let failures = FailureKind::ALL.iter().map(|&k| Reason::from(k));
        let malfunctions = MalfunctionKind::ALL.iter().map(|&k| Reason::from(k));
        for reason in failures.chain(malfunctions) {
            assert_eq!(Reason::from_name(reason.as_str()), Some(reason));
            assert!(seen.insert(reason.as_str()), "{reason} stands for two reasons");
        }
        for leftover in LeftoverKind::ALL {
            assert!(seen.insert(leftover.as_str()), "{leftover} is also a reason");
        }
    }
}
