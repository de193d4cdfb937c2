//! A row as bytes: by hand, since there are ten million of them.

use std::io::Write as _;

use vpnprobe::record::{Outcome, Reason, SiteKind, Stage};
use vpnprobe::results::COLUMNS;

use crate::site::{Found, Site};

const OF_SSL_VPN: [Stage; 7] =
    [Stage::Prepare, Stage::External, Stage::Gateway, Stage::Login, Stage::Internal, Stage::Teardown, Stage::Cleanup];
const OF_IPSEC: [Stage; 5] = [Stage::External, Stage::Sa, Stage::Internal, Stage::Restart, Stage::Keepalive];

/// What a row has beside what was found.
#[derive(Debug)]
pub(crate) struct Around<'a> {
    /// `2025-01-01`.
    pub(crate) date: &'a str,
    /// Milliseconds since midnight.
    pub(crate) of_day: u64,
    /// Milliseconds.
    pub(crate) interval: i64,
    /// The window, or nothing.
    pub(crate) maintenance: &'a str,
    pub(crate) random: u32,
    pub(crate) cert_days: u64,
}

/// Cells one after another.
struct Cells<'a> {
    out: &'a mut Vec<u8>,
    next: usize,
}

impl Cells<'_> {
    /// Begins the cell of that column.
    ///
    /// # Panics
    ///
    /// Where it is not the next one of the real format.
    fn of(&mut self, column: &str) -> &mut Vec<u8> {
        assert_eq!(COLUMNS[self.next], column);
        if self.next > 0 {
            self.out.push(b',');
        }
        self.next += 1;
        self.out
    }

    fn text(&mut self, column: &str, cell: &str) {
        let out = self.of(column);
        if cell.bytes().any(|b| matches!(b, b',' | b'"')) {
            out.push(b'"');
            for byte in cell.bytes() {
                out.extend_from_slice(if byte == b'"' { b"\"\"" } else { std::slice::from_ref(&byte) });
            }
            out.push(b'"');
        } else {
            out.extend_from_slice(cell.as_bytes());
        }
    }

    /// Milliseconds of so many microseconds.
    fn millis(&mut self, column: &str, micros: Option<u64>) {
        let out = self.of(column);
        if let Some(micros) = micros {
            thousandths(out, micros);
        }
    }

    /// Percent; decimals only where there are any.
    fn percent(&mut self, column: &str, loss: Option<u64>) {
        let out = self.of(column);
        match loss {
            None => {}
            Some(whole) if whole % 1000 == 0 => number(out, whole / 1000, 1),
            Some(loss) => thousandths(out, loss),
        }
    }
}

/// Appends the row, its line feed included.
pub(crate) fn append(out: &mut Vec<u8>, site: &Site, found: &Found, around: &Around<'_>) {
    let mut cells = Cells { out, next: 0 };
    time(cells.of("time"), around);
    cells.text("site", &site.name);
    cells.text("kind", site.kind.as_str());
    cells.text("verdict", found.verdict().as_str());
    cells.text("failed_stage", found.failed_stage.map_or("", Stage::as_str));
    cells.text("reason", found.reason.map_or("", Reason::as_str));
    cells.millis("external_rtt_ms", found.external_rtt);
    cells.percent("external_loss_pct", found.external_loss);
    cells.millis("login_ms", found.login);
    cells.millis("internal_rtt_ms", found.internal_rtt);
    cells.percent("internal_loss_pct", found.internal_loss);
    let restarts = cells.of("restarts");
    if let Some(count) = found.restarts {
        number(restarts, count.into(), 1);
    }
    cells.millis("restore_ms", found.restore);
    cells.text("leftovers", found.leftovers);
    cells.millis("cycle_ms", found.took);
    cells.text("detail", found.detail);
    cells.text("fault_domain", found.reason.map_or("", |reason| reason.fault_domain().as_str()));
    stages(cells.of("stages"), site.kind, found);
    let checks = cells.of("checks");
    if let Some(took) = found.check {
        checks.extend_from_slice(b"tcp:10.1.0.9:443=");
        thousandths(checks, took);
    }
    let cert = cells.of("cert_days_left");
    if site.kind == SiteKind::SslVpn && !found.killed {
        number(cert, around.cert_days, 1);
    }
    for later in ["public_ip", "country", "dns_country"] {
        cells.of(later);
    }
    number(cells.of("interval_s"), u64::try_from(around.interval / 1000).unwrap_or(0), 1);
    cells.text("maintenance", around.maintenance);
    cells.text("group", site.group.unwrap_or(""));
    cells.text("prober", "edge-1");
    cycle_id(cells.of("cycle_id"), around);
    assert_eq!(cells.next, COLUMNS.len());
    out.push(b'\n');
}

fn time(out: &mut Vec<u8>, around: &Around<'_>) {
    out.extend_from_slice(around.date.as_bytes());
    out.push(b'T');
    clock(out, around.of_day, b":");
    out.extend_from_slice(b"+00:00");
}

fn cycle_id(out: &mut Vec<u8>, around: &Around<'_>) {
    out.extend(around.date.bytes().filter(|b| *b != b'-'));
    out.push(b'T');
    clock(out, around.of_day, b"");
    let _ = write!(out, "Z-{:08x}", around.random);
}

fn clock(out: &mut Vec<u8>, of_day: u64, between: &[u8]) {
    let seconds = of_day / 1000;
    number(out, seconds / 3600, 2);
    out.extend_from_slice(between);
    number(out, seconds / 60 % 60, 2);
    out.extend_from_slice(between);
    number(out, seconds % 60, 2);
    out.push(b'.');
    number(out, of_day % 1000, 3);
}

/// As the prober lists them: what was skipped too, teardown and cleanup only where a client was started.
fn stages(out: &mut Vec<u8>, kind: SiteKind, found: &Found) {
    if found.killed {
        return;
    }
    let failed = |stage| found.failed_stage == Some(stage);
    let all: &[Stage] = if kind == SiteKind::Ipsec { &OF_IPSEC } else { &OF_SSL_VPN };
    let no_client = failed(Stage::Prepare) || found.took.is_some_and(|took| took < 1_000_000);
    for (n, stage) in all.iter().enumerate() {
        if no_client && matches!(stage, Stage::Teardown | Stage::Cleanup) {
            continue;
        }
        if n > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(stage.as_str().as_bytes());
        out.push(b'=');
        let outcome = match (stage, found.reason) {
            (_, Some(reason)) if failed(*stage) => Outcome::from_reason(reason).as_str(),
            (Stage::Restart, _) if found.restarts != Some(1) => "skipped",
            (Stage::Internal, _) if found.internal_loss.is_none() => "skipped",
            (Stage::Keepalive, Some(_)) if !found.restored => "skipped",
            (Stage::External | Stage::Gateway | Stage::Login, _) if failed(Stage::Prepare) => "skipped",
            _ => "passed",
        };
        out.extend_from_slice(outcome.as_bytes());
    }
}

/// With three decimals.
fn thousandths(out: &mut Vec<u8>, value: u64) {
    number(out, value / 1000, 1);
    out.push(b'.');
    number(out, value % 1000, 3);
}

/// With so many digits at least.
fn number(out: &mut Vec<u8>, mut value: u64, digits: usize) {
    let mut buffer = [b'0'; 20];
    let mut begin = buffer.len();
    while value > 0 || buffer.len() - begin < digits {
        begin -= 1;
        buffer[begin] = b'0' + u8::try_from(value % 10).unwrap_or(0);
        value /= 10;
    }
    out.extend_from_slice(&buffer[begin..]);
}
