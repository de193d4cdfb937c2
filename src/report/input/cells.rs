//! One record of a CSV file, split into cells: a line without a quote by its commas, any other by RFC 4180. Pure.

use csv_core::ReadRecordResult;

use super::bytes;

/// The most columns that a file may have; the largest schema that was released has 28.
pub(super) const MOST: usize = 128;

/// Where the cells of a record lie in its text. Cell 0 is empty and stands for a column that the file does not have; those
/// of the record begin with cell 1.
#[derive(Debug)]
pub(super) struct Cells {
    /// Where cell `i` begins; where the one after it begins follows.
    begins: [u32; MOST + 3],
    /// Bytes between a cell's end and the next one's begin: the comma, or nothing where the cells were unquoted.
    gap: u32,
    /// Cells of the record, also those beyond [`MOST`].
    count: usize,
    /// Whether the text holds anything but printable ASCII.
    pub(super) odd: bool,
}

/// Bytes that are looked at at once.
const BLOCK: usize = 64;

impl Cells {
    pub(super) const fn new() -> Self {
        Self { begins: [0; MOST + 3], gap: 0, count: 0, odd: false }
    }

    /// Cells of the record.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// The text of a cell, where `text` is that which was split; empty for a cell that is not there.
    pub(super) fn of<'a>(&self, text: &'a str, cell: usize) -> &'a str {
        let (Some(&begin), Some(&next)) = (self.begins.get(cell), self.begins.get(cell + 1)) else { return "" };
        text.get(begin as usize..next.saturating_sub(self.gap) as usize).unwrap_or_default()
    }

    /// Splits a line that has no quote and no line end; it must be shorter than 4 GiB.
    pub(super) fn split(&mut self, line: &[u8]) {
        self.gap = 1;
        self.begins[0] = 0;
        self.begins[1] = 0;
        let mut next = 2;
        let mut odd = false;
        let (blocks, rest) = line.as_chunks::<BLOCK>();
        let mut base = 1;
        for block in blocks {
            let found = bytes::find(block);
            odd |= found.odd;
            next = self.note(found.commas, base, next);
            base += 64;
        }
        if !rest.is_empty() {
            // The last bytes once more with some of those before them: to copy the rest takes longer than all else here.
            let (seen, found) = match line.last_chunk::<BLOCK>() {
                Some(last) => (BLOCK - rest.len(), bytes::find(last)),
                None => (0, bytes::find(&padded(rest))),
            };
            odd |= found.odd;
            next = self.note(found.commas >> seen, base, next);
        }
        if let Some(end) = self.begins.get_mut(next) {
            *end = u32::try_from(line.len() + 1).unwrap_or(u32::MAX);
        }
        self.count = next - 1;
        self.odd = odd;
    }

    /// Notes where the cells behind these commas (a bit each) begin; returns the number of the cell after the last of them.
    fn note(&mut self, mut commas: u64, base: u32, mut next: usize) -> usize {
        while commas != 0 {
            if let Some(begin) = self.begins.get_mut(next) {
                *begin = base + commas.trailing_zeros();
            }
            next += 1;
            commas &= commas - 1;
        }
        next
    }
}

/// A short line as a whole block.
fn padded(line: &[u8]) -> [u8; BLOCK] {
    let mut block = [b' '; BLOCK];
    for (own, byte) in block.iter_mut().zip(line) {
        *own = *byte;
    }
    block
}

/// Takes quotes away, by RFC 4180 and as leniently as the crate `csv`.
#[derive(Debug)]
pub(super) struct Unquoter {
    core: csv_core::Reader,
    text: Vec<u8>,
    length: usize,
    ends: [usize; MOST + 1],
    count: usize,
}

/// What a line added to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// The record is whole.
    Whole,
    /// A quoted cell goes on in the next line.
    Open,
    /// It can't be a row: too many cells, or a carriage return in the middle.
    Broken,
}

impl Unquoter {
    /// For records of at most this many bytes.
    pub(super) fn new(longest: usize) -> Self {
        Self { core: csv_core::Reader::new(), text: vec![0; longest + 1], length: 0, ends: [0; MOST + 1], count: 0 }
    }

    /// Begins a record.
    pub(super) fn begin(&mut self) {
        self.core.reset();
        self.length = 0;
        self.count = 0;
    }

    /// Adds a line, without its end.
    pub(super) fn add(&mut self, line: &[u8]) -> Progress {
        // No input at all would mean the end of the file.
        if !line.is_empty() && self.feed(line) != ReadRecordResult::InputEmpty {
            return Progress::Broken;
        }
        match self.feed(b"\n") {
            ReadRecordResult::Record => Progress::Whole,
            ReadRecordResult::InputEmpty => Progress::Open,
            _ => Progress::Broken,
        }
    }

    fn feed(&mut self, input: &[u8]) -> ReadRecordResult {
        let (text, ends) = (&mut self.text[self.length..], &mut self.ends[self.count..]);
        let (result, _, written, ended) = self.core.read_record(input, text, ends);
        self.length += written;
        self.count += ended;
        result
    }

    /// The text of the whole record, cells one behind the other, and where they lie.
    pub(super) fn record(&self, cells: &mut Cells) -> &[u8] {
        let text = &self.text[..self.length];
        cells.gap = 0;
        cells.begins[0] = 0;
        cells.begins[1] = 0;
        for (begin, end) in cells.begins[2..].iter_mut().zip(&self.ends[..self.count]) {
            *begin = u32::try_from(*end).unwrap_or(u32::MAX);
        }
        cells.count = self.count;
        cells.odd = text.iter().any(|b| !(0x20..0x7f).contains(b));
        text
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_commas(line: &str) -> Vec<String> {
        let mut cells = Cells::new();
        cells.split(line.as_bytes());
        assert_eq!(cells.of(line, 0), "");
        (1..=cells.count()).map(|i| cells.of(line, i).to_owned()).collect()
    }

    fn unquoted(lines: &[&str]) -> Option<Vec<String>> {
        let mut unquoter = Unquoter::new(4096);
        unquoter.begin();
        for (number, line) in lines.iter().enumerate() {
            match unquoter.add(line.as_bytes()) {
                Progress::Whole if number + 1 == lines.len() => {}
                Progress::Open if number + 1 < lines.len() => {}
                _ => return None,
            }
        }
        let mut cells = Cells::new();
        let text = std::str::from_utf8(unquoter.record(&mut cells)).unwrap();
        Some((1..=cells.count()).map(|i| cells.of(text, i).to_owned()).collect())
    }

    fn by_the_crate(text: &str) -> Vec<Vec<String>> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        reader.records().map(|r| r.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn more_cells_than_there_is_room_for_are_counted() {
        let line = ",".repeat(MOST + 10);
        let mut cells = Cells::new();
        cells.split(line.as_bytes());
        assert_eq!(cells.count(), MOST + 11);
        assert_eq!(cells.of(&line, MOST + 5), "");
        cells.split(b"a,b");
        assert_eq!((cells.count(), cells.of("a,b", 2)), (2, "b"));
        assert_eq!(unquoted(&[&format!("\"\"{line}")]), None);
    }

    #[test]
    fn a_quoted_cell_may_hold_commas_quotes_and_line_breaks() {
        assert_eq!(unquoted(&["a,\"b, \"\"c\"\"\",d"]).unwrap(), ["a", "b, \"c\"", "d"]);
        assert_eq!(unquoted(&["a,\"b", "", "c\",d"]).unwrap(), ["a", "b\n\nc", "d"]);
        assert_eq!(unquoted(&["a,b\"c,\"\""]).unwrap(), ["a", "b\"c", ""]);
        assert_eq!(unquoted(&["a,\"b"]), None);
        assert_eq!(unquoted(&["a\r,\"b\""]), None);
    }

    #[test]
    fn anything_but_printable_ascii_is_noticed_wherever_it_stands() {
        let mut cells = Cells::new();
        for length in 0..20 {
            let plain = " ~,a".repeat(5)[..length].to_owned();
            cells.split(plain.as_bytes());
            assert!(!cells.odd, "{plain:?}");
            for at in 0..length {
                for byte in (0..0x20).chain(0x7f..=0xff) {
                    let mut line = plain.clone().into_bytes();
                    line[at] = byte;
                    cells.split(&line);
                    assert!(cells.odd, "{byte:#x} at {at} of {length}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn lines_without_quotes_are_split_as_by_the_crate_csv(line in "[a-e,,,,\u{0}-\u{9} é😀\u{7f}]{1,80}") {
            prop_assume!(!line.contains(['\n', '\r', '"']));
            let line = line.as_str();
            prop_assert_eq!(vec![by_commas(line)], by_the_crate(line));
        }

        #[test]
        fn a_row_of_any_cells_is_read_as_it_was_written(rows in prop::collection::vec("[ab,\" é\n]{0,12}", 2..9)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&rows).unwrap();
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let lines: Vec<_> = text.strip_suffix('\n').unwrap().split('\n').collect();
            prop_assert_eq!(unquoted(&lines), Some(rows.clone()));
            if !text.contains('"') {
                prop_assert_eq!(by_commas(lines[0]), rows);
            }
        }

        #[test]
        fn any_line_with_quotes_is_read_as_by_the_crate_csv(line in "[ab,\"]{1,40}") {
            let crates = by_the_crate(&format!("{line}\n"));
            if let Some(cells) = unquoted(&[&line]) {
                prop_assert_eq!(vec![cells], crates);
            }
        }
    }
}
