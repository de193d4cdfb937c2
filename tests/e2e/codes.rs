//! One-time codes (RFC 6238): through OpenConnect against the real gateway with a second factor, and through Connect Tunnel.

use crate::lab::{Lab, Row, Setup};

/// The secret of the lab's codes, as an address with their period.
const EVERY_FOUR_SECONDS: &str = "otpauth://totp/lab:probe?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&period=4";

/// A site at the gateway that asks for codes, which has forgotten every code before.
fn at_the_gateway<'a>(lab: &'a Lab, keys: &str) -> Setup<'a> {
    lab.forget_codes();
    lab.site("paris", &format!("client: openconnect, vpn_gw: \"10.78.0.1:446\"{keys}"))
}

fn refused(row: &Row, reason: &str) {
    row.is("down", "login", reason, "identity").expect("login_ms", "");
}

#[test]
fn a_code_by_the_right_secret_lets_openconnect_in() {
    let lab = Lab::locked();
    let before = lab.passwords_at("codes");
    let secret = lab.dir().join("secrets/probe.otp");
    let paris = at_the_gateway(&lab, &format!(", otp_secret_file: {}", secret.display()));
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0);
    paris.row().is_up();
    assert_eq!(ran.typed(), ["yes", "<password>", "<otp>"]);
    assert_eq!(lab.passwords_at("codes") - before, 2, "the password and the code");
}

#[test]
fn a_code_by_another_secret_is_otp_rejected_and_the_account_rests_until_the_secret_changes() {
    let lab = Lab::locked();
    let before = lab.passwords_at("codes");
    let wrong = std::fs::read_to_string(lab.dir().join("secrets/wrong.otp")).unwrap();
    let paris = at_the_gateway(&lab, ", otp_secret_env: CODES").environment("CODES", wrong.trim());
    paris.run(&["test", "--record"]).exits(1);
    refused(&paris.rows()[0], "otp-rejected");
    paris.run(&["test", "--record"]).exits(3).said("account-paused");
    assert_eq!(lab.passwords_at("codes") - before, 2, "one login");
    // Only its own secret was wrong: with another one it is tried at once, though the step's code counts as used.
    let right = std::fs::read_to_string(lab.dir().join("secrets/probe.otp")).unwrap();
    let paris = paris.environment("CODES", right.trim());
    paris.run(&["test", "--record"]).exits(0);
    paris.rows()[2].is_up();
}

#[test]
fn a_gateway_that_asks_for_a_code_of_a_site_without_a_secret_is_otp_required() {
    let lab = Lab::locked();
    let paris = at_the_gateway(&lab, "");
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(1);
    refused(&paris.row(), "otp-required");
    assert_eq!(ran.typed(), ["yes", "<password>"]);
}

#[test]
fn no_code_is_used_twice_by_whatever_process() {
    let lab = Lab::locked();
    let keys = "client: lab-startct, otp_secret_env: CODES";
    let both = lab.site("paris", keys).site("oslo", keys).environment("CODES", EVERY_FOUR_SECONDS);
    let both = both.playing("asks-for-a-code-by-time");
    for site in ["paris", "oslo"] {
        // The stand-in refuses the code that it took last: without waiting for the next one, `oslo` would not get in.
        let ran = both.run(&["test", site, "--record", "--json"]);
        ran.exits(0);
        assert_eq!(ran.typed(), ["probe", "<password>", "1", "<otp>", "1", "quit"]);
    }
    for row in &both.rows() {
        row.is_up();
        let login: f64 = row.cell("login_ms").parse().unwrap();
        assert!(login < 2000.0, "waiting for a code is no part of the login: {row:?}");
    }
}
