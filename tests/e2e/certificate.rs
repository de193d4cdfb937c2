//! `OpenConnect` with a client certificate, against real ocserv.

use crate::lab::{Lab, Setup};

const CERTIFICATE: &str = "10.78.0.1:444";
const BOTH: &str = "10.78.0.1:445";

fn site<'a>(lab: &'a Lab, gateway: &str, certificate: &str, key: &str, keys: &str) -> Setup<'a> {
    let at = lab.dir().join("certificates");
    let params = format!("{{ certificate: {0}/{certificate}.pem, key: {0}/{key}.key }}", at.display());
    lab.site("paris", &format!("client: openconnect, vpn_gw: \"{gateway}\", params: {params}, {keys}"))
}

fn without_password(setup: Setup<'_>) -> Setup<'_> {
    setup.without("username").without("password_file")
}

fn passphrase(lab: &Lab, file: &str) -> String {
    format!("key_passphrase_file: {}", lab.dir().join("secrets").join(file).display())
}

#[track_caller]
fn is_up(setup: &Setup<'_>, typed: &[&str]) {
    let ran = setup.run(&["test", "--record", "--json"]);
    ran.exits(0);
    setup.row().is("up", "", "", "").measured(&["login_ms", "internal_rtt_ms"]);
    assert_eq!(ran.typed(), typed);
}

#[track_caller]
fn ends(setup: &Setup<'_>, reason: &str, domain: &str, words: &str) {
    let verdict = if domain == "own" { ("unknown", 3) } else { ("down", 1) };
    setup.run(&["test", "--record"]).exits(verdict.1);
    let row = setup.row();
    row.is(verdict.0, "login", reason, domain);
    assert!(row.cell("detail").contains(words), "`{words}` is not in {:?}", row.cell("detail"));
    assert_eq!(setup.lab().passwords_at_gateway(), 0);
}

#[test]
fn a_certificate_alone_lets_one_in() {
    let lab = Lab::locked();
    is_up(&without_password(site(&lab, CERTIFICATE, "client", "client", "")), &["yes"]);
}

#[test]
fn a_locked_key_is_opened_by_its_passphrase() {
    let lab = Lab::locked();
    let paris = without_password(site(&lab, CERTIFICATE, "client", "client-locked", &passphrase(&lab, "key.pw")));
    is_up(&paris, &["<key_passphrase>", "yes"]);
}

#[test]
fn certificate_and_password_together_let_one_in() {
    let lab = Lab::locked();
    is_up(&site(&lab, BOTH, "client", "client", ""), &["yes", "<password>"]);
}

#[test]
fn a_certificate_that_the_gateway_refuses_is_tls_failed() {
    for certificate in ["client-expired", "stranger"] {
        let lab = Lab::locked();
        let paris = without_password(site(&lab, CERTIFICATE, certificate, certificate, ""));
        ends(&paris, "tls-failed", "gateway", "TLS/DTLS socket");
    }
}

#[test]
fn without_a_certificate_where_one_is_needed_it_is_rejected() {
    let lab = Lab::locked();
    let paris = lab.site("paris", &format!("client: openconnect, vpn_gw: \"{CERTIFICATE}\""));
    ends(&paris, "auth-rejected", "identity", "401 No certificate");
}

#[test]
fn a_key_that_is_missing_or_stays_locked_is_the_probers_own_trouble() {
    let lab = Lab::locked();
    ends(
        &without_password(site(&lab, CERTIFICATE, "client", "none", "")),
        "client-exited",
        "own",
        "No such file or directory",
    );
    drop(lab);
    let lab = Lab::locked();
    ends(
        &without_password(site(&lab, CERTIFICATE, "client", "stranger", "")),
        "client-exited",
        "own",
        "No SSL certificate found to match private key",
    );
    drop(lab);
    let lab = Lab::locked();
    let wrong = passphrase(&lab, "wrong.pw");
    let paris = without_password(site(&lab, CERTIFICATE, "client", "client-locked", &wrong));
    ends(&paris, "client-exited", "own", "Failed to decrypt PKCS#8 certificate file");
}
