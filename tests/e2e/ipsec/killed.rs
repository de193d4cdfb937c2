//! A prober that is killed in the middle of a tunnel's cycle loses no row.

use crate::lab::{Lab, until};

use super::{Pair, Tunnel};

#[test]
fn a_cycle_that_a_kill_cut_gets_its_row_once() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::A]);
    let _fault = pair.inside_is_silent(Tunnel::A);
    let setup = pair.site(Tunnel::A, "restart: { enabled: false }");
    let prober = setup.start(&["test", "--record"]);
    let note = setup.journal().with_file_name("owed-row-host.json");
    until("the cycle to be noted", || note.exists().then_some(()));
    prober.kill();
    assert!(setup.rows().is_empty() && note.exists(), "control: it was cut before its row");
    setup.run(&["test", "--record"]).exits(1);
    let rows = setup.rows();
    assert_eq!(rows.len(), 2);
    rows[0].is("unknown", "", "prober-killed", "own").expect("kind", "ipsec").expect("stages", "");
    rows[1].is("down", "internal", "internal-unreachable", "inside");
    setup.run(&["test", "--record"]).exits(1);
    assert_eq!(setup.rows().len(), 3, "a second time there is nothing to make up for");
}
