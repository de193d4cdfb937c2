//! A VPN client on a pseudo-terminal: spawning it, talking with it, draining what it prints.
//!
//! [`TerminalText`] turns bytes into text, [`Dialogue`] decides (pure), [`Session`] does. Nothing in here knows of stages
//! or records, and nothing in here kills: that is `process`'s work.

mod again;
mod certificates;
mod dialogue;
mod fields;
mod lines;
mod pty;
mod session;
mod terminal;
mod transcript;
mod watch;

pub use dialogue::{Dialogue, Step};
pub use fields::{CodeSource, Expanded, FieldError, Fields};
pub use pty::{ClientCommand, SpawnError};
pub use session::{Session, SessionEvent};
pub use terminal::TerminalText;
pub use transcript::Transcript;
pub use watch::{Seen, Typist, Watch};
