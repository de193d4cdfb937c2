//! End-to-end tests: real sockets, real namespaces, real clients. They need root.
//!
//! `cargo test --test e2e --features e2e`. Every test makes network namespaces of its own and removes them.

#![expect(clippy::unwrap_used, reason = "a test that can't go on says where")]

mod namespace;
mod net;
