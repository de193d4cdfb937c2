//! The command line: one file per command.

mod args;
mod begun;
mod check_config;
mod cleanup;
mod client;
mod client_try;
mod common;
mod completions;
mod demo;
mod global;
mod ipsec;
mod ipsec_list;
mod ipsec_words;
mod maintenance;
mod maintenance_list;
mod man;
mod nagios;
mod notify_test;
mod outbox;
mod progress;
mod report;
mod resume;
mod run;
mod schema;
mod show;
mod status;
mod status_text;
mod test;

pub use args::main;
