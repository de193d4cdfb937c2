//! What the program prints for other programs, by those programs: shells, manual page readers, monitoring systems.

use std::path::Path;

use tokio::process::Command;

use crate::house::{House, Said, alone};

/// Runs a program of this host, with the directory of `vpnprobe` in its PATH.
async fn run(program: &str, arguments: &[&str]) -> Said {
    let bin = Path::new(env!("CARGO_BIN_EXE_vpnprobe")).parent().unwrap().display().to_string();
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", format!("{bin}:/usr/bin:/bin")).env("LC_ALL", "C.UTF-8");
    let output = command.output().await.unwrap_or_else(|e| panic!("needs {program}: run scripts/test: {e}"));
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { status: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

#[tokio::test]
async fn the_manual_pages_are_rendered_without_a_warning() {
    let house = House::empty();
    let one = house.run(&["man"]).await;
    assert_eq!(one.status, Some(0));
    house.write("vpnprobe.1", &one.stdout);
    let pages = house.path("pages");
    let all = house.run(&["man", "--dir", pages.to_str().unwrap()]).await;
    assert!(all.status == Some(0) && all.stdout.contains(" pages in "), "{all:?}");
    let mut count = 0;
    for entry in std::fs::read_dir(&pages).unwrap() {
        let page = entry.unwrap().path().display().to_string();
        assert!(!page.contains("demo-client"));
        let linted = run("mandoc", &["-Tlint", "-Wwarning", &page]).await;
        assert_eq!((linted.status, linted.stdout.as_str()), (Some(0), ""));
        count += 1;
    }
    assert!(count >= 10, "{count} pages");
    let shown = run("man", &["-l", house.path("vpnprobe.1").to_str().unwrap()]).await;
    for words in
        ["NAME", "SYNOPSIS", "EXIT STATUS", "FILES", "ENVIRONMENT", "STATE_DIRECTORY", "vpnprobe-check-config(1)"]
    {
        assert!(shown.stdout.contains(words), "{words}: {}", shown.stdout);
    }
}

#[tokio::test]
async fn a_plugin_line_is_all_that_a_monitoring_system_reads() {
    let _alone = alone().await;
    let house = House::with_sites(
        "  fine: { client: good }\n  locked-out: { client: refusing, username: second }\n  nowhere: { client: missing }",
    );
    for (arguments, status, begin) in [
        (&["fine"][..], 0, "VPN OK - fine up, login "),
        (
            &["locked-out", "--force"],
            2,
            "VPN CRITICAL - locked-out down: login auth-rejected (identity): Access Denied | cycle=",
        ),
        (&["nowhere"], 3, "VPN UNKNOWN - nowhere unknown: login client-missing (own): cannot run"),
        (&["fine", "nowhere"], 3, "VPN UNKNOWN - 1 of 2 sites unknown; nowhere unknown: "),
        (&["no-such-site"], 3, "VPN UNKNOWN - there is no site `no-such-site`"),
        (&["--no-such-option"], 3, "VPN UNKNOWN - error: unexpected argument '--no-such-option' found"),
        (&["--json"], 3, "VPN UNKNOWN - error: the argument "),
        (&["-c", "no/such.yml"], 3, "VPN UNKNOWN - no/such.yml: cannot be opened"),
    ] {
        let all: Vec<&str> = ["test", "--nagios"].iter().chain(arguments).copied().collect();
        let said = house.run(&all).await;
        assert_eq!(said.status, Some(status), "{arguments:?}: {said:?}");
        assert!(said.stdout.starts_with(begin), "{arguments:?}: {}", said.stdout);
        assert!(said.stdout.ends_with('\n') && said.stdout.lines().count() == 1, "{}", said.stdout);
        assert!(!said.stderr.contains("error"), "{}", said.stderr);
    }
    let fine = house.run(&["test", "--nagios", "fine"]).await.stdout;
    assert!(fine.contains(" | login=0.") && fine.contains("s;;;0 cycle=0."), "{fine}");
    // Only where it is an option of ours.
    assert_eq!(house.run(&["test", "--", "--nagios"]).await.status, Some(2));
}

#[tokio::test]
async fn a_misspelt_site_is_recognised() {
    let house = House::with_sites("  paris: { client: good }");
    for command in ["test", "resume"] {
        let said = house.run(&[command, "pars"]).await;
        assert!(
            said.status == Some(2) && said.stderr.contains("did you mean `paris`? configured are paris"),
            "{}",
            said.stderr
        );
    }
}
