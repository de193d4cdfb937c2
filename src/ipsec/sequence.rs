//! The steps of a restart; what they see is in `sight`.
//!
//! Before each step it looks again, because strongSwan or the peer may have done it meanwhile: what is up is not
//! initiated, or there would be two of it. What may be touched is worked out anew from each look, never from an earlier
//! one. An attempt goes like this:
//!
//! 1. strongSwan is at work by itself, other than before the decision: wait for it.
//! 2. A CHILD_SA is up that was not given up: ask the inside, and that is all.
//! 3. Take down the IKE_SAs on which strongSwan tried in vain, then the CHILD_SAs that carry nothing.
//! 4. If the peer answered that: initiate. Where nothing lives on the IKE_SA, which may be dead, the limit is short.
//! 5. If that failed, or the new CHILD_SA is silent, and nothing lives on the IKE_SA: take it down, initiate again.
//!
//! MIPsec waits a second between down and up. Here nothing is waited for: `terminate` returns when the daemon says that
//! the SA is down. Only where the peer may make the tunnel anew by itself there is a moment's wait, or both sides would.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::assess::{Assessment, Recovering, Up, assess, children_of, is_live};
use super::plan::Cause;
use super::progress::{Flow, Step};
use super::restore::{By, Failed, Fault, Restore, Restored};
use super::sight::Sight;
use crate::vici::{Action, ChildConfig, ChildRef, SaId, ViciError};

/// For the end of a CHILD_SA: one round trip, which even by satellite takes less.
const CHILD_LIMIT: Duration = Duration::from_millis(700);
/// For the end of an IKE_SA on which nothing lives: the daemon does not wait for the peer.
const IKE_LIMIT: Duration = Duration::from_secs(1);
/// For a CHILD_SA on an IKE_SA that may be dead: one round trip with its Diffie-Hellman.
const SHORT_LIMIT: Duration = Duration::from_millis(700);
/// For a CHILD_SA with its IKE_SA: strongSwan sends again after 4 s and 7.2 s more, so two lost packets are survived.
const LONG_LIMIT: Duration = Duration::from_secs(12);
/// How much longer than its limit a request may take until it is given up from here.
const SLACK: Duration = Duration::from_secs(2);
/// How long a peer that makes closed tunnels anew (`close_action`, taken to be the same on both sides) is let go first.
const PEER_FIRST: Duration = Duration::from_millis(300);
/// How long it is looked whether what was initiated is there although it was called a failure, or the other way round.
const AFTERMATH: Duration = Duration::from_millis(100);

/// How an attempt ended without success.
#[derive(Debug)]
pub(super) enum End {
    /// Another may help.
    TryAgain(String),
    /// The new CHILD_SA carries nothing.
    Silent,
    /// strongSwan went away in the middle.
    DaemonLost(String),
    /// Another won't help.
    GiveUp(Fault),
}

/// How much was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Done {
    /// Nothing was touched.
    Nothing,
    /// Something was terminated or initiated.
    Something,
    /// An IKE_SA that was up was taken down.
    IkeSaToo,
}

/// A restart under way.
#[derive(Debug)]
pub(super) struct Run<'a> {
    pub(super) it: &'a Restore<'a>,
    began: Instant,
    /// CHILD_SAs of the tunnel that are given up, and when they were there.
    pub(super) given_up: BTreeMap<u32, Instant>,
    /// IKE_SA on which strongSwan tried in vain.
    pub(super) in_vain: Option<u32>,
    /// What strongSwan is at work on is its own, not what an attempt of ours left behind.
    pub(super) its_own_work: bool,
    /// What was done so far.
    done: Done,
    /// The inside was asked.
    pub(super) asked: bool,
    attempts: u32,
    /// Tunnels that lost their CHILD_SA with an IKE_SA.
    companions: BTreeSet<ChildRef>,
}

impl<'a> Run<'a> {
    pub(super) fn new(it: &'a Restore<'a>) -> Self {
        let began = Instant::now();
        let in_vain = match it.plan.cause {
            Cause::Down { tried_in_vain } => tried_in_vain,
            Cause::Silent(_) => None,
        };
        Self {
            it,
            began,
            given_up: it.plan.given_up.iter().map(|id| (*id, began)).collect(),
            in_vain,
            its_own_work: in_vain.is_none(),
            done: Done::Nothing,
            asked: false,
            attempts: 0,
            companions: BTreeSet::new(),
        }
    }

    pub(super) async fn attempts(&mut self) -> Result<Restored, Failed> {
        let most = self.it.policy.max_retries.max(1);
        let mut delay = self.it.policy.retry_delay;
        // That the daemon goes away once is no failed attempt.
        let mut daemon_may_go = true;
        loop {
            self.attempts += 1;
            let why = match self.attempt().await {
                Ok(up) => return Ok(self.restored(up)),
                Err(End::GiveUp(why)) => return Err(self.failed(why)),
                Err(End::Silent) => return Err(self.failed(Fault::StillSilent)),
                Err(End::DaemonLost(why)) => {
                    self.begin_anew();
                    self.tell(Step::DaemonAway { why: why.clone() });
                    if std::mem::take(&mut daemon_may_go) {
                        self.attempts -= 1;
                        continue;
                    }
                    why
                }
                Err(End::TryAgain(why)) => why,
            };
            if self.attempts >= most {
                return Err(self.failed(Fault::NotEstablished { why }));
            }
            if Instant::now() + delay >= self.it.deadline {
                return Err(self.failed(Fault::OutOfTime));
            }
            self.tell(Step::Retrying { tunnel: self.tunnel(), attempt: self.attempts + 1, of: most, after: delay });
            if let Err(End::GiveUp(why)) = self.watch(Instant::now() + delay, Assessment::is_up).await {
                return Err(self.failed(why));
            }
            delay = delay.saturating_mul(2);
        }
    }

    async fn attempt(&mut self) -> Result<Up, End> {
        let mut sight = self.sight().await?;
        if let Assessment::Recovering(work) = sight.assessment.clone() {
            sight = self.left_to_strongswan(sight, work).await?;
        }
        if let Assessment::Up(up) = &sight.assessment {
            return self.verified(up).await;
        }
        let answers = self.take_down(&sight).await?;
        let sight = self.sight_after_end(&sight.config).await?;
        if let Assessment::Up(up) = &sight.assessment {
            return self.verified(up).await;
        }
        let end = if answers {
            let limit = if sight.plan.ike_then.is_empty() { LONG_LIMIT } else { SHORT_LIMIT };
            match self.initiate(limit).await {
                Err(end @ (End::TryAgain(_) | End::Silent)) => end,
                other => return other,
            }
        } else {
            End::TryAgain("the peer does not answer".to_owned())
        };
        self.without_its_ike_sa(answers, end).await
    }

    /// Waits while strongSwan is at work by itself, unless it was so for too long already.
    async fn left_to_strongswan(&mut self, sight: Sight, work: Recovering) -> Result<Sight, End> {
        if !self.its_own_work {
            let shared = sight.plan.protected.iter().find(|(id, _)| *id == work.ike_id());
            return match shared {
                // What is initiated would wait behind that, and be one CHILD_SA too many if the peer ever answers.
                Some((_, living)) => Err(End::GiveUp(Fault::SharedIkeSaSilent { living: living.clone() })),
                None => Ok(sight),
            };
        }
        self.tell(Step::LeftToStrongSwan { tunnel: self.tunnel(), work });
        let until = Instant::now() + LONG_LIMIT;
        let seen = self.watch(until, |assessment| !matches!(assessment, Assessment::Recovering(_))).await?;
        match &seen.assessment {
            Assessment::Up(_) => Ok(seen),
            Assessment::Recovering(work) => {
                self.in_vain = Some(work.ike_id());
                self.sight().await
            }
            _ => self.sight().await,
        }
    }

    /// Takes down what the plan names. Tells whether the peer answers, as far as that was seen.
    async fn take_down(&mut self, sight: &Sight) -> Result<bool, End> {
        self.take_down_ike_sas(sight, &sight.plan.ike_first).await?;
        // Where there is an end to ask for now, its answer tells; else that of an earlier one.
        let mut answers = !(sight.plan.children.is_empty() && sight.end_unanswered);
        for id in &sight.plan.children {
            answers &= self.terminate(SaId::Child(*id), CHILD_LIMIT).await?;
        }
        Ok(answers)
    }

    async fn take_down_ike_sas(&mut self, sight: &Sight, ids: &BTreeSet<u32>) -> Result<(), End> {
        for id in ids {
            self.companions.extend(sight.plan.with_it.iter().cloned());
            // It is gone whether or not the peer says a word.
            self.terminate(SaId::Ike(*id), IKE_LIMIT).await?;
        }
        Ok(())
    }

    /// The look after the end of the CHILD_SAs. A peer that makes closed tunnels anew is let go first.
    async fn sight_after_end(&mut self, config: &ChildConfig) -> Result<Sight, End> {
        if self.has_acted() && config.close_action == Action::Start {
            self.watch(Instant::now() + PEER_FIRST, Assessment::is_up).await
        } else {
            self.sight().await
        }
    }

    /// The last resort of an attempt: the IKE_SA too, where nothing lives on it.
    async fn without_its_ike_sa(&mut self, answers: bool, end: End) -> Result<Up, End> {
        let sight = self.sight().await?;
        if let Assessment::Up(up) = &sight.assessment {
            // It came after we had turned away.
            return self.verified(up).await;
        }
        // A peer that answers, and refuses, does so on the next IKE_SA too: one new one is enough.
        if sight.plan.ike_then.is_empty() || self.done == Done::IkeSaToo && answers {
            return match sight.plan.protected.first() {
                Some((_, living)) if !answers => Err(End::GiveUp(Fault::SharedIkeSaSilent { living: living.clone() })),
                // Nothing that could be dead is there any more.
                None if !answers => self.initiate(LONG_LIMIT).await,
                _ => Err(end),
            };
        }
        self.take_down_ike_sas(&sight, &sight.plan.ike_then).await?;
        self.done = Done::IkeSaToo;
        self.initiate(LONG_LIMIT).await
    }

    /// Initiates, looks, and asks the inside.
    async fn initiate(&mut self, limit: Duration) -> Result<Up, End> {
        let tunnel = self.tunnel();
        let of = self.it.policy.max_retries.max(1);
        self.tell(Step::Initiating { tunnel: tunnel.clone(), attempt: self.attempts, of });
        let limit = self.within_deadline(limit)?;
        self.done = self.done.max(Done::Something);
        self.its_own_work = false;
        let began = Instant::now();
        let said = match timeout(limit + SLACK, self.it.control.initiate(&tunnel, limit)).await {
            Ok(Ok(())) => None,
            Ok(Err(e)) => Some(lost_or_words(&e)?),
            Err(_) => Some("strongSwan does not answer".to_owned()),
        };
        let seen = self.aftermath(began + limit).await?;
        if let Assessment::Up(up) = &seen.assessment {
            return self.verified(up).await;
        }
        let why = said.unwrap_or_else(|| "strongSwan called it established, and it is not there".to_owned());
        self.tell(Step::NotInitiated { tunnel, why: why.clone() });
        Err(End::TryAgain(why))
    }

    /// The look after `initiate`, whatever that said: strongSwan may have taken another's word for the answer, or have
    /// given up an IKE_SA and made it anew. While it is at work on it, it has until `until`.
    async fn aftermath(&mut self, until: Instant) -> Result<Sight, End> {
        let soon = Instant::now() + AFTERMATH;
        let is_over = |assessment: &Assessment| {
            assessment.is_up() || Instant::now() >= soon && !matches!(assessment, Assessment::Recovering(_))
        };
        self.watch(until.max(soon), is_over).await
    }

    /// Takes an SA down; `false` when it did not go.
    async fn terminate(&mut self, sa: SaId, limit: Duration) -> Result<bool, End> {
        self.tell(Step::Terminating { tunnel: self.tunnel(), sa });
        let limit = self.within_deadline(limit)?;
        self.done = self.done.max(Done::Something);
        let why = match timeout(limit + SLACK, self.it.control.terminate(sa, limit)).await {
            Ok(Ok(_)) => return Ok(true),
            Ok(Err(e)) => lost_or_words(&e)?,
            Err(_) => "strongSwan does not answer".to_owned(),
        };
        self.tell(Step::NotTerminated { sa, why });
        Ok(false)
    }

    /// Asks the inside through a CHILD_SA that is up.
    async fn verified(&mut self, up: &Up) -> Result<Up, End> {
        self.tell(Step::SaUp { tunnel: self.tunnel() });
        match self.it.probe.ask().await {
            Flow::NotAsked => Ok(up.clone()),
            Flow::Answered => {
                self.asked = true;
                Ok(up.clone())
            }
            Flow::Silent => {
                self.tell(Step::StillSilent { tunnel: self.tunnel() });
                self.give_up_live_ones().await?;
                // What strongSwan or the peer made by itself is for the next decision to judge.
                Err(if self.has_acted() { End::Silent } else { End::GiveUp(Fault::StillSilent) })
            }
        }
    }

    async fn give_up_live_ones(&mut self) -> Result<(), End> {
        let sight = self.sight().await?;
        let live = children_of(&sight.view, &sight.config).filter(|(ike, child)| is_live(ike, child));
        self.given_up.extend(live.map(|(_, child)| (child.unique_id, Instant::now())));
        Ok(())
    }

    /// Brings up the tunnels that lost a CHILD_SA, which carried nothing, with an IKE_SA.
    pub(super) async fn initiate_companions(&mut self) {
        for tunnel in std::mem::take(&mut self.companions) {
            let (Ok(sight), Ok(limit)) = (self.sight().await, self.within_deadline(LONG_LIMIT)) else { return };
            match assess(&sight.view, &tunnel).settled() {
                Assessment::NotInstalled(_) | Assessment::Missing => {}
                _ => continue,
            }
            self.tell(Step::Initiating { tunnel: tunnel.clone(), attempt: 1, of: 1 });
            let why = match timeout(limit + SLACK, self.it.control.initiate(&tunnel, limit)).await {
                Ok(Ok(())) => continue,
                Ok(Err(e)) => e.to_string(),
                Err(_) => "strongSwan does not answer".to_owned(),
            };
            self.tell(Step::NotInitiated { tunnel, why });
        }
    }

    fn within_deadline(&self, limit: Duration) -> Result<Duration, End> {
        let left = self.it.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(End::GiveUp(Fault::OutOfTime)) } else { Ok(limit.min(left)) }
    }

    fn has_acted(&self) -> bool {
        self.done > Done::Nothing
    }

    fn restored(&self, up: Up) -> Restored {
        let by = if self.has_acted() { By::Us } else { By::Itself };
        Restored { after: self.began.elapsed(), attempts: self.attempts, by, up }
    }

    fn failed(&self, why: Fault) -> Failed {
        Failed { why, attempts: if self.has_acted() { self.attempts } else { 0 } }
    }

    fn tunnel(&self) -> ChildRef {
        self.it.plan.tunnel.clone()
    }

    #[expect(clippy::needless_pass_by_value, reason = "a step is made to be told")]
    pub(super) fn tell(&self, step: Step) {
        self.it.observer.step(&step);
    }
}

/// What strongSwan said, where it is still there to say anything.
fn lost_or_words(error: &ViciError) -> Result<String, End> {
    match error {
        ViciError::ConnectionLost { .. } | ViciError::Unreachable { .. } => Err(End::DaemonLost(error.to_string())),
        ViciError::Refused { message, .. } => Ok(message.clone()),
        ViciError::TimedOut { .. } | ViciError::Malformed { .. } => Ok(error.to_string()),
    }
}

#[cfg(test)]
#[path = "sequence_tests.rs"]
mod tests;
