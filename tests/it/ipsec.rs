//! `vpnprobe ipsec` as a user of MIPsec meets it, where no strongSwan is.

use crate::house::{House, Said};

/// A socket that nobody has.
const NOBODY: &str = "--socket=no-such.vici";

async fn run(house: &House, arguments: &[&str]) -> Said {
    house.run(&[&["ipsec"], arguments].concat()).await
}

#[tokio::test]
async fn the_status_of_each_fault_is_mipsecs() {
    let house = House::empty();
    house.write("good.yaml", "- net-a\n- net-b\n");
    house.write("mapping.yaml", "tunnels:\n  - net-a\n");
    house.write("empty.yaml", "");
    house.write("none.yaml", "[]\n");
    house.write("number.yaml", "- net-a\n- 123\n");
    house.write("broken.yaml", "- net-a\n- [net-b\n");
    std::fs::write(house.path("latin1.yaml"), b"- M\xfcnchen\n").unwrap();
    let no_tunnel = "no tunnel to look at";
    for (arguments, status, words) in [
        // The values come before the list, the list before the socket.
        (vec!["--verbose", "--quiet", "--config=mapping.yaml"], 1, "--verbose and --quiet contradict each other"),
        (vec!["--interval", "0", "net-a"], 1, "--interval is out of range: give 1 to 31622400 seconds"),
        (vec!["--interval", "-5", "net-a"], 1, "--interval is out of range"),
        (vec!["--interval=0.5", "net-a"], 1, "--interval is out of range"),
        (vec!["--max-retries=0", "net-a"], 1, "--max-retries is out of range: give 1 to 100"),
        (vec!["--retry-delay", "-1", "net-a"], 1, "--retry-delay is out of range: give 0 to 3600 seconds"),
        (vec!["--config", "mapping.yaml", "net-a"], 2, "mapping.yaml: is a mapping, not a list"),
        (vec!["--config", "empty.yaml"], 2, "empty.yaml: is empty, not a list"),
        (vec!["--config", "number.yaml"], 3, "number.yaml: line 2: item 2 is a number, a date or a switch, not a name"),
        (vec!["--config", "broken.yaml"], 4, "broken.yaml: line 2: not valid YAML"),
        (vec!["--config", "latin1.yaml"], 4, "latin1.yaml: is not valid UTF-8"),
        (vec!["--config", "none.yaml"], 1, no_tunnel),
        (vec!["--config", "no-such.yaml"], 1, no_tunnel),
        (vec!["--config", "."], 1, no_tunnel),
        (vec!["--config", "good.yaml"], 5, "no strongSwan answers at `no-such.vici`"),
        (vec!["--config", "no-such.yaml", "net-a"], 5, "no-such.yaml cannot be opened: No such file"),
        (vec!["--daemon", "net-a"], 5, "no strongSwan answers at `no-such.vici`"),
        (vec!["--socket=tcp://localhost:4502", "net-a"], 5, "--socket `localhost:4502` is not an IP address and port"),
        (vec!["--interval", "soon"], 2, "write a number of seconds, like 60, or 5m"),
        (vec!["--max-retries", "many"], 2, "invalid value 'many'"),
        (vec!["--frequency", "60"], 2, "unexpected argument '--frequency'"),
        (vec!["-v"], 2, "unexpected argument '-v'"),
    ] {
        let said = run(&house, &[&[NOBODY], arguments.as_slice()].concat()).await;
        assert_eq!(said.status, Some(status), "{arguments:?}: {}", said.stderr);
        assert!(said.stderr.contains(words), "{arguments:?}: {}", said.stderr);
        assert_eq!(said.stdout, "", "{arguments:?}");
    }
}

#[tokio::test]
async fn every_fault_of_the_values_is_told_at_once() {
    let house = House::empty();
    let said = run(&house, &["--interval=0", "--max-retries=-1", "--verbose", "--quiet", "net-a"]).await;
    assert_eq!(said.status, Some(1));
    for words in ["--interval", "--max-retries", "--verbose and --quiet"] {
        assert!(said.stderr.contains(words), "{}", said.stderr);
    }
}

#[tokio::test]
async fn where_vici_is_not_there_the_package_that_has_it_is_named() {
    let house = House::empty();
    let said = run(&house, &[NOBODY, "net-a"]).await;
    for words in ["strongswan-swanctl", "ipsec.conf", "restart strongSwan", "--socket"] {
        assert!(said.stderr.contains(words), "{}", said.stderr);
    }
}

#[tokio::test]
async fn a_command_line_of_mipsec_is_taken_as_argparse_takes_it() {
    let house = House::empty();
    house.write("list.yaml", "- net-a\n");
    // What is wrong with each is the socket alone.
    for arguments in [
        vec!["--config", "list.yaml", "--max-retries", "5", "--retry-delay", "1", "--verbose"],
        vec!["net-b", "--config=list.yaml", "net-c", "--quiet"],
        vec!["--conf", "list.yaml", "--verb", "--max", "2", "--retry", "1", "--int", "60"],
        vec!["--d", "--interval", "60", "net-a"],
        vec!["--interval", "0", "--interval", "60", "--config", "nowhere", "--config", "list.yaml"],
        vec!["--interval", "5m", "net-a"],
    ] {
        let said = run(&house, &[&[NOBODY], arguments.as_slice()].concat()).await;
        assert_eq!(said.status, Some(5), "{arguments:?}: {}", said.stderr);
    }
    // Before the command's name too.
    assert_eq!(house.run(&["--config", "list.yaml", "ipsec", NOBODY]).await.status, Some(5));
}

#[tokio::test]
async fn its_help_tells_mipsecs_defaults() {
    let house = House::empty();
    let help = run(&house, &["-h"]).await;
    assert_eq!((help.status, help.stderr.as_str()), (Some(0), ""));
    for words in ["/opt/mipsec/mipsec.yaml", "/var/run/charon.vici", "[default: 300]", "[default: 3]", "[default: 2]"] {
        assert!(help.stdout.contains(words), "{words}: {}", help.stdout);
    }
    for option in
        ["--socket", "--config", "--verbose", "--quiet", "--daemon", "--interval", "--max-retries", "--retry-delay"]
    {
        assert!(help.stdout.contains(option), "{option}: {}", help.stdout);
    }
}
