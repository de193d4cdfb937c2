//! Runs cycles: which stages, in which order, what always runs; what survives a kill.

mod catch;
mod cycle;
mod own_uplink;
mod plan;
mod recover;
mod worker;

pub use crate::stage::Order;
pub use cycle::{Closing, Finished, NoObserver, Observer, run_cycle};
pub use plan::{Decision, decide, stages_of};
pub use recover::{RecoverError, Recovery, recover};
pub use worker::{Job, Progress, Sink, work};
