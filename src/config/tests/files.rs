//! Files: where they are, who may read and write them, how large they may be.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::support::{environment, from_text};
use crate::config::load;

#[test]
fn a_file_is_loaded_with_its_directory_as_the_base() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.yml");
    fs::write(&path, "logging: { dir: out }").unwrap();
    let loaded = load(&path, &environment()).unwrap();
    assert_eq!(loaded.config.logging.dir, dir.path().join("out"));
}

#[test]
fn what_is_no_readable_file_is_told_plainly() {
    let dir = tempfile::tempdir().unwrap();
    let told = |path: &Path| load(path, &environment()).unwrap_err().to_string();
    assert!(told(&dir.path().join("none.yml")).contains("none.yml: cannot be opened: No such file"));
    assert!(told(dir.path()).ends_with(": is a directory"));
    let latin1 = dir.path().join("latin1.yml");
    fs::write(&latin1, b"a: \xc3\xa9\nb: \xc3\xa9 \xe9 hunter2\n").unwrap();
    let message = told(&latin1);
    assert!(message.contains("latin1.yml:2:6: is not valid UTF-8") && !message.contains("hunter2"), "{message}");
    let pipe = dir.path().join("pipe.yml");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
    assert!(told(&pipe).ends_with(": is not a file"));
}

#[test]
fn as_root_a_file_that_another_could_change_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.yml");
    fs::write(&path, "frequency: 60").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let refused = load(&path, &environment()).is_err_and(|error| error.to_string().contains("can be written by"));
    assert_eq!(refused, rustix::process::geteuid().is_root());
}

#[test]
fn a_password_in_a_file_that_others_can_read_is_warned_about() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.yml");
    fs::write(&path, "sites: { a: { vpn_gw: gw, internal_ip: 10.0.0.1, username: u, password: hunter2 } }").unwrap();
    for (mode, warnings) in [(0o644, 1), (0o600, 0)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(load(&path, &environment()).unwrap().warnings.len(), warnings, "{mode:o}");
    }
}

#[test]
fn a_thousand_sites_that_merge_one_anchor_and_ten_megabytes_are_no_burden() {
    let arguments = "      - \"a rather long argument 0123456789\"\n".repeat(300);
    let site = |n: u32| format!("  site-{n}:\n    <<: *base\n    alerts: *x\n    client_args:\n{arguments}");
    let sites: Vec<_> = (0..1000).map(site).collect();
    let text = format!(
        "defaults: {{ alerts: &x {{ after: 3 }} }}\nsites:\n  first: &base {{ vpn_gw: gw, internal_ip: 10.0.0.1, \
         username: u, password_env: PW }}\n{}",
        sites.concat()
    );
    assert!(text.len() > 10_000_000, "{}", text.len());
    assert_eq!(from_text(&text).unwrap().config.sites.len(), 1001);
}
