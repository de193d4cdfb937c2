//! The wiring of `vpnprobe run`, and of what shares its state with it: who talks to whom, and in which order things
//! start and stop. Nothing imports this module but the command line.

mod control;
mod desk;
mod owner;
mod recorder;
mod report_channel;
mod reporter;
mod run;
mod state_lock;
mod watch;

pub use control::{ControlError, asked_again};
pub use owner::{Known, add_window, end_window, known_status, resume, retry, show_added_windows};
pub use recorder::{Recorder, Recording, channels, day_files};
pub use run::{Source, clear_up, run};
