//! `config.yml.example` is executable truth.

use std::fs;

use serde_json::{Value, json};

use super::support::{from_text, named, repository};
use crate::config::Config;
use crate::config::keys::BLOCKS;

pub(super) fn example() -> String {
    fs::read_to_string(repository("config.yml.example")).unwrap()
}

#[test]
fn the_example_is_a_configuration_without_faults_or_warnings() {
    let loaded = from_text(&example()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.warnings, []);
}

#[test]
fn the_example_names_every_key() {
    let text = example();
    for (block, keys) in BLOCKS {
        for key in keys.known {
            assert!(text.contains(&format!("{key}:")), "`{key}` of `{block}` is missing in the example");
        }
    }
}

#[test]
fn a_default_in_the_example_may_be_left_out() {
    let text = example();
    let marked: Vec<&str> = text.lines().filter(|line| line.contains("# default")).collect();
    assert!(marked.len() >= 20, "{marked:#?}");
    let whole = format!("{:#?}", from_text(&text).unwrap().config);
    for line in marked {
        let without: String = text.split_inclusive('\n').filter(|other| other.trim_end() != line).collect();
        let config = from_text(&without).unwrap_or_else(|error| panic!("{error}")).config;
        assert_eq!(format!("{config:#?}"), whole, "without `{line}`");
    }
}

#[test]
fn the_example_as_toml_and_as_json_is_the_same_configuration() {
    let value: Value = serde_saphyr::from_str(&example()).unwrap();
    let entries = value.as_object().unwrap().iter().map(|(key, value)| format!("{key} = {}\n", toml_of(value)));
    // Neither keeps the order of the file here.
    let sorted = |mut config: Config| {
        config.sites.sort_by_key(|site| site.name.to_string());
        config.channels.sort_by_key(|channel| channel.name.clone());
        format!("{config:#?}")
    };
    let expected = sorted(from_text(&example()).unwrap().config);
    for (name, text) in [("c.toml", entries.collect()), ("c.json", format!("{value:#}"))] {
        let config = named(name, &text).unwrap_or_else(|error| panic!("{error}")).config;
        assert!(sorted(config) == expected, "{name}");
    }
}

/// As TOML's inline values; there is no `null` in the example.
fn toml_of(value: &Value) -> String {
    match value {
        Value::Object(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(key, value)| format!("{} = {}", json!(key), toml_of(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(toml_of).collect::<Vec<_>>().join(", ")),
        other => other.to_string(),
    }
}
