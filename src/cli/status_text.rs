//! What a prober knows, for a person: pure.

use chrono::{DateTime, Utc};

use super::show::{Colour, Terminal};
use crate::record::seen;
use crate::status::{AccountPause, MessageStatus, OpenAlert, OutboxStatus, SiteStatus, State, Status};
use crate::zone::Zone;

/// What is not known.
const NOTHING: &str = "-";
/// Between two columns.
const APART: &str = "  ";

/// A line a site, then what is not delivered. Times in `zone`, without their date where that is today's.
pub(super) fn text(status: &Status, zone: &Zone, terminal: Terminal) -> String {
    let at = Times { zone, now: status.time };
    let mut text = headline(status, &at, terminal);
    if let Some(since) = status.uplink_down_since {
        let down = terminal.paint("the prober's own uplink is DOWN", Colour::Red);
        text.extend([&*down, " since ", &*at.moment(since), ": nothing is known of any site\n\n"]);
    }
    if let Some(all) = &status.all_sites {
        let what = match all.state {
            State::Down => format!("all sites fail{}", all.stage.map(|s| format!(" at stage {s}")).unwrap_or_default()),
            _ => "no site can be told of".to_owned(),
        };
        let what = terminal.paint(&what, Colour::Red);
        text.extend([&*what, " since ", &*at.moment(all.since), ": told in one message\n\n"]);
    }
    text.push_str(&table(status, &at, terminal));
    text.push('\n');
    text.push_str(&outbox_text(&status.outbox, status.time, zone, status.running));
    text
}

/// Messages that are not delivered.
pub(super) fn outbox_text(outbox: &OutboxStatus, now: DateTime<Utc>, zone: &Zone, running: bool) -> String {
    if outbox.pending.is_empty() && outbox.dead.is_empty() {
        return "every message is delivered\n".to_owned();
    }
    let at = Times { zone, now };
    let mut text = String::new();
    let mut list = |heading: String, messages: &[MessageStatus], says_next: bool| {
        if !messages.is_empty() {
            text.extend([heading.as_str(), "\n"]);
            text.extend(messages.iter().map(|message| message_line(message, &at, says_next)));
        }
    };
    let waiting = if running { "waiting" } else { "waiting until a prober runs" };
    let pending = counted(outbox.pending.len(), "message");
    list(format!("{pending} not delivered yet, {waiting}:"), &outbox.pending, running);
    let them = if outbox.dead.len() == 1 { "it" } else { "them" };
    let dead = counted(outbox.dead.len(), "message");
    list(format!("{dead} given up; `vpnprobe outbox retry` sends {them} again:"), &outbox.dead, false);
    text
}

fn headline(status: &Status, at: &Times<'_>, terminal: Terminal) -> String {
    let prober = terminal.paint(&seen(&status.prober), Colour::Bold);
    let now = dated(status.time, at.zone);
    match status.running_since {
        Some(since) if status.running => format!("{prober}  {now}  running since {}\n\n", at.moment(since)),
        _ => {
            let none = terminal.paint("NO PROBER RUNS", Colour::Red);
            format!("{prober}  {now}  {none}: this is what its state directory knows\n\n")
        }
    }
}

fn table(status: &Status, at: &Times<'_>, terminal: Terminal) -> String {
    const STATE: usize = 2;
    const HEADINGS: [&str; 6] = ["SITE", "KIND", "STATE", "SINCE", "LAST", "NEXT"];
    let rows: Vec<[String; 6]> = status.sites.iter().map(|site| cells(site, at)).collect();
    let widths: Vec<usize> = (0..HEADINGS.len())
        .map(|column| {
            rows.iter().map(|row| row[column].chars().count()).chain([HEADINGS[column].len()]).max().unwrap_or(0)
        })
        .collect();
    let padded = |cells: [&str; 6], paint: &dyn Fn(&str) -> String| {
        let mut line = String::new();
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            let padding = " ".repeat(width.saturating_sub(cell.chars().count()));
            let cell = if column == STATE { paint(cell) } else { (*cell).to_owned() };
            line.extend([&cell, padding.as_str(), APART]);
        }
        line
    };
    let mut text = padded(HEADINGS, &str::to_owned).trim_end().to_owned() + "\n";
    for (site, row) in status.sites.iter().zip(&rows) {
        let cells = padded(row.each_ref().map(String::as_str), &|cell| terminal.paint(cell, colour(site.state)));
        let line = cells + &words(site, at).join("; ");
        text.extend([line.trim_end(), "\n"]);
    }
    text
}

fn cells(site: &SiteStatus, at: &Times<'_>) -> [String; 6] {
    let moment = |time: Option<DateTime<Utc>>| time.map_or_else(|| NOTHING.to_owned(), |time| at.moment(time));
    let next = if site.under_way { "now".to_owned() } else { moment(site.next_cycle) };
    [
        seen(site.site.as_str()),
        site.kind.to_string(),
        site.state.as_str().to_owned(),
        moment(site.since),
        moment(site.last_cycle),
        next,
    ]
}

const fn colour(state: State) -> Colour {
    match state {
        State::Up => Colour::Green,
        State::Down => Colour::Red,
        State::Unknown => Colour::Yellow,
        State::NotProbed => Colour::Dim,
    }
}

/// What else is to be said of a site, the most important first.
fn words(site: &SiteStatus, at: &Times<'_>) -> Vec<String> {
    let is_up = site.state == State::Up;
    let why = site.reason.filter(|_| !is_up).map(|reason| {
        let stage = site.stage.map(|stage| format!("{stage} ")).unwrap_or_default();
        let detail = site.detail.as_deref().map(|detail| format!(": {}", seen(detail))).unwrap_or_default();
        format!("{stage}{reason} ({}){detail}", reason.fault_domain())
    });
    let maintenance = site.maintenance.as_ref().map(|window| {
        let name = window.name.as_deref().map(|name| format!(" {}", seen(name))).unwrap_or_default();
        format!("in maintenance{name} until {}", at.moment(window.until))
    });
    [
        why,
        site.alert.as_ref().map(|alert| alert_words(alert, at)),
        site.blind_since.map(|since| format!("told as blind since {}", at.moment(since))),
        site.unsteady.then(|| "falls again and again".to_owned()),
        site.flapping.then(|| "flapping".to_owned()),
        site.account.as_ref().map(|account| account_words(account, at)),
        maintenance,
        (!site.leftovers.is_empty()).then(|| format!("left behind: {}", site.leftovers.join(" "))),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn alert_words(alert: &OpenAlert, at: &Times<'_>) -> String {
    let reminders = match alert.reminders {
        0 => String::new(),
        count => format!(", {}", counted(count as usize, "reminder")),
    };
    let told = match alert.undelivered.as_slice() {
        [] => format!("told {}", at.moment(alert.told)),
        channels => {
            let channels: Vec<_> = channels.iter().map(|channel| seen(channel)).collect();
            format!("not delivered by {}", channels.join(", "))
        }
    };
    format!("alert since {}, {told}{reminders}", at.moment(alert.since))
}

fn account_words(account: &AccountPause, at: &Times<'_>) -> String {
    let name = seen(&account.username);
    match account.until {
        Some(until) => format!("account {name} rests until {}", at.moment(until)),
        None => format!("account {name} rests until its password changes or `vpnprobe resume`"),
    }
}

fn message_line(message: &MessageStatus, at: &Times<'_>, says_next: bool) -> String {
    let tried = counted(message.attempts as usize, "attempt");
    let next = if says_next { format!(", next {}", at.moment(message.next_attempt)) } else { String::new() };
    let why = message.last_error.as_deref().map(|why| format!(": {}", seen(why))).unwrap_or_default();
    let (channel, id) = (seen(&message.channel), seen(&message.id));
    format!("  {channel}  {id}  {} old, {tried}{next}{why}\n", age(message.age_s))
}

/// Of one thing no plural.
fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// `35 s`, `12 min`, `3 h 05 min`, `2 d 4 h`.
pub(super) fn age(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, ..) => format!("{hours} h {minutes:02} min"),
        _ => format!("{days} d {hours} h"),
    }
}

/// How times are shown.
pub(super) struct Times<'a> {
    pub(super) zone: &'a Zone,
    pub(super) now: DateTime<Utc>,
}

impl Times<'_> {
    /// Without its date where that is today's.
    pub(super) fn moment(&self, time: DateTime<Utc>) -> String {
        // Beyond the years that a date can have, as only a damaged file says, UTC does.
        let local = |time: DateTime<Utc>| self.zone.local(time).unwrap_or_else(|| time.naive_utc());
        let form = if local(time).date() == local(self.now).date() { "%T" } else { "%F %T" };
        local(time).format(form).to_string()
    }
}

/// With its date and its zone.
pub(super) fn dated(time: DateTime<Utc>, zone: &Zone) -> String {
    match zone.local(time) {
        Some(_) => time.with_timezone(zone).format("%F %T %Z").to_string(),
        None => time.format("%F %T UTC").to_string(),
    }
}

#[cfg(test)]
#[path = "status_text_tests.rs"]
mod tests;
