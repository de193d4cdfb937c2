//! Planned work: cycles go on and say so in their rows, and people are told nothing until it is over.

use chrono::TimeDelta;
use vpnprobe::clock::{Clock, SystemClock};

use crate::lab::{Lab, until};

#[test]
fn an_outage_that_outlasts_its_window_is_told_at_once_with_its_true_start() {
    let lab = Lab::locked();
    let end = SystemClock.now() + TimeDelta::seconds(5);
    let window = format!("{{ name: carrier, sites: paris, start: 2026-01-01T00:00, end: {} }}", end.format("%FT%TZ"));
    let paris = lab.site("paris", "client: openconnect, vpn_gw: \"10.78.0.1:9\"").email("server: 10.79.0.1");
    let paris = paris.top("frequency: 1").top(&format!("maintenance: [{window}]"));
    let prober = paris.start(&["run"]);
    until("the mail", || (lab.mails().len() == 1).then_some(()));
    let rows = paris.rows();
    prober.stop().exits(0);

    let (during, after) = rows.split_at(rows.iter().take_while(|row| row.time() < end).count());
    assert!(during.len() > 2, "control: without the window two down cycles are told: {rows:?}");
    assert!(during.iter().all(|row| row.cell("maintenance") == "carrier"), "{during:?}");
    assert!(after.iter().all(|row| row.cell("maintenance").is_empty()), "{after:?}");
    let mail = &lab.mails()[0];
    assert_eq!(mail.header("Subject"), "[vpnprobe] paris DOWN: gateway connect-refused (gateway)");
    let started = rows[0].time().format("%Y-%m-%d %H:%M:%S").to_string();
    assert!(mail.text.contains(&started), "the mail tells when it began, {started}: {}", mail.text);
    let cycles = format!("{} down cycles in a row", during.len() + 1);
    assert!(mail.text.contains(&cycles), "told in the first cycle afterwards, {cycles}: {}", mail.text);
}

#[test]
fn a_cycle_that_was_cut_in_maintenance_has_its_window_in_its_row() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: hasty-startct").playing("hangs-behind-its-tunnel");
    let paris = paris.top("maintenance: { sites: all, weekly: Mon 00:00, duration: 7d }");
    let prober = paris.start(&["test", "--record"]);
    lab.tunnel_stands();
    prober.kill();
    assert!(paris.rows().is_empty());
    // By then there is no such window any more.
    let paris = paris.top("maintenance: []");
    paris.run(&["cleanup"]).exits(0);
    paris.row().is("unknown", "", "prober-killed", "own").expect("maintenance", "yes");
}

#[test]
fn a_window_is_told_where_a_person_or_a_program_looks() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct");
    let paris = paris.top("maintenance: { name: carrier, sites: paris, weekly: Mon 00:00, duration: 7d }");
    paris.run(&["test"]).exits(0).said("= up  in maintenance (carrier), login ");
    assert_eq!(paris.run(&["test", "--json"]).exits(0).json()["maintenance"], "carrier");
}
