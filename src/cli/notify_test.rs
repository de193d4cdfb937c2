//! `vpnprobe notify-test`: one message through each channel, now.

use std::sync::Arc;

use super::common::{CommandError, load, one_of, say, surroundings};
use super::global::Global;
use crate::alert::{Channel, SendError, hint_to, test_message, try_channel};
use crate::clock::{Clock, SystemClock};
use crate::config::Environment;
use crate::daemon::channels;
use crate::exit_code;
use crate::shutdown::{Hangup, Shutdown};
use crate::stage::Quiet;

/// Arguments of `notify-test`.
#[derive(Debug, clap::Args)]
pub(super) struct NotifyTestArgs {
    /// The channel [default: all]
    #[arg(value_name = "CHANNEL")]
    channel: Option<String>,
}

/// Runs the command. While a client holds the routes, the message would go through its tunnel: so it waits for the lock,
/// and holds it for the sending.
pub(super) async fn run(global: &Global, args: &NotifyTestArgs) -> Result<u8, CommandError> {
    let config = load(global)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let channels = chosen(channels(&config, &Environment::of_process(), &clock), args.channel.as_deref())?;
    let shutdown =
        Shutdown::listen(Hangup::Stops).map_err(|e| CommandError::Failed(format!("cannot listen for signals: {e}")))?;
    let around = surroundings(&config, Arc::new(Quiet), &shutdown)?;
    let sending = async {
        let _lock = around.lock().await.map_err(|e| CommandError::Failed(e.to_string()))?;
        let message = test_message(&config.prober, SystemClock.now(), &config.timezone);
        let mut all = true;
        for channel in &channels {
            let result = try_channel(channel.as_ref(), &message).await;
            say(&line(channel.name(), &result));
            all &= result.is_ok();
        }
        Ok(if all { exit_code::OK } else { exit_code::FAILED })
    };
    tokio::select! {
        status = sending => status,
        () = shutdown.cancel.cancelled() => Err(CommandError::Failed("stopped before everything was sent".to_owned())),
    }
}

fn chosen(channels: Vec<Arc<dyn Channel>>, name: Option<&str>) -> Result<Vec<Arc<dyn Channel>>, CommandError> {
    if channels.is_empty() {
        let text = "the configuration has no channel\n  hint: add `logging.email` or `alerts.channels`; config.yml.example shows how";
        return Err(CommandError::Usage(text.to_owned()));
    }
    let Some(name) = name else { return Ok(channels) };
    let known: Vec<String> = channels.iter().map(|channel| channel.name().to_owned()).collect();
    one_of("channel", name, &known)?;
    Ok(channels.into_iter().filter(|channel| channel.name() == name).collect())
}

fn line(name: &str, result: &Result<(), SendError>) -> String {
    match result {
        Ok(()) => format!("{name}: delivered\n"),
        Err(error) => {
            let hint = hint_to(error).map(|hint| format!("\n  hint: {hint}")).unwrap_or_default();
            format!("{name}: NOT delivered: {error}{hint}\n")
        }
    }
}
