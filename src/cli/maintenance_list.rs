//! The list of maintenance windows: pure.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json as value};

use super::status_text::{age, dated};
use crate::maintenance::{Added, Effects, Sites, When, Window};
use crate::record::seen;
use crate::zone::Zone;

/// Version of the document of `--json`.
const VERSION: u32 = 1;

/// A line a window.
pub(super) fn text(added: &[Added], configured: &[Window], zone: &Zone, now: DateTime<Utc>, all: bool) -> String {
    let lines = every(added, configured, now, all).map(|(id, window)| {
        let name = window.name.as_deref().map(|name| format!(" ({})", seen(name))).unwrap_or_default();
        let id = id.unwrap_or("configuration");
        let effects = effects(window.effects).join(", ");
        let (sites, when, state) = (sites(&window.sites), when(&window.when, zone), state(&window, zone, now));
        [id, &name, "  ", &sites, "  ", &when, "  ", state, "  ", &effects].concat().trim_end().to_owned() + "\n"
    });
    let text: String = lines.collect();
    if text.is_empty() { "no maintenance window\n".to_owned() } else { text }
}

/// The same for programs.
pub(super) fn json(added: &[Added], configured: &[Window], zone: &Zone, now: DateTime<Utc>, all: bool) -> Value {
    let windows = every(added, configured, now, all).map(|(id, window)| {
        let (start, end) = next_span(&window.when, zone, now).unzip();
        value!({
            "id": id,
            "name": window.name,
            "sites": match &window.sites {
                Sites::All => value!("all"),
                Sites::Only(sites) => value!(sites),
            },
            "start": start,
            "end": end,
            "weekly": matches!(window.when, When::Weekly { .. }),
            "in_force": window.when.end_at(now, zone).is_some(),
            "suppress_alerts": window.effects.suppress_alerts,
            "exclude_from_sla": window.effects.exclude_from_sla,
            "pause_restarts": window.effects.pause_restarts,
        })
    });
    value!({ "version": VERSION, "time": now, "windows": windows.collect::<Vec<_>>() })
}

fn every<'a>(
    added: &'a [Added],
    configured: &'a [Window],
    now: DateTime<Utc>,
    all: bool,
) -> impl Iterator<Item = (Option<&'a str>, Window)> {
    let is_open = move |window: &Window| match window.when {
        When::Once { end, .. } => all || end > now,
        When::Weekly { .. } => true,
    };
    let configured = configured.iter().map(|window| (None, window.clone()));
    let added = added.iter().map(|added| (Some(added.id.as_str()), added.window.to_window()));
    configured.chain(added).filter(move |(_, window)| is_open(window))
}

fn sites(sites: &Sites) -> String {
    match sites {
        Sites::All => "all sites".to_owned(),
        Sites::Only(_) => sites.names().iter().map(|name| seen(name)).collect::<Vec<_>>().join(", "),
    }
}

fn when(when: &When, zone: &Zone) -> String {
    match when {
        When::Once { start, end } => format!("{} to {}", dated(*start, zone), dated(*end, zone)),
        When::Weekly { day, time, length } => {
            format!("every {day} {} for {}", time.format("%H:%M"), age(length.as_secs()))
        }
    }
}

fn state(window: &Window, zone: &Zone, now: DateTime<Utc>) -> &'static str {
    match (window.when.end_at(now, zone), &window.when) {
        (Some(_), _) => "IN FORCE",
        (None, When::Once { end, .. }) if *end <= now => "over",
        (None, _) => "to come",
    }
}

fn effects(effects: Effects) -> Vec<&'static str> {
    let words = [
        (effects.suppress_alerts, "no messages"),
        (effects.exclude_from_sla, "not agreed time"),
        (effects.pause_restarts, "no restarts"),
    ];
    words.into_iter().filter_map(|(is_so, words)| is_so.then_some(words)).collect()
}

/// The one in force, else the next one.
fn next_span(when: &When, zone: &Zone, now: DateTime<Utc>) -> Option<(DateTime<Utc>, DateTime<Utc>)> {
    match when {
        When::Once { start, end } => Some((*start, *end)),
        When::Weekly { .. } => {
            let week_after = now.checked_add_signed(TimeDelta::days(15))?;
            when.occurrences(now, week_after, zone).into_iter().next()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use chrono::Weekday;

    use super::*;
    use crate::maintenance::NewWindow;
    use crate::record::SiteName;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-11-20T{text}Z").parse().unwrap()
    }

    fn added() -> Vec<Added> {
        let window = |name: Option<&str>, sites: &[&str], start, end| NewWindow {
            name: name.map(Into::into),
            sites: sites.iter().map(|site| SiteName::new(*site).unwrap()).collect::<BTreeSet<_>>(),
            start: at(start),
            end: at(end),
            suppress_alerts: true,
            exclude_from_sla: name.is_some(),
            pause_restarts: false,
        };
        let windows = [
            window(Some("switch"), &["paris", "lagos"], "06:00:00", "08:00:00"),
            window(None, &[], "09:00:00", "10:00:00"),
            window(None, &[], "04:00:00", "05:00:00"),
        ];
        (1..).zip(windows).map(|(n, window)| Added { id: format!("m{n}"), added: at("06:00:00"), window }).collect()
    }

    fn weekly() -> Vec<Window> {
        let time = "02:00:00".parse().unwrap();
        let when = When::Weekly { day: Weekday::Sun, time, length: Duration::from_hours(2) };
        vec![Window { name: Some("backup".into()), sites: Sites::All, when, effects: Effects::default() }]
    }

    #[test]
    fn a_window_is_a_line_with_what_it_changes() {
        let zone = "Europe/Paris".parse().unwrap();
        let expected = "\
configuration (backup)  all sites  every Sun 02:00 for 2 h 00 min  to come  no messages, not agreed time, no restarts
m1 (switch)  lagos, paris  2026-11-20 07:00:00 CET to 2026-11-20 09:00:00 CET  IN FORCE  no messages, not agreed time
m2  all sites  2026-11-20 10:00:00 CET to 2026-11-20 11:00:00 CET  to come  no messages
";
        assert_eq!(text(&added(), &weekly(), &zone, at("07:00:00"), false), expected);
        assert!(text(&added(), &[], &zone, at("07:00:00"), true).contains("\nm3  all sites  "));
        assert_eq!(text(&[], &[], &zone, at("07:00:00"), true), "no maintenance window\n");
    }

    #[test]
    fn a_weekly_window_tells_its_next_time() {
        let json = json(&added(), &weekly(), &Zone::utc(), at("07:00:00"), false);
        let windows = json["windows"].as_array().unwrap();
        assert_eq!((&windows[0]["start"], &windows[0]["weekly"]), (&value!("2026-11-22T02:00:00Z"), &value!(true)));
        assert_eq!((&windows[1]["id"], &windows[1]["in_force"]), (&value!("m1"), &value!(true)));
        assert_eq!((&windows[0]["id"], &windows[2]["sites"]), (&Value::Null, &value!("all")));
    }
}
