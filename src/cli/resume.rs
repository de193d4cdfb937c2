//! `vpnprobe resume`: ends an account's rest.

use super::common::{CommandError, load, say};
use super::global::Global;
use crate::clock::{Clock, SystemClock};
use crate::config::{Account, Config, Site};
use crate::daemon;
use crate::exit_code;

/// Arguments of `resume`.
#[derive(Debug, clap::Args)]
pub(super) struct ResumeArgs {
    /// A site of the account
    #[arg(value_name = "SITE")]
    site: String,
}

/// Runs the command: through the running prober, which may know of a rest that it could not write down.
pub(super) async fn run(global: &Global, args: &ResumeArgs) -> Result<u8, CommandError> {
    let config = load(global)?;
    let sites = super::common::chosen(&config, std::slice::from_ref(&args.site))?;
    for site in sites {
        let Some(vpn) = site.ssl_vpn() else {
            let words = format!("the site `{}` has no account: it is of `kind: {}`", site.name, site.kind());
            return Err(CommandError::Usage(words));
        };
        let rested = daemon::resume(&config, &site, &vpn.account, SystemClock.now()).await;
        let rested = rested.map_err(CommandError::Failed)?;
        let words = if rested { "may be logged in again" } else { "did not rest" };
        say(&format!("the account `{}` {words}{}\n", vpn.account.username, shared_by(&config, &site, &vpn.account)));
    }
    Ok(exit_code::OK)
}

/// The other sites of the same account.
fn shared_by(config: &Config, site: &Site, account: &Account) -> String {
    let others: Vec<_> = config
        .sites
        .iter()
        .filter(|other| other.name != site.name)
        .filter(|other| other.ssl_vpn().is_some_and(|vpn| vpn.account == *account))
        .map(|other| other.name.as_str())
        .collect();
    if others.is_empty() { String::new() } else { format!(" (also used by {})", others.join(", ")) }
}
