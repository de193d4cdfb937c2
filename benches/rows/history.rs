//! The rows of all sites in the order of time, into a file a day.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, Write};

use chrono::{DateTime, NaiveDate};
use serde_json::{Value, json};
use vpnprobe::record::SiteKind;
use vpnprobe::results::COLUMNS;

use crate::Arguments;
use crate::line::{Around, append};
use crate::random::Random;
use crate::site::Site;
use crate::trouble::Prober;

const DAY: i64 = 86_400_000;

/// Writes the whole history; what was written, as JSON.
pub(crate) fn write(arguments: &Arguments) -> io::Result<Value> {
    let start = midnight(arguments.start);
    let end = start + i64::from(arguments.days) * DAY;
    let mut random = Random::new(arguments.seed);
    let prober = Prober::of(&mut random, start, i64::from(arguments.days));
    let mut sites: Vec<_> = (0..arguments.sites).map(|number| Site::new(number, arguments, start)).collect();
    let mut days = Days::new(arguments, end);
    let mut due: BinaryHeap<_> = sites.iter_mut().enumerate().map(|(n, site)| Reverse((site.begins(), n))).collect();
    let mut was_off = false;
    while let Some(Reverse((time, n))) = due.pop() {
        if time >= end {
            continue;
        }
        let site = &mut sites[n];
        let off = prober.is_off(time);
        match (off, was_off) {
            (true, true) => site.miss(),
            (true, false) => days.put(time, site, &mut random, Site::killed)?,
            (false, _) => days.put(time, site, &mut random, |site| site.cycle(time, prober.is_blind(time)))?,
        }
        was_off = off;
        due.push(Reverse((site.begins(), n)));
    }
    days.close()?;
    Ok(json!({
        "rows": days.rows, "bytes": days.bytes, "files": days.files, "sites": arguments.sites, "start_ms": start,
        "end_ms": end,
    }))
}

fn midnight(date: NaiveDate) -> i64 {
    date.and_hms_opt(0, 0, 0).map_or(0, |time| time.and_utc().timestamp_millis())
}

/// The file of the day under way.
struct Days<'a> {
    arguments: &'a Arguments,
    /// Of the whole history.
    end: i64,
    file: Option<File>,
    date: String,
    /// From when to when.
    of: (i64, i64),
    buffer: Vec<u8>,
    /// A row that is written after the next one of its site, as by another prober; and whose it is.
    held: (Vec<u8>, String),
    rows: u64,
    bytes: u64,
    files: u32,
}

impl<'a> Days<'a> {
    fn new(arguments: &'a Arguments, end: i64) -> Self {
        let (file, date, buffer, held) =
            (None, String::new(), Vec::with_capacity(1 << 20), <(Vec<u8>, String)>::default());
        Self { arguments, end, file, date, of: (0, 0), buffer, held, rows: 0, bytes: 0, files: 0 }
    }

    fn put(
        &mut self,
        time: i64,
        site: &mut Site,
        random: &mut Random,
        cycle: impl FnOnce(&mut Site) -> (crate::site::Found, i64),
    ) -> io::Result<()> {
        if time >= self.of.1 {
            self.begin(time)?;
        }
        let (found, interval) = cycle(site);
        let around = Around {
            date: &self.date,
            of_day: u64::try_from(time - self.of.0).unwrap_or(0),
            interval,
            maintenance: maintenance(site, time),
            random: u32::try_from(random.next() >> 32).unwrap_or(0),
            cert_days: u64::try_from((self.end - time) / DAY % 90).unwrap_or(0),
        };
        if self.held.0.is_empty() && random.once_in(20_000) {
            append(&mut self.held.0, site, &found, &around);
            self.held.1.clone_from(&site.name);
        } else {
            append(&mut self.buffer, site, &found, &around);
            if self.held.1 == site.name {
                self.buffer.append(&mut self.held.0);
            }
        }
        self.rows += 1;
        if self.buffer.len() > 900_000 { self.flush() } else { Ok(()) }
    }

    fn begin(&mut self, time: i64) -> io::Result<()> {
        self.close()?;
        let start = time - time.rem_euclid(DAY);
        self.of = (start, start + DAY);
        self.date =
            DateTime::from_timestamp_millis(start).map(|t| t.format("%Y-%m-%d").to_string()).unwrap_or_default();
        let path = self.arguments.directory.join(format!("{}_{}.csv", self.arguments.file, self.date));
        self.file = Some(File::create_new(path)?);
        self.files += 1;
        self.buffer.extend_from_slice(COLUMNS.join(",").as_bytes());
        self.buffer.push(b'\n');
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(&self.buffer)?;
        }
        self.bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        self.buffer.append(&mut self.held.0);
        self.flush()
    }
}

/// The window in which a cycle began: the night from Saturday to Sunday for one group, and the first of the year for
/// every tunnel.
fn maintenance(site: &Site, time: i64) -> &'static str {
    // 1970-01-01 was a Thursday.
    let (days, hour) = (time.div_euclid(DAY), time.rem_euclid(DAY) / 3_600_000);
    if site.group == Some("emea") && days.rem_euclid(7) == 3 && (2..4).contains(&hour) {
        "Sunday, \"night\""
    } else if site.kind == SiteKind::Ipsec && days.rem_euclid(30) == 0 && hour == 5 {
        "yes"
    } else {
        ""
    }
}
