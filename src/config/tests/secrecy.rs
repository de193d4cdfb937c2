//! No text makes the loader panic, and no secret is ever told.

use proptest::prelude::*;

use super::example::example;
use super::support::{from_text, named};

/// A value that nothing else in a configuration or a message looks like.
const CANARY: &str = "cAnArY7351";

fn told(text: &str) -> String {
    match from_text(text) {
        Ok(loaded) => format!("{:?} {:?}", loaded.warnings, loaded.config),
        Err(error) => format!("{error}"),
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_loader_panic(text in "([a-z_]{1,8}|[ \\n:,\\[\\]{}&*!|>'\"#%@`<-]|\\PC){0,80}") {
        for name in ["c.yml", "c.json", "c.toml"] {
            let _ = named(name, &text);
        }
    }

    #[test]
    fn no_change_of_the_example_makes_the_loader_panic(at in 0_usize..8000, with in "[ \\n\\t:,\\[\\]{}&*!|>'\"#%@0a~-]{0,3}", cut in 0_usize..40) {
        let mut text: Vec<char> = example().chars().collect();
        let start = at.min(text.len());
        let end = (start + cut).min(text.len());
        text.splice(start..end, with.chars());
        let _ = from_text(&text.into_iter().collect::<String>());
    }

    #[test]
    fn a_secret_is_never_told(
        key in "(password|password_file|password_env|password_command|password_credential|passwrd|otp_secret|token|pasword)",
        before in "[!&*@%`'\"\\[{|>#:\\\\ a-]{0,3}",
        after in "[!&*@%`'\"\\]},:#\\\\ a-]{0,3}",
        next in "(    username: u|  x: 1|\t- a|    timeout: abc|    \\[|    password: x|---|)",
    ) {
        for block in ["sites:\n  a", "logging:\n  email", "defaults:\n  b"] {
            let text = format!("{block}:\n    vpn_gw: gw\n    {key}: {before}{CANARY}{after}\n{next}\n");
            // Where a secret is a file's or a variable's name, the checked configuration holds that name.
            let named = ["password_file", "password_env", "password_command", "password_credential"].contains(&key.as_str());
            let told = match from_text(&text) {
                Ok(_) if named => String::new(),
                _ => told(&text),
            };
            prop_assert!(!told.contains(CANARY), "{}\n→ {}", text, told);
        }
    }
}

#[test]
fn nothing_of_a_channels_url_token_or_header_is_told() {
    let channels = format!(
        "hook: {{ webhook: {{ url: \"https://a.example/{CANARY}?k={CANARY}\", headers: {{ Authorization: {CANARY} }} }} }}, \
         chat: {{ telegram: {{ token: \"{CANARY}\", chat_id: 1 }} }}, \
         am: {{ alertmanager: {{ url: \"http://a.example/{CANARY}\", username: u, password: {CANARY} }} }}, \
         team: {{ slack: {{ url: \"https://a.example/{CANARY}\" }} }}"
    );
    for (before, after) in [("", ""), ("chat_id: 1", "chat_id: []"), ("https://", "https//"), ("url:", "url_flie:")] {
        let text = format!("alerts: {{ channels: {{ {channels} }} }}\n");
        let text = if before.is_empty() { text } else { text.replace(before, after) };
        let told = told(&text);
        assert!(!told.contains(CANARY), "{text}\n→ {told}");
    }
}

#[test]
fn no_program_gets_the_variables_that_channels_take_their_secrets_from() {
    let text = "alerts: { channels: { hook: { webhook: { url_env: HOOK } }, chat: { telegram: { token_env: BOT, chat_id: 1 } }, \
                am: { alertmanager: { url_env: AM, username: u, password_env: AM_PW } } } }\n";
    let secret_env = from_text(text).unwrap().config.secret_env;
    for name in ["HOOK", "BOT", "AM", "AM_PW"] {
        assert!(secret_env.iter().any(|secret| secret == name), "{name}: {secret_env:?}");
    }
}
