//! The command line as a user meets it: the real program in a directory of its own.

use std::collections::BTreeSet;

use nix::sys::signal::Signal;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::time::timeout;

use crate::house::{House, LIMIT, PASSWORD, alone};

const THREE_SITES: &str =
    "  fine: { client: good }\n  locked-out: { client: refusing, username: second }\n  nowhere: { client: missing }";

#[tokio::test]
async fn what_is_not_a_command_is_a_usage_error() {
    let house = House::empty();
    for (arguments, expected) in [
        (vec![], "Usage:"),
        (vec!["tset"], "tip: a similar subcommand exists: 'test'"),
        (vec!["test", "--jsno"], "tip: a similar argument exists: '--json'"),
        (vec!["run", "paris"], "unexpected argument 'paris'"),
        (vec!["check-config", "-q", "-v"], "cannot be used with"),
        (vec!["test", "--log-format", "xml"], "[possible values: text, json]"),
    ] {
        let said = house.run(&arguments).await;
        assert_eq!(said.status, Some(2), "{arguments:?}");
        assert!(said.stderr.contains(expected), "{arguments:?}: {}", said.stderr);
        assert_eq!(said.stdout, "", "{arguments:?}");
    }
}

#[tokio::test]
async fn help_and_version_are_answers_and_no_errors() {
    let house = House::empty();
    let help = house.run(&["--help"]).await;
    assert_eq!((help.status, help.stderr.as_str()), (Some(0), ""));
    for command in ["run", "test", "check-config", "cleanup", "demo"] {
        assert!(help.stdout.contains(&format!("\n  {command} ")), "{command}: {}", help.stdout);
    }
    assert!(!help.stdout.contains("demo-client"), "{}", help.stdout);
    let version = house.run(&["--version"]).await;
    assert_eq!(version.stdout, format!("vpnprobe {}\n", env!("CARGO_PKG_VERSION")));
}

#[tokio::test]
async fn without_a_configuration_it_says_what_to_do() {
    let house = House::empty();
    for command in ["run", "test", "check-config", "cleanup"] {
        let named = house.run(&[command, "-c", "no/such.yml"]).await;
        assert_eq!(named.status, Some(2), "{command}");
        assert!(named.stderr.contains("no/such.yml: cannot be opened"), "{command}: {}", named.stderr);
    }
    // Of the commands the one that does nothing: where vpnprobe is installed, this finds its configuration.
    let said = house.run(&["check-config"]).await;
    if std::path::Path::new("/etc/vpnprobe/config.yml").exists() {
        assert!(format!("{}{}", said.stdout, said.stderr).contains("/etc/vpnprobe/config.yml"), "{said:?}");
    } else {
        assert_eq!(said.status, Some(2));
        assert!(said.stderr.contains("neither config.yml nor /etc/vpnprobe/config.yml"), "{}", said.stderr);
        assert!(said.stderr.contains("--config FILE") && said.stderr.contains("vpnprobe demo"), "{}", said.stderr);
    }
}

#[tokio::test]
async fn every_fault_of_the_configuration_is_shown_at_once_and_no_command_starts_with_one() {
    let house = House::empty();
    house.write(
        "config.yml",
        "frequncy: 600\nhttp: { listen: \"127.0.0.1:9877\" }\nsites:\n  paris:\n    vpn_gw: https://vpn.example.com\n    \
         username: probe\n    password: hunter2\n    timeout: 0\n    kind: egress\n  oslo: { vpn_gw: gw, username: probe, passwrd: hunter2 }\n",
    );
    let faults = [
        "vpnprobe: the configuration has 7 faults\n",
        "\nconfig.yml:1:1: frequncy: unknown key",
        "did you mean `frequency`?",
        "config.yml:2:1: http: is not supported by this version",
        "config.yml:8:14: sites.paris.timeout: `0` is out of range",
        "config.yml:9:11: sites.paris.kind: `egress` is not supported by this version",
        "config.yml:10:40: sites.oslo.passwrd: unknown key",
        "sites.oslo.password: is missing",
    ];
    for command in ["check-config", "run", "test", "cleanup"] {
        let said = house.run(&[command]).await;
        assert_eq!(said.status, Some(2), "{command}");
        for fault in faults {
            assert!(said.stderr.contains(fault), "{command}, {fault}: {}", said.stderr);
        }
        assert!(!said.stderr.contains("hunter2"), "{command}: {}", said.stderr);
    }
    let checked = house.run(&["check-config"]).await;
    assert!(
        checked.stdout.contains("warning: config.yml:10:3: sites.oslo: has neither `internal_ip` nor `checks`"),
        "{}",
        checked.stdout
    );
    assert!(!house.path("results").exists() && !house.path("state").exists());
}

#[tokio::test]
async fn a_good_configuration_is_said_to_be_good_with_what_is_worth_a_second_look() {
    let house = House::with_sites(THREE_SITES);
    let said = house.run(&["check-config"]).await;
    assert_eq!((said.status, said.stderr.as_str()), (Some(0), ""));
    assert!(said.stdout.ends_with("config.yml: no faults, 3 sites\n"), "{}", said.stdout);
    assert!(said.stdout.contains("sites.fine: has neither `internal_ip` nor `checks`"), "{}", said.stdout);
    assert!(said.stdout.contains("clients.good: has no `interface`"), "{}", said.stdout);
}

#[tokio::test]
async fn a_site_that_is_not_configured_is_a_usage_error_that_names_those_that_are() {
    let house = House::with_sites(THREE_SITES);
    let said = house.run(&["test", "fine", "fien"]).await;
    assert_eq!((said.status, said.stdout.as_str()), (Some(2), ""));
    assert!(said.stderr.contains("there is no site `fien`"), "{}", said.stderr);
    assert!(said.stderr.contains("fine, locked-out, nowhere"), "{}", said.stderr);

    house.write("config.yml", "prober: idle\n");
    for command in ["test", "run"] {
        let said = house.run(&[command]).await;
        assert_eq!(said.status, Some(2));
        assert!(said.stderr.contains("has no sites"), "{}", said.stderr);
    }
}

#[tokio::test]
async fn the_exit_status_of_test_is_the_worst_verdict() {
    let _alone = alone().await;
    let house = House::with_sites(THREE_SITES);
    for (sites, status, verdicts) in [
        (vec!["fine"], 0, vec![("fine", "up", Value::Null)]),
        (vec!["locked-out"], 1, vec![("locked-out", "down", "auth-rejected".into())]),
        (vec!["nowhere"], 3, vec![("nowhere", "unknown", "client-missing".into())]),
        (
            vec!["nowhere", "fine"],
            3,
            vec![("nowhere", "unknown", "client-missing".into()), ("fine", "up", Value::Null)],
        ),
        (
            vec![],
            1,
            vec![
                ("fine", "up", Value::Null),
                ("locked-out", "down", "auth-rejected".into()),
                ("nowhere", "unknown", "client-missing".into()),
            ],
        ),
    ] {
        // Refused twice in this test: without `--force` the account would rest the second time.
        let arguments: Vec<&str> = ["test", "--json", "--force"].into_iter().chain(sites.iter().copied()).collect();
        let said = house.run(&arguments).await;
        assert_eq!(said.status, Some(status), "{sites:?}: {}", said.stderr);
        let lines: Vec<Value> = said.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let found: Vec<_> =
            lines.iter().map(|l| (l["site"].clone(), l["verdict"].clone(), l["reason"].clone())).collect();
        let expected: Vec<_> = verdicts.into_iter().map(|(s, v, r)| (Value::from(s), Value::from(v), r)).collect();
        assert_eq!(found, expected);
    }
    assert!(!house.path("results").read_dir().is_ok_and(|mut d| d.next().is_some()), "no row without --record");
}

#[tokio::test]
async fn a_refused_account_rests_until_it_is_resumed() {
    let _alone = alone().await;
    let house = House::with_sites(THREE_SITES);
    assert_eq!(house.run(&["test", "locked-out"]).await.status, Some(1));
    let rests = house.run(&["test", "locked-out"]).await;
    assert_eq!(rests.status, Some(3));
    assert!(rests.stdout.contains("account-paused: the account rests after auth-rejected until"), "{}", rests.stdout);
    assert_eq!(house.run(&["test", "--force", "locked-out"]).await.status, Some(1));
    let resumed = house.run(&["resume", "locked-out"]).await;
    assert_eq!((resumed.status, resumed.stdout.as_str()), (Some(0), "the account `second` may be logged in again\n"));
    assert_eq!(house.run(&["test", "locked-out"]).await.status, Some(1));
    let unknown = house.run(&["resume", "no-such-site"]).await;
    assert_eq!(unknown.status, Some(2));
    assert!(unknown.stderr.contains("configured are"), "{}", unknown.stderr);
}

#[tokio::test]
async fn test_shows_every_stage_and_the_dialogue_of_what_failed() {
    let _alone = alone().await;
    let house = House::with_sites(THREE_SITES);
    let said = house.run(&["test"]).await;
    let place_of = |text: &str| said.stdout.find(text).unwrap_or_else(|| panic!("no `{text}` in {}", said.stdout));
    let order = [
        "fine  ssl-vpn  vpn.example.com through good",
        "  = up  login ",
        "locked-out  ssl-vpn",
        "auth-rejected: Access Denied",
        "> <password>",
        "  = down  login auth-rejected (identity), cycle ",
        "nowhere  ssl-vpn",
        "client-missing: cannot run",
        "because of login",
        "  = unknown  login client-missing (own), cycle ",
    ];
    let places: Vec<usize> = order.into_iter().map(place_of).collect();
    assert!(places.is_sorted(), "{}", said.stdout);
    assert!(!said.stdout.contains('\u{1b}'), "no colours where nobody sees them: {}", said.stdout);
}

#[tokio::test]
async fn a_secret_is_in_nothing_that_is_said_or_written() {
    let _alone = alone().await;
    let house = House::with_sites("  locked-out: { client: refusing, alerts: { after: 1 } }");
    let said = house.run(&["test", "--record", "-vv"]).await;
    assert!(said.stdout.contains("| you typed <password>"), "{}", said.stdout);
    assert!(said.stdout.contains("| environment: nothing"), "{}", said.stdout);
    let json = house.run(&["test", "--json", "--record", "-vv"]).await;
    let written = house.everything_written();
    assert!(written.contains("auth-rejected"), "{written}");
    for text in [&said.stdout, &said.stderr, &json.stdout, &json.stderr, &written] {
        assert!(!text.contains(PASSWORD), "{text}");
    }
}

#[tokio::test]
async fn record_writes_one_row_a_cycle_under_one_header() {
    let _alone = alone().await;
    let house = House::with_sites(THREE_SITES);
    for _ in 0..2 {
        assert_eq!(house.run(&["test", "--record", "fine", "nowhere"]).await.status, Some(3));
    }
    let rows = house.rows();
    let sites: Vec<&str> = rows.iter().filter_map(|r| r["site"].as_str()).collect();
    assert_eq!(sites, ["fine", "nowhere", "fine", "nowhere"]);
    let ids: BTreeSet<&str> = rows.iter().filter_map(|r| r["cycle_id"].as_str()).collect();
    assert_eq!(ids.len(), 4);
    assert_eq!(rows[1]["login_ms"], "", "what was not measured is an empty cell");
    assert_eq!(rows[0]["stages"], "prepare=passed login=passed teardown=passed cleanup=passed");
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_said_before_the_first_login() {
    let house = House::with_sites(THREE_SITES);
    house.write("results", "a file where the directory should be");
    for arguments in [["run", "-q"], ["test", "--record"]] {
        let said = house.run(&arguments).await;
        assert_eq!(said.status, Some(1), "{arguments:?}");
        assert!(said.stderr.contains("results`"), "{arguments:?}: {}", said.stderr);
        assert_eq!(said.stdout, "", "{arguments:?}");
    }
}

#[tokio::test]
async fn run_probes_until_sigterm_and_owns_its_state_meanwhile() {
    let _alone = alone().await;
    let house = House::with_sites(THREE_SITES);
    let mut prober = house.start();
    for (site, verdict) in [("fine", "up"), ("locked-out", "down"), ("nowhere", "unknown")] {
        let cycle = prober.says_cycle().await;
        assert_eq!((&cycle["site"], &cycle["verdict"]), (&Value::from(site), &Value::from(verdict)));
    }

    let second = house.run(&["run"]).await;
    assert_eq!(second.status, Some(1));
    assert!(second.stderr.contains("another `vpnprobe run` owns the state directory"), "{}", second.stderr);
    // A record by hand goes through the one that runs.
    assert_eq!(house.run(&["test", "--record", "fine"]).await.status, Some(0));

    prober.signal(Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(0));
    let sites: Vec<Value> = house.rows().iter().map(|r| r["site"].clone()).collect();
    assert_eq!(sites, ["fine", "locked-out", "nowhere", "fine"]);
    for gone in ["state/control.sock", "state/cycle-host.json"] {
        assert!(!house.path(gone).exists(), "{gone}");
    }
}

#[tokio::test]
async fn sigterm_in_the_middle_of_a_login_takes_the_client_down_and_writes_the_row() {
    let _alone = alone().await;
    let house = House::with_sites("  slow: { client: stubborn }");
    let mut told = house.told();
    let prober = house.start();
    assert_eq!(timeout(LIMIT, told.recv()).await.unwrap().as_deref(), Some("started"));
    prober.signal(Signal::SIGTERM);
    assert_eq!(prober.ends().await, Some(0));
    assert_eq!(timeout(LIMIT, told.recv()).await.unwrap(), None, "no process of the client lives");
    let rows = house.rows();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["verdict"], &rows[0]["reason"]), (&"unknown".into(), &"cancelled".into()));
}

#[tokio::test]
async fn after_a_kill_cleanup_ends_the_client_and_the_cut_cycle_gets_its_row_once() {
    let _alone = alone().await;
    let house = House::with_sites("  slow: { client: stubborn }");
    let mut told = house.told();
    let prober = house.start();
    assert_eq!(timeout(LIMIT, told.recv()).await.unwrap().as_deref(), Some("started"));
    prober.signal(Signal::SIGKILL);
    assert_eq!(prober.ends().await, None);

    let dry = house.run(&["cleanup", "--dry-run"]).await;
    assert_eq!(dry.status, Some(1), "{}", dry.stdout);
    assert!(dry.stdout.contains("would end process stubborn ("), "{}", dry.stdout);
    assert!(house.rows().is_empty());

    let cleanup = house.run(&["cleanup"]).await;
    assert_eq!(cleanup.status, Some(0), "{}", cleanup.stdout);
    assert!(cleanup.stdout.contains("sent TERM to stubborn ("), "{}", cleanup.stdout);
    assert!(cleanup.stdout.ends_with("nothing remains\n"), "{}", cleanup.stdout);
    assert_eq!(timeout(LIMIT, told.recv()).await.unwrap(), None, "no process of the client lives");

    assert_eq!(house.run(&["cleanup"]).await.stdout, "nothing remains\n");
    assert_eq!(house.run(&["cleanup", "--dry-run"]).await.stdout, "nothing to do\n");
    let rows = house.rows();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["verdict"], &rows[0]["reason"]), (&"unknown".into(), &"prober-killed".into()));
}

#[tokio::test]
async fn sighup_takes_a_good_configuration_and_refuses_a_bad_one() {
    let _alone = alone().await;
    let house = House::with_sites("  fine: { client: good }");
    let mut prober = house.start();
    prober.says_cycle().await;

    house.configure("  fine: { client: god }");
    prober.signal(Signal::SIGHUP);
    let refused = prober.says("the old configuration stays").await;
    assert!(refused["message"].as_str().unwrap().contains("did you mean `good`?"), "{refused}");

    house.configure("  fine: { client: good }\n  nowhere: { client: missing }");
    prober.signal(Signal::SIGHUP);
    prober.says("the configuration is reloaded").await;
    let cycle = prober.says_cycle().await;
    assert_eq!(cycle["site"], "nowhere", "what is due goes on where it was");

    prober.signal(Signal::SIGINT);
    assert_eq!(prober.ends().await, Some(0));
}

#[tokio::test]
async fn the_demonstration_shows_an_up_a_down_the_rows_and_the_mails() {
    let house = House::empty();
    let _alone = alone().await;
    let said = house.run(&["demo"]).await;
    assert_eq!(said.status, Some(0), "{}{}", said.stdout, said.stderr);
    for expected in [
        "  = up  login ",
        "  = down  internal internal-unreachable (inside), login ",
        "  = down  login login-timeout (gateway), cycle ",
        "\ntime,site,kind,verdict,",
        "Subject: [vpnprobe] lagos DOWN: internal internal-unreachable (inside)",
        "Subject: [vpnprobe] lima is up again after ",
        "> <password>",
    ] {
        assert!(said.stdout.contains(expected), "{expected}: {}", said.stdout);
    }
    let rows = said.stdout.lines().filter(|line| line.contains(",ssl-vpn,")).count();
    assert_eq!(rows, 9);
    assert!(house.path(".").read_dir().unwrap().next().is_none(), "nothing is left here");
}

#[tokio::test]
async fn a_reader_that_goes_away_is_no_panic() {
    let house = House::empty();
    let _alone = alone().await;
    for arguments in [vec!["demo"], vec!["--help"]] {
        let mut process = house.command(arguments.iter().copied()).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::with_capacity(64, process.stdout.take().unwrap());
        stdout.read_line(&mut line).await.unwrap();
        drop(stdout);
        let mut stderr = String::new();
        let mut errors = process.stderr.take().unwrap();
        timeout(LIMIT, errors.read_to_string(&mut stderr)).await.expect("it does not end").unwrap();
        let status = process.wait().await.unwrap();
        assert!(!line.is_empty() && !stderr.contains("panicked"), "{arguments:?}: {stderr}");
        assert_eq!(status.code(), Some(0), "{arguments:?}: {stderr}");
    }
}

#[tokio::test]
async fn a_log_that_can_not_be_written_loses_its_lines_and_nothing_else() {
    let _alone = alone().await;
    for format in ["text", "json"] {
        let house = House::with_sites(THREE_SITES);
        // The disk behind it is full.
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let mut command = house.command(["-v", "--log-format", format, "test", "--record"]);
        let status = timeout(LIMIT, command.stderr(full).status()).await.expect("it does not end").unwrap();
        assert_eq!(status.code(), Some(1), "{format}");
        assert_eq!(house.rows().len(), 3, "{format}");
    }
}
