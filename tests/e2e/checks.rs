//! Checks through the tunnel, against real servers behind the gateway, named by the resolver that it pushes.

use serde_json::Value;

use crate::lab::{Lab, Setup};

/// A site whose account gets the inside's resolver.
fn site<'a>(lab: &'a Lab, client: &str, checks: &[String]) -> Setup<'a> {
    let secret = lab.dir().join("secrets/resolving.pw");
    let ca = lab.dir().join("certificates/ca.pem");
    let keys =
        format!("client: {client}, username: resolving, ca_file: {}, checks: [ {} ]", ca.display(), checks.join(", "));
    lab.site("paris", &keys).default("password_file", &secret.display().to_string())
}

/// Name, outcome and words of each check.
fn of(cycle: &Value) -> Vec<[&str; 3]> {
    let checks = cycle["checks"].as_array().unwrap();
    checks.iter().map(|check| ["check", "outcome", "detail"].map(|key| check[key].as_str().unwrap())).collect()
}

#[test]
fn checks_of_every_kind_pass_through_either_client() {
    let lab = Lab::locked();
    let checks = [
        "{ tcp: \"10.77.0.1:80\" }",
        "{ http: \"https://10.77.0.1/health\", status: 200, contains: fine, cert_days: 14 }",
        "{ http: \"http://intranet.lab/large?token=lab-secret-in-a-link\", contains: the end }",
        "{ dns: intranet.lab, answer: 10.77.0.1 }",
    ];
    let figure = regex::Regex::new(r"=\d+(\.\d+)?( |$)").unwrap();
    for client in ["openconnect", "lab-startct"] {
        let paris = site(&lab, client, &checks.map(str::to_owned));
        let ran = paris.run(&["test", "--record"]);
        assert!(!ran.exits(0).stdout.contains("lab-secret-in-a-link"), "{}", ran.stdout);
        let row = paris.row();
        row.is_up();
        let cell = row.cell("checks").to_owned();
        assert_eq!(
            figure.replace_all(&cell, "=N$2"),
            "tcp:10.77.0.1:80=N http:https://10.77.0.1/health=N http:http://intranet.lab/large=N dns:intranet.lab=N"
        );
        assert!(!cell.contains("=0 "), "{cell}");
    }
}

#[test]
fn every_fault_of_a_check_is_told_by_its_own_words() {
    let lab = Lab::locked();
    // Check, outcome, words.
    let cases = [
        ("{ tcp: \"10.77.0.1:81\" }", "check-failed", "10.77.0.1:81: connection refused"),
        ("{ tcp: \"10.77.0.66:80\", timeout: 300ms }", "check-failed", "no answer to the connection within"),
        ("{ tcp: \"10.79.0.1:25\", timeout: 300ms }", "not-through-tunnel", "the way to 10.79.0.1 is mail0, not tun0"),
        ("{ tcp: \"elsewhere.lab:25\", timeout: 300ms }", "not-through-tunnel", "the way to 10.79.0.1 is mail0"),
        ("{ tcp: \"nowhere.lab:80\" }", "check-failed", "10.77.0.1 says that the name `nowhere.lab` does not exist"),
        ("{ http: \"http://10.77.0.1/broken\" }", "check-failed", "status 503"),
        ("{ http: \"http://10.77.0.1/broken\", status: [200, 500-599] }", "passed", "status 503"),
        ("{ http: \"http://10.77.0.1/health\", contains: fire }", "check-failed", "does not hold the text"),
        ("{ http: \"http://10.77.0.1/moved\" }", "check-failed", "status 302 to /login, which is not followed"),
        ("{ http: \"http://10.77.0.1/hangs\", timeout: 300ms }", "check-failed", "no answer within"),
        (
            "{ http: \"http://10.77.0.1/drips\", contains: x, timeout: 300ms }",
            "check-failed",
            "no end of the page within",
        ),
        ("{ http: \"http://10.77.0.1:7/\", timeout: 300ms }", "check-failed", "no answer within"),
        ("{ http: \"https://10.77.0.1:7/\", timeout: 300ms }", "check-failed", "no end of the TLS handshake within"),
        ("{ http: \"https://10.77.0.1:80/\" }", "check-failed", "no TLS"),
        ("{ http: \"https://10.77.0.1:8443/health\" }", "passed", "status 200, certificate 2 days"),
        ("{ http: \"https://10.77.0.1:8443/health\", cert_days: 14 }", "check-failed", "lasts 2 more days, 14 are"),
        ("{ http: \"https://10.77.0.1:9443/health\" }", "check-failed", "the certificate expired"),
        ("{ http: \"https://10.77.0.1:9443/health\", verify: false }", "passed", "certificate expired"),
        ("{ http: \"https://intranet.lab/health\" }", "check-failed", "not for this name"),
        ("{ dns: intranet.lab, answer: 10.77.0.2 }", "check-failed", "another answer than wanted: 10.77.0.1 from"),
        ("{ dns: intranet.lab, answer: [10.77.0.2, 10.77.0.1] }", "passed", "10.77.0.1 from 10.77.0.1 by tun0"),
        ("{ dns: intranet.lab, type: AAAA }", "check-failed", "knows no IPv6 address"),
        ("{ dns: six.lab, answer: \"fd77::1\" }", "passed", "fd77::1 from"),
        ("{ dns: many.lab, answer: 10.77.1.40 }", "passed", "and 36 more from 10.77.0.1"),
        ("{ dns: nowhere.lab }", "check-failed", "10.77.0.1 says that the name does not exist"),
        (
            "{ dns: intranet.lab, server: \"10.77.0.66\", timeout: 300ms }",
            "check-failed",
            "10.77.0.66 by tun0: no answer",
        ),
        ("{ dns: intranet.lab, server: \"10.77.0.1:54\" }", "check-failed", "10.77.0.1 by tun0: nobody listens there"),
        ("{ dns: intranet.lab, server: \"10.79.0.1\", timeout: 300ms }", "not-through-tunnel", "is mail0, not tun0"),
    ];
    let checks = cases.map(|(check, _, _)| check.to_owned());
    let paris = site(&lab, "openconnect", &checks);
    let cycle = paris.run(&["test", "--json", "--record"]).json();
    assert!(!cycle.to_string().contains("lab-secret-in-a-link"), "where a page leads to: {cycle}");
    let found = of(&cycle);
    assert_eq!(found.len(), cases.len());
    for ((check, outcome, words), [name, found, detail]) in cases.iter().zip(found) {
        assert_eq!(found, *outcome, "{check}: {name}: {detail}");
        assert!(detail.contains(words), "{check}: {detail}");
    }
    assert_eq!(cycle["checks"][15]["cert_days_left"], 2);
    let row = paris.row();
    row.is("down", "internal", "check-failed", "inside").measured(&["internal_rtt_ms"]);
    let detail = row.cell("detail");
    assert!(detail.starts_with("tcp:10.77.0.1:81: 10.77.0.1:81: connection refused; 6/28 checks passed"), "{detail}");
    assert!(row.cell("checks").starts_with("tcp:10.77.0.1:81=failed tcp:10.77.0.66:80=failed "), "{row:?}");
}

#[test]
fn a_silent_host_does_not_keep_the_checks_from_telling_that_others_answer() {
    let lab = Lab::locked();
    let paris = site(&lab, "openconnect", &["{ tcp: \"10.77.0.1:80\" }".to_owned()]);
    let paris = paris.default("internal_ip", "10.77.0.66").default("ping", "{ count: 1, timeout: 300ms }");
    paris.run(&["test", "--record"]).exits(1);
    let row = paris.row();
    row.is("down", "internal", "internal-unreachable", "inside");
    assert!(row.cell("detail").ends_with("; 1/1 checks passed"), "{row:?}");
}

#[test]
fn checks_alone_make_the_stage_and_a_resolver_past_the_tunnel_is_named_as_such() {
    let lab = Lab::locked();
    // This account gets no resolver, and the host's own is none.
    let paris = lab.site("paris", "client: openconnect, checks: [ { dns: intranet.lab, timeout: 1s } ]");
    let paris = paris.without("internal_ip");
    paris.run(&["test", "--record"]).exits(1);
    let row = paris.row();
    row.is("down", "internal", "check-failed", "inside").expect("internal_rtt_ms", "").expect("internal_loss_pct", "");
    row.expect("checks", "dns:intranet.lab=failed");
    let words = "no resolver answers for `intranet.lab`: 10.78.0.1 by gw0: nobody listens there";
    assert!(row.cell("detail").contains(words), "{row:?}");
}
