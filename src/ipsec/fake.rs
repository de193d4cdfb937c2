//! For tests: views that are easily written, and a daemon that behaves as strongSwan does, in paused time.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::progress::{Flow, Probe};
use crate::net::BoxFuture;
use crate::vici::{
    Action, ChildConfig, ChildRef, ChildSa, ChildState, Ended, IkeControl, IkeSa, IkeState, SaId, Traffic, ViciError,
    View,
};

/// A tunnel with a peer, about which the daemon does nothing by itself.
pub(crate) fn config(ike: &str, child: &str) -> ChildConfig {
    ChildConfig {
        ike: ike.to_owned(),
        child: child.to_owned(),
        remote_addrs: vec!["192.0.2.1".to_owned()],
        dpd_action: Action::Nothing,
        close_action: Action::Nothing,
    }
}

/// An IKE_SA that is up and a minute old.
pub(crate) fn ike(name: &str, id: u32, children: Vec<ChildSa>) -> IkeSa {
    IkeSa {
        name: name.to_owned(),
        unique_id: id,
        state: IkeState::Established,
        remote_host: Some("192.0.2.1".to_owned()),
        established: Some(Duration::from_mins(1)),
        tasks: Vec::new(),
        children,
    }
}

pub(crate) fn ike_in(state: IkeState, mut ike: IkeSa) -> IkeSa {
    ike.state = state;
    ike
}

pub(crate) fn busy(task: &str, mut ike: IkeSa) -> IkeSa {
    ike.tasks.push(task.to_owned());
    ike
}

/// A CHILD_SA that is a minute old.
pub(crate) fn child_in(state: ChildState, name: &str, id: u32) -> ChildSa {
    let traffic = Traffic { bytes: 840, packets: 10, idle: Some(Duration::from_secs(50)) };
    ChildSa {
        name: name.to_owned(),
        unique_id: id,
        state,
        installed: Some(Duration::from_mins(1)),
        inbound: traffic,
        outbound: traffic,
    }
}

pub(crate) fn child(name: &str, id: u32) -> ChildSa {
    child_in(ChildState::Installed, name, id)
}

pub(crate) fn target(child: &str) -> ChildRef {
    ChildRef { ike: None, child: child.to_owned() }
}

/// Round trip to the peer.
pub(crate) const RTT: Duration = Duration::from_millis(20);
/// How long a probe asks until it is sure that nobody answers.
const PROBE_LIMIT: Duration = Duration::from_secs(1);

/// What the peer is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    /// As it should be.
    Answers,
    /// Not there.
    Gone,
    /// Answers, and refuses who it thinks we are.
    RefusesUs,
    /// Answers, and refuses the CHILD_SA.
    RefusesTheChild,
}

type Change = Box<dyn FnOnce(&mut World) + Send>;

/// What the daemon knows, and what lies beyond it.
pub(crate) struct World {
    pub(crate) view: View,
    pub(crate) peer: Peer,
    /// IKE_SAs that the peer has lost.
    pub(crate) dead: BTreeSet<u32>,
    /// CHILD_SAs that carry nothing.
    pub(crate) black: BTreeSet<u32>,
    /// Nothing inside answers, whatever carries packets there.
    pub(crate) inside_dead: bool,
    victims: Vec<String>,
    /// The daemon dies at the next `initiate` or `terminate`, and is back after so long.
    pub(crate) dies_for: Option<Duration>,
    away_until: Option<Instant>,
    next_id: u32,
    diary: Vec<String>,
    later: Vec<(Instant, Change)>,
    /// When each CHILD_SA that this daemon made was installed.
    born: Vec<(u32, Instant)>,
}

/// The daemon.
pub(crate) struct FakeDaemon(Mutex<World>);

impl fmt::Debug for FakeDaemon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeDaemon")
    }
}

impl FakeDaemon {
    pub(crate) fn new(configured: Vec<ChildConfig>, installed: Vec<IkeSa>) -> Self {
        Self(Mutex::new(World {
            view: View { configured, installed },
            peer: Peer::Answers,
            dead: BTreeSet::new(),
            black: BTreeSet::new(),
            inside_dead: false,
            victims: Vec::new(),
            dies_for: None,
            away_until: None,
            next_id: 100,
            diary: Vec::new(),
            later: Vec::new(),
            born: Vec::new(),
        }))
    }

    pub(crate) fn with(self, change: impl FnOnce(&mut World)) -> Self {
        change(&mut self.world());
        self
    }

    /// Something that happens by itself.
    pub(crate) fn after(self, when: Duration, change: impl FnOnce(&mut World) + Send + 'static) -> Self {
        self.world().later.push((Instant::now() + when, Box::new(change)));
        self
    }

    /// What was asked of it, in order.
    pub(crate) fn diary(&self) -> Vec<String> {
        self.world().diary.clone()
    }

    /// Everything falls at once.
    pub(crate) fn falls(&self) {
        self.world().view.installed.clear();
    }

    /// Names of the CHILD_SAs that were up and carried traffic when they were taken down.
    pub(crate) fn victims(&self) -> Vec<String> {
        self.world().victims.clone()
    }

    /// The view as it is now.
    pub(crate) fn now(&self) -> View {
        self.world().view()
    }

    fn world(&self) -> MutexGuard<'_, World> {
        let mut world = self.0.lock().unwrap();
        let due = |(when, _): &mut (Instant, Change)| *when <= Instant::now();
        let due: Vec<_> = world.later.extract_if(.., due).collect();
        for (_, change) in due {
            change(&mut world);
        }
        world
    }

    /// Dies, where that is due; else tells whether it is there.
    fn at(&self, command: &str) -> Result<(), ViciError> {
        let mut world = self.world();
        if world.away_until.is_some_and(|until| Instant::now() < until) {
            let endpoint = "/run/fake.vici".to_owned();
            return Err(ViciError::Unreachable { endpoint, source: std::io::ErrorKind::ConnectionRefused.into() });
        }
        if command != "list-sas"
            && let Some(away) = world.dies_for.take()
        {
            world.away_until = Some(Instant::now() + away);
            world.view.installed.clear();
            world.next_id = 1;
            return Err(ViciError::ConnectionLost { command: command.to_owned() });
        }
        Ok(())
    }

    fn note(&self, what: String) {
        self.world().diary.push(what);
    }
}

impl World {
    fn view(&self) -> View {
        let mut view = self.view.clone();
        for child in view.installed.iter_mut().flat_map(|ike| &mut ike.children) {
            if let Some((_, born)) = self.born.iter().find(|(id, _)| *id == child.unique_id) {
                child.installed = Some(Duration::from_secs(born.elapsed().as_secs()));
            }
        }
        view
    }

    fn id(&mut self) -> u32 {
        self.next_id += 1;
        self.next_id
    }

    /// An IKE_SA on which the daemon would initiate.
    fn usable(&mut self, connection: &str) -> Option<&mut IkeSa> {
        self.view
            .installed
            .iter_mut()
            .find(|ike| ike.name == connection && matches!(ike.state, IkeState::Established | IkeState::Connecting))
    }

    pub(crate) fn install(&mut self, connection: &str, name: &str) {
        let id = self.id();
        self.born.push((id, Instant::now()));
        let child = child(name, id);
        if let Some(ike) = self.usable(connection) {
            ike.state = IkeState::Established;
            ike.tasks.clear();
            ike.children.push(child);
        } else {
            let id = self.id();
            self.view.installed.push(ike(connection, id, vec![child]));
        }
    }

    fn ike_of(&mut self, sa: SaId) -> Option<&mut IkeSa> {
        self.view.installed.iter_mut().find(|ike| match sa {
            SaId::Ike(id) => ike.unique_id == id,
            SaId::Child(id) => ike.children.iter().any(|child| child.unique_id == id),
        })
    }

    fn note_victims(&mut self, sa: SaId) {
        let (dead, black) = (self.dead.clone(), self.black.clone());
        let Some(ike) = self.ike_of(sa).filter(|ike| !dead.contains(&ike.unique_id)) else { return };
        let goes = |child: &&ChildSa| sa == SaId::Child(child.unique_id) || matches!(sa, SaId::Ike(_));
        let lives = |child: &&ChildSa| child.state == ChildState::Installed && !black.contains(&child.unique_id);
        let names: Vec<_> = ike.children.iter().filter(goes).filter(lives).map(|child| child.name.clone()).collect();
        self.victims.extend(names);
    }

    fn remove(&mut self, sa: SaId) {
        match sa {
            SaId::Ike(id) => self.view.installed.retain(|ike| ike.unique_id != id),
            SaId::Child(id) => {
                for ike in &mut self.view.installed {
                    ike.children.retain(|child| child.unique_id != id);
                }
            }
        }
    }

    /// strongSwan makes no second CHILD_SA on an IKE_SA that has one.
    fn has(&mut self, connection: &str, name: &str) -> bool {
        let ike = self.usable(connection);
        ike.is_some_and(|ike| {
            ike.children.iter().any(|child| child.name == name && child.state == ChildState::Installed)
        })
    }

    fn connection_of(&self, child: &ChildRef) -> Option<String> {
        let is_it = |it: &&ChildConfig| it.child == child.child && child.ike.as_ref().is_none_or(|ike| *ike == it.ike);
        self.view.configured.iter().find(is_it).map(|it| it.ike.clone())
    }

    fn carries(&self, child: &ChildRef) -> bool {
        let of_it = |ike: &&IkeSa| child.ike.as_ref().is_none_or(|name| *name == ike.name);
        let children = self.view.installed.iter().filter(of_it).flat_map(|ike| &ike.children);
        let newest = children
            .filter(|it| it.name == child.child && it.state == ChildState::Installed)
            .max_by_key(|it| it.unique_id);
        !self.inside_dead && newest.is_some_and(|newest| !self.black.contains(&newest.unique_id))
    }
}

impl IkeControl for FakeDaemon {
    fn view(&self, _deadline: Instant) -> BoxFuture<'_, Result<View, ViciError>> {
        Box::pin(async {
            sleep(Duration::from_millis(1)).await;
            self.at("list-sas")?;
            Ok(self.now())
        })
    }

    fn initiate<'a>(&'a self, child: &'a ChildRef, limit: Duration) -> BoxFuture<'a, Result<(), ViciError>> {
        Box::pin(async move {
            self.note(format!("initiate {}", child.child));
            self.at("initiate")?;
            let refused = |message: String| Err(ViciError::Refused { command: "initiate".to_owned(), message });
            let Some(connection) = self.world().connection_of(child) else {
                return refused(format!("CHILD_SA config '{}' not found", child.child));
            };
            let too_late =
                || refused(format!("CHILD_SA '{}' not established after {}ms", child.child, limit.as_millis()));
            let (peer, on) = {
                let mut world = self.world();
                let on = world.usable(&connection).map(|ike| (ike.unique_id, ike.state));
                (world.peer, on.map(|(id, state)| (id, state == IkeState::Connecting || world.dead.contains(&id))))
            };
            match (on, peer) {
                // It waits in the queue.
                (Some((_, true)), _) | (Some(_), Peer::Gone) => {
                    if let Some(ike) = self.world().usable(&connection) {
                        ike.tasks.push("CHILD_CREATE".to_owned());
                    }
                    sleep(limit).await;
                    too_late()
                }
                (None, Peer::Gone) => {
                    {
                        let mut world = self.world();
                        let id = world.id();
                        world.view.installed.push(ike_in(IkeState::Connecting, ike(&connection, id, vec![])));
                    }
                    sleep(limit).await;
                    too_late()
                }
                (None, Peer::RefusesUs) => {
                    sleep(2 * RTT).await;
                    refused(format!("establishing CHILD_SA '{}' failed", child.child))
                }
                (_, Peer::RefusesTheChild) => {
                    sleep(RTT).await;
                    refused(format!("establishing CHILD_SA '{}' failed", child.child))
                }
                (Some(_), _) if self.world().has(&connection, &child.child) => {
                    refused(format!("establishing CHILD_SA '{}' failed", child.child))
                }
                (on, Peer::Answers | Peer::RefusesUs) => {
                    sleep(if on.is_some() { RTT } else { 2 * RTT }).await;
                    self.world().install(&connection, &child.child);
                    Ok(())
                }
            }
        })
    }

    fn terminate(&self, sa: SaId, limit: Duration) -> BoxFuture<'_, Result<Ended, ViciError>> {
        Box::pin(async move {
            self.note(match sa {
                SaId::Child(id) => format!("terminate child {id}"),
                SaId::Ike(id) => format!("terminate ike {id}"),
            });
            self.at("terminate")?;
            self.world().note_victims(sa);
            let answers = {
                let mut world = self.world();
                let (dead, gone) = (world.dead.clone(), world.peer == Peer::Gone);
                let Some(ike) = world.ike_of(sa) else { return Ok(Ended::NothingThere) };
                !gone && !dead.contains(&ike.unique_id)
            };
            // An IKE_SA goes by force: no peer is waited for.
            if answers || matches!(sa, SaId::Ike(_)) {
                sleep(RTT).await;
                self.world().remove(sa);
                return Ok(Ended::Down);
            }
            if let (SaId::Child(id), Some(ike)) = (sa, self.world().ike_of(sa)) {
                ike.tasks.push("CHILD_DELETE".to_owned());
                for child in ike.children.iter_mut().filter(|child| child.unique_id == id) {
                    child.state = ChildState::Deleting;
                }
            }
            sleep(limit).await;
            let message = format!("SA not terminated after {}ms", limit.as_millis());
            Err(ViciError::Refused { command: "terminate".to_owned(), message })
        })
    }
}

/// Asks whether this tunnel of the daemon's world carries traffic.
pub(crate) struct FakeProbe<'a>(pub(super) &'a FakeDaemon, pub(super) ChildRef);

impl Probe for FakeProbe<'_> {
    fn ask(&self) -> BoxFuture<'_, Flow> {
        Box::pin(async {
            let until = Instant::now() + PROBE_LIMIT;
            while Instant::now() < until {
                sleep(RTT).await;
                if self.0.world().carries(&self.1) {
                    return Flow::Answered;
                }
            }
            Flow::Silent
        })
    }
}
