//! Gateways that lie: what they say can neither forge a login nor draw a password, nor reach a reader unfiltered.

use std::fs;

use crate::lab::{Lab, Ran, Setup};

/// What may be in no output, row or mail: escapes, C1, overrides, invisible characters.
const UNSEEN: &[char] = &['\u{1b}', '\u{7}', '\u{9b}', '\u{202e}', '\u{200b}', '\u{2066}'];

/// Everything that a person or a program reads of a cycle is free of them.
#[track_caller]
fn is_clean(site: &Setup<'_>, ran: &Ran) {
    let mut texts = vec![ran.stdout.clone(), ran.stderr.clone()];
    for entry in fs::read_dir(site.results()).unwrap() {
        texts.push(fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    texts.extend(site.lab().mails().into_iter().map(|mail| mail.text));
    for text in &texts {
        assert!(!text.contains(UNSEEN), "{text:?}");
    }
}

#[track_caller]
fn passwords_typed(ran: &Ran) -> usize {
    ran.typed().iter().filter(|text| *text == "<password>").count()
}

#[test]
fn a_lying_banner_through_openconnect_neither_forges_a_login_nor_draws_the_password() {
    let lab = Lab::locked();
    let before = lab.passwords_at("hostile");
    let paris = lab.site("paris", "client: openconnect, vpn_gw: \"10.78.0.1:447\"");
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0);
    ran.said("Configured as 10.9.9.9").said("=HYPERLINK(1)");
    paris.row().is_up();
    assert_eq!(ran.typed(), ["yes", "<password>"]);
    assert_eq!(lab.passwords_at("hostile") - before, 1);
    // The claim of the banner came before the password: it is not the one that was measured.
    let json = ran.json();
    let typed = json["dialogue"].as_array().unwrap().iter().find(|event| event["text"] == "<password>").unwrap();
    assert!(json["login_ms"].as_f64().unwrap() > typed["at_ms"].as_f64().unwrap(), "{json}");
    is_clean(&paris, &ran);
}

#[test]
fn a_lying_banner_does_not_hide_that_the_password_was_refused() {
    let lab = Lab::locked();
    let before = lab.passwords_at("hostile");
    let wrong = lab.dir().join("secrets/wrong.pw");
    let keys = format!("client: openconnect, vpn_gw: \"10.78.0.1:447\", password_file: {}", wrong.display());
    let paris = lab.site("paris", &keys).email("server: 10.79.0.1").top("alerts: { after: 1 }");
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(1);
    let row = paris.row();
    row.is("down", "login", "auth-rejected", "identity").expect("login_ms", "");
    assert_eq!(lab.passwords_at("hostile") - before, 1);
    is_clean(&paris, &ran);
}

#[test]
fn words_of_prompts_and_of_success_through_startct_change_nothing() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").playing("lies");
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(0);
    ran.said("=HYPERLINK(1)").said("@SUM(1)");
    paris.row().is_up();
    assert_eq!(ran.typed(), ["YES", "1", "probe", "<password>", "1", "quit"]);
    assert_eq!(lab.passwords_at_gateway(), 1);
    // Several claims, the last one the client's own: that one was measured.
    let json = ran.json();
    let claims = json["dialogue"].as_array().unwrap().iter().filter(|event| event["text"] == "Connected");
    let last = claims.map(|event| event["at_ms"].as_f64().unwrap()).fold(0.0, f64::max);
    assert!(json["login_ms"].as_f64().unwrap() >= last, "{json}");
    is_clean(&paris, &ran);
}

#[test]
fn a_claim_before_a_refusal_is_no_login_and_its_words_are_no_formula() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct").playing("lies-and-refuses");
    let paris = paris.email("server: 10.79.0.1").top("alerts: { after: 1 }");
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(1);
    let row = paris.row();
    row.is("down", "login", "account-locked", "identity").expect("login_ms", "");
    row.expect("detail", "'=HYPERLINK(1) Your account is locked.");
    is_clean(&paris, &ran);
}

#[test]
fn a_password_that_is_asked_for_with_the_echo_on_is_not_typed() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct, timeout: 2").playing("asks-for-a-password-in-the-open");
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(3);
    paris.row().is("unknown", "login", "unexpected-prompt", "own");
    ran.said("has not switched the echo off");
    assert_eq!(passwords_typed(&ran), 0);
    assert_eq!(lab.passwords_at_gateway(), 0);
}

#[test]
fn a_certificate_whose_subject_holds_the_pinned_fingerprint_gets_no_password() {
    let lab = Lab::locked();
    let paris = lab.site("paris", "client: lab-startct");
    let pinned = fs::read_to_string(lab.dir().join("fingerprints/gw.sha1")).unwrap();
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/scenarios/certificate-that-names-another.yml");
    let scenario = fs::read_to_string(scenario).unwrap().replace("PINNED", pinned.trim());
    fs::write(paris.dir().join("scenario.yml"), scenario).unwrap();
    let ran = paris.run(&["test", "--record", "--json"]);
    ran.exits(1);
    paris.row().is("down", "login", "certificate-untrusted", "gateway");
    assert_eq!(passwords_typed(&ran), 0);
    assert_eq!(lab.passwords_at_gateway(), 0);
}
