//! The runner's word that a client holds the host's routes, and the window before it.
//!
//! Whoever sends for the prober itself (mail now, the hub later) holds a [`GateListener`]. [`RouteGate::hold`] asks all
//! of them to finish what is due, waits for at most [`HOLD_WINDOW`], and then everything is quiet until the
//! [`HoldGuard`] is dropped.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

/// How long a cycle waits for what is due to be sent (contract: cycle, last point).
pub const HOLD_WINDOW: Duration = Duration::from_secs(5);
/// How much longer than the window a listener may take to say that it is quiet, before the cycle goes on without its
/// word. Cancelling takes microseconds; only a stuck disk under the alert state can take longer.
const CONFIRM_GRACE: Duration = Duration::from_secs(1);

/// One network's gate between the prober's own traffic and its clients. Clones are the same gate.
#[derive(Debug, Clone, Default)]
pub struct RouteGate {
    listeners: Arc<Mutex<Vec<mpsc::UnboundedSender<Hold>>>>,
}

/// As long as this lives, nothing is sent. Dropping it opens the gate again.
#[must_use = "the gate opens again when the guard is dropped"]
#[derive(Debug)]
pub struct HoldGuard {
    _release: Vec<oneshot::Sender<()>>,
}

/// The side of one who sends.
#[derive(Debug)]
pub struct GateListener {
    requests: mpsc::UnboundedReceiver<Hold>,
    holds: Vec<Hold>,
}

/// One request to be quiet.
#[derive(Debug)]
struct Hold {
    deadline: Instant,
    /// Answered once everything is quiet.
    quiet: Option<oneshot::Sender<()>>,
    /// Ends when the guard is dropped, or when nobody waits for it any more.
    released: oneshot::Receiver<()>,
}

impl RouteGate {
    /// An open gate without listeners.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one who sends.
    pub fn listen(&self) -> GateListener {
        let (sender, requests) = mpsc::unbounded_channel();
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        GateListener { requests, holds: Vec::new() }
    }

    /// Closes the gate: everything due has one try, [`HOLD_WINDOW`] at most; what is still being sent then is
    /// cancelled and tried again later. Returns at once when nothing is due.
    pub async fn hold(&self) -> HoldGuard {
        let deadline = Instant::now() + HOLD_WINDOW;
        let (mut answers, mut release) = (Vec::new(), Vec::new());
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner).retain(|listener| {
            let (quiet, answer) = oneshot::channel();
            let (guard, released) = oneshot::channel();
            let heard = listener.send(Hold { deadline, quiet: Some(quiet), released }).is_ok();
            if heard {
                answers.push(answer);
                release.push(guard);
            }
            heard
        });
        for answer in answers {
            // An answer that never comes because the listener ended is as good as one.
            if timeout_at(deadline + CONFIRM_GRACE, answer).await.is_err() {
                tracing::warn!("a sender of alerts did not say in time that it is quiet; the cycle goes on");
            }
        }
        HoldGuard { _release: release }
    }
}

impl GateListener {
    /// Whether something may be sent: the gate is open, or about to close and not yet confirmed.
    pub fn may_send(&self) -> bool {
        self.holds.iter().all(|hold| hold.quiet.is_some())
    }

    /// When everything must be quiet; none while the gate is open or closed.
    pub fn closing_at(&self) -> Option<Instant> {
        self.holds.iter().filter(|hold| hold.quiet.is_some()).map(|hold| hold.deadline).min()
    }

    /// Says that nothing is being sent and nothing will be until the gate opens.
    pub fn confirm_quiet(&mut self) {
        for quiet in self.holds.iter_mut().filter_map(|hold| hold.quiet.take()) {
            // Whoever asked may have gone: then the hold is released too.
            let _ = quiet.send(());
        }
    }

    /// Waits until the gate is asked to close, or opens.
    pub async fn changed(&mut self) {
        poll_fn(|cx| self.poll_changed(cx)).await;
    }

    fn poll_changed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let before = self.holds.len();
        self.holds.retain_mut(|hold| Pin::new(&mut hold.released).poll(cx).is_pending());
        let mut changed = self.holds.len() != before;
        // The queue is closed when the gate is gone: then nothing changes any more.
        while let Poll::Ready(Some(hold)) = self.requests.poll_recv(cx) {
            self.holds.push(hold);
            changed = true;
        }
        if changed { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_gate_that_nobody_listens_to_closes_at_once() {
        let gate = RouteGate::new();
        drop(gate.listen());
        let before = Instant::now();
        let _guard = gate.hold().await;
        assert_eq!(before.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn every_listener_is_asked_and_released() {
        let gate = RouteGate::new();
        let mut listeners = [gate.listen(), gate.listen()];
        let held = tokio::spawn({
            let gate = gate.clone();
            async move { gate.hold().await }
        });
        for listener in &mut listeners {
            listener.changed().await;
            assert!(listener.may_send() && listener.closing_at().is_some());
            listener.confirm_quiet();
            assert!(!listener.may_send() && listener.closing_at().is_none());
        }
        drop(held.await.unwrap());
        for listener in &mut listeners {
            listener.changed().await;
            assert!(listener.may_send());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stuck_listener_delays_a_cycle_by_the_window_and_a_second_at_most() {
        let gate = RouteGate::new();
        let _never_answers = gate.listen();
        let before = Instant::now();
        let _guard = gate.hold().await;
        assert_eq!(before.elapsed(), HOLD_WINDOW + CONFIRM_GRACE);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_no_longer_waits_for_the_gate_does_not_hold_it() {
        let gate = RouteGate::new();
        let mut listener = gate.listen();
        let waiting = tokio::spawn({
            let gate = gate.clone();
            async move { gate.hold().await }
        });
        listener.changed().await;
        waiting.abort();
        listener.changed().await;
        assert!(listener.may_send() && listener.closing_at().is_none());
    }
}
