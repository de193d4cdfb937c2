//! Stage `cleanup`: nothing of the client remains, against what stood there before the login.

use std::sync::Arc;

use super::{StageEnd, VpnCycle};
use crate::cleanup::{KnownGood, Mode, Tidy, Witness};
use crate::process::{Claim, Tree};

/// Runs the stage.
pub(super) async fn run(cx: &mut VpnCycle<'_>) -> StageEnd {
    let around = cx.around;
    let while_up = cx.known_good.as_ref().and_then(KnownGood::while_up);
    let tidy = Tidy {
        witness: Witness { while_up, left: None },
        ..around.tidy(cx.baseline.as_ref(), cx.vpn.client.interface.as_deref(), Mode::Repair)
    };
    let mut fallback = Tree::new(Claim::default(), Arc::clone(&around.net));
    let tree = cx.client.as_mut().map_or(&mut fallback, |c| &mut c.tree);
    let report = tidy.run(tree).await;
    // What `teardown` reported may be gone by now: what remains is said here.
    cx.leftovers = report.leftovers();
    if let Some(journal) = &mut cx.journal {
        journal.resolv_conf_left.clone_from(&report.resolv_conf_left);
    }
    match report.left.first() {
        Some((kind, _)) => StageEnd::left(*kind, report.left_in_words()),
        None if report.done.is_empty() => StageEnd::passed(),
        None => StageEnd::passed_with(report.done.join("; ")),
    }
}
