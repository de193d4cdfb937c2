//! How far long work is, on a terminal.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::global::Global;
use crate::report::{Progress, Silent};

/// On a terminal one line, else nothing.
pub(super) fn progress(global: &Global) -> Box<dyn Progress> {
    if io::stderr().is_terminal() && global.verbosity() >= 0 {
        Box::new(OnTerminal { began: Instant::now(), shown: Mutex::new(None) })
    } else {
        Box::new(Silent)
    }
}

/// Work that takes longer is accompanied.
const PATIENCE: Duration = Duration::from_secs(1);

/// One line on the terminal that is written over, and gone in the end.
struct OnTerminal {
    began: Instant,
    /// The percentage that stands there.
    shown: Mutex<Option<u64>>,
}

impl Progress for OnTerminal {
    fn read(&self, bytes: u64, of: u64) {
        if self.began.elapsed() < PATIENCE || of == 0 {
            return;
        }
        let percent = bytes.saturating_mul(100) / of;
        if let Ok(mut shown) = self.shown.lock()
            && shown.is_none_or(|shown| shown < percent)
        {
            *shown = Some(percent);
            let _ = write!(io::stderr(), "\rreading the day files: {percent} %");
        }
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        if self.shown.get_mut().is_ok_and(|shown| shown.is_some()) {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
