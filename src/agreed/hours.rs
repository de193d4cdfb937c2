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

/// A text that is no hours of the week. It names the part of the text, and [`HoursError::hint`] says what is expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HoursError {
    /// There is nothing, between two commas or at all.
    #[error("names no hours")]
    Empty,
    /// A part without a day: it might be one more range of the days before, or of every day.
    #[error("`{0}` names no day")]
    NoDay(String),
    /// A part without a time.
    #[error("`{0}` names no time")]
    NoTime(String),
    /// Not a day of the week.
    #[error("`{0}` is not a day of the week")]
    Day(String),
    /// Not a range of times.
    #[error("`{0}` is not a range of times")]
    Range(String),
    /// Not a time of day.
    #[error("`{0}` is not a time of day")]
    Time(String),
    /// It ends when it begins.
    #[error("`{0}` ends when it begins")]
    NoLength(String),
}

impl HoursError {
    /// What to write instead.
    pub fn hint(&self) -> String {
        match self {
            Self::Empty => "write `always`, or `Mon-Fri 07:00-19:00, Sat 08:00-12:00`".to_owned(),
            Self::NoDay(part) => format!("write `Mon-Sun {part}`, or the days that are meant: each part has its own"),
            Self::NoTime(part) => format!("write `{part} 07:00-19:00`: each part has its own"),
            Self::Day(_) => "days are `Mon`, `Tue`, `Wed`, `Thu`, `Fri`, `Sat`, `Sun`, or a range `Mon-Fri`".to_owned(),
            Self::Range(_) => "write `07:00-19:00`, one range for each part".to_owned(),
            Self::Time(_) => "times are `00:00` to `23:59`, and `24:00` as an end".to_owned(),
            Self::NoLength(_) => "the whole day is `00:00-24:00`".to_owned(),
        }
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
        let parts = text.split(',').map(|part| parse_part(part.trim())).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), parts: Some(parts) })
    }
}

fn parse_part(text: &str) -> Result<Part, HoursError> {
    if text.is_empty() {
        return Err(HoursError::Empty);
    }
    // No day has a digit in it, and every time begins with one.
    let Some(split) = text.find(|c: char| c.is_ascii_digit()) else {
        let days = text.trim_end_matches([' ', '-']);
        parse_days(days)?;
        return Err(HoursError::NoTime(days.to_owned()));
    };
    let (days, times) = text.split_at(split);
    if days.is_empty() {
        return Err(HoursError::NoDay(text.to_owned()));
    }
    let days = parse_days(days.trim_end())?;
    let (from, to) = times.split_once('-').ok_or_else(|| HoursError::Range(times.to_owned()))?;
    if to.contains('-') || to.trim().contains(char::is_whitespace) {
        return Err(HoursError::Range(times.to_owned()));
    }
    let (start, end) = (parse_time(from.trim())?, parse_end(to.trim())?);
    if end == Some(start) {
        return Err(HoursError::NoLength(times.to_owned()));
    }
    let to = end.unwrap_or(NaiveTime::MIN);
    Ok(Part { days, from: start, to, over_midnight: to <= start })
}

/// `Sat`, `Mon-Fri`, `Fri-Mon`.
fn parse_days(text: &str) -> Result<Vec<Weekday>, HoursError> {
    let day = |text: &str| text.trim().parse::<Weekday>().map_err(|_| HoursError::Day(text.trim().to_owned()));
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
    let time = text
        .split_once(':')
        .and_then(|(hour, minute)| NaiveTime::from_hms_opt(number(hour, 1)?, number(minute, 2)?, 0));
    time.ok_or_else(|| HoursError::Time(text.to_owned()))
}

#[cfg(test)]
#[path = "hours_tests.rs"]
mod tests;
