//! What a command asks of whoever owns the state: the running prober through its control socket; where none runs, this
//! process, which takes the lock for as long as it takes.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::control::{Answer, ControlError, Request, ask};
use super::desk;
use super::recorder::take_state;
use super::state_lock::StateLock;
use crate::account::{AccountBook, Pauses};
use crate::alert::{AlertState, AlertStore, FileStore, Retried};
use crate::clock::Clock;
use crate::config::{Account, Config, Site};
use crate::error::chain;
use crate::maintenance::{Added, Ended, MaintenanceBook, NewWindow};
use crate::status::{Sources, Status, status_of};

/// What is known, and what of it could not be read.
#[derive(Debug)]
pub struct Known {
    /// The document.
    pub status: Status,
    /// A word for each file that makes no sense.
    pub troubles: Vec<String>,
}

/// What the running prober knows; where none runs, what the state directory does. Changes nothing.
pub async fn known_status(config: &Config, clock: &Arc<dyn Clock>) -> Result<Known, ControlError> {
    match ask(&config.state_dir, &Request::Status).await {
        Ok(Answer::Status(status)) => Ok(Known { status: *status, troubles: Vec::new() }),
        Ok(_) => Err(ControlError::OtherVersion),
        Err(ControlError::NotRunning { .. }) => Ok(remembered(config, clock)),
        Err(error) => Err(error),
    }
}

fn remembered(config: &Config, clock: &Arc<dyn Clock>) -> Known {
    let mut troubles = Vec::new();
    let alerts = FileStore::new(&config.state_dir, Arc::clone(clock)).peek().unwrap_or_else(|e| {
        troubles.push(chain(&e));
        AlertState::default()
    });
    let pauses = AccountBook::new(&config.state_dir).pauses().unwrap_or_else(|e| {
        troubles.push(chain(&e));
        Pauses::default()
    });
    troubles.extend(show_added_windows(config).err());
    let sources = Sources { config, running: None, alerts: &alerts, pauses: &pauses };
    Known { status: status_of(sources, clock.now()), troubles }
}

/// Makes the windows that were added at run time count in this process, which does not own them.
pub fn show_added_windows(config: &Config) -> Result<(), String> {
    let added = MaintenanceBook::new(&config.state_dir).peek().map_err(|e| chain(&e))?;
    config.maintenance.show_added(&added);
    Ok(())
}

/// Sends messages again, by their ids; none: every dead letter, and what waits. Also tells whether a prober runs, which
/// sends them now.
pub async fn retry(
    config: &Config,
    clock: &Arc<dyn Clock>,
    ids: Option<Vec<String>>,
) -> Result<(Retried, bool), String> {
    match owner(config)? {
        Owner::Here(_lock) => {
            let store = FileStore::new(&config.state_dir, Arc::clone(clock));
            let mut state = store.load().map_err(|e| chain(&e))?;
            let retried = state.outbox.retry(ids.as_deref(), clock.now());
            if retried.found() > 0 {
                store.save(&state).map_err(|e| chain(&e))?;
            }
            Ok((retried, false))
        }
        Owner::Prober => match through(config, &Request::Retry { ids }).await? {
            Answer::Retried(retried) => Ok((retried, true)),
            _ => Err(ControlError::OtherVersion.text()),
        },
    }
}

/// Adds a maintenance window.
pub async fn add_window(config: &Config, window: NewWindow, now: DateTime<Utc>) -> Result<Added, String> {
    match owner(config)? {
        Owner::Here(_lock) => desk::add(&MaintenanceBook::new(&config.state_dir), &config.maintenance, window, now),
        Owner::Prober => match through(config, &Request::AddWindow(Box::new(window))).await? {
            Answer::Added(added) => Ok(*added),
            _ => Err(ControlError::OtherVersion.text()),
        },
    }
}

/// Ends maintenance windows, by their name or id.
pub async fn end_window(config: &Config, which: &str, now: DateTime<Utc>) -> Result<Vec<Ended>, String> {
    match owner(config)? {
        Owner::Here(_lock) => desk::end(&MaintenanceBook::new(&config.state_dir), &config.maintenance, which, now),
        Owner::Prober => match through(config, &Request::EndWindow { which: which.to_owned() }).await? {
            Answer::Ended(ended) => Ok(ended),
            _ => Err(ControlError::OtherVersion.text()),
        },
    }
}

/// Ends the rest of the site's account. The prober may know of one that it could not write down; the book itself belongs to
/// every process, so without a prober nobody is asked.
pub async fn resume(config: &Config, site: &Site, account: &Account, now: DateTime<Utc>) -> Result<bool, String> {
    match ask(&config.state_dir, &Request::Resume { site: site.name.clone() }).await {
        Ok(Answer::Resumed { rested }) => Ok(rested),
        Ok(_) => Err(ControlError::OtherVersion.text()),
        Err(ControlError::NotRunning { .. }) => desk::resume(&AccountBook::new(&config.state_dir), account, now),
        Err(error) => Err(error.text()),
    }
}

/// Who owns the state.
enum Owner {
    /// This process, as long as it holds the lock.
    Here(StateLock),
    /// A running prober.
    Prober,
}

fn owner(config: &Config) -> Result<Owner, String> {
    Ok(take_state(&config.state_dir)?.map_or(Owner::Prober, Owner::Here))
}

/// Asks the prober that owns the state.
async fn through(config: &Config, request: &Request) -> Result<Answer, String> {
    ask(&config.state_dir, request).await.map_err(|error| {
        let dir = config.state_dir.display();
        match error {
            // The lock is held, and nobody listens.
            ControlError::NotRunning { .. } => format!(
                "another process owns the state directory `{dir}` and does not listen\n  hint: a prober that is starting or stopping, or `test --record`: try again"
            ),
            error => error.text(),
        }
    })
}
