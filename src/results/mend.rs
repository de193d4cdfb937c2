//! Mends a last line that a crash tore.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::ResultsError;
use super::day_file::tail;
use super::row::COLUMNS;

/// Completes or sets aside the last line of `path`, if it is torn, and says so.
pub(super) fn mend(path: &Path) -> Result<Option<String>, ResultsError> {
    let failed = |operation| move |source| ResultsError { operation, path: path.to_owned(), source };
    let bytes = tail(path).map_err(failed("read"))?;
    if bytes.is_empty() || bytes.ends_with(b"\n") {
        return Ok(None);
    }
    let start = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
    let line = &bytes[start..];
    let mut file = OpenOptions::new().append(true).open(path).map_err(failed("open"))?;
    let name = path.display();
    if is_whole(line) {
        file.write_all(b"\n").and_then(|()| file.sync_data()).map_err(failed("complete the last line of"))?;
        return Ok(Some(format!("completed the last line of {name}, which only lacked its end")));
    }
    let aside = PathBuf::from(format!("{name}.torn"));
    let mut torn = OpenOptions::new().append(true).create(true).open(&aside).map_err(failed("set aside a line of"))?;
    torn.write_all(line).and_then(|()| torn.write_all(b"\n")).map_err(failed("set aside a line of"))?;
    torn.sync_data().map_err(failed("set aside a line of"))?;
    let length = file.metadata().map_err(failed("look at"))?.len();
    file.set_len(length - line.len() as u64).and_then(|()| file.sync_data()).map_err(failed("shorten"))?;
    Ok(Some(format!("moved {} bytes of a torn last line from {name} to {}", line.len(), aside.display())))
}

/// Whether a line without its end has every cell: the last one, the cycle's id, ends with eight hexadecimal digits.
fn is_whole(line: &[u8]) -> bool {
    let mut record = csv::StringRecord::new();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line);
    if !reader.read_record(&mut record).unwrap_or(false) || record.len() != COLUMNS.len() {
        return false;
    }
    let id = record.get(COLUMNS.len() - 1).unwrap_or_default();
    id == COLUMNS[COLUMNS.len() - 1]
        || id
            .rsplit_once('-')
            .is_some_and(|(_, random)| random.len() == 8 && random.bytes().all(|b| b.is_ascii_hexdigit()))
}
