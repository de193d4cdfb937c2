//! Leaving takes the time that it takes in the field, under the profile's own grace (`scripts/test --all`; the other
//! tests play it with a shorter one).

use crate::lab::{Lab, Ran};

/// The grace of the profile `startct`, in seconds.
const GRACE: f64 = 30.0;
/// After TERM, before KILL.
const AFTER_TERM: f64 = 5.0;

/// Time in seconds and words of the stage `teardown`.
fn teardown(ran: &Ran) -> (f64, String) {
    let json = ran.json();
    let stage = json["stages"].as_array().unwrap().iter().find(|stage| stage["stage"] == "teardown").unwrap();
    (stage["took_ms"].as_f64().unwrap() / 1000.0, stage["detail"].as_str().unwrap().to_owned())
}

/// One cycle that is up and leaves nothing, whatever its client plays when it is asked to leave.
fn leaves(scenario: &str) -> (f64, String) {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct");
    paris.plays_text(scenario);
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0);
    lab.is_as_before();
    paris.row().is("up", "", "", "").expect("leftovers", "");
    assert_eq!(lab.passwords_at_gateway(), 1);
    teardown(&ran)
}

#[test]
fn a_client_that_takes_twenty_seconds_to_quit_leaves_by_itself() {
    let (took, words) = leaves("delays: { leaving: 20s }");
    assert!((20.0..GRACE).contains(&took) && words.starts_with("left by itself in 20."), "{took} s: {words}");
}

#[test]
fn a_client_that_never_quits_is_ended_after_its_grace() {
    let (took, words) = leaves("faults: [ { at: leaving, do: hang } ]");
    assert!((GRACE..GRACE + AFTER_TERM).contains(&took), "{took} s: {words}");
    assert!(words.starts_with("did not leave within 30.0 s: sent TERM to ") && !words.contains("KILL"), "{words}");
}

#[test]
fn a_client_that_hears_no_signal_either_is_killed() {
    let (took, words) = leaves("{ at_terminate: stays, faults: [ { at: leaving, do: hang } ] }");
    let limit = GRACE + AFTER_TERM;
    assert!((limit..limit + AFTER_TERM).contains(&took) && words.contains("KILL to "), "{took} s: {words}");
}
