//! The prober and a real strongSwan pair.
//!
//! `pair` breaks tunnels, `sas` tells what both daemons say of them; `controls` proves that each fault is what it is
//! called, so that no other test passes because nothing had been broken.

mod command;
mod controls;
mod down;
mod figures;
mod killed;
mod left_alone;
mod pair;
mod restored;
mod sas;
mod told;
mod watched;

use pair::{Pair, Side, Tunnel};
use sas::Sas;
