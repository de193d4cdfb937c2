//! What a cycle needs beside its site: handed in, never looked up.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::cleanup::ResolvConf;
use crate::clock::Clock;
use crate::config::Environment;
use crate::net::{BoxFuture, LockHeld, NetContext, NetLock};
use crate::process::Endurance;

/// Another prober's cycle may take so long: a login, a client that does not leave, and repairs.
const LOCK_PATIENCE: Duration = Duration::from_mins(5);

/// What every cycle in one network context shares.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The network.
    pub net: Arc<dyn NetContext>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Row times.
    pub timezone: Tz,
    /// This prober's name.
    pub prober: String,
    /// Where the journal lies.
    pub state_dir: PathBuf,
    /// resolv.conf.
    pub resolv_conf: ResolvConf,
    /// The environment that clients get: the prober's own, less every secret.
    pub client_env: BTreeMap<String, String>,
    /// How long processes may take to end.
    pub endurance: Endurance,
    /// The prober's own environment, for secrets that are read from it.
    pub secret_env: Environment,
    /// Keeps the prober's own messages back while a client holds the host's routes.
    pub hold: Arc<dyn HoldRoutes>,
    /// The prober was asked to stop.
    pub cancel: CancellationToken,
    /// It was asked again: no more grace periods.
    pub hurry: CancellationToken,
}

/// Something that must keep quiet while a client holds the host's routes and resolver.
pub trait HoldRoutes: Send + Sync + std::fmt::Debug {
    /// Waits until it is quiet (a few seconds at most); it stays so until the guard is dropped.
    fn hold(&self) -> BoxFuture<'_, Box<dyn Send>>;
}

/// There is nothing that would speak.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl HoldRoutes for Quiet {
    fn hold(&self) -> BoxFuture<'_, Box<dyn Send>> {
        Box::pin(async { Box::new(()) as Box<dyn Send> })
    }
}

impl Surroundings {
    /// Takes the lock of the network context; waits for another prober's cycle to end.
    pub async fn lock(&self) -> Result<NetLock, LockHeld> {
        let deadline = Instant::now() + LOCK_PATIENCE;
        loop {
            let held = match self.net.try_lock() {
                Ok(lock) => return Ok(lock),
                Err(held @ LockHeld::By(_)) => held,
                Err(other) => return Err(other),
            };
            tracing::warn!("{held}: waiting for it");
            if timeout_at(deadline, self.net.unlocked()).await.is_err() {
                return Err(held);
            }
        }
    }
}
