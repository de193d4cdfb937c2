//! Signals: the first asks the prober to stop, the second to hurry.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// What SIGHUP means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hangup {
    /// The terminal is gone: stop (a command).
    Stops,
    /// Somebody else listens for it: read the configuration again (`run`).
    Reloads,
}

/// The two tokens that signals set.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Begin nothing new; take the client down.
    pub cancel: CancellationToken,
    /// No more grace periods.
    pub hurry: CancellationToken,
}

impl Shutdown {
    /// Listens from now on for everything by which a terminal or a service manager ends a program. Call inside the
    /// runtime.
    pub fn listen(hangup: Hangup) -> io::Result<Self> {
        let shutdown = Self::default();
        let mut kinds = vec![SignalKind::terminate(), SignalKind::interrupt(), SignalKind::quit()];
        if hangup == Hangup::Stops {
            kinds.push(SignalKind::hangup());
        }
        let signals = kinds.into_iter().map(signal).collect::<io::Result<Vec<_>>>()?;
        for signal in signals {
            tokio::spawn(shutdown.clone().on(signal));
        }
        Ok(shutdown)
    }

    async fn on(self, mut signal: Signal) {
        while signal.recv().await.is_some() {
            if self.cancel.is_cancelled() {
                self.hurry.cancel();
            } else {
                tracing::warn!(
                    "asked to stop: a client that runs is taken down first (a second signal ends it at once)"
                );
                self.cancel.cancel();
            }
        }
    }
}
