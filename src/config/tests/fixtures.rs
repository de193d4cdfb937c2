//! `fixtures/config`: good files with their warnings, bad files with their faults, word by word.

use super::support::{fixture, fixtures};

#[test]
fn every_bad_fixture_is_refused_with_exactly_these_words() {
    let fixtures = fixtures("fixtures/config/bad");
    assert!(fixtures.len() >= 25, "{} fixtures", fixtures.len());
    for (path, expected) in fixtures {
        let error = fixture(&path).expect_err(&path.display().to_string());
        let text = format!("{error}\n");
        assert_eq!(text, expected.unwrap_or_default(), "{}", path.display());
        assert!(!text.contains("hunter"), "{text}");
    }
}

#[test]
fn every_good_fixture_is_accepted_with_exactly_these_warnings() {
    for (path, expected) in fixtures("fixtures/config/good") {
        let loaded = fixture(&path).unwrap_or_else(|error| panic!("{error}"));
        let warnings: String =
            loaded.warnings.iter().flat_map(|warning| [warning.to_string(), "\n".to_owned()]).collect();
        assert_eq!(warnings, expected.unwrap_or_default(), "{}", path.display());
    }
}
