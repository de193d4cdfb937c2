//! What a restart sees before each of its steps.
//!
//! A look leaves out what was given up, waits for a moment that tells, and bears with a daemon that is being restarted.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::assess::{Assessment, assess, children_of, is_leaving, resolve};
use super::look::LOOK_LIMIT;
use super::plan::{Cause, Plan, is_going, plan};
use super::progress::Step;
use super::restore::Fault;
use super::sequence::{End, Run};
use crate::vici::{ChildConfig, ChildSa, ChildState, ViciError, View};

/// How long a daemon that is being restarted may take until it knows its configuration again.
const DAEMON_LIMIT: Duration = Duration::from_secs(10);
/// From one look to the next while something is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// The daemon tells ages in whole seconds.
const ROUNDING: Duration = Duration::from_secs(1);

/// What a look says, leaving out the CHILD_SAs that were given up.
#[derive(Debug)]
pub(super) struct Sight {
    pub(super) view: View,
    pub(super) config: ChildConfig,
    pub(super) assessment: Assessment,
    pub(super) plan: Plan,
    /// A CHILD_SA of the tunnel waits for the peer's word that it is gone.
    pub(super) end_unanswered: bool,
}

impl Run<'_> {
    /// A look at a moment that tells.
    pub(super) async fn sight(&mut self) -> Result<Sight, End> {
        let began = Instant::now();
        loop {
            let mut sight = self.one_look().await?;
            if Instant::now() >= (began + sight.assessment.patience()).min(self.it.deadline) {
                sight.assessment = sight.assessment.settled();
                return Ok(sight);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// Looks until what is seen is `enough`, or until `until`.
    pub(super) async fn watch(&mut self, until: Instant, enough: impl Fn(&Assessment) -> bool) -> Result<Sight, End> {
        loop {
            let sight = self.one_look().await?;
            if enough(&sight.assessment) || Instant::now() >= until.min(self.it.deadline) {
                return Ok(sight);
            }
            sleep(LOOK_EVERY).await;
        }
    }

    /// One look; a daemon that is being restarted is waited for, until it answers and knows the tunnel again.
    async fn one_look(&mut self) -> Result<Sight, End> {
        let until = Instant::now() + DAEMON_LIMIT;
        let mut told = false;
        loop {
            let fault = match self.it.control.view(Instant::now() + LOOK_LIMIT).await {
                Ok(view) => match self.sight_of(view) {
                    Some(sight) => return Ok(sight),
                    None => Fault::NotConfigured,
                },
                Err(e @ (ViciError::Malformed { .. } | ViciError::Refused { .. })) => {
                    return Err(End::GiveUp(Fault::NoDaemon { why: e.to_string() }));
                }
                Err(e) => {
                    if !matches!(e, ViciError::TimedOut { .. }) {
                        self.begin_anew();
                    }
                    if !std::mem::replace(&mut told, true) {
                        self.tell(Step::DaemonAway { why: e.to_string() });
                    }
                    Fault::NoDaemon { why: e.to_string() }
                }
            };
            if Instant::now() >= until.min(self.it.deadline) {
                return Err(End::GiveUp(fault));
            }
            sleep(LOOK_EVERY).await;
        }
    }

    fn sight_of(&self, view: View) -> Option<Sight> {
        let config = resolve(&view, &self.it.plan.tunnel).ok()?.clone();
        let own = || children_of(&view, &config).map(|(_, child)| child);
        let given_up: BTreeSet<_> =
            own().filter(|child| self.is_given_up(child)).map(|child| child.unique_id).collect();
        let end_unanswered =
            own().any(|child| given_up.contains(&child.unique_id) && child.state == ChildState::Deleting);
        let cause = if given_up.is_empty() {
            Cause::Down { tried_in_vain: self.in_vain }
        } else {
            Cause::Silent(given_up.clone())
        };
        let plan = plan(&view, &config, &cause, &(self.it.stale)(&view));
        let assessment = assess(&without(&view, &config, &given_up, &self.it.plan.leaving), &self.it.plan.tunnel);
        Some(Sight { view, config, assessment, plan, end_unanswered })
    }

    /// Whether it is one that was given up, and not another with its number: numbers begin anew with the daemon.
    pub(super) fn is_given_up(&self, child: &ChildSa) -> bool {
        self.given_up.get(&child.unique_id).is_some_and(|when| {
            is_going(child) || child.installed.is_none_or(|installed| installed + ROUNDING >= when.elapsed())
        })
    }

    /// The daemon was restarted, or may have been: numbers of SAs mean nothing any more.
    pub(super) fn begin_anew(&mut self) {
        self.given_up.clear();
        self.in_vain = None;
        self.its_own_work = true;
    }
}

/// The view without what was given up: CHILD_SAs of a tunnel, and IKE_SAs that are still on their way out.
fn without(view: &View, config: &ChildConfig, given_up: &BTreeSet<u32>, leaving: &BTreeSet<u32>) -> View {
    let mut view = view.clone();
    view.installed.retain(|ike| !(ike.name == config.ike && leaving.contains(&ike.unique_id) && is_leaving(ike)));
    for ike in view.installed.iter_mut().filter(|ike| ike.name == config.ike) {
        ike.children.retain(|child| child.name != config.child || !given_up.contains(&child.unique_id));
    }
    view
}
