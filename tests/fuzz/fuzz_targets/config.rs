//! The loader: no text makes it panic or hang, every fault has a text without control characters and a place, and a
//! secret is never told. The first byte says which format it is; with its highest bit the rest is what stands around a
//! secret.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use vpnprobe::config::{Environment, LoadError, Loaded, load_str};
use vpnprobe_fuzz::CANARY;

const NAMES: [&str; 3] = ["c.yml", "c.json", "c.toml"];

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    let name = NAMES[usize::from(choice & 0x7f) % 3];
    let Ok(text) = std::str::from_utf8(rest) else { return };
    if choice & 0x80 == 0 {
        check(&load(text, name));
    } else if let Some(text) = around_a_secret(name, text) {
        let result = load(&text, name);
        check(&result);
        let told = match &result {
            Ok(loaded) => format!("{:?} {:?}", loaded.warnings, loaded.config),
            Err(error) => format!("{error} {:?}", error.warnings),
        };
        assert!(!told.contains(CANARY), "{text}\n→ {told}");
    }
});

fn load(text: &str, name: &str) -> Result<Loaded, LoadError> {
    load_str(text, Path::new("/etc/vpnprobe"), name, &Environment::default())
}

/// A configuration with a secret, and arbitrary text in its line and after it. An alias would repeat it elsewhere.
fn around_a_secret(name: &str, text: &str) -> Option<String> {
    if text.contains('*') {
        return None;
    }
    let (line, rest) = text.split_once('\n').unwrap_or((text, ""));
    let (before, after) = line.split_once('\u{1}').unwrap_or((line, ""));
    let blank = |part: &str| part.replace(['\r', '\u{85}', '\u{2028}', '\u{2029}'], " ");
    let (before, after) = (blank(before), blank(after));
    Some(match name {
        "c.json" => format!("{{\"sites\":{{\"a\":{{\"vpn_gw\":\"gw\",\"password\":\"{CANARY}\"{rest}"),
        "c.toml" => format!("[sites.a]\nvpn_gw = 'gw'\npassword = {before}{CANARY}{after}\n{rest}"),
        _ => format!("sites:\n  a:\n    vpn_gw: gw\n    password: {before}{CANARY}{after}\n{rest}"),
    })
}

fn check(result: &Result<Loaded, LoadError>) {
    let (faults, warnings) = match result {
        Ok(loaded) => (&[][..], &loaded.warnings),
        Err(error) => {
            assert!(!error.faults.is_empty(), "refused without a fault");
            (error.faults.as_slice(), &error.warnings)
        }
    };
    for fault in faults.iter().chain(warnings) {
        let texts = [Some(&fault.path), Some(&fault.message), fault.hint.as_ref()];
        let printable = |text: &String| !text.chars().any(char::is_control);
        assert!(!fault.message.is_empty() && texts.into_iter().flatten().all(printable), "{fault:?}");
        assert!(fault.message.len() < 2_000, "{fault:?}");
        assert_eq!(fault.line == 0, fault.column == 0, "{fault:?}");
    }
}
