//! Completion as a person sees it: in the real shells, on a terminal, by the key TAB.

use std::path::Path;
use std::process::Command;

use expectrl::session::OsSession;
use expectrl::{Expect, Session};

use crate::house::{House, LIMIT};

/// How a shell is started, what loads its script and takes the place of the program: it shows what it is given.
const SHELLS: [(&str, &[&str], &str); 3] = [
    ("bash", &["--noprofile", "--norc", "-i"], "source ./bash; vpnprobe() { echo \"GOT:$*:\"; }"),
    ("zsh", &["-f", "-i"], "autoload -U compinit; compinit -u -D; source ./zsh; vpnprobe() { echo \"GOT:$*:\"; }"),
    ("fish", &["--no-config", "-i"], "source ./fish; function vpnprobe; echo \"GOT:$argv:\"; end"),
];

/// What is typed, and what the program is given then.
const TYPED: [(&str, &str); 6] = [
    ("te\t", "test"),
    ("test --na\t", "test --nagios"),
    ("test --log-format j\t", "test --log-format json"),
    ("-c conf\ttest", "-c config.yml test"),
    ("comp\tz\t", "completions zsh"),
    // Hidden: nothing to complete.
    ("demo-c\t", "demo-c"),
];

fn start(house: &House, shell: &str, arguments: &[&str]) -> OsSession {
    let bin = Path::new(env!("CARGO_BIN_EXE_vpnprobe")).parent().unwrap().display().to_string();
    let mut command = Command::new(shell);
    command.args(arguments).current_dir(house.path(".")).env("HOME", house.path("."));
    command.env("PATH", format!("{bin}:/usr/bin:/bin")).env("LC_ALL", "C.UTF-8").env("TERM", "dumb");
    let mut session = Session::spawn(command).unwrap_or_else(|e| panic!("needs {shell}: run scripts/test: {e}"));
    session.set_expect_timeout(Some(LIMIT));
    session
}

#[tokio::test]
async fn the_key_tab_completes_commands_options_values_and_files_in_each_shell() {
    let house = House::empty();
    house.write("config.yml", "");
    for (shell, arguments, loads) in SHELLS {
        let made = house.run(&["completions", shell]).await;
        assert_eq!((made.status, made.stderr.as_str()), (Some(0), ""), "{shell}");
        house.write(shell, &made.stdout);
        let mut session = start(&house, shell, arguments);
        session.send_line(format!("{loads}; echo rea''dy")).unwrap();
        session.expect("ready\r").unwrap();
        for (typed, given) in TYPED {
            session.send(format!("vpnprobe {typed}\r")).unwrap();
            let shown = session.expect(expectrl::Regex("GOT:([^:$]*):")).unwrap();
            let got = String::from_utf8_lossy(shown.get(1).unwrap());
            assert_eq!(got.trim_end(), given, "{shell}: {typed:?}");
        }
    }
}

#[tokio::test]
async fn other_shells_get_a_script_and_unknown_ones_none() {
    let house = House::empty();
    for shell in ["elvish", "powershell"] {
        let made = house.run(&["completions", shell]).await;
        assert!(made.status == Some(0) && made.stdout.contains("check-config"), "{shell}");
        assert!(!made.stdout.contains("demo-client"), "{shell} offers what is hidden");
    }
    assert_eq!(house.run(&["completions", "tcsh"]).await.status, Some(2));
}
