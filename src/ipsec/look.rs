//! Looking at tunnels until the moment tells.
//!
//! VICI has events, but no event says that nothing will follow: so this looks again, at intervals, within bounds.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::assess::{Assessment, assess};
use crate::vici::{ChildRef, IkeControl, ViciError, View};

/// How long a moment that does not tell may last. A rekeying settles within a few round trips; strongSwan keeps a
/// replaced CHILD_SA for 5 s (`delete_rekeyed_delay`), but then its successor is there to see.
pub const SETTLE: Duration = Duration::from_secs(2);
/// From one look to the next.
const LOOK_EVERY: Duration = Duration::from_millis(200);

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
    let settled_at = (Instant::now() + SETTLE).min(deadline);
    loop {
        let view = control.view(deadline).await?;
        let assessments: Vec<_> = targets.iter().map(|target| assess(&view, target)).collect();
        let tells = !assessments.iter().any(|assessment| matches!(assessment, Assessment::Settling(_)));
        if tells || Instant::now() + LOOK_EVERY > settled_at {
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
        let seen = look(control, target, until.max(Instant::now() + SETTLE)).await?;
        if !matches!(seen.1, Assessment::Recovering(_)) || Instant::now() >= until {
            return Ok(seen);
        }
        let _ = timeout_at(until, sleep(LOOK_EVERY)).await;
    }
}
