//! Disks without room, disks that can't be written, and no process left: for these it takes root.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::lab::{Lab, Prober, Row, Setup, until};

/// A site of which nothing but the client is looked at, each second.
fn each_second(lab: &Lab) -> Setup<'_> {
    let setup = lab.site("paris", "client: shape").without("external_ip").without("internal_ip");
    let client = setup.dir().join("client");
    fs::write(
        &client,
        "#!/bin/sh\nprintf 'Password: '; read -r password; echo Connected; read -r line; echo Disconnected\n",
    )
    .unwrap();
    fs::set_permissions(&client, fs::Permissions::from_mode(0o755)).unwrap();
    let keys = format!(
        r#"command: "{}", leave: {{ send: quit, grace: 2s }}, dialogue:
      [ {{ expect: "Password: ", send: "{{password}}" }}, {{ expect: "(?m)^Connected", connected: true }} ]"#,
        client.display()
    );
    setup.client("shape", &keys).top("frequency: 1s")
}

/// A directory on a disk of its own; `exec` keeps the prober's process id.
fn on_a_small_disk(setup: &Setup<'_>, name: &str) -> String {
    let dir = setup.dir().join(name);
    format!("mkdir -p {0}; mount -t tmpfs -o size=64k tmpfs {0} && exec \"$@\"", dir.display())
}

/// A place as the prober sees it.
fn seen(prober: &Prober<'_>, setup: &Setup<'_>, name: &str) -> PathBuf {
    let path = setup.dir().join(name);
    PathBuf::from(format!("/proc/{}/root{}", prober.pid(), path.display()))
}

fn rows(prober: &Prober<'_>, setup: &Setup<'_>) -> Vec<Row> {
    Row::all_in(&seen(prober, setup, "results"))
}

/// Fills a disk up to the last byte.
fn fill(disk: &std::path::Path) {
    let mut size = 65536;
    while size > 0 {
        let mut bytes = fs::read(disk.join("filler")).unwrap_or_default();
        let length = bytes.len();
        bytes.resize(length + size, 0);
        if fs::write(disk.join("filler"), &bytes).is_err() {
            size /= 2;
        }
    }
}

#[test]
fn rows_wait_while_the_disk_of_the_results_is_full_and_none_is_torn_or_lost() {
    let lab = Lab::locked();
    let paris = each_second(&lab);
    let paris = {
        let script = on_a_small_disk(&paris, "results");
        paris.wrapped(&script)
    };
    let mut prober = paris.start(&["run"]);
    until("a row", || (!rows(&prober, &paris).is_empty()).then_some(()));
    let disk = seen(&prober, &paris, "results");
    fill(&disk);
    prober.says("cannot write rows: they are kept and written later");
    let waiting = paris.dir().join("state/unwritten-rows.csv");
    until("three rows wait", || (fs::read_to_string(&waiting).unwrap_or_default().lines().count() > 3).then_some(()));
    let in_file = rows(&prober, &paris).len();
    assert_eq!(prober.stderr().matches("cannot write rows").count(), 1, "said once so far");
    fs::remove_file(disk.join("filler")).unwrap();
    prober.says("rows can be written again");
    until("all rows", || (rows(&prober, &paris).len() >= in_file + 4).then_some(()));
    assert!(!waiting.exists());
    // All of them are up, in their order, each once (`Row::all_in`).
    let rows = rows(&prober, &paris);
    assert!(rows.iter().all(|row| row.cell("verdict") == "up") && rows.is_sorted_by_key(Row::time), "{rows:?}");
    prober.stop().exits(0);
}

#[test]
fn rows_wait_while_the_disk_of_the_results_is_read_only() {
    let lab = Lab::locked();
    let paris = each_second(&lab);
    let results = paris.dir().join("results").display().to_string();
    // It is made so from within: the mount is nobody else's.
    let go = paris.dir().join("go").display().to_string();
    let script = format!(
        "mkdir -p {results}; mount -t tmpfs tmpfs {results} || exit 90
         (until [ -e {go} ]; do sleep 0.05; done; mount -o remount,ro {results}; touch {go}.done
          until [ -e {go}.back ]; do sleep 0.05; done; mount -o remount,rw {results}) &
         exec \"$@\""
    );
    let paris = paris.wrapped(&script);
    let mut prober = paris.start(&["run"]);
    until("a row", || (!rows(&prober, &paris).is_empty()).then_some(()));
    fs::write(&go, "").unwrap();
    prober.says("Read-only file system");
    let in_file = rows(&prober, &paris).len();
    fs::write(format!("{go}.back"), "").unwrap();
    prober.says("rows can be written again");
    assert!(rows(&prober, &paris).len() > in_file);
    prober.stop().exits(0);

    // From the start: it is said before the first login.
    let script = format!("mkdir -p {results}; mount -t tmpfs -o ro tmpfs {results} && exec \"$@\"");
    paris.wrapped(&script).run(&["run"]).exits(1).said("cannot write to the directory");
}

#[test]
fn no_client_is_started_while_there_is_no_room_for_the_journal() {
    let lab = Lab::locked();
    let paris = each_second(&lab);
    let paris = {
        let script = on_a_small_disk(&paris, "state");
        paris.wrapped(&script)
    };
    let prober = paris.start(&["run"]);
    until("a row", || (!paris.rows().is_empty()).then_some(()));
    let disk = seen(&prober, &paris, "state");
    // Again and again: a cycle that is under way frees its journal's room.
    until("the journal has no room", || {
        fill(&disk);
        prober.stderr().contains("cannot write the journal").then_some(())
    });
    let refused = until("a row that says so", || paris.rows().into_iter().find(|row| row.cell("verdict") == "unknown"));
    refused.is("unknown", "prepare", "prepare-failed", "own");
    assert!(refused.cell("detail").contains("No space left on device"), "{refused:?}");
    assert!(!disk.join("cycle-host.json").exists(), "nothing of it is left behind");
    fs::remove_file(disk.join("filler")).unwrap();
    let before = paris.rows().len();
    until("a cycle that is up again", || paris.rows().into_iter().skip(before).find(|row| row.cell("verdict") == "up"));
    prober.stop().exits(0);
    assert!(paris.rows().iter().all(|row| row.cell("verdict") != "down"));
}

#[test]
fn people_are_told_while_there_is_no_room_for_the_alert_state() {
    let lab = Lab::locked();
    let paris = each_second(&lab).email("server: 10.79.0.1");
    let told = paris.dir().join("told");
    let command = format!("[sh, -c, \"cat >>{0}; echo >>{0}\"]", told.display());
    let paris = paris.top(&format!("alerts: {{ blind_after: 3s, channels: {{ script: {{ command: {command} }} }} }}"));
    let paris = {
        let script = on_a_small_disk(&paris, "state");
        paris.wrapped(&script)
    };
    let mut prober = paris.start(&["run"]);
    until("a row", || (!paris.rows().is_empty()).then_some(()));
    let disk = seen(&prober, &paris, "state");
    until("the mail", || {
        fill(&disk);
        (lab.mails().len() == 1).then_some(())
    });
    prober.says("a restart would forget alerts");
    prober.says("No space left on device");
    fs::remove_file(disk.join("filler")).unwrap();
    until("the second mail", || (lab.mails().len() == 2).then_some(()));
    let lines = || fs::read_to_string(&told).unwrap_or_default().lines().count();
    until("both by the command", || (lines() == 2).then_some(()));
    until("the state on the disk", || {
        let state = fs::read_to_string(disk.join("alerts.json")).unwrap_or_default();
        state.contains("\"delivered\":4").then_some(())
    });
    prober.stop().exits(0);
    let subjects: Vec<_> = lab.mails().iter().map(|mail| mail.header("Subject")).collect();
    assert_eq!(subjects.len(), 2, "{subjects:?}");
    assert!(subjects[0].contains("paris UNKNOWN for") && subjects[0].contains("prepare-failed"), "{subjects:?}");
    let text = fs::read_to_string(&told).unwrap();
    assert_eq!((lines(), text.matches("\"kind\":\"blind\"").count()), (2, 1), "each once: {text}");
}

#[test]
fn where_no_process_can_be_started_the_site_is_not_down_and_it_recovers() {
    let lab = Lab::locked();
    // A user of its own, so that nobody else's processes count.
    let user = "setpriv --reuid=61234 --regid=61234 --clear-groups";
    // Threads that idle for ten seconds are gone: a row is to be written without one, too.
    let paris = each_second(&lab).top("frequency: 11s");
    let paris = paris.without("password_file").default("password_env", "PROBE_PASSWORD");
    let paris = paris.environment("PROBE_PASSWORD", "whatever");
    let dir = paris.dir().display().to_string();
    let program = env!("CARGO_BIN_EXE_vpnprobe");
    // The lab's directories may be closed to it: a copy of the program lies here.
    let script = format!(
        "cp {program} {dir}/program; chown -R 61234:61234 {dir}
         (until [ -e {dir}/full ]; do sleep 0.05; done
          exec {user} sh -c 'for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do sleep 600 & pids=\"$pids $!\"; done; until [ -e {dir}/over ]; do sleep 0.1; done; kill $pids') &
         shift; exec {user} prlimit --nproc=14 {dir}/program \"$@\""
    );
    let paris = paris.wrapped(&script);
    let mut prober = paris.start(&["run"]);
    prober.says("verdict=up");
    fs::write(paris.dir().join("full"), "").unwrap();
    prober.says("Resource temporarily unavailable");
    fs::write(paris.dir().join("over"), "").unwrap();
    let refused = paris.rows().len();
    until("a cycle that is up again", || {
        paris.rows().iter().skip(refused).any(|row| row.cell("verdict") == "up").then_some(())
    });
    prober.stop().exits(0);
    let rows = paris.rows();
    assert!(rows.iter().all(|row| row.cell("verdict") != "down"), "{rows:?}");
    rows.iter().find(|row| row.cell("verdict") == "unknown").unwrap().is("unknown", "login", "no-pty", "own");
}
