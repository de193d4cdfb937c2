//! The lab of `scripts/lab` as the tests see it: one test at a time, from a clean namespace to a clean namespace.

mod guard;
mod mails;
mod prober;
mod rows;
mod secrets;
mod setup;
mod snapshot;
mod wait;

pub(crate) use guard::{Lab, Stranger, Undo};
pub(crate) use mails::Mail;
pub(crate) use prober::{Prober, Ran};
pub(crate) use rows::Row;
pub(crate) use secrets::{SECRETS, Sampler, shown_secrets};
pub(crate) use setup::Setup;

pub(crate) use wait::{PATIENCE, until};
