//! resolv.conf: what it is, whether it is as before a login, and putting it right (`docs/resolv-conf.md`).

mod judge;
mod known_good;
mod put_back;
mod repair;
mod state;

use judge::judge;
pub use judge::{Judgement, Witness};
pub use known_good::{Difference, KnownGood};
pub use repair::ResolvConf;
pub use state::{Owner, ResolvState};
