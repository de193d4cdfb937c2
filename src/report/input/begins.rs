//! Whether a file begins after a moment, told without reading its rows.
//!
//! The file of the day after a period holds rows of the period only where it was written in another zone. Most often it
//! is the one that is being written, and large.

use std::fs::File;
use std::io::{self, BufRead, BufReader};

use memchr::memchr;

use super::files::{DayFile, Packing};
use super::time::Times;

/// What is read at once.
const BLOCK: usize = 256 * 1024;
/// Of `2026-01-01T00:00:00.000+00:00`.
const USUAL_LENGTH: usize = 29;
/// How the header of the program's own files begins.
const HEADER: &[u8] = b"time,";

/// Whether each line of the file begins with a time that is not before `moment`: then so does each row, wherever rows
/// begin. `false`: it does not, or can't be told.
pub(in crate::report) fn begins_at(file: &DayFile, moment: i64) -> bool {
    file.packing == Packing::Plain
        && File::open(&file.path).is_ok_and(|opened| all_begin_at(opened, moment).is_ok_and(|all| all))
}

fn all_begin_at(file: impl io::Read, moment: i64) -> io::Result<bool> {
    let mut lines = BufReader::with_capacity(BLOCK, file);
    let mut times = Times::new();
    let mut is_first = true;
    let mut line = Vec::new();
    loop {
        line.clear();
        let block = lines.fill_buf()?;
        if block.is_empty() {
            return Ok(true);
        }
        // A whole line of the block, else what the block has of it and the rest.
        let begins = if let Some(end) = memchr(b'\n', block) {
            let begins = line_begins_at(&block[..end], &mut times, moment, is_first);
            lines.consume(end + 1);
            begins
        } else {
            lines.read_until(b'\n', &mut line)?;
            line_begins_at(&line, &mut times, moment, is_first)
        };
        if !begins {
            return Ok(false);
        }
        is_first = false;
    }
}

fn line_begins_at(line: &[u8], times: &mut Times, moment: i64, is_first: bool) -> bool {
    if is_first && line.starts_with(HEADER) {
        return true;
    }
    // In the form that this program writes, its end is where it always is.
    let end = if line.get(USUAL_LENGTH) == Some(&b',') { Some(USUAL_LENGTH) } else { memchr(b',', line) };
    let time = end.and_then(|end| std::str::from_utf8(&line[..end]).ok());
    time.and_then(|time| times.read(time)).is_some_and(|time| time >= moment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fake::at;

    fn all(text: &str) -> bool {
        all_begin_at(text.as_bytes(), at("2026-01-01T00:00:00Z")).unwrap()
    }

    #[test]
    fn a_file_of_the_next_day_begins_after_the_period() {
        let rows = "2026-01-01T00:00:00.000+00:00,paris,up\n2026-01-01T01:00:00.000+01:00,paris,up\n";
        assert!(all(&format!("time,site,verdict\n{rows}")));
        assert!(all("time,site,verdict\n") && all(""));
    }

    #[test]
    fn one_row_of_the_period_anywhere_or_a_line_that_can_not_be_read_is_a_no() {
        let rows = "time,site,verdict\n2026-01-01T00:00:00.000+00:00,paris,up\n";
        for line in [
            "2025-12-31T23:59:59.999+00:00,paris,up\n",
            "2026-01-01T00:30:00.000+01:00,paris,up\n",
            "\"2026-01-01T00:30:00.000+00:00\",paris,up\n",
            "and the rest of a quoted cell,\n",
            "\n",
            "2026-01-01T00:3",
            "time,site,verdict\n",
            "\u{fffd}\n",
        ] {
            assert!(!all(&format!("{rows}{line}")), "{line}");
        }
    }

    #[test]
    fn lines_longer_than_a_block_are_told_by_their_beginning() {
        let long = "x".repeat(3 * BLOCK);
        assert!(all(&format!("time,site\n2026-01-01T00:00:00.000+00:00,{long}\n2026-01-01T00:00:00.001+00:00,x\n")));
        assert!(!all(&format!("time,site\n2026-01-01T00:00:00.000+00:00,{long}\n2025-01-01T00:00:00.001+00:00,x\n")));
    }
}
