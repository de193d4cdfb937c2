//! One-time codes of the real `OpenVPN`: asked for at the start (`static-challenge`), and by the gateway as its answer to
//! the password (a dynamic challenge, CRV1).

use crate::lab::{Lab, Setup};

/// A site at the server that wants codes, by one of its configurations.
fn site<'a>(lab: &'a Lab, config: &str, keys: &str) -> Setup<'a> {
    let at = lab.dir().join("openvpn").join(format!("{config}.ovpn"));
    lab.site("paris", &format!("params: {{ config: \"{}\" }}, {keys}", at.display())).default("client", "openvpn")
}

/// At a question, and half the time after a second refusal, `OpenVPN` hears no signal but KILL.
const HASTY: &str = "extends: openvpn, leave: { grace: 0s }";

fn codes_of(lab: &Lab, file: &str) -> String {
    format!("otp_secret_file: {}", lab.dir().join("secrets").join(file).display())
}

#[test]
fn a_code_lets_one_in_whenever_it_is_asked_for() {
    for config in ["codes-at-once", "codes-hidden", "codes", "codes-hidden"] {
        let lab = Lab::locked();
        let paris = site(&lab, config, &codes_of(&lab, "probe.otp"));
        let ran = paris.run(&["test", "--record", "--json"]);
        ran.exits(0);
        paris.row().is("up", "", "", "").measured(&["login_ms", "internal_rtt_ms"]);
        assert_eq!(ran.typed(), ["probe", "<password>", "<otp>"], "{config}");
        assert_eq!((lab.passwords_at_openvpn(), lab.codes_at_openvpn()), (1, 1), "{config}");
    }
}

#[test]
fn a_wrong_code_is_otp_rejected_and_the_account_rests() {
    for config in ["codes-at-once", "codes"] {
        let lab = Lab::locked();
        let paris = site(&lab, config, &codes_of(&lab, "wrong.otp")).default("client", "hasty").client("hasty", HASTY);
        paris.run(&["test", "--record"]).exits(1);
        paris.rows()[0].is("down", "login", "otp-rejected", "identity");
        paris.run(&["test", "--record"]).exits(3).said("account-paused");
        assert_eq!((lab.passwords_at_openvpn(), lab.codes_at_openvpn()), (1, 1), "{config}");
    }
}

#[test]
fn a_gateway_that_asks_for_a_code_of_a_site_without_a_secret_is_otp_required() {
    let lab = Lab::locked();
    let paris = site(&lab, "codes", "").default("client", "hasty").client("hasty", HASTY);
    paris.run(&["test", "--record"]).exits(1);
    let row = paris.row();
    row.is("down", "login", "otp-required", "identity");
    assert!(row.cell("detail").contains("CHALLENGE: Enter the code of now"), "{row:?}");
    assert_eq!((lab.passwords_at_openvpn(), lab.codes_at_openvpn()), (1, 0));
}

#[test]
fn a_wrong_password_is_refused_before_any_code_is_asked_for() {
    let lab = Lab::locked();
    let wrong = lab.dir().join("secrets/wrong.pw");
    let paris =
        site(&lab, "codes", &codes_of(&lab, "probe.otp")).default("password_file", &wrong.display().to_string());
    paris.run(&["test", "--record"]).exits(1);
    paris.row().is("down", "login", "auth-rejected", "identity");
    assert_eq!((lab.passwords_at_openvpn(), lab.codes_at_openvpn()), (1, 0));
}
