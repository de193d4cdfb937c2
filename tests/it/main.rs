//! Integration tests: the library against real partners on this host. No privileges are needed.

#![expect(clippy::unwrap_used, reason = "helpers of tests: what is unexpected here fails the test")]

mod mail;
