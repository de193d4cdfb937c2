//! Hours of the week as a contract says them: `Mon-Fri 07:00-19:00, Sat 08:00-12:00`.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Weekday};

/// Agreed hours of the week, by the local clock; as text what was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    text: String,
    /// `None`: always.
    parts: Option<Vec<Part>>,
}

/// The same hours of some days of the week.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    days: Vec<Weekday>,
    from: NaiveTime,
    to: NaiveTime,
    /// `to` is one of the next day.
    over_midnight: bool,
}

/// A text that is no hours of the week.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{part}` {}", .fault.what())]
pub struct HoursError {
    /// The part of the text that is wrong.
    pub part: String,
    /// What is wrong with it.
    pub fault: HoursFault,
}

/// What is wrong with a part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoursFault {
    /// There is nothing, between two commas or at all.
    Empty,
    /// A part without a day: it might be one more range of the days before, or of every day.
    NoDay,
    /// A part without a time.
    NoTime,
    /// Not a day of the week.
    Day,
    /// Not a range of times.
    Range,
    /// Not a time of day.
    Time,
    /// It ends when it begins.
    NoLength,
}

impl HoursFault {
    /// In words, behind the part.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Empty => "has a part without hours",
            Self::NoDay => "names no day",
            Self::NoTime => "names no time",
            Self::Day => "is not a day of the week",
            Self::Range => "is not a range of times",
            Self::Time => "is not a time of day",
            Self::NoLength => "ends when it begins",
        }
    }

    /// What to write instead.
    pub const fn hint(self) -> &'static str {
        match self {
            Self::Empty => "write `always`, or `Mon-Fri 07:00-19:00, Sat 08:00-12:00`",
            Self::NoDay => "each part names its days: write `Mon-Fri 07:00-12:00, Mon-Fri 13:00-17:00`",
            Self::NoTime => "each part names its times: write `Mon 07:00-19:00, Wed 07:00-19:00`",
            Self::Day => "days are `Mon`, `Tue`, `Wed`, `Thu`, `Fri`, `Sat`, `Sun`, or a range `Mon-Fri`",
            Self::Range => "write `07:00-19:00`, one range for each part",
            Self::Time => "times are `00:00` to `23:59`, and `24:00` as an end",
            Self::NoLength => "the whole day is `00:00-24:00`",
        }
    }

    fn of(self, part: &str) -> HoursError {
        HoursError { part: part.trim().to_owned(), fault: self }
    }
}

impl Hours {
    /// At any time.
    pub fn always() -> Self {
        Self { text: "always".to_owned(), parts: None }
    }

    /// Whether they are at any time.
    pub const fn is_always(&self) -> bool {
        self.parts.is_none()
    }

    /// The hours that begin on a day, by the local clock; they may overlap. The end may lie on the next day.
    pub(super) fn of(&self, date: NaiveDate, weekday: Weekday) -> Vec<(NaiveDateTime, NaiveDateTime)> {
        let whole_day = || date.succ_opt().map(|next| (date.and_time(NaiveTime::MIN), next.and_time(NaiveTime::MIN)));
        let Some(parts) = &self.parts else { return whole_day().into_iter().collect() };
        let of_day = parts.iter().filter(|part| part.days.contains(&weekday));
        of_day.filter_map(|part| Some((date.and_time(part.from), part.end(date)?))).collect()
    }
}

impl Part {
    fn end(&self, date: NaiveDate) -> Option<NaiveDateTime> {
        let date = if self.over_midnight { date.succ_opt()? } else { date };
        Some(date.and_time(self.to))
    }
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for Hours {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, HoursError> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("always") {
            return Ok(Self::always());
        }
        if text.split(',').any(|part| part.trim().is_empty()) {
            return Err(HoursFault::Empty.of(text));
        }
        let parts = text.split(',').map(|part| parse_part(part.trim())).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), parts: Some(parts) })
    }
}

fn parse_part(text: &str) -> Result<Part, HoursError> {
    // No day has a digit in it, and every time begins with one.
    let Some(split) = text.find(|c: char| c.is_ascii_digit()) else {
        parse_days(text)?;
        return Err(HoursFault::NoTime.of(text));
    };
    let (days, times) = text.split_at(split);
    if days.is_empty() {
        return Err(HoursFault::NoDay.of(text));
    }
    let days = parse_days(days)?;
    let range = times.split_once('-').map(|(from, to)| (from.trim(), to.trim()));
    let (from, to) = range
        .filter(|(from, to)| !format!("{from}{to}").contains(|c: char| c == '-' || c.is_whitespace()))
        .ok_or_else(|| HoursFault::Range.of(times))?;
    let (from, end) = (parse_time(from)?, parse_end(to)?);
    if end == Some(from) {
        return Err(HoursFault::NoLength.of(times));
    }
    let to = end.unwrap_or(NaiveTime::MIN);
    Ok(Part { days, from, to, over_midnight: to <= from })
}

/// `Sat`, `Mon-Fri`, `Fri-Mon`.
fn parse_days(text: &str) -> Result<Vec<Weekday>, HoursError> {
    let day = |text: &str| text.trim().parse::<Weekday>().map_err(|_| HoursFault::Day.of(text));
    let (first, last) = match text.split_once('-') {
        Some((first, last)) => (day(first)?, day(last)?),
        None => (day(text)?, day(text)?),
    };
    let days = std::iter::successors(Some(first), |day| (*day != last).then(|| day.succ()));
    Ok(days.collect())
}

/// The end of a range; `None`: the end of the day.
fn parse_end(text: &str) -> Result<Option<NaiveTime>, HoursError> {
    if text == "24:00" { Ok(None) } else { parse_time(text).map(Some) }
}

/// `7:00`, `07:00`.
fn parse_time(text: &str) -> Result<NaiveTime, HoursError> {
    let number = |digits: &str, least: usize| {
        let fits = (least..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if fits { digits.parse::<u32>().ok() } else { None }
    };
    let (hour, minute) = text.split_once(':').ok_or_else(|| HoursFault::Time.of(text))?;
    let time =
        number(hour, 1).zip(number(minute, 2)).and_then(|(hour, minute)| NaiveTime::from_hms_opt(hour, minute, 0));
    time.ok_or_else(|| HoursFault::Time.of(text))
}

#[cfg(test)]
#[path = "hours_tests.rs"]
mod tests;
