//! What the tests of the loader share.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::config::tree::{Node, NodeKind};
use crate::config::*;

pub(super) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

pub(super) fn environment() -> Environment {
    Environment::new([("STATE_DIRECTORY", "/var/lib/a:/var/lib/b")], "host-1")
}

pub(super) fn from_text(text: &str) -> Result<Loaded, LoadError> {
    named("config.yml", text)
}

pub(super) fn named(name: &str, text: &str) -> Result<Loaded, LoadError> {
    load_str(text, Path::new("/etc/vpnprobe"), name, &environment())
}

pub(super) fn site<'a>(config: &'a Config, name: &str) -> (&'a Site, &'a SslVpn) {
    let site = config.sites.iter().find(|site| site.name.as_str() == name).unwrap();
    (site, site.ssl_vpn().unwrap())
}

pub(super) fn fixture(path: &Path) -> Result<Loaded, LoadError> {
    let name = path.file_name().unwrap().to_str().unwrap();
    named(name, &fs::read_to_string(path).unwrap())
}

pub(super) fn good(name: &str) -> Loaded {
    fixture(&repository("fixtures/config/good").join(name)).unwrap()
}

/// The fixtures of a directory, each with what is written beside it; every file must be one or the other.
pub(super) fn fixtures(directory: &str) -> Vec<(PathBuf, Option<String>)> {
    let files: BTreeSet<PathBuf> =
        fs::read_dir(repository(directory)).unwrap().map(|entry| entry.unwrap().path()).collect();
    let (texts, configs): (BTreeSet<_>, BTreeSet<_>) =
        files.into_iter().partition(|path| path.extension().is_some_and(|ending| ending == "txt"));
    for text in &texts {
        let used = ["yml", "json", "toml"].iter().any(|ending| configs.contains(&text.with_extension(ending)));
        assert!(used, "{} belongs to no fixture", text.display());
    }
    let beside = |path: PathBuf| {
        let text = path.with_extension("txt");
        let text = texts.contains(&text).then(|| fs::read_to_string(text).unwrap());
        (path, text)
    };
    configs.into_iter().map(beside).collect()
}

/// The value at this path of keys.
pub(in crate::config) fn value<'a>(node: &'a Node, path: &[&str]) -> &'a Node {
    path.iter().fold(node, |node, key| match &node.kind {
        NodeKind::Mapping(entries) => &entries.iter().find(|e| e.key == *key).unwrap().value,
        other => panic!("{other:?} is no mapping"),
    })
}

/// The text at this path of keys.
pub(in crate::config) fn text<'a>(node: &'a Node, path: &[&str]) -> &'a str {
    match &value(node, path).kind {
        NodeKind::Scalar(text) => text,
        other => panic!("{other:?} is no scalar"),
    }
}
