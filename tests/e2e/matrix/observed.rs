//! Plays a row and notes what is seen: in the row that was written, in the gateway's log, on the host.

use std::fs;

use serde_json::Value;

use super::Case;
use super::document;
use crate::lab::{Lab, Prober, Row};

/// The whole login of a row that is to use it up, and of all others.
const TIMEOUTS: [&str; 2] = ["2", "20"];
/// What `hasty-startct` has to leave.
const GRACE: f64 = 1.0;
/// After TERM, before KILL (`Endurance` of the prober).
const AFTER_TERM: f64 = 5.0;
/// How long the internal stage waits for the route of the tunnel to come.
const FOR_A_ROUTE: f64 = 5.0;
/// What a cycle may take beside its limits: process starts on a loaded machine.
const MOMENTS: f64 = 4.0;
/// The prober's memory, in KiB, at its highest. A debug build that logs in at one site needs about a third of it.
const MEMORY: u64 = 64 * 1024;

/// What was seen of one row.
pub(super) struct Observed {
    pub(super) row: Row,
    pub(super) spent: String,
    pub(super) left: String,
    pub(super) passwords: usize,
}

/// Plays the row of this name, asserts what must come of it and that the document says so.
pub(super) fn play(name: &str) {
    let case = document::cases().find(|case| case.name == name).unwrap();
    let lab = Lab::locked();
    let [short, long] = TIMEOUTS;
    let timeout = if case.spends.contains("timeout") { short } else { long };
    let mut paris = lab.site("paris", "client: hasty-startct").default("timeout", timeout);
    for (key, value) in case.keys {
        paris = paris.default(key, value);
    }
    paris.plays_text(case.scenario);
    let prober = paris.start(&["test", "--record", "--json"]);
    let memory = watch_memory(&prober);
    let ran = prober.end();
    let json = ran.json();
    lab.is_as_before();
    assert!(!paris.journal().exists(), "nothing is owed any more");
    let row = paris.row();
    row.expect("cycle_id", json["cycle_id"].as_str().unwrap());
    let spent = spent(&json, timeout.parse().unwrap());
    let observed = Observed { row, spent, left: left(&json), passwords: lab.passwords_at_gateway() };
    document::note(&case, &observed);
    assert_as_expected(&case, &observed, &ran.stdout);
    assert!(memory < MEMORY, "the prober needed {memory} KiB");
}

fn assert_as_expected(case: &Case, observed: &Observed, said: &str) {
    let [verdict, stage, reason, domain] = case.ends;
    let Observed { row, spent, left, passwords } = observed;
    let seen = ["verdict", "failed_stage", "reason", "fault_domain"].map(|column| row.cell(column));
    assert_eq!(seen, [verdict, stage, reason, domain], "{said}");
    row.expect("leftovers", "");
    assert_eq!((spent.as_str(), left.as_str()), (case.spends, case.leaves), "{said}");
    assert!(*passwords <= case.passwords, "{passwords} passwords reached the gateway: {said}");
    document::is_as_noted(case, observed);
}

/// The highest that the prober's memory was, until its end.
fn watch_memory(prober: &Prober<'_>) -> u64 {
    let mut highest = 0;
    // The file of a process that has ended and waits for us is empty.
    prober.until_end(|| {
        let status = fs::read_to_string(format!("/proc/{}/status", prober.pid())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().split(' ').next()?.parse().ok());
        highest = kib.unwrap_or(0).max(highest);
    });
    highest
}

fn stage<'a>(json: &'a Value, name: &str) -> (f64, &'a str) {
    let stages = json["stages"].as_array().unwrap();
    let stage = stages.iter().find(|stage| stage["stage"] == name).unwrap();
    (stage["took_ms"].as_f64().unwrap() / 1000.0, stage["detail"].as_str().unwrap_or_default())
}

/// One stage and its limit: by how much it may be used up, in words, and whether it was.
struct Limit {
    stage: &'static str,
    seconds: f64,
    words: &'static str,
    used: bool,
}

/// What of its limits the cycle used up; asserts that no stage took longer than that explains.
fn spent(json: &Value, timeout: f64) -> String {
    let (teardown, how) = stage(json, "teardown");
    let (late, killed) = (how.starts_with("did not leave"), how.contains("KILL to"));
    let limit = |stage, seconds, words, used| Limit { stage, seconds, words, used };
    let limits = [
        limit("login", timeout, "timeout", stage(json, "login").0 >= timeout),
        limit("internal", FOR_A_ROUTE, "wait for a route", stage(json, "internal").0 >= FOR_A_ROUTE),
        limit("teardown", GRACE, "grace", late),
        limit("teardown", AFTER_TERM, "TERM to KILL", killed),
        limit("teardown", GRACE / 2.0, "part of the grace", how.starts_with("left by") && teardown >= GRACE / 2.0),
        limit("cleanup", AFTER_TERM, "TERM to KILL", stage(json, "cleanup").1.contains("KILL to")),
    ];
    for name in json["stages"].as_array().unwrap().iter().filter_map(|stage| stage["stage"].as_str()) {
        let explained: f64 = limits.iter().filter(|l| l.stage == name && l.used).map(|l| l.seconds).sum();
        let (took, detail) = stage(json, name);
        assert!(took >= explained && took < explained + MOMENTS, "`{name}` took {took} s: {detail}");
    }
    let used: Vec<_> = limits.iter().filter(|limit| limit.used).map(|limit| limit.words).collect();
    if used.is_empty() { "at once".to_owned() } else { used.join(" + ") }
}

/// What the prober had to put right. The client's own small processes are left out: whether the last of them was gone
/// when the prober looked is a matter of chance.
fn left(json: &Value) -> String {
    let done = [stage(json, "teardown").1, stage(json, "cleanup").1].join("; ");
    let ended = |name: &str| done.contains(&format!("{name} ("));
    let orphan = ["sleep", "yes", "hold-tun"].iter().any(|name| ended(&format!(" {name}")));
    let found = [
        ("client", ended(" java")),
        ("tunnel", ended(" openconnect")),
        ("process", orphan),
        ("interface", done.contains("removed interface")),
        ("route", done.contains("removed route") || done.contains("put route")),
        ("rule", done.contains("removed rule") || done.contains("put rule")),
        ("resolv.conf", done.contains("resolv.conf")),
    ];
    let names: Vec<_> = found.iter().filter(|(_, there)| *there).map(|(name, _)| *name).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
