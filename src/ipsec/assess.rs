//! Is a tunnel up? Pure: from one [`View`] to an [`Assessment`].
//!
//! A view is a moment. Some moments say nothing: in the middle of a rekeying, and where two rekeyings collide, there
//! are only CHILD_SAs that are on their way out, and not one packet is lost. Such a moment is [`Assessment::Settling`],
//! and whoever asked looks again (`look::look` does) before it calls the tunnel down.

use std::fmt;
use std::time::Duration;

use crate::config::did_you_mean;
use crate::vici::{Action, ChildConfig, ChildRef, ChildSa, ChildState, IkeSa, IkeState, Traffic, View};

/// What a view says of one tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assessment {
    /// The daemon has no such configuration.
    NotConfigured {
        /// `did you mean …?`, where a configured name is near.
        hint: Option<String>,
    },
    /// Several connections have a child of this name, and which one is meant was not said (`ike_sa`).
    Ambiguous {
        /// Those connections.
        connections: Vec<String>,
    },
    /// It is up.
    Up(Up),
    /// This moment does not tell: look again.
    Settling(Settling),
    /// It is down, and the daemon is at work on it.
    Recovering(Recovering),
    /// There is an IKE_SA, and no usable CHILD_SA.
    NotInstalled(NotInstalled),
    /// There is nothing at all.
    Missing,
}

/// A tunnel that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Up {
    /// Its newest live CHILD_SA.
    pub child: ChildSa,
    /// The IKE_SA which that one belongs to.
    pub ike_id: u32,
    /// CHILD_SAs that are installed beside it without being its predecessors: reported, no fault.
    pub duplicates: usize,
    /// What came in through all CHILD_SAs of the tunnel that are still listed; `idle` is since the last packet of any.
    pub inbound: Traffic,
    /// What went out, likewise.
    pub outbound: Traffic,
    /// A successor is under way or has just come.
    pub rekeying: bool,
}

/// A moment that does not tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settling {
    /// Why it does not.
    pub what: Moving,
    /// What it means when it lasts.
    pub otherwise: Box<Assessment>,
}

impl Settling {
    /// How long it may last. A rekeying settles within a few round trips. A CHILD_SA that is gone for the peer stays
    /// listed for 5 s (`delete_rekeyed_delay`), but its successor was there before it went: of such ones alone there is
    /// little to expect.
    pub fn patience(&self) -> Duration {
        let is_gone = |state: &ChildState| matches!(state, ChildState::Deleted | ChildState::Destroying);
        match &self.what {
            Moving::Children(states) if states.iter().all(is_gone) => Duration::from_millis(500),
            Moving::Children(_) | Moving::IkeSas => Duration::from_secs(2),
        }
    }
}

/// What is on the move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moving {
    /// Its CHILD_SAs: they have or had a successor, or get new addresses.
    Children(Vec<ChildState>),
    /// Every IKE_SA that there is: the next may be under way (reauthentication).
    IkeSas,
}

/// What the daemon is doing about a tunnel that is down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recovering {
    /// An IKE_SA of its connection is on its way.
    Connecting {
        /// That IKE_SA.
        ike_id: u32,
    },
    /// An IKE_SA of its connection has something to do that may bring it up.
    Task {
        /// That IKE_SA.
        ike_id: u32,
        /// What it has to do, as the daemon calls it.
        task: String,
    },
    /// Its CHILD_SA is on its way.
    Child {
        /// The IKE_SA.
        ike_id: u32,
        /// How far it is.
        state: ChildState,
    },
}

impl Recovering {
    /// The IKE_SA that is at work.
    pub const fn ike_id(&self) -> u32 {
        match self {
            Self::Connecting { ike_id } | Self::Task { ike_id, .. } | Self::Child { ike_id, .. } => *ike_id,
        }
    }
}

/// Why there is no usable CHILD_SA where there is an IKE_SA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotInstalled {
    /// The IKE_SA is up and has no such child.
    NoChild,
    /// There is a trap, which waits for a packet. A trap is not a tunnel, and a wait is no recovery.
    Routed,
    /// What there is has been on its way out for longer than a rekeying takes.
    Leaving(Vec<ChildState>),
}

/// What the view says of `target`.
///
/// Up is a tunnel with a CHILD_SA that is `INSTALLED` or `REKEYING` in an IKE_SA that is not on its way out, whatever
/// else there is of it. A `REKEYED` one is up by its successor, which is one of those. A trap (`ROUTED`) counts as
/// nothing: it carries no packet.
pub fn assess(view: &View, target: &ChildRef) -> Assessment {
    let config = match resolve(view, target) {
        Ok(config) => config,
        Err(unresolved) => return unresolved.into(),
    };
    let children: Vec<_> = children_of(view, config).collect();
    if let Some(up) = up(&children) {
        return Assessment::Up(up);
    }
    let down = match at_work(view, config, &children) {
        Some(work) => Assessment::Recovering(work),
        None => down(view, config, &children),
    };
    match moving(view, config, &children) {
        Some(what) => Assessment::Settling(Settling { what, otherwise: Box::new(down) }),
        None => down,
    }
}

/// Why a name means no configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unresolved {
    /// The daemon has no such configuration.
    NotConfigured {
        /// What may have been meant.
        hint: Option<String>,
    },
    /// Several have this name.
    Ambiguous {
        /// Their connections.
        connections: Vec<String>,
    },
}

impl From<Unresolved> for Assessment {
    fn from(unresolved: Unresolved) -> Self {
        match unresolved {
            Unresolved::NotConfigured { hint } => Self::NotConfigured { hint },
            Unresolved::Ambiguous { connections } => Self::Ambiguous { connections },
        }
    }
}

/// The configuration that `target` means.
pub fn resolve<'v>(view: &'v View, target: &ChildRef) -> Result<&'v ChildConfig, Unresolved> {
    let of_name = || view.configured.iter().filter(|config| config.child == target.child);
    let meant: Vec<_> = of_name().filter(|config| target.ike.as_ref().is_none_or(|ike| *ike == config.ike)).collect();
    match meant.as_slice() {
        [] => Err(Unresolved::NotConfigured { hint: hint(view, target) }),
        [config] => Ok(config),
        [first, rest @ ..] if rest.iter().all(|other| other.ike == first.ike) => Ok(first),
        many => {
            let mut connections: Vec<_> = many.iter().map(|config| config.ike.clone()).collect();
            connections.sort();
            connections.dedup();
            Err(Unresolved::Ambiguous { connections })
        }
    }
}

/// The child of this name in another connection, else the nearest name.
fn hint(view: &View, target: &ChildRef) -> Option<String> {
    let elsewhere = view.configured.iter().find(|config| config.child == target.child);
    match elsewhere {
        Some(config) => Some(format!("it is a child of the connection `{}`", config.ike)),
        None => did_you_mean(&target.child, view.configured.iter().map(|config| config.child.as_str())),
    }
}

/// The CHILD_SAs of a configuration, with their IKE_SAs.
pub(super) fn children_of<'v>(
    view: &'v View,
    config: &'v ChildConfig,
) -> impl Iterator<Item = (&'v IkeSa, &'v ChildSa)> {
    let ikes = view.installed.iter().filter(|ike| ike.name == config.ike);
    ikes.flat_map(|ike| ike.children.iter().map(move |child| (ike, child)))
        .filter(|(_, child)| child.name == config.child)
}

/// Whether a CHILD_SA carries traffic and is meant to go on doing so.
pub(super) fn is_live(ike: &IkeSa, child: &ChildSa) -> bool {
    !is_leaving(ike) && matches!(child.state, ChildState::Installed | ChildState::Rekeying)
}

/// Whether an IKE_SA is on its way out: the daemon initiates nothing on it any more.
pub(super) fn is_leaving(ike: &IkeSa) -> bool {
    matches!(ike.state, IkeState::Deleting | IkeState::Destroying)
}

fn up(children: &[(&IkeSa, &ChildSa)]) -> Option<Up> {
    let live = || children.iter().filter(|(ike, child)| is_live(ike, child));
    let (ike, newest) = live().max_by_key(|(_, child)| child.unique_id)?;
    let installed = live().filter(|(_, child)| child.state == ChildState::Installed).count();
    let with_successor = live().count() - installed;
    // Each one in REKEYING is the predecessor of one INSTALLED, or will be.
    let duplicates = if installed > 0 { installed } else { with_successor }.saturating_sub(1);
    Some(Up {
        child: (*newest).clone(),
        ike_id: ike.unique_id,
        duplicates,
        inbound: sum(children.iter().map(|(_, child)| child.inbound)),
        outbound: sum(children.iter().map(|(_, child)| child.outbound)),
        rekeying: children.iter().any(|(_, child)| matches!(child.state, ChildState::Rekeying | ChildState::Rekeyed)),
    })
}

fn sum(parts: impl Iterator<Item = Traffic>) -> Traffic {
    parts.fold(Traffic::default(), |sum, part| Traffic {
        bytes: sum.bytes.saturating_add(part.bytes),
        packets: sum.packets.saturating_add(part.packets),
        idle: sum.idle.into_iter().chain(part.idle).min(),
    })
}

/// Tasks that may end in a CHILD_SA where there is none (`task_type_t` of strongSwan, both versions of IKE). Which child a
/// `CHILD_CREATE` is for is not told: on an IKE_SA that several tunnels share it may be another's, and costs this one
/// no more than the grace.
const TASKS_THAT_BRING_IT: &[&str] = &[
    "IKE_INIT",
    "IKE_AUTH",
    "IKE_REAUTH",
    "IKE_REAUTH_COMPLETE",
    "IKE_ESTABLISH",
    "CHILD_CREATE",
    "MAIN_MODE",
    "AGGRESSIVE_MODE",
    "QUICK_MODE",
    "XAUTH",
    "MODE_CONFIG",
    "ISAKMP_CERT_PRE",
    "ISAKMP_CERT_POST",
];

fn at_work(view: &View, config: &ChildConfig, children: &[(&IkeSa, &ChildSa)]) -> Option<Recovering> {
    let on_its_way = children
        .iter()
        .filter(|(ike, _)| !is_leaving(ike))
        .find(|(_, child)| matches!(child.state, ChildState::Created | ChildState::Installing | ChildState::Retrying));
    if let Some((ike, child)) = on_its_way {
        return Some(Recovering::Child { ike_id: ike.unique_id, state: child.state });
    }
    let ikes = || view.installed.iter().filter(|ike| ike.name == config.ike && !is_leaving(ike));
    let connecting = ikes().find(|ike| matches!(ike.state, IkeState::Created | IkeState::Connecting));
    if let Some(ike) = connecting {
        return Some(Recovering::Connecting { ike_id: ike.unique_id });
    }
    ikes().find_map(|ike| {
        let task = ike.tasks.iter().find(|task| TASKS_THAT_BRING_IT.contains(&task.as_str()))?;
        Some(Recovering::Task { ike_id: ike.unique_id, task: task.clone() })
    })
}

/// What makes this a moment that does not tell: states through which a rekeying, a reauthentication or a change of
/// addresses goes without losing a packet.
fn moving(view: &View, config: &ChildConfig, children: &[(&IkeSa, &ChildSa)]) -> Option<Moving> {
    let going = |ike: &IkeSa, child: &ChildSa| match child.state {
        ChildState::Updating
        | ChildState::Rekeyed
        | ChildState::Deleting
        | ChildState::Deleted
        | ChildState::Destroying
        | ChildState::Unknown => true,
        // Not live, or we would not be here: so its IKE_SA is leaving.
        ChildState::Installed | ChildState::Rekeying => is_leaving(ike),
        ChildState::Created | ChildState::Routed | ChildState::Installing | ChildState::Retrying => false,
    };
    let states: Vec<_> =
        children.iter().filter(|(ike, child)| going(ike, child)).map(|(_, child)| child.state).collect();
    if !states.is_empty() {
        return Some(Moving::Children(states));
    }
    let mut ikes = view.installed.iter().filter(|ike| ike.name == config.ike).peekable();
    (ikes.peek().is_some() && ikes.all(is_leaving)).then_some(Moving::IkeSas)
}

fn down(view: &View, config: &ChildConfig, children: &[(&IkeSa, &ChildSa)]) -> Assessment {
    let mut ikes = view.installed.iter().filter(|ike| ike.name == config.ike);
    let routed = |(_, child): &(&IkeSa, &ChildSa)| child.state == ChildState::Routed;
    if !children.is_empty() && children.iter().all(routed) {
        Assessment::NotInstalled(NotInstalled::Routed)
    } else if !children.is_empty() {
        Assessment::NotInstalled(NotInstalled::Leaving(children.iter().map(|(_, child)| child.state).collect()))
    } else if ikes.any(|ike| !is_leaving(ike)) {
        Assessment::NotInstalled(NotInstalled::NoChild)
    } else {
        Assessment::Missing
    }
}

impl Assessment {
    /// Whether it is up.
    pub const fn is_up(&self) -> bool {
        matches!(self, Self::Up(_))
    }

    /// How long to look again for: nothing where the moment tells.
    pub fn patience(&self) -> Duration {
        match self {
            Self::Settling(settling) => settling.patience(),
            _ => Duration::ZERO,
        }
    }

    /// What a moment that does not tell means when it lasts; what does tell stays.
    #[must_use]
    pub fn settled(self) -> Self {
        match self {
            Self::Settling(settling) => *settling.otherwise,
            other => other,
        }
    }
}

/// Whether the daemon would make this tunnel anew by itself, at once, when its peer dies or closes it.
pub fn restarts_itself(config: &ChildConfig) -> bool {
    config.dpd_action == Action::Start || config.close_action == Action::Start
}

/// After "tunnel `x` ".
impl fmt::Display for Assessment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConfigured { hint: Some(hint) } => write!(f, "is not configured in strongSwan ({hint})"),
            Self::NotConfigured { hint: None } => write!(f, "is not configured in strongSwan"),
            Self::Ambiguous { connections } => {
                write!(f, "is configured in several connections ({}): name one as `ike_sa`", connections.join(", "))
            }
            Self::Up(up) => write!(f, "is up{up}"),
            Self::Settling(Settling { what: Moving::Children(states), .. }) => {
                write!(f, "is on the move: its CHILD_SAs are {}", states_in_words(states))
            }
            Self::Settling(Settling { what: Moving::IkeSas, .. }) => {
                write!(f, "is on the move: its IKE_SA is being deleted")
            }
            Self::Recovering(work) => write!(f, "is down, and strongSwan is at work on it: {work}"),
            Self::NotInstalled(NotInstalled::NoChild) => {
                write!(f, "is down: its IKE_SA is up and has no such CHILD_SA")
            }
            Self::NotInstalled(NotInstalled::Routed) => write!(f, "is down: only its trap is installed"),
            Self::NotInstalled(NotInstalled::Leaving(states)) => {
                write!(f, "is down: its CHILD_SAs are {} and nothing follows", states_in_words(states))
            }
            Self::Missing => write!(f, "is down: no SA of its connection is there"),
        }
    }
}

/// After "is up": what is unusual about it.
impl fmt::Display for Up {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rekeying {
            write!(f, ", rekeying")?;
        }
        match self.duplicates {
            0 => Ok(()),
            1 => write!(f, ", with one CHILD_SA too many"),
            many => write!(f, ", with {many} CHILD_SAs too many"),
        }
    }
}

impl fmt::Display for Recovering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connecting { ike_id } => write!(f, "IKE_SA #{ike_id} is CONNECTING"),
            Self::Task { ike_id, task } => write!(f, "IKE_SA #{ike_id} has {task} to do"),
            Self::Child { ike_id, state } => write!(f, "its CHILD_SA in IKE_SA #{ike_id} is {}", in_words(*state)),
        }
    }
}

fn states_in_words(states: &[ChildState]) -> String {
    let mut words: Vec<_> = states.iter().map(|state| in_words(*state)).collect();
    words.dedup();
    words.join(", ")
}

/// The state as strongSwan's own tools print it.
pub(super) const fn in_words(state: ChildState) -> &'static str {
    match state {
        ChildState::Created => "CREATED",
        ChildState::Routed => "ROUTED",
        ChildState::Installing => "INSTALLING",
        ChildState::Installed => "INSTALLED",
        ChildState::Updating => "UPDATING",
        ChildState::Rekeying => "REKEYING",
        ChildState::Rekeyed => "REKEYED",
        ChildState::Retrying => "RETRYING",
        ChildState::Deleting => "DELETING",
        ChildState::Deleted => "DELETED",
        ChildState::Destroying => "DESTROYING",
        ChildState::Unknown => "of an unknown state",
    }
}

#[cfg(test)]
#[path = "assess_tests.rs"]
mod tests;
