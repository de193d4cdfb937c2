//! `config.yml.example` is executable truth.

use std::fs;

use super::support::{from_text, good, repository};
use crate::config::keys::ALL;

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
    for (block, keys) in ALL {
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
fn the_example_as_toml_is_the_same_configuration() {
    let (yaml, toml) = (from_text(&example()).unwrap(), good("example.toml"));
    assert_eq!(format!("{:#?}", toml.config), format!("{:#?}", yaml.config));
}
