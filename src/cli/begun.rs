//! A file that a command is going to write.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::common::CommandError;

/// A file that will hold the report: that it can't be written is said at once, not after the work.
pub(super) struct Begun<'a> {
    file: &'a Path,
    /// It was not there before: where there is no report, it goes again.
    is_new: bool,
}

impl<'a> Begun<'a> {
    pub(super) fn new(file: &'a Path) -> Result<Self, CommandError> {
        let is_new = !file.exists();
        let opened = File::options().create(true).append(true).open(file);
        opened.map(|_| Self { file, is_new }).map_err(|e| cannot_write(file, &e))
    }

    /// Writes it; what goes wrong is said with the file's name.
    pub(super) fn finish(mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), CommandError> {
        self.is_new = false;
        let written = File::create(self.file).and_then(|file| {
            let mut out = BufWriter::new(file);
            write(&mut out)?;
            out.flush()
        });
        written.map_err(|e| cannot_write(self.file, &e))
    }
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        if self.is_new {
            let _ = std::fs::remove_file(self.file);
        }
    }
}

fn cannot_write(file: &Path, error: &io::Error) -> CommandError {
    CommandError::Failed(format!("cannot write `{}`: {error}", file.display()))
}
