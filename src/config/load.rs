//! The way in: find the file, read it, check it as a whole.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::build::build;
use super::environment::Environment;
use super::fault::{Fault, LoadError, Sink};
use super::ownership::{check_ownership, directory_of};
use super::tree::Position;
use super::{AlertChannel, ChannelKind, Config, SecretSource, SslVpn};
use crate::memory::on_a_passing_thread;

/// Where the configuration is looked for when none is named: here, then there.
pub const DEFAULT_FILES: [&str; 2] = ["config.yml", "/etc/vpnprobe/config.yml"];

/// A larger file is no configuration (1,000 sites are about 1 MB).
const LARGEST: u64 = 64 << 20;

/// A configuration without a fault, and what is worth a second look.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Warnings, each with its consequence, in the order of the file.
    pub warnings: Vec<Fault>,
}

/// The configuration file where none is named: `config.yml` here, else `/etc/vpnprobe/config.yml`; none where neither
/// is there.
pub fn find_config() -> Option<PathBuf> {
    first_existing(&DEFAULT_FILES.map(PathBuf::from))
}

fn first_existing(candidates: &[PathBuf]) -> Option<PathBuf> {
    candidates.iter().find(|path| path.exists()).cloned()
}

/// Loads and checks a configuration file. Relative paths in it count from its directory.
///
/// # Errors
///
/// Every fault at once. As root also a file, or the directory it lies in, that another user could change.
pub fn load(path: &Path, environment: &Environment) -> Result<Loaded, LoadError> {
    let name = path.display().to_string();
    let (bytes, mode) = read(path).map_err(|message| Fault::of_file(&name, message))?;
    let user = rustix::process::geteuid();
    if user.is_root() {
        check_ownership(path, user.as_raw()).map_err(|error| {
            let hint = "chown root, chmod go-w: the file and the directory it lies in";
            Fault::of_file(&name, error.to_string()).with_hint(hint)
        })?;
    }
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text,
        Err(error) => return Err(invalid_utf8(&name, &bytes, error.valid_up_to())),
    };
    // Absolute, so that a message names a place and not a way from here.
    let base = directory_of(path);
    let base = std::path::absolute(&base).unwrap_or(base);
    let mut loaded = on_a_passing_thread(|| load_str(text, &base, &name, environment))?;
    if mode & 0o077 != 0 && holds_password(&loaded.config) {
        let message = "holds a password and can be read by others";
        loaded.warnings.insert(0, Fault::of_file(&name, message).with_hint("chmod 600, or use `password_file`"));
    }
    Ok(loaded)
}

/// Checks a configuration that is text already. `name` stands for the file in messages; its ending tells the format.
///
/// # Errors
///
/// Every fault at once.
pub fn load_str(text: &str, base_dir: &Path, name: &str, environment: &Environment) -> Result<Loaded, LoadError> {
    let sink = Sink::new(name);
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is = |format: &str| Path::new(name).extension().is_some_and(|ending| ending.eq_ignore_ascii_case(format));
    let node = match () {
        () if is("toml") => super::toml::parse(text, &sink),
        () if is("json") => super::json::parse(text, &sink),
        () => super::yaml::parse(text, &sink),
    };
    let config = match node {
        Some(node) => build(&node, &sink, base_dir, environment)?,
        None => None,
    };
    let warnings = sink.finish()?;
    // A configuration that could not be built has left a fault, so this is never reached without one.
    let config = config.ok_or_else(|| Fault::of_file(name, "cannot be used"))?;
    Ok(Loaded { config, warnings })
}

/// The file's bytes and permission bits; why not, in words, else.
pub(super) fn read(path: &Path) -> Result<(Vec<u8>, u32), String> {
    // Without blocking: a named pipe in the file's place must not hang the program.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let open = File::options().read(true).custom_flags(flags).open(path);
    let file = open.map_err(|error| format!("cannot be opened: {error}"))?;
    let metadata = file.metadata().map_err(|error| format!("cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err(if metadata.is_dir() { "is a directory" } else { "is not a file" }.to_owned());
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if u64::try_from(bytes.len()).is_ok_and(|size| size > LARGEST) {
        return Err(format!("is larger than {} MiB", LARGEST >> 20));
    }
    Ok((bytes, metadata.mode() & 0o7777))
}

fn invalid_utf8(name: &str, bytes: &[u8], valid: usize) -> LoadError {
    let before = String::from_utf8_lossy(bytes.get(..valid).unwrap_or_default()).into_owned();
    let narrow = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let sink = Sink::new(name);
    let at = Position { line: narrow(line), column: narrow(column) };
    sink.fault("", at, "is not valid UTF-8", Some("save the file as UTF-8".to_owned()));
    match sink.finish() {
        Err(error) => error,
        Ok(_) => Fault::of_file(name, "is not valid UTF-8").into(),
    }
}

fn holds_password(config: &Config) -> bool {
    let inline = |source: &SecretSource| matches!(source, SecretSource::Inline(_));
    let mail = config.logging.email.as_ref().and_then(|email| email.login.as_ref());
    // Where Alertmanager is, is no secret.
    let of_channel = |channel: &AlertChannel| match &channel.kind {
        ChannelKind::Alertmanager(am) => am.login.as_ref().is_some_and(|(_, source)| inline(source)),
        kind => kind.secrets().any(inline),
    };
    mail.is_some_and(|(_, source)| inline(source))
        || config.channels.iter().any(of_channel)
        || config.sites.iter().filter_map(|site| site.ssl_vpn()).flat_map(SslVpn::secrets).any(inline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_here_comes_before_that_of_the_system() {
        let dir = tempfile::tempdir().unwrap();
        let (here, system) = (dir.path().join("config.yml"), dir.path().join("system.yml"));
        let candidates = [here.clone(), system.clone()];
        assert_eq!(first_existing(&candidates), None);
        std::fs::write(&system, "").unwrap();
        assert_eq!(first_existing(&candidates), Some(system));
        std::fs::write(&here, "").unwrap();
        assert_eq!(first_existing(&candidates), Some(here));
    }
}
