//! Settles what an earlier cycle left, by its journal.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::journal::boot_id;
use super::{Journal, Mode, ResolvConf, Tidy, TidyReport};
use crate::net::NetContext;
use crate::process::{Claim, Endurance, Tree};

/// Removes what the journal's cycle left.
///
/// After a reboot its processes, interfaces and routes are gone and the ids in the journal mean others: then only the
/// `restore_command` runs, since the file may have survived with the client's content.
pub async fn settle(
    journal: &Journal,
    net: &Arc<dyn NetContext>,
    resolv_conf: &ResolvConf,
    endurance: Endurance,
    hurry: &CancellationToken,
    mode: Mode,
) -> TidyReport {
    if journal.boot_id != boot_id() {
        let mut report = TidyReport::default();
        if mode == Mode::Repair && !resolv_conf.is(journal.baseline.resolv_conf.as_deref()) {
            report.done.extend(resolv_conf.refresh().await);
        }
        return report;
    }
    let mut tree = Tree::new(journal.claim(), Arc::clone(net));
    let tidy = Tidy {
        net,
        baseline: Some(&journal.baseline),
        interface: journal.interface.as_deref(),
        resolv_conf,
        endurance,
        hurry,
        mode,
    };
    tidy.run(&mut tree).await
}

impl Journal {
    /// What makes a process this cycle's.
    pub fn claim(&self) -> Claim {
        Claim {
            mark: Some(self.cycle.id.to_string()),
            leader: self.leader,
            known: BTreeSet::new(),
            subreaper: std::process::id().try_into().ok(),
            adopt: self.adopt.clone(),
        }
    }
}
