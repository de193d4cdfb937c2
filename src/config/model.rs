//! The checked configuration. Whoever holds a [`Config`] need not check anything again.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{AlertChannel, Check, Pattern, ReportsByMail, SecretSource, Sla, split_host_port};
use crate::maintenance::Windows;
use crate::record::{Reason, SiteKind, SiteName};
use crate::zone::Zone;

/// The whole configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Start of one pass to the start of the next, for sites that say nothing else. Default 600 s.
    pub frequency: Duration,
    /// Row times, day files, reports. Default UTC.
    pub timezone: Zone,
    /// This prober's name. Default: the host name.
    pub prober: String,
    /// State that survives a restart. Default `$STATE_DIRECTORY`, else `./state`.
    pub state_dir: PathBuf,
    /// Where results go.
    pub logging: Logging,
    /// Ways to people, mail first where it is configured.
    pub channels: Vec<AlertChannel>,
    /// The sites, in the order of the file.
    pub sites: Vec<Arc<Site>>,
    /// Client profiles by name: the built-in ones and the user's own.
    pub clients: BTreeMap<String, Arc<Profile>>,
    /// resolv.conf and how it is repaired.
    pub resolv_conf: ResolvConfConfig,
    /// Where strongSwan is asked.
    pub ipsec: IpsecConfig,
    /// Maintenance windows.
    pub maintenance: Arc<Windows>,
    /// How the prober's own way out is looked at.
    pub uplink: UplinkConfig,
    /// What is promised. Default: nothing, at any time.
    pub sla: Sla,
    /// Reports that are sent by mail, where configured.
    pub report: Option<ReportsByMail>,
    /// Names of environment variables that hold secrets: no client gets them.
    pub secret_env: Vec<String>,
}

/// Where results go.
#[derive(Debug, Clone)]
pub struct Logging {
    /// Directory of the day files. Default `results`.
    pub dir: PathBuf,
    /// First part of their names. Default `results`.
    pub file: String,
    /// Mail, where configured.
    pub email: Option<Email>,
}

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct Email {
    /// Host name or address of the mail server.
    pub server: String,
    /// Its port. Default 25; 587 with `tls: starttls`, 465 with `tls: tls`.
    pub port: u16,
    /// Encryption.
    pub tls: SmtpTls,
    /// Sender.
    pub from: String,
    /// Recipients; at least one.
    pub to: Vec<String>,
    /// User name and password, where the server wants them.
    pub login: Option<(String, SecretSource)>,
    /// Certificate authority of the server, PEM; none: the system's roots.
    pub ca_file: Option<PathBuf>,
}

/// Encryption of SMTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpTls {
    /// STARTTLS if offered (the default, as EpMonitoring did); never together with a password.
    Opportunistic,
    /// STARTTLS, or the mail is not sent.
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// In the clear.
    None,
}

/// One site.
#[derive(Debug, Clone)]
pub struct Site {
    /// Its name.
    pub name: SiteName,
    /// Its group.
    pub group: Option<String>,
    /// Start to start.
    pub interval: Duration,
    /// Start to start after a down cycle.
    pub interval_down: Option<Duration>,
    /// When to tell people.
    pub alerts: AlertRules,
    /// What is asked outside and inside the tunnel, whatever kind of tunnel it is.
    pub probes: Probes,
    /// What is probed, by kind.
    pub target: SiteTarget,
}

/// What is asked on both sides of a tunnel.
#[derive(Debug, Clone, Default)]
pub struct Probes {
    /// Address or name to ping outside; none: no stage `external`.
    pub external_ip: Option<String>,
    /// Whether a failure of `external` makes the site down. Default true.
    pub external_required: bool,
    /// Address to ping through the tunnel; none: no ping in the stage `internal`.
    pub internal_ip: Option<String>,
    /// What is asked through the tunnel beside the ping; none and no `internal_ip`: no stage `internal`.
    pub checks: Vec<Check>,
    /// Certificate authorities for the stage `gateway` and for checks by https, PEM; none: the system's roots.
    pub ca_file: Option<PathBuf>,
    /// How to ping.
    pub ping: PingConfig,
}

impl Probes {
    /// Whether anything is asked through the tunnel.
    pub const fn ask_inside(&self) -> bool {
        self.internal_ip.is_some() || !self.checks.is_empty()
    }
}

/// What is probed.
#[derive(Debug, Clone)]
pub enum SiteTarget {
    /// `kind: ssl-vpn`.
    SslVpn(Box<SslVpn>),
    /// `kind: ipsec`.
    Ipsec(Ipsec),
}

impl Site {
    /// The site's kind.
    pub const fn kind(&self) -> SiteKind {
        match self.target {
            SiteTarget::SslVpn(_) => SiteKind::SslVpn,
            SiteTarget::Ipsec(_) => SiteKind::Ipsec,
        }
    }

    /// The gateway and how to get in, where the site has a login.
    pub const fn ssl_vpn(&self) -> Option<&SslVpn> {
        match &self.target {
            SiteTarget::SslVpn(vpn) => Some(vpn),
            SiteTarget::Ipsec(_) => None,
        }
    }

    /// The tunnel, where the site is one of strongSwan's.
    pub const fn ipsec(&self) -> Option<&Ipsec> {
        match &self.target {
            SiteTarget::Ipsec(tunnel) => Some(tunnel),
            SiteTarget::SslVpn(_) => None,
        }
    }
}

/// An SSL VPN gateway and how to get in.
#[derive(Debug, Clone)]
pub struct SslVpn {
    /// The gateway as written: host or host:port.
    pub vpn_gw: String,
    /// Whose login it is.
    pub account: Account,
    /// The user name to type; none where the gateway knows the client by its certificate alone.
    pub username: Option<String>,
    /// The password to type; none where the gateway asks for none.
    pub password: Option<SecretSource>,
    /// The secret of its one-time codes (RFC 6238), where the gateway asks for them.
    pub otp_secret: Option<SecretSource>,
    /// What opens the private key of the client's certificate.
    pub key_passphrase: Option<SecretSource>,
    /// For the whole login. Default 60 s.
    pub timeout: Duration,
    /// The client's profile.
    pub client: Arc<Profile>,
    /// Added to the profile's own arguments.
    pub client_args: Vec<String>,
    /// Certificates that may be accepted when the client asks.
    pub fingerprints: Vec<Fingerprint>,
    /// What is looked at before the login.
    pub gateway: GatewayConfig,
    /// Values for fields in braces that a profile asks for beside the site's keys.
    pub params: BTreeMap<String, String>,
}

/// Where an SSL VPN gateway listens when nothing is said.
const HTTPS: u16 = 443;

impl SslVpn {
    /// Host and port of the gateway.
    pub fn gateway_address(&self) -> (&str, u16) {
        // The configuration lets only gateways through that can be split.
        let (host, port) = split_host_port(&self.vpn_gw).unwrap_or((&self.vpn_gw, None));
        (host, port.unwrap_or(HTTPS))
    }

    /// Where its secrets come from.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretSource> {
        self.password.iter().chain(&self.otp_secret).chain(&self.key_passphrase)
    }
}

/// An IPsec tunnel of strongSwan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ipsec {
    /// The `CHILD_SA` configuration.
    pub child_sa: String,
    /// Its connection, where two have a child of this name.
    pub ike_sa: Option<String>,
    /// When and how it is brought back.
    pub restart: RestartPolicy,
    /// Whether an event of the daemon begins a cycle at once. Default no.
    pub watch: bool,
}

/// When and how a fallen tunnel is brought back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartPolicy {
    /// `false`: it is only watched. Default true.
    pub enabled: bool,
    /// How long strongSwan's own recovery is left alone. Default 45 s.
    pub grace: Duration,
    /// Attempts at bringing it up, in all, as MIPsec counts. Default 3.
    pub max_retries: u32,
    /// Before the second attempt; doubled before each further one. Default 2 s.
    pub retry_delay: Duration,
    /// Restarts within 60 minutes; 0: none. Default 3.
    pub max_per_hour: u32,
}

impl Default for RestartPolicy {
    fn default() -> Self {
        Self {
            enabled: true,
            grace: Duration::from_secs(45),
            max_retries: 3,
            retry_delay: Duration::from_secs(2),
            max_per_hour: 3,
        }
    }
}

/// Where strongSwan is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpsecConfig {
    /// Its VICI socket: a path, or `tcp://ADDRESS:PORT`. Default `/var/run/charon.vici`.
    pub socket: String,
}

impl IpsecConfig {
    /// Where Debian's packages have it.
    pub const DEFAULT: &str = "/var/run/charon.vici";
}

/// How the stage `gateway` looks at the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayConfig {
    /// What it speaks. Default: what the client's profile says.
    pub speaks: GatewayProtocol,
    /// Whether the certificate decides. `None`: where `ca_file` or `fingerprint` says what is right.
    pub verify: Option<bool>,
    /// For the whole stage. Default 10 s.
    pub timeout: Duration,
}

/// What a gateway speaks on the port that its client connects to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum GatewayProtocol {
    /// TLS over TCP.
    Tls,
    /// TCP, and what is said over it is not looked at.
    Tcp,
    /// Nothing that could be looked at: there is no stage `gateway`.
    #[default]
    None,
}

/// Whose login it is. Several sites may share one account; what happens to it concerns them all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    /// User name; of a site without one, the site's name: nobody else shares its login.
    pub username: String,
    /// Realm (login group), where the gateway has several.
    pub realm: Option<String>,
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.realm {
            Some(realm) => write!(f, "{} (realm {realm})", self.username),
            None => f.write_str(&self.username),
        }
    }
}

/// How to ping.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PingConfig {
    /// Echo requests per series. Default 5.
    pub count: u32,
    /// From one to the next. Default 200 ms.
    pub interval: Duration,
    /// How long a reply may take. Default 2 s.
    pub timeout: Duration,
    /// More loss than this fails the stage (`packet-loss`). Default 80.
    pub max_loss_pct: f64,
    /// Whether a packet as large as the tunnel takes must get through too (`mtu-blackhole`). Default true.
    pub mtu: bool,
}

impl Default for PingConfig {
    fn default() -> Self {
        Self {
            count: 5,
            interval: Duration::from_millis(200),
            timeout: Duration::from_secs(2),
            max_loss_pct: 80.0,
            mtu: true,
        }
    }
}

/// When to tell people about a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AlertRules {
    /// Down cycles in a row. Default 2.
    pub after: u32,
    /// Up cycles in a row until it is over. Default 1.
    pub resolve_after: u32,
    /// Unknown for so long: the prober is blind. Default 30 min.
    pub blind_after: Duration,
    /// Said again while it lasts; zero: never. Default 4 h.
    pub reminder: Duration,
}

impl Default for AlertRules {
    fn default() -> Self {
        Self { after: 2, resolve_after: 1, blind_after: Duration::from_mins(30), reminder: Duration::from_hours(4) }
    }
}

/// resolv.conf and how it is repaired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvConfConfig {
    /// Default `/etc/resolv.conf`.
    pub path: PathBuf,
    /// Puts it right again; without one (or when it fails) the known good copy is written back.
    pub restore_command: Option<Vec<String>>,
}

/// How the prober's own way out is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UplinkConfig {
    /// When none of these answers, the uplink is down. Default none: routes and carrier alone tell.
    pub targets: Vec<IpAddr>,
}

/// A certificate that may be accepted when the client asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// What was hashed, and how.
    pub algorithm: FingerprintAlgorithm,
    /// The hash.
    pub hash: Vec<u8>,
}

/// What a fingerprint is a hash of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FingerprintAlgorithm {
    /// SHA-1 of the certificate (what Connect Tunnel shows).
    Sha1,
    /// SHA-256 of the certificate.
    Sha256,
    /// SHA-256 of the public key, written `pin-sha256:BASE64` (what OpenConnect shows; RFC 7469 §2.4).
    PinSha256,
}

/// How one kind of client is driven: data, not code.
#[derive(Debug, Clone)]
pub struct Profile {
    /// Its name: `startct`, `openconnect`, or the user's own.
    pub name: String,
    /// The program; without a slash it is searched in the prober's PATH.
    pub command: String,
    /// Arguments in groups: a group is left out when the site has no value for a field in it.
    pub args: Vec<Vec<Template>>,
    /// Environment set beside the prober's own (less every secret).
    pub env: BTreeMap<String, Template>,
    /// What may come on the terminal and what is done then; all awaited at once.
    pub dialogue: Vec<DialogueRule>,
    /// How the client is asked to leave.
    pub leave: Leave,
    /// Strangers that count as this client's leftovers.
    pub adopt: Vec<Adopt>,
    /// Names of `params` that are paths: a relative one counts from the directory of the configuration file.
    pub paths: BTreeSet<String>,
    /// Names of `params`: a site that has one of them may be without user name and password.
    pub login_optional_with: BTreeSet<String>,
    /// Glob (`*`, `?`) over the names of the client's interface; none: no wait for it and no proof of the tunnel.
    pub interface: Option<String>,
    /// What the stage `gateway` speaks.
    pub gateway: GatewayProtocol,
}

/// One line of a profile's dialogue.
#[derive(Debug, Clone)]
pub struct DialogueRule {
    /// Matched against the terminal's text with escape sequences removed. A named group `fingerprint` makes the rule a
    /// certificate question: it is answered only when what the group caught is pinned.
    pub expect: Pattern,
    /// What then.
    pub reaction: Reaction,
}

/// What a dialogue rule does when its text came.
#[derive(Debug, Clone)]
pub enum Reaction {
    /// Type a line (Enter is added).
    Send {
        /// The line; `{password}` and `{otp}` are allowed here alone.
        line: Template,
        /// How often at most; then the reason.
        max: Option<(u32, Reason)>,
        /// Only while the client has the terminal's echo switched off. Default no.
        hidden: bool,
        /// The client may switch the echo off for it, right after its question: then the line is typed when it has, else
        /// a moment later. Default no.
        may_hide: bool,
        /// The client asks again at random, also for a good secret: once more than `max`, once a day and account, when
        /// nothing looked like a refusal. Default no.
        again: bool,
    },
    /// The login failed for this reason.
    Failed(Reason),
    /// The client says that the tunnel is up.
    Connected,
}

/// Text with fields in braces: `{username}`. `{{` and `}}` stand for the braces themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Literal text and fields, in order.
    pub parts: Vec<TemplatePart>,
}

/// One part of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// Text as it is.
    Text(String),
    /// The value of a field.
    Field(String),
}

/// How a client is asked to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leave {
    /// A line to type, where the client has a command for it.
    pub send: Option<String>,
    /// A signal to the client's first process, by its name without `SIG` (`INT`, `TERM`, `HUP`).
    pub signal: Option<String>,
    /// How long its whole process tree may take before TERM, then KILL. Default 10 s.
    pub grace: Duration,
}

/// A stranger that counts as this client's leftover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adopt {
    /// The process's name (`comm`, or the base name of its first argument).
    pub name: String,
    /// Text that one of its arguments must contain.
    pub arg: Option<String>,
}
