//! The command line: one file per command.

mod args;
mod check_config;
mod cleanup;
mod client;
mod client_try;
mod common;
mod demo;
mod global;
mod resume;
mod run;
mod show;
mod test;

pub use args::main;
