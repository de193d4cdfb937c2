//! `vpnprobe client`: the profiles by which clients are driven.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::common::{CommandError, faulty, load, say};
use super::global::Global;
use crate::config::{self, Config, Environment, Profile, built_in_profile_names};
use crate::exit_code;

/// What to do with profiles.
#[derive(Debug, clap::Subcommand)]
pub(super) enum ClientCommand {
    /// List the profiles: built in and under `clients`, what each runs, whether that is installed
    List,
    /// Print a whole profile as YAML that can stand under `clients:`
    Show {
        /// The profile
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// One login, live: what the client prints, which rule matches, what is typed
    Try(super::client_try::TryArgs),
}

/// Runs the command.
pub(super) async fn run(global: &Global, command: &ClientCommand) -> Result<u8, CommandError> {
    if let ClientCommand::Try(args) = command {
        return super::client_try::run(global, args).await;
    }
    let config = config_or_none(global)?;
    match command {
        // Has gone its own way.
        ClientCommand::Try(_) => {}
        ClientCommand::List => list(&config.clients),
        ClientCommand::Show { name } => {
            let profile = profile(&config, name)?;
            let yaml = profile.to_yaml().map_err(|e| CommandError::Failed(format!("cannot write the profile: {e}")))?;
            say(&yaml);
        }
    }
    Ok(exit_code::OK)
}

/// The configuration; where none is named and none is there, the built-in profiles need none.
pub(super) fn config_or_none(global: &Global) -> Result<Config, CommandError> {
    if global.config.is_some() || config::find_config().is_some() {
        return load(global);
    }
    let nothing = config::load_str("{}", Path::new("."), "no configuration", &Environment::of_process());
    nothing.map(|loaded| loaded.config).map_err(|e| faulty(&e))
}

/// The profile of this name.
pub(super) fn profile(config: &Config, name: &str) -> Result<Arc<Profile>, CommandError> {
    config.clients.get(name).cloned().ok_or_else(|| {
        let known: Vec<_> = config.clients.keys().map(String::as_str).collect();
        CommandError::Usage(format!("there is no client profile `{name}`\n  hint: there are {}", known.join(", ")))
    })
}

fn list(clients: &BTreeMap<String, Arc<Profile>>) {
    let built_in = built_in_profile_names();
    let width = clients.keys().map(String::len).max().unwrap_or_default();
    for (name, profile) in clients {
        let origin = if built_in.contains(name) { "built in" } else { "own" };
        let place = installed(&profile.command).unwrap_or_else(|| "not installed".to_owned());
        say(&format!("{name:<width$}  {origin:<8}  {}  ({place})\n", profile.command));
    }
}

/// Where the program is found: by its path, else in PATH, as spawning it would.
fn installed(command: &str) -> Option<String> {
    let runs = |path: &Path| nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok() && path.is_file();
    if command.contains('/') {
        return runs(Path::new(command)).then(|| command.to_owned());
    }
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|dir| dir.join(command)).find(|candidate| runs(candidate))?;
    Some(found.display().to_string())
}
