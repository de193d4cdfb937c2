//! What is not ours survives.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::lab::{Lab, Stranger, until};
use crate::namespace::Namespace;

/// A copy of `sleep` under another name.
fn sleeper(dir: &Path, name: &str) -> PathBuf {
    let program = dir.join(name);
    fs::copy("/usr/bin/sleep", &program).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    program
}

#[test]
fn an_unrelated_java_survives_a_login_a_kill_and_a_cleanup() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct");
    let program = sleeper(paris.dir(), "java");
    let mut java = lab.stranger(&[program.to_str().unwrap(), "600"]);
    lab.process("java");
    paris.run(&["test", "--record"]).exits(0);
    paris.row().is_up();
    paris.run(&["cleanup"]).exits(0);
    assert!(java.lives());
    paris.plays("hangs-behind-its-tunnel");
    let prober = paris.start(&["test"]);
    lab.tunnel_stands();
    prober.kill();
    paris.run(&["cleanup"]).exits(0);
    assert!(java.lives());
}

#[test]
fn an_avconnect_of_another_network_survives() {
    let lab = Lab::locked();
    let elsewhere = Namespace::new("other-host");
    let paris = lab.site("paris", "client: lab-startct");
    let program = sleeper(paris.dir(), "AvConnect");
    let mut other = Stranger::start(elsewhere.command(&[program.to_str().unwrap(), "600"]));
    paris.run(&["test", "--record"]).exits(0);
    paris.row().is_up();
    paris.run(&["cleanup"]).exits(0);
    assert!(other.lives());
}

#[test]
fn a_tunnel_that_stood_there_before_is_left_alone() {
    let lab = Lab::locked();
    let others = lab.tunnel("tun0", "192.0.2.1/32");
    let before = lab.snapshot();
    let paris = lab.site("paris", "client: hasty-startct").playing("never-quits");
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0);
    paris.row().is_up();
    assert!(ran.json()["stages"].to_string().contains("tun1 10.88.0."), "{}", ran.stdout);
    assert_eq!(before.differences(&lab.snapshot()), Vec::<String>::new());
    paris.run(&["cleanup"]).exits(0);
    assert_eq!(before.differences(&lab.snapshot()), Vec::<String>::new());
    drop(others);
}

/// Somebody who works through a tunnel of his own, by this interface.
fn administrator(lab: &Lab, interface: &str) -> Stranger {
    let pin = fs::read_to_string(lab.dir().join("fingerprints/gw.pin-sha256")).unwrap();
    let secret = lab.dir().join("secrets/second.pw");
    let script = format!(
        "exec openconnect --user=second --passwd-on-stdin --interface={interface} --servercert={} 10.78.0.1 < {}",
        pin.trim(),
        secret.display()
    );
    let administrator = lab.stranger(&["sh", "-c", &script]);
    until("the administrator's tunnel", || lab.goes_inside_by(interface).then_some(()));
    assert!(lab.inside_answers(), "control: the administrator is connected");
    administrator
}

#[test]
fn an_administrators_openconnect_is_left_alone_and_the_cycle_is_unknown() {
    let lab = Lab::locked();
    let mut administrator = administrator(&lab, "tun0");
    let before = lab.snapshot();

    let paris = lab.site("paris", "client: openconnect");
    paris.run(&["test", "--record"]).exits(3);
    let stages = "prepare=client-busy external=skipped gateway=skipped login=skipped internal=skipped teardown=skipped cleanup=skipped";
    paris.row().is("unknown", "prepare", "client-busy", "own").expect("stages", stages);
    paris.run(&["cleanup"]).exits(0);
    assert!(administrator.lives());
    assert_eq!(before.differences(&lab.snapshot()), Vec::<String>::new());
    assert!(lab.inside_answers(), "the administrator is still connected");
    administrator.interrupt();
}

#[test]
fn an_administrators_tunnel_beside_another_client_keeps_its_routes() {
    let lab = Lab::locked();
    let mut administrator = administrator(&lab, "tun7");
    let before = lab.snapshot();
    // Both have the same route.
    let paris = lab.site("paris", "client: lab-startct");
    paris.run(&["test", "--record"]).exits(0);
    paris.row().is_up();
    assert!(administrator.lives() && lab.inside_answers(), "the administrator is still connected");
    assert_eq!(before.differences(&lab.snapshot()), Vec::<String>::new());
    administrator.interrupt();
}

#[test]
fn an_administrators_tunnel_that_came_up_meanwhile_is_no_leftover() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").playing("hangs-behind-its-tunnel");
    let prober = paris.start(&["test", "--record"]);
    lab.tunnel_stands();
    let mut administrator = administrator(&lab, "tun7");
    prober.kill();
    let would = paris.run(&["cleanup", "--dry-run"]);
    would.exits(1).said("would remove interface tun0");
    assert!(!would.stdout.contains("tun7"), "{}", would.stdout);
    let did = paris.run(&["cleanup"]);
    did.exits(0);
    assert!(!did.stdout.contains("tun7"), "{}", did.stdout);
    assert!(administrator.lives() && lab.inside_answers(), "the administrator is still connected");
    administrator.interrupt();
    paris.row().is("unknown", "", "prober-killed", "own");
}
