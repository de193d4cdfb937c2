//! Answers what is asked through the control socket. It gathers what is known, and hands on what is to be changed.

use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};

use super::control::{Answer, Request};
use super::recorder::Recorder;
use crate::account::AccountBook;
use crate::clock::Clock;
use crate::config::{Account, Config, Site};
use crate::error::chain;
use crate::maintenance::{Added, Ended, MaintenanceBook, MaintenanceError, NewWindow, Windows};
use crate::record::{CycleRecord, SiteName};
use crate::runner::Sink;
use crate::snapshot::Board;
use crate::stage::Surroundings;
use crate::status::{Sources, Status, status_of};

/// Answers for one configuration.
pub(super) struct Desk {
    config: Config,
    recorder: Arc<Recorder>,
    accounts: AccountBook,
    clock: Arc<dyn Clock>,
    board: Arc<Board>,
    /// Since when the prober runs.
    since: DateTime<Utc>,
    /// Held while windows are changed: two who ask at once must both find what they asked for.
    changing: Arc<Mutex<()>>,
}

impl Desk {
    pub(super) fn new(
        config: &Config,
        around: &Surroundings,
        recorder: Arc<Recorder>,
        board: Arc<Board>,
        since: DateTime<Utc>,
    ) -> Self {
        let (accounts, clock) = (around.accounts.clone(), Arc::clone(&around.clock));
        Self { config: config.clone(), recorder, accounts, clock, board, since, changing: Arc::default() }
    }

    /// The answer, or why there is none.
    pub(super) async fn answer(&self, request: Request) -> Result<Answer, String> {
        match request {
            Request::Record(record) => self.record(&record).await.map(|()| Answer::Done),
            Request::Status => self.status().await.map(|status| Answer::Status(Box::new(status))),
            Request::Retry { ids } => {
                let retried = self.recorder.notifier().retry(ids).await;
                retried.map(Answer::Retried).map_err(|e| chain(&e))
            }
            Request::AddWindow(window) => self.add_window(*window).await.map(|added| Answer::Added(Box::new(added))),
            Request::EndWindow { which } => self.end_window(which).await.map(Answer::Ended),
            Request::Resume { site } => self.resume(&site).await.map(|rested| Answer::Resumed { rested }),
        }
    }

    fn site(&self, name: &SiteName) -> Result<&Arc<Site>, String> {
        let site = self.config.sites.iter().find(|site| site.name == *name);
        site.ok_or_else(|| format!("it has no site `{name}`\n  hint: SIGHUP makes it read its configuration again"))
    }

    async fn record(&self, record: &CycleRecord) -> Result<(), String> {
        let site = self.site(&record.site)?;
        self.recorder.take(record, site).await;
        Ok(())
    }

    async fn status(&self) -> Result<Status, String> {
        let alerts = self.recorder.notifier().state().await.map_err(|e| chain(&e))?;
        let pauses = self.accounts.pauses().unwrap_or_else(|e| {
            tracing::warn!(error = chain(&e), "cannot tell which accounts rest");
            crate::account::Pauses::default()
        });
        let running = Some((&*self.board, self.since));
        Ok(status_of(Sources { config: &self.config, running, alerts: &alerts, pauses: &pauses }, self.clock.now()))
    }

    async fn add_window(&self, window: NewWindow) -> Result<Added, String> {
        for site in &window.sites {
            self.site(site)?;
        }
        let now = self.clock.now();
        let added = self.change_windows(move |book, windows| add(book, windows, window, now)).await?;
        tracing::info!(id = added.id, name = added.window.name, "a maintenance window is added");
        Ok(added)
    }

    async fn end_window(&self, which: String) -> Result<Vec<Ended>, String> {
        let now = self.clock.now();
        let ended = self.change_windows(move |book, windows| end(book, windows, &which, now)).await?;
        for one in &ended {
            tracing::info!(id = one.window.id, name = one.window.window.name, "a maintenance window is ended");
        }
        Ok(ended)
    }

    async fn change_windows<T: Send + 'static>(
        &self,
        change: impl FnOnce(&MaintenanceBook, &Windows) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let book = MaintenanceBook::new(&self.config.state_dir);
        let (windows, changing) = (Arc::clone(&self.config.maintenance), Arc::clone(&self.changing));
        blocking(move || {
            let _turn = changing.lock().unwrap_or_else(PoisonError::into_inner);
            change(&book, &windows)
        })
        .await
    }

    async fn resume(&self, site: &SiteName) -> Result<bool, String> {
        let site = self.site(site)?;
        let vpn = site.ssl_vpn().ok_or_else(|| format!("the site `{}` has no account", site.name))?;
        let (accounts, account, now) = (self.accounts.clone(), vpn.account.clone(), self.clock.now());
        blocking(move || resume(&accounts, &account, now)).await
    }
}

/// Waits for the disk on a thread of its own: logins are timed on this one.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| Err(format!("it has a bug: {e}")))
}

/// Adds a window for whoever owns the state, and makes it count.
pub(super) fn add(
    book: &MaintenanceBook,
    windows: &Windows,
    window: NewWindow,
    now: DateTime<Utc>,
) -> Result<Added, String> {
    let (added, all) = book.add(window, now).map_err(|e: MaintenanceError| chain(&e))?;
    windows.show_added(&all);
    Ok(added)
}

/// The same for the end of one.
pub(super) fn end(
    book: &MaintenanceBook,
    windows: &Windows,
    which: &str,
    now: DateTime<Utc>,
) -> Result<Vec<Ended>, String> {
    let (ended, all) = book.end(which, now).map_err(|e| chain(&e))?;
    windows.show_added(&all);
    Ok(ended)
}

/// Ends the rest of an account; tells whether it rested.
pub(super) fn resume(accounts: &AccountBook, account: &Account, now: DateTime<Utc>) -> Result<bool, String> {
    accounts.resume(account, now).map_err(|e| chain(&e))
}
