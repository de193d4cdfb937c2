//! The block `maintenance`: windows, once or weekly.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::fields::Fields;
use super::keys::MAINTENANCE;
use super::local_time::{Written, parse_weekly, parse_written};
use super::suggest::did_you_mean;
use super::value::Value;
use crate::maintenance::{Effects, Sites, When, Window, Windows};
use crate::record::SiteName;
use crate::zone::{LocalMoment, Zone};

/// How long a weekly window may last: in a longer one there would be no time without maintenance, which is a slip.
const LENGTH: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_hours(7 * 24);

/// Reads the windows. `sites` are the names in the file, faulty sites included.
pub(super) fn read_maintenance(top: &Fields<'_>, zone: &Zone, sites: &[&str]) -> Windows {
    let items = top.get("maintenance").map(|value| value.items()).unwrap_or_default();
    let windows = items.iter().filter_map(|value| read_window(value, zone, sites)).collect();
    Windows::new(zone.clone(), windows)
}

fn read_window(value: &Value<'_>, zone: &Zone, known: &[&str]) -> Option<Window> {
    let fields = Fields::of(value, &MAINTENANCE)?;
    let sites = fields.get("sites");
    if sites.is_none() {
        fields.fault(Some("sites"), "is missing: names of sites, or `all`", None);
    }
    let sites = sites.and_then(|sites| read_sites(&sites, known));
    let when = read_when(&fields, zone);
    let effects = read_effects(&fields);
    Some(Window { name: fields.text("name"), sites: sites?, when: when?, effects })
}

fn read_sites(value: &Value<'_>, known: &[&str]) -> Option<Sites> {
    let items = value.items();
    if items.is_empty() {
        value.fault_with("names no site", "write names of sites, or `all`".to_owned());
        return None;
    }
    let sites: Vec<_> = items.iter().map(|item| read_site(item, known)).collect();
    sites.into_iter().collect::<Option<Vec<Sites>>>()?.into_iter().reduce(Sites::and)
}

fn read_site(value: &Value<'_>, known: &[&str]) -> Option<Sites> {
    let name = value.text()?;
    if name == "all" {
        return Some(Sites::All);
    }
    if !known.contains(&name) {
        value.not(name, "is not a site", did_you_mean(name, known.iter().copied().chain(["all"])));
        return None;
    }
    // One that can't be a site's name is a fault of the site.
    Some(Sites::Only(BTreeSet::from([SiteName::new(name).ok()?])))
}

fn read_when(fields: &Fields<'_>, zone: &Zone) -> Option<When> {
    let is_given = |key: &str| fields.get(key).is_some();
    match (is_given("start") || is_given("end"), is_given("weekly") || is_given("duration")) {
        (true, false) => read_once(fields, zone),
        (false, true) => read_weekly(fields),
        _ => {
            fields.fault(None, "must have either `start` and `end`, or `weekly` and `duration`", None);
            None
        }
    }
}

fn read_once(fields: &Fields<'_>, zone: &Zone) -> Option<When> {
    let start =
        wanted(fields, "start", "when the window begins").and_then(|value| read_moment(&value, zone, End::First));
    let end = wanted(fields, "end", "when the window is over").and_then(|value| read_moment(&value, zone, End::Last));
    let (start, end) = (start?, end?);
    if start < end {
        return Some(When::Once { start, end });
    }
    let value = fields.get("end")?;
    value.not(value.text()?, "is not after `start`", None);
    None
}

fn read_weekly(fields: &Fields<'_>) -> Option<When> {
    let start = wanted(fields, "weekly", "the day and the time at which the window begins");
    let start = start.and_then(|value| {
        let text = value.text()?;
        let start = parse_weekly(text);
        if start.is_none() {
            value.not(text, "is not a day and a time", "write `Sun 02:00`".to_owned());
        }
        start
    });
    let length = wanted(fields, "duration", "how long the window lasts").and_then(|value| value.duration(&LENGTH));
    let (day, time) = start?;
    Some(When::Weekly { day, time, length: length? })
}

fn wanted<'a>(fields: &Fields<'a>, key: &str, what: &str) -> Option<Value<'a>> {
    let value = fields.get(key);
    if value.is_none() {
        fields.fault(Some(key), format!("is missing: {what}"), None);
    }
    value
}

/// Which end of a window a moment is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    First,
    Last,
}

/// How a moment is written.
const WRITE: &str = "write `2026-11-22T02:00`, or with an offset `2026-11-22T02:00+01:00`";

/// A moment. Of a local time that the clock shows twice, the window holds both.
fn read_moment(value: &Value<'_>, zone: &Zone, end: End) -> Option<DateTime<Utc>> {
    let text = value.text()?;
    let Some((taken, warning)) = moment_of(text, zone, end) else {
        value.not(text, "is not a date and a time", WRITE.to_owned());
        return None;
    };
    if let Some(message) = warning {
        value.sink.warning(&value.path, value.node.at, message, Some("write it with its offset".to_owned()));
    }
    Some(taken)
}

/// The moment at which a window begins that somebody adds, and what is worth a word about it.
pub(crate) fn start_of_window(text: &str, zone: &Zone) -> Result<(DateTime<Utc>, Option<String>), String> {
    moment_of(text, zone, End::First).ok_or_else(|| format!("`{text}` is not a date and a time\n  hint: {WRITE}"))
}

fn moment_of(text: &str, zone: &Zone, end: End) -> Option<(DateTime<Utc>, Option<String>)> {
    let moment = match parse_written(text)? {
        Written::Moment(moment) => return Some((moment, None)),
        Written::Local(local) => zone.moment(local)?,
    };
    let taken = if end == End::First { moment.first() } else { moment.last() };
    let what = match moment {
        LocalMoment::Once(_) => return Some((taken, None)),
        LocalMoment::Twice(..) => format!("`{text}` is twice in {zone}, as the clock is set back"),
        LocalMoment::Skipped(_) => format!("`{text}` does not exist in {zone}, as the clock is set forward"),
    };
    let counts = taken.with_timezone(zone).fixed_offset().to_rfc3339();
    Some((taken, Some(format!("{what}: {counts} counts"))))
}

fn read_effects(fields: &Fields<'_>) -> Effects {
    let built_in = Effects::default();
    let flag = |key: &str, built_in: bool| fields.get(key).and_then(|value| value.flag()).unwrap_or(built_in);
    Effects {
        suppress_alerts: flag("suppress_alerts", built_in.suppress_alerts),
        exclude_from_sla: flag("exclude_from_sla", built_in.exclude_from_sla),
        pause_restarts: flag("pause_restarts", built_in.pause_restarts),
    }
}
