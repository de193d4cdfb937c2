//! A tunnel that is watched has its cycle when strongSwan says that it fell, not at the next grid point.

use chrono::{DateTime, TimeDelta, Utc};

use super::figures::measured;
use super::{Pair, Side, Tunnel};
use crate::lab::{Lab, Prober, Row};

const A: Tunnel = Tunnel::A;
/// From the fall to the beginning of its cycle.
const PROMISED: TimeDelta = TimeDelta::seconds(1);

/// Far beyond the end of a test: what is seen is no grid point.
const SELDOM: &str = "frequency: 3600";

#[expect(clippy::disallowed_methods, reason = "a row's time is the wall's")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

/// The row that a fall brings.
#[track_caller]
fn row_after(prober: &Prober<'_>, rows_before: usize, fell: DateTime<Utc>) -> (Row, TimeDelta) {
    let row = prober.rows(rows_before + 1)[rows_before].clone();
    let after = row.time().to_utc() - fell;
    (row, after)
}

#[test]
fn a_fallen_tunnel_is_seen_within_a_second_and_brought_back() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    let setup = pair.site(A, "watch: true, restart: { max_per_hour: 1000 }").top(SELDOM);
    let prober = setup.start(&["run"]);
    prober.rows(1)[0].is("up", "", "", "");
    let falls: [(&dyn Fn(), &str); 4] = [
        (&|| pair.delete_child(Side::Peer, A), "sa-not-installed"),
        (&|| pair.delete_ike(Side::Peer, A), "sa-missing"),
        (&|| pair.delete_child(Side::Prober, A), "sa-not-installed"),
        (&|| pair.delete_ike(Side::Prober, A), "sa-missing"),
    ];
    measured("from the fall of a watched tunnel to its cycle", PROMISED.to_std().unwrap(), || {
        let mut longest = TimeDelta::zero();
        for (fall, reason) in falls {
            let before = setup.rows().len();
            let fell = now();
            fall();
            let (row, after) = row_after(&prober, before, fell);
            row.is("up", "sa", reason, "tunnel").expect("restarts", "1").measured(&["restore_ms"]);
            pair.carries(A);
            longest = longest.max(after);
        }
        longest.to_std().unwrap()
    });
    prober.stop().exits(0);
}

#[test]
fn what_the_prober_itself_does_to_a_tunnel_and_a_rekeying_ask_for_no_cycle() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[Tunnel::REKEYS, A]);
    let setup = pair.site(Tunnel::REKEYS, "watch: true").site("net-a", &A.keys("watch: true")).top(SELDOM);
    let prober = setup.start(&["run"]);
    prober.rows(2);
    pair.until("three successors", |sas| {
        sas.child_with_memory("net-r").iter().filter(|state| **state == "DELETED").count() >= 3
    });
    pair.delete_child(Side::Peer, A);
    prober.rows(3);
    // One more, after whatever the restart itself caused.
    pair.delete_child(Side::Peer, A);
    let rows = prober.rows(4);
    prober.stop().exits(0);
    let sites: Vec<_> = rows.iter().map(|row| row.cell("site")).collect();
    assert_eq!(sites[2..], ["net-a", "net-a"], "a cycle that nobody asked for");
    assert!(rows[2..].iter().all(|row| row.cell("restarts") == "1"), "{rows:?}");
    assert_eq!(setup.rows().len(), 4, "a cycle that nobody asked for");
}

#[test]
fn a_daemon_that_was_restarted_is_heard_again_and_its_tunnels_are_looked_at() {
    let lab = Lab::locked();
    let pair = Pair::with(&lab, &[A]);
    let setup = pair.site(A, "watch: true, restart: { enabled: false }").top(SELDOM);
    let mut prober = setup.start(&["run"]);
    prober.rows(1);
    pair.kill(Side::Prober);
    prober.says("events of strongSwan are not heard any more");
    pair.back(Side::Prober);
    prober.says("events of strongSwan are heard again");
    prober.rows(2)[1].is("down", "sa", "sa-missing", "tunnel");
    // And from then on as before.
    pair.initiate(A);
    prober.rows(3)[2].is("up", "", "", "");
    prober.stop().exits(0);
}
