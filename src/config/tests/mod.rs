//! The loader as a user meets it.

mod example;
mod files;
mod fixtures;
mod profiles;
mod schema;
mod secrecy;
mod sla;
pub(super) mod support;
mod values;
