//! Connect Tunnel's endings: each has its own reason, and none costs a second password.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::lab::{Lab, Setup};

/// One cycle of a scenario.
fn one_cycle<'a>(lab: &'a Lab, scenario: &str) -> Setup<'a> {
    let paris = lab.site("paris", "client: lab-startct, timeout: 5").without("external_ip").playing(scenario);
    paris.run(&["test", "--record", "--force"]);
    paris
}

#[test]
fn every_ending_of_a_login_has_its_own_reason() {
    let lab = Lab::locked();
    for (scenario, verdict, reason, domain) in [
        ("password-expired", "down", "password-expired", "identity"),
        ("account-locked", "down", "account-locked", "identity"),
        ("session-limit", "down", "session-limit", "gateway"),
        ("no-license", "down", "no-license", "gateway"),
        ("no-address", "down", "no-address", "gateway"),
        ("posture", "down", "posture-rejected", "gateway"),
        ("unknown-realm", "down", "realm-unknown", "gateway"),
        ("no-internet", "down", "unreachable", "carrier"),
        ("timed-out", "down", "connect-timeout", "gateway"),
        ("no-tls", "down", "tls-failed", "gateway"),
        ("too-old", "unknown", "client-too-old", "own"),
        ("disconnected-after-connected", "down", "disconnected", "tunnel"),
        ("asks-for-a-code", "down", "otp-required", "identity"),
    ] {
        let paris = one_cycle(&lab, scenario);
        paris.row().is(verdict, "login", reason, domain).expect("internal_rtt_ms", "");
    }
}

#[test]
fn a_password_that_expires_soon_is_no_failure() {
    let lab = Lab::locked();
    one_cycle(&lab, "password-expires-soon").row().is("up", "", "", "");
}

#[test]
fn a_password_that_expires_soon_is_one_mail() {
    let lab = Lab::locked();
    let sites = lab.site("paris", "client: lab-startct").site("oslo", "client: lab-startct");
    let sites = sites.playing("password-expires-soon").top("frequency: 2").email("server: 10.79.0.1");
    let prober = sites.start(&["run"]);
    prober.rows(4);
    crate::lab::until("the mail", || (!lab.mails().is_empty()).then_some(()));
    prober.stop().exits(0);
    let subjects: Vec<_> = lab.mails().iter().map(|mail| mail.header("Subject")).collect();
    assert_eq!(subjects, ["[vpnprobe] paris: the password of its account runs out in 3 days"]);
    assert!(lab.mails()[0].text.contains("Your password will expire in 3 days."), "{}", lab.mails()[0].text);
}

#[test]
fn root_and_leaf_are_both_asked_about_and_both_must_be_pinned() {
    let lab = Lab::locked();
    let sha1 = |name: &str| fs::read_to_string(lab.dir().join("fingerprints").join(name)).unwrap();
    let both = format!("[\"SHA1:{}\", \"SHA1:{}\"]", sha1("gw.sha1").trim(), sha1("ca.sha1").trim());
    let paris = lab.site("paris", "client: lab-startct").default("fingerprint", &both).playing("root-and-leaf");
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0);
    assert_eq!(ran.typed(), ["YES", "1", "YES", "1", "probe", "<password>", "1", "quit"]);
    // The root alone is not enough, and nothing but it was accepted.
    let paris = lab.site("paris", &format!("client: lab-startct, fingerprint: \"SHA1:{}\"", sha1("ca.sha1").trim()));
    let ran = paris.playing("root-and-leaf").run(&["test", "--json"]);
    ran.exits(1).said("certificate-untrusted");
    assert_eq!(ran.typed(), ["YES", "1"]);
    assert_eq!(lab.passwords_at_gateway(), 1);
}

/// A client whose installation lies elsewhere, with only these files under it.
fn installed(lab: &Lab, files: &[(&str, &str)]) -> String {
    let place = lab.site("paris", "client: lab-startct, timeout: 5");
    let home = place.dir().join("Aventail");
    fs::create_dir_all(home.join("ui")).unwrap();
    for (name, text) in files {
        fs::write(home.join(name), text).unwrap();
        fs::set_permissions(home.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let place = place.client(
        "lab-startct-elsewhere",
        // Nothing of the host's but what the shell has built in.
        &format!("extends: lab-startct, env: {{ STARTCT_HOME: \"{}\", PATH: /nonexistent }}", home.display()),
    );
    let place = place.site("oslo", "client: lab-startct-elsewhere, timeout: 5");
    place.run(&["test", "oslo", "--record"]).exits(3);
    let row = place.row();
    assert_eq!((row.cell("verdict"), row.cell("failed_stage")), ("unknown", "login"), "{row:?}");
    assert_eq!(lab.passwords_at_gateway(), 0);
    format!("{}: {}", row.cell("reason"), row.cell("detail"))
}

#[test]
fn an_incomplete_installation_is_told_in_the_clients_words() {
    let lab = Lab::locked();
    assert_eq!(installed(&lab, &[]), "client-missing: Connect Tunnel install is incomplete or corrupted.");
}

#[test]
fn a_missing_java_is_told_in_the_clients_words() {
    let lab = Lab::locked();
    let told = installed(&lab, &[("ui/SnwlConnect.jar", "")]);
    assert!(told.starts_with("client-missing: Connect Tunnel cannot start: java is not in PATH ("), "{told}");
}

#[test]
fn an_old_java_that_asks_whether_to_run_anyway_is_not_waited_for() {
    let lab = Lab::locked();
    let asks =
        "#!/bin/sh\nprintf 'Java 1.6 is older than 1.8.\\nTry to run anyway? (y/n) '\nread answer\nread forever\n";
    let told = installed(&lab, &[("ui/SnwlConnect.jar", ""), ("ui/java", asks)]);
    assert!(told.starts_with("client-too-old: Try to run anyway? (y/n)"), "{told}");
}

/// Somebody holds the lock by which the client knows another instance of itself.
fn holder(lab: &Lab, name: &str) -> Vec<String> {
    let lock = lab.dir().join("Aventail/instance.lock");
    // One process, which is gone at once when it is killed.
    let script = format!("exec 9>{}; flock 9; exec -a {name} sleep 600", lock.display());
    ["bash", "-c", &script].map(str::to_owned).to_vec()
}

#[test]
fn an_instance_that_is_not_ours_is_left_alone_after_a_second_try() {
    let lab = Lab::locked();
    let command = holder(&lab, "somebody");
    let mut stranger = lab.stranger(&command.iter().map(String::as_str).collect::<Vec<_>>());
    lab.process("sleep");
    let paris = lab.site("paris", "client: lab-startct").playing("good");
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(3);
    paris.row().is("unknown", "login", "client-busy", "own").expect("login_ms", "");
    assert_eq!(
        ran.stdout.matches("Another instance of this Application is running").count(),
        4,
        "twice, and as the detail of stage and cycle"
    );
    assert!(stranger.lives());
    assert_eq!(lab.passwords_at_gateway(), 0);
}

#[test]
fn an_adopted_instance_that_came_up_meanwhile_is_ended_and_the_login_begun_once_more() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").playing("good");
    // Long enough between `prepare` and `login` for somebody to come in between.
    let paris = paris.default("ping", "{ count: 6, interval: 200ms, timeout: 1s }");
    let mut prober = paris.start(&["test", "--record", "--json"]);
    crate::lab::until("the prober pings", || prober.has_socket("icmp", "").then_some(()));
    let command = holder(&lab, "AvConnect");
    let _stranger = lab.stranger(&command.iter().map(String::as_str).collect::<Vec<_>>());
    lab.process("sleep");
    prober.says("starting once more");
    let ran = prober.end();
    ran.exits(0);
    let row = paris.row();
    row.is("up", "", "", "").measured(&["login_ms"]);
    assert_eq!(lab.passwords_at_gateway(), 1);
    // Counted from the second start: the first one, and ending the other instance, took longer than that.
    let stages = ran.json()["stages"].clone();
    let login = stages.as_array().unwrap().iter().find(|stage| stage["stage"] == "login").unwrap();
    assert!(ran.json()["login_ms"].as_f64().unwrap() < login["took_ms"].as_f64().unwrap(), "{stages}");
}
