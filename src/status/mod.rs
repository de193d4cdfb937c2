//! What people ask a running prober: one document, made from what is known anyway. Pure; `daemon` gathers, `cli` shows.

mod build;
mod model;

pub use build::{Sources, status_of};
pub use model::{AccountPause, AllSites, MessageStatus, OpenAlert, OutboxStatus, SiteStatus, State, Status, VERSION};
