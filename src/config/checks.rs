//! `checks`: what a site asks beyond pings, through the tunnel.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::address::{is_host, split_host_port};
use super::fields::Fields;
use super::keys::CHECK;
use super::value::Value;
use super::web_url::{WebUrl, WebUrlFault, authority, bracketed};

/// For a whole check, its name look-ups included.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_mins(1);

/// More than one looks at in a cycle; each may take its time-out while the client holds the host's routes.
const MOST_CHECKS: usize = 50;

/// What counts as an answer of a web server that is well, where nothing else is said: as Prometheus' `blackbox_exporter` has it.
const STATUS: RangeInclusive<u16> = 200..=299;

/// Something that is asked through the tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What.
    pub kind: CheckKind,
    /// For the whole check. Default 5 s.
    pub timeout: Duration,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckKind {
    /// A connection.
    Tcp {
        /// Name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// A page.
    Http(HttpCheck),
    /// A name.
    Dns(DnsCheck),
}

/// A page that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpCheck {
    /// `https`.
    pub tls: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path with query; begins with a slash.
    pub path: String,
    /// Status codes of a good answer. Default 200 to 299.
    pub status: Vec<RangeInclusive<u16>>,
    /// Text that a good answer holds.
    pub contains: Option<String>,
    /// Whether its certificate must be trusted, by the site's `ca_file` or the system's roots. Default true.
    pub verify: bool,
    /// Days that its certificate must last at least.
    pub cert_days: Option<u32>,
}

/// A name that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsCheck {
    /// The whole name.
    pub name: String,
    /// Whether IPv6 addresses are asked for; else IPv4.
    pub ipv6: bool,
    /// Addresses of which one must be in the answer; none: any will do.
    pub answers: Vec<IpAddr>,
    /// Whom to ask; none: the resolvers that the client pushed, as they stand in resolv.conf.
    pub server: Option<(IpAddr, u16)>,
}

/// As it stands in rows: `tcp:10.1.0.9:443`, `http:https://10.1.0.9/health`, `dns:intranet.example.com`. A page's query is left
/// out, which may hold a secret.
impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            CheckKind::Tcp { host, port } => write!(f, "tcp:{}:{port}", bracketed(host)),
            CheckKind::Http(http) => {
                let path = http.path.split('?').next().unwrap_or_default();
                let scheme = if http.tls { "https" } else { "http" };
                write!(f, "http:{scheme}://{}{path}", http.authority())
            }
            CheckKind::Dns(dns) => write!(f, "dns:{}", dns.name),
        }
    }
}

impl HttpCheck {
    /// Host and port as they stand in a URL: the port is left out where it is the usual one.
    pub fn authority(&self) -> String {
        authority(&self.host, self.port, self.tls)
    }
}

/// Reads `checks` of a site.
pub(super) fn read_checks(site: &Fields<'_>) -> Vec<Check> {
    let Some(value) = site.get("checks") else { return Vec::new() };
    let items = value.items();
    if items.len() > MOST_CHECKS {
        value.fault(format!("are {}: {MOST_CHECKS} at most, since each keeps the tunnel up", items.len()));
    }
    items.iter().filter_map(read_check).collect()
}

fn read_check(value: &Value<'_>) -> Option<Check> {
    let fields = Fields::of(value, &CHECK)?;
    let given: Vec<_> = ["tcp", "http", "dns"].into_iter().filter_map(|key| Some((key, fields.get(key)?))).collect();
    let [(kind, target)] = given.as_slice() else {
        value.fault("must have exactly one of `tcp`, `http`, `dns`");
        return None;
    };
    let fits = only_keys_of(kind, &fields);
    let read = match *kind {
        "tcp" => read_tcp(target),
        "http" => read_http(target, &fields).map(CheckKind::Http),
        _ => read_dns(target, &fields).map(CheckKind::Dns),
    };
    let timeout = fields.duration("timeout", &TIMEOUT).unwrap_or(DEFAULT_TIMEOUT);
    fits.then_some(Check { kind: read?, timeout })
}

/// A key of another kind of check is a slip: it would promise what is not done.
fn only_keys_of(kind: &str, fields: &Fields<'_>) -> bool {
    let others =
        [("http", ["status", "contains", "verify", "cert_days"].as_slice()), ("dns", &["answer", "type", "server"])];
    let mut fits = true;
    for (other, keys) in others.into_iter().filter(|(other, _)| *other != kind) {
        for value in keys.iter().filter_map(|key| fields.get(key)) {
            let message = format!("belongs to a check by `{other}`, and this one is by `{kind}`");
            value.sink.fault(&value.path, value.named_at, message, None);
            fits = false;
        }
    }
    fits
}

fn read_tcp(value: &Value<'_>) -> Option<CheckKind> {
    let text = value.text()?;
    let Some((host, Some(port))) = split_host_port(text) else {
        value.not(text, "is not host:port", None);
        return None;
    };
    Some(CheckKind::Tcp { host: host.to_owned(), port })
}

/// The URL is never shown: it may hold a secret.
fn read_http(value: &Value<'_>, fields: &Fields<'_>) -> Option<HttpCheck> {
    const FORM: &str = "write `http://host/path` or `https://host:port/path`";
    let WebUrl { tls, host, port, path } = match WebUrl::parse(value.text()?) {
        Ok(url) => url,
        Err(fault) => {
            value.fault_with(fault.message(), (fault == WebUrlFault::NotOne).then(|| FORM.to_owned()));
            return None;
        }
    };
    for key in ["verify", "cert_days"] {
        if let Some(value) = fields.get(key).filter(|_| !tls) {
            value.sink.fault(&value.path, value.named_at, "needs an https URL", None);
        }
    }
    let status: Vec<_> = fields.get("status").map(|value| value.items()).unwrap_or_default();
    let status: Vec<_> = status.iter().filter_map(read_status).collect();
    Some(HttpCheck {
        tls,
        host,
        port,
        path,
        status: if status.is_empty() { vec![STATUS] } else { status },
        contains: fields.text("contains"),
        verify: fields.get("verify").and_then(|value| value.flag()).unwrap_or(true),
        cert_days: fields.integer("cert_days", &(0..=10_000)),
    })
}

/// `200` or `200-399`.
fn read_status(value: &Value<'_>) -> Option<RangeInclusive<u16>> {
    let text = value.text()?;
    let number = |text: &str| {
        let digits = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u16>().ok().filter(|number| digits && (100..=599).contains(number))
    };
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let range = number(from).zip(number(to)).filter(|(from, to)| from <= to);
    if range.is_none() {
        value.not(text, "is not a status code", "write `200`, or `200-399`".to_owned());
    }
    range.map(|(from, to)| from..=to)
}

fn read_dns(value: &Value<'_>, fields: &Fields<'_>) -> Option<DnsCheck> {
    let name = value.text()?;
    if !is_host(name) || name.parse::<IpAddr>().is_ok() {
        value.not(name, "is not a host name", None);
        return None;
    }
    let answers: Vec<_> = fields.get("answer").map(|value| value.items()).unwrap_or_default();
    let answers: Vec<_> = answers.iter().filter_map(|value| Some((value.clone(), read_ip(value)?))).collect();
    let said = fields.get("type").and_then(|value| value.choice(&[("A", false), ("AAAA", true)]));
    let ipv6 = said.unwrap_or_else(|| answers.first().is_some_and(|(_, address)| address.is_ipv6()));
    for (value, _) in answers.iter().filter(|(_, address)| address.is_ipv6() != ipv6) {
        value.fault(format!("cannot be in an answer of type {}", if ipv6 { "AAAA" } else { "A" }));
    }
    Some(DnsCheck {
        name: name.to_owned(),
        ipv6,
        answers: answers.into_iter().map(|(_, address)| address).collect(),
        server: fields.get("server").and_then(|value| read_server(&value)),
    })
}

fn read_ip(value: &Value<'_>) -> Option<IpAddr> {
    let text = value.text()?;
    let address = text.parse().ok();
    if address.is_none() {
        value.not(text, "is not an IP address", None);
    }
    address
}

fn read_server(value: &Value<'_>) -> Option<(IpAddr, u16)> {
    const DOMAIN: u16 = 53;
    let text = value.text()?;
    let found = split_host_port(text).and_then(|(host, port)| Some((host.parse().ok()?, port.unwrap_or(DOMAIN))));
    if found.is_none() {
        value.not(text, "is not the address of a resolver", "write `10.1.0.53` or `10.1.0.53:5353`".to_owned());
    }
    found
}
