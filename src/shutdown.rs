//! Signals: the first asks the prober to stop, the second to hurry.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The two tokens that signals set.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Begin nothing new; take the client down.
    pub cancel: CancellationToken,
    /// No more grace periods.
    pub hurry: CancellationToken,
}

impl Shutdown {
    /// Listens for SIGTERM and SIGINT from now on. Call inside the runtime.
    pub fn listen() -> io::Result<Self> {
        let shutdown = Self::default();
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        tokio::spawn(shutdown.clone().on(terminate));
        tokio::spawn(shutdown.clone().on(interrupt));
        Ok(shutdown)
    }

    async fn on(self, mut signal: Signal) {
        while signal.recv().await.is_some() {
            if self.cancel.is_cancelled() {
                self.hurry.cancel();
            } else {
                tracing::info!("asked to stop: taking the client down (a second signal ends it at once)");
                self.cancel.cancel();
            }
        }
    }
}
