//! One pass over the lines of a file: bytes in, rows and faults out. Pure.

use memchr::{memchr, memrchr};

use super::cells::{Cells, Progress, Unquoter};
use super::ep_monitoring;
use super::own;
use super::schema::{Form, Schema};
use super::time::{LocalTimes, Times};
use crate::report::row::Row;
use crate::zone::Zone;

/// A quoted cell that goes on for more lines than this is a quote that was never closed.
const MOST_LINES: u64 = 64;

/// The file is none of day rows: why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused(pub(super) String);

/// What is told of a file.
pub(super) trait Listener {
    /// A row, and its line from 1.
    fn row(&mut self, row: &Row<'_>, line: u64);
    /// A line that is no row, and why.
    fn bad(&mut self, line: u64, why: String);
    /// What else is to be known.
    fn note(&mut self, note: String);
}

/// What is known of a file before it is read.
#[derive(Debug, Clone)]
pub(super) struct About {
    /// The day in its name, in days since 1970.
    pub(super) day: i64,
    /// Whether somebody may be writing it right now.
    pub(super) newest: bool,
    /// The zone of times that have none.
    pub(super) zone: Zone,
}

/// The times of both forms.
struct Clocks {
    own: Times,
    local: LocalTimes,
}

/// The state of a pass.
pub(super) struct Pass<'a> {
    about: About,
    schema: Option<Schema>,
    times: Clocks,
    cells: &'a mut Cells,
    unquoter: &'a mut Unquoter,
    listener: &'a mut dyn Listener,
    line: u64,
    other_days: u64,
}

impl<'a> Pass<'a> {
    pub(super) fn new(
        about: About,
        cells: &'a mut Cells,
        unquoter: &'a mut Unquoter,
        listener: &'a mut dyn Listener,
    ) -> Self {
        let times = Clocks { own: Times::new(), local: LocalTimes::new(about.zone.clone()) };
        Self { about, schema: None, times, cells, unquoter, listener, line: 0, other_days: 0 }
    }

    /// Reads the records of `text`, which begins with a line. Returns how many bytes were used: less than all when the
    /// rest may go on behind it, which it can't where there is no `more`. A last line without its end is a torn one.
    pub(super) fn take(&mut self, mut text: &[u8], more: bool) -> Result<usize, Refused> {
        let length = text.len();
        if self.line == 0 {
            text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        }
        let valid = std::str::from_utf8(text).ok();
        let mut quote = memchr(b'"', text).unwrap_or(text.len());
        let mut at = 0;
        while at < text.len() {
            let line = Line::at(text, at);
            if quote < at {
                quote = memchr(b'"', &text[at..]).map_or(text.len(), |found| at + found);
            }
            if quote < line.end {
                match self.quoted(text, at, more)? {
                    Some(next) => at = next,
                    None => return Ok(length - text.len() + at),
                }
                continue;
            }
            self.line += 1;
            let bytes = &text[at..line.end];
            let cut = if line.torn { bytes } else { bytes.strip_suffix(b"\r").unwrap_or(bytes) };
            if !cut.is_empty() {
                match valid {
                    Some(valid) => self.plain(valid.get(at..at + cut.len()).unwrap_or_default(), line.torn)?,
                    None => match std::str::from_utf8(cut) {
                        Ok(cut) => self.plain(cut, line.torn)?,
                        Err(_) => self.not_text(line.torn)?,
                    },
                }
            }
            at = line.next;
        }
        Ok(length)
    }

    /// A line that is longer than what is kept of a file: it is left out.
    pub(super) fn too_long(&mut self, longest: usize) -> Result<(), Refused> {
        self.line += 1;
        if self.schema.is_none() {
            return Err(Refused(format!("its first line is longer than {longest} bytes")));
        }
        self.listener.bad(self.line, format!("the line is longer than {longest} bytes"));
        Ok(())
    }

    /// The rest of the file can't be had.
    pub(super) fn cut_off(&mut self, why: &str) -> Result<(), Refused> {
        if self.schema.is_none() {
            return Err(Refused(why.to_owned()));
        }
        self.listener.bad(self.line + 1, why.to_owned());
        Ok(())
    }

    /// All was read; by which program it was written, where that can be told.
    pub(super) fn end(self) -> Option<Form> {
        if self.schema.is_none() {
            self.listener.note("it is empty".to_owned());
        }
        if self.other_days > 0 {
            let (s, are) = if self.other_days == 1 { ("", "is") } else { ("s", "are") };
            self.listener.note(format!("{} row{s} {are} of another day than its name says", self.other_days));
        }
        self.schema.map(|schema| schema.form)
    }

    fn plain(&mut self, text: &str, torn: bool) -> Result<(), Refused> {
        self.cells.split(text.as_bytes());
        let Self { about, schema, times, cells, listener, line, other_days, .. } = self;
        let mut records = Records { about, schema, times, listener: &mut **listener, line: *line, other_days };
        records.take(text, cells, torn)
    }

    fn not_text(&mut self, torn: bool) -> Result<(), Refused> {
        if self.schema.is_none() {
            return Err(Refused("its first line is not UTF-8".to_owned()));
        }
        if torn {
            self.records().torn();
        } else {
            self.listener.bad(self.line, "the line is not UTF-8".to_owned());
        }
        Ok(())
    }

    fn records(&mut self) -> Records<'_> {
        let Self { about, schema, times, listener, line, other_days, .. } = self;
        Records { about, schema, times, listener: &mut **listener, line: *line, other_days }
    }

    /// A record that begins at `at` and has quotes. Returns where the next one begins; `None`: it may go on behind the
    /// text.
    ///
    /// This program never breaks a line within a cell, so where a quote stays open and what follows is not the rest of a
    /// row, the line is a torn one, and the rows behind it are not swallowed.
    fn quoted(&mut self, text: &[u8], at: usize, more: bool) -> Result<Option<usize>, Refused> {
        let first = Line::at(text, at);
        let mut line = first;
        let mut begin = at;
        let mut lines = 1;
        self.unquoter.begin();
        let progress = loop {
            let bytes = &text[begin..line.end];
            let progress = self.unquoter.add(bytes.strip_suffix(b"\r").unwrap_or(bytes));
            if progress != Progress::Open || lines == MOST_LINES {
                break progress;
            }
            if line.next == text.len() {
                if more {
                    return Ok(None);
                }
                break progress;
            }
            begin = line.next;
            if begins_a_row(&text[begin..]) {
                break progress;
            }
            line = Line::at(text, begin);
            lines += 1;
        };
        self.line += 1;
        let columns = self.schema.as_ref().map(|schema| schema.columns);
        let bytes = self.unquoter.record(self.cells);
        let whole = progress == Progress::Whole && (lines == 1 || columns.is_none_or(|c| c == self.cells.count()));
        if !whole {
            let why = if progress == Progress::Broken {
                "it has a carriage return, or cells beyond count, in it"
            } else {
                "a quote is not closed"
            };
            match (columns, first.torn) {
                (None, _) => return Err(Refused(format!("its first line is no header: {why}"))),
                (_, true) => self.records().torn(),
                (_, false) => self.listener.bad(self.line, why.to_owned()),
            }
            return Ok(Some(first.next));
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => {
                let Self { about, schema, times, cells, listener, line: number, other_days, .. } = self;
                let listener = &mut **listener;
                Records { about, schema, times, listener, line: *number, other_days }.take(text, cells, line.torn)?;
            }
            Err(_) => self.not_text(line.torn)?,
        }
        self.line += lines - 1;
        Ok(Some(line.next))
    }
}

/// Whether a line begins with a day: no cell that goes on does.
fn begins_a_row(line: &[u8]) -> bool {
    let digits = |range| line.get(range).is_some_and(|part: &[u8]| part.iter().all(u8::is_ascii_digit));
    digits(0..4) && digits(5..7) && digits(8..10) && line[4] == b'-' && line[7] == b'-' && line.get(10) == Some(&b'T')
}

/// How much of `text` is whole lines.
pub(super) fn whole_lines(text: &[u8]) -> usize {
    memrchr(b'\n', text).map_or(0, |at| at + 1)
}

/// One line of a text.
#[derive(Clone, Copy)]
struct Line {
    /// Where its line feed is, or the text's end.
    end: usize,
    /// Where the next one begins.
    next: usize,
    /// Whether it has no line feed.
    torn: bool,
}

impl Line {
    fn at(text: &[u8], at: usize) -> Self {
        match memchr(b'\n', &text[at..]) {
            Some(length) => Self { end: at + length, next: at + length + 1, torn: false },
            None => Self { end: text.len(), next: text.len(), torn: true },
        }
    }
}

/// What a record is: a header, a row, or neither.
struct Records<'a> {
    about: &'a About,
    schema: &'a mut Option<Schema>,
    times: &'a mut Clocks,
    listener: &'a mut dyn Listener,
    line: u64,
    other_days: &'a mut u64,
}

impl Records<'_> {
    fn take(&mut self, text: &str, cells: &Cells, torn: bool) -> Result<(), Refused> {
        let Some(schema) = &*self.schema else { return self.first_line(text, cells, torn) };
        if torn && !is_whole(schema, text, cells) {
            self.torn();
            return Ok(());
        }
        let row = if cells.count() == schema.columns {
            match schema.form {
                Form::Own => own::row(text, cells, &schema.cells, &mut self.times.own),
                Form::EpMonitoring => ep_monitoring::row(text, cells, &schema.cells, &mut self.times.local),
            }
        } else {
            let s = if cells.count() == 1 { "" } else { "s" };
            Err(format!("it has {} cell{s}, the header {}", cells.count(), schema.columns))
        };
        match row {
            // A row is large: it stays where it was made.
            Ok(ref row) => {
                // EpMonitoring begins its files by UTC and writes local times.
                let (day, apart) = match schema.form {
                    Form::Own => (self.times.own.day(), 0),
                    Form::EpMonitoring => (self.times.local.day(), 1),
                };
                *self.other_days += u64::from(day.abs_diff(self.about.day) > apart);
                self.listener.row(row, self.line);
            }
            Err(why) => self.no_row(text, cells, why),
        }
        Ok(())
    }

    fn first_line(&mut self, text: &str, cells: &Cells, torn: bool) -> Result<(), Refused> {
        match Schema::of(text, cells) {
            Ok(schema) => *self.schema = Some(schema),
            Err(_) if torn && self.about.newest => self.torn(),
            Err(why) => return Err(Refused(why)),
        }
        Ok(())
    }

    /// A file that was put together from several has their headers too.
    #[cold]
    fn no_row(&mut self, text: &str, cells: &Cells, why: String) {
        if !Schema::is_header(text, cells) {
            let why = if text.contains('\0') { format!("the line has NUL bytes; {why}") } else { why };
            self.listener.bad(self.line, why);
            return;
        }
        match Schema::of(text, cells) {
            Ok(schema) if Some(&schema) == self.schema.as_ref() => {
                self.listener.note(format!("line {} is the header once more", self.line));
            }
            Ok(schema) => {
                self.listener
                    .note(format!("line {} is another header, by which the rows below it are read", self.line));
                *self.schema = Some(schema);
            }
            Err(why) => self.listener.bad(self.line, format!("the line is a header that can't be used: {why}")),
        }
    }

    /// A last line without its end. In the newest file it may be one that is being written; in others it was torn.
    #[cold]
    fn torn(&mut self) {
        if self.about.newest {
            let line = self.line;
            self.listener.note(format!(
                "line {line}, its last, has no end: it is being written or was torn, and does not count"
            ));
        } else {
            self.listener.bad(self.line, "half a row: the file ends in it".to_owned());
        }
    }
}

/// Whether a row that lacks its line feed lacks nothing else: its last cell is a cycle's id with all its digits.
fn is_whole(schema: &Schema, text: &str, cells: &Cells) -> bool {
    schema.ends_with_id()
        && cells.count() == schema.columns
        && cells
            .of(text, schema.columns)
            .rsplit_once('-')
            .is_some_and(|(_, random)| random.len() == 8 && random.bytes().all(|b| b.is_ascii_hexdigit()))
}
