//! The fault matrix: whatever a client does wrong, at whatever step, ends with its own reason in one row, with no
//! password too many and a host as it was. One test a row; `docs/faults.md` is made of what the tests saw.

mod case;
mod document;
mod observed;

mod deaths;
mod floods;
mod hangs;
mod leavings;
mod leftovers;
mod orphans;
mod speech;
mod tunnels;

use case::{Case, cases, down, unknown, up};

/// Every row, in the order of the document.
const ALL: &[&[Case]] =
    &[hangs::ALL, deaths::ALL, floods::ALL, speech::ALL, tunnels::ALL, orphans::ALL, leavings::ALL, leftovers::ALL];
