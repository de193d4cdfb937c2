//! Looking at tunnels until the moment tells.
//!
//! VICI has events, but no event says that nothing will follow: so this looks again, at intervals, within bounds.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::assess::{Assessment, assess};
use crate::vici::{ChildRef, IkeControl, ViciError, View};

/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// For one look.
pub(super) const LOOK_LIMIT: Duration = Duration::from_secs(5);

/// One tunnel: the view that told, and what it told; never [`Assessment::Settling`].
pub async fn look(
    control: &dyn IkeControl,
    target: &ChildRef,
    deadline: Instant,
) -> Result<(View, Assessment), ViciError> {
    let (view, mut assessments) = look_all(control, std::slice::from_ref(target), deadline).await?;
    // One target, one assessment.
    let assessment = assessments.pop().unwrap_or(Assessment::Missing);
    Ok((view, assessment))
}

/// Many tunnels, in their order: all out of one view, which is taken anew while any of them settles.
pub async fn look_all(
    control: &dyn IkeControl,
    targets: &[ChildRef],
    deadline: Instant,
) -> Result<(View, Vec<Assessment>), ViciError> {
    let began = Instant::now();
    loop {
        let view = control.view(deadline).await?;
        let assessments: Vec<_> = targets.iter().map(|target| assess(&view, target)).collect();
        let patience = assessments.iter().map(Assessment::patience).max().unwrap_or_default();
        if Instant::now() + LOOK_EVERY > (began + patience).min(deadline) {
            return Ok((view, assessments.into_iter().map(Assessment::settled).collect()));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Watches strongSwan's own recovery: returns when the tunnel is up, when nobody is at work on it any more, or at
/// `until`, with what was seen last.
pub async fn watch_recovery(
    control: &dyn IkeControl,
    target: &ChildRef,
    until: Instant,
) -> Result<(View, Assessment), ViciError> {
    loop {
        // The look itself may end after `until`, or there would be nothing to return.
        let seen = look(control, target, until.max(Instant::now() + LOOK_LIMIT)).await?;
        if !matches!(seen.1, Assessment::Recovering(_)) || Instant::now() >= until {
            return Ok(seen);
        }
        let _ = timeout_at(until, sleep(LOOK_EVERY)).await;
    }
}

#[cfg(test)]
#[path = "look_tests.rs"]
mod tests;
