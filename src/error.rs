//! Printing an error with its causes, once.

use std::error::Error;
use std::fmt::Write as _;

/// The error and what caused it, in one line: ``cannot run `x`: No such file or directory``.
pub fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let _ = write!(words, ": {cause}");
        source = cause.source();
    }
    words
}
