//! Integration tests: the library against real partners on this host, and the program as a user meets it. No privileges
//! are needed.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what is unexpected here fails the test")]

mod alertmanager;
mod browser;
mod channels;
mod cli;
mod completions;
mod config_size;
mod faults;
mod gateway;
mod hand_clock;
mod house;
mod ipsec;
mod kills;
mod limits;
mod mail;
mod mail_headers;
mod mail_outage;
mod mail_server;
mod readme;
mod receiver;
mod report;
mod report_mail;
mod report_page;
mod report_schema;
mod schema;
mod sla;
mod status;
mod tools;
