//! The prober itself is killed in the middle of a cycle: whoever starts next removes what it left, and the cycle gets
//! its row, once.

use std::fs;

use crate::lab::{Lab, Prober, Row, Setup, until};

/// A moment of a cycle.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Login,
    InternalPing,
    Teardown,
}

use Moment::{InternalPing, Login, Teardown};

impl Moment {
    fn setup(self, lab: &Lab) -> Setup<'_> {
        let paris = lab.site("paris", "client: hasty-startct").without("external_ip");
        match self {
            Login => paris.playing("hangs-behind-its-tunnel"),
            InternalPing => paris.default("ping", "{ count: 500, interval: 50ms, timeout: 1s }"),
            // Not the hasty one: it must be alive when it is killed.
            Teardown => paris.default("client", "lab-startct").playing("never-quits"),
        }
    }

    fn wait(self, prober: &mut Prober<'_>, lab: &Lab) {
        match self {
            Login => lab.tunnel_stands(),
            InternalPing => prober.pings_inside(),
            Teardown => prober.says("internal  passed"),
        }
    }
}

/// A prober killed at that moment; everything of its client is still there.
fn killed_at(moment: Moment, lab: &Lab) -> Setup<'_> {
    let paris = moment.setup(lab);
    let mut prober = paris.start(&["test", "--record"]);
    moment.wait(&mut prober, lab);
    prober.kill();
    let left = lab.snapshot();
    let names: Vec<_> = left.processes.iter().map(|process| process.name.as_str()).collect();
    for name in ["java", "AvConnect", "openconnect"] {
        assert!(names.contains(&name), "control: `{name}` should be left, there are {names:?}");
    }
    assert!(left.interfaces().contains(&"tun0"), "control: tun0 should be left");
    assert!(left.resolv_conf.contains("SonicWall"), "control: resolv.conf should be left rewritten");
    assert!(paris.rows().is_empty() && paris.journal().exists());
    paris
}

#[track_caller]
fn is_the_row_of_the_cut_cycle(row: &Row) {
    row.is("unknown", "", "prober-killed", "own").expect("stages", "").expect("site", "paris");
    for column in ["login_ms", "internal_rtt_ms", "cycle_ms"] {
        row.expect(column, "");
    }
}

fn cleanup_clears_up_after_a_kill(moment: Moment) {
    let lab = Lab::locked();
    let paris = killed_at(moment, &lab);
    let left = lab.snapshot();
    let would = paris.run(&["cleanup", "--dry-run"]);
    would.exits(1);
    for said in ["would end process java (", "would end process AvConnect (", "would remove interface tun0"] {
        would.said(said);
    }
    would.said("would restore resolv.conf");
    let mut lines: Vec<_> = would.stdout.lines().collect();
    lines.sort_unstable();
    assert!(lines.windows(2).all(|pair| pair[0] != pair[1]), "said twice: {lines:?}");
    assert_eq!(left.differences(&lab.snapshot()), Vec::<String>::new(), "a dry run changes nothing");
    assert!(paris.rows().is_empty() && paris.journal().exists());

    let did = paris.run(&["cleanup"]);
    did.exits(0).said("sent TERM to java (").said("nothing remains");
    lab.is_as_before();
    is_the_row_of_the_cut_cycle(&paris.row());
    assert!(!paris.journal().exists());

    let again = paris.run(&["cleanup"]);
    again.exits(0);
    assert_eq!(again.stdout, "nothing remains\n");
    paris.run(&["cleanup", "--dry-run"]).exits(0);
    assert_eq!(paris.rows().len(), 1);
}

#[test]
fn cleanup_clears_up_after_a_kill_in_the_middle_of_a_login() {
    cleanup_clears_up_after_a_kill(Login);
}

#[test]
fn cleanup_clears_up_after_a_kill_while_the_tunnel_was_in_use() {
    cleanup_clears_up_after_a_kill(InternalPing);
}

#[test]
fn cleanup_clears_up_after_a_kill_while_the_client_was_leaving() {
    cleanup_clears_up_after_a_kill(Teardown);
}

/// Both rows: the cut cycle's, then a good one.
#[track_caller]
fn both_cycles_have_their_row(rows: &[Row]) {
    assert_eq!(rows.len(), 2, "{rows:?}");
    is_the_row_of_the_cut_cycle(&rows[0]);
    rows[1].is("up", "", "", "");
}

fn the_next_run_clears_up_first(moment: Moment) {
    let lab = Lab::locked();
    let paris = killed_at(moment, &lab).default("ping", "{ count: 1 }");
    paris.plays("good");
    let mut prober = paris.start(&["run"]);
    prober.says("the cycle that the kill cut has its row now");
    prober.rows(2);
    prober.stop().exits(0).said("left by an earlier cycle: sent TERM to java");
    both_cycles_have_their_row(&paris.rows());
}

#[test]
fn the_next_run_clears_up_after_a_kill_in_the_middle_of_a_login() {
    the_next_run_clears_up_first(Login);
}

#[test]
fn the_next_run_clears_up_after_a_kill_while_the_tunnel_was_in_use() {
    the_next_run_clears_up_first(InternalPing);
}

#[test]
fn the_next_run_clears_up_after_a_kill_while_the_client_was_leaving() {
    the_next_run_clears_up_first(Teardown);
}

#[test]
fn the_next_test_clears_up_first_too() {
    let lab = Lab::locked();
    let paris = killed_at(InternalPing, &lab).default("ping", "{ count: 1 }");
    paris.run(&["test", "--record"]).exits(0);
    both_cycles_have_their_row(&paris.rows());
}

#[test]
fn a_test_that_records_nothing_owes_no_row_when_it_is_killed() {
    let lab = Lab::locked();
    let paris = Login.setup(&lab);
    let prober = paris.start(&["test"]);
    lab.tunnel_stands();
    prober.kill();
    paris.run(&["cleanup"]).exits(0);
    assert!(paris.rows().is_empty());
}

#[test]
fn after_a_kill_with_openconnect_the_cut_cycle_has_its_row_too() {
    let lab = Lab::locked();
    let paris = InternalPing.setup(&lab).default("client", "openconnect").site("other", "client: openconnect");
    let prober = paris.start(&["run"]);
    prober.pings_inside();
    prober.kill();
    paris.run(&["cleanup"]).exits(0);
    lab.is_as_before();
    is_the_row_of_the_cut_cycle(&paris.row());
}

#[test]
fn a_helper_that_outlived_its_client_is_found() {
    let lab = Lab::locked();
    let paris = InternalPing.setup(&lab).playing("dies-with-its-terminal");
    let prober = paris.start(&["test", "--record"]);
    prober.pings_inside();
    prober.kill();
    until("the client's end", || lab.processes().iter().all(|process| process.name != "java").then_some(()));
    lab.process("AvConnect");
    paris.run(&["cleanup"]).exits(0).said("sent TERM to AvConnect (");
    lab.is_as_before();
    is_the_row_of_the_cut_cycle(&paris.row());
}

#[test]
fn killed_between_the_row_and_the_end_of_the_journal_no_second_row_is_written() {
    let lab = Lab::locked();
    let paris = killed_at(Login, &lab);
    let journal = fs::read(paris.journal()).unwrap();
    paris.run(&["cleanup"]).exits(0);
    // As if it had been killed right after the row was written.
    fs::write(paris.journal(), journal).unwrap();
    paris.run(&["cleanup"]).exits(0);
    is_the_row_of_the_cut_cycle(&paris.row());
    assert!(!paris.journal().exists());
}

#[test]
fn killed_between_the_row_and_the_alert_the_next_one_tells_it_by_the_row() {
    let lab = Lab::locked();
    let paris = killed_at(Login, &lab).email("server: 10.79.0.1").top("alerts: { after: 1 }");
    let journal = fs::read(paris.journal()).unwrap();
    paris.run(&["cleanup"]).exits(0);
    // As if the cycle had ended, and the prober had been killed right after its row was written.
    let file = fs::read_dir(paris.results()).unwrap().next().unwrap().unwrap().path();
    let rows = fs::read_to_string(&file).unwrap();
    let down = rows.replace("unknown,,prober-killed,", "down,login,login-timeout,");
    assert_ne!(down, rows);
    fs::write(&file, down).unwrap();
    fs::write(paris.journal(), journal).unwrap();
    let prober = paris.start(&["run"]);
    until("the mail", || (!lab.mails().is_empty()).then_some(()));
    prober.stop().exits(0);
    let subjects: Vec<_> = lab.mails().iter().map(|mail| mail.header("Subject")).collect();
    assert_eq!(subjects, ["[vpnprobe] paris DOWN: login login-timeout (gateway)"]);
}

#[test]
fn killed_again_while_clearing_up_the_next_one_ends_the_work() {
    let lab = Lab::locked();
    let paris = killed_at(Login, &lab).top("resolv_conf: { restore_command: [sleep, 60] }");
    let prober = paris.start(&["cleanup"]);
    // The restore_command hangs: that is the moment.
    let hanging = lab.process("sleep");
    prober.kill();
    assert!(paris.rows().is_empty() && paris.journal().exists());
    lab.kill(&hanging);
    let paris = paris.top("resolv_conf: {}");
    paris.run(&["cleanup"]).exits(0);
    lab.is_as_before();
    is_the_row_of_the_cut_cycle(&paris.row());
}
