//! What the daemon says of its configuration and its SAs, typed.

use std::time::Duration;

/// One CHILD_SA configuration (`list-conns`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildConfig {
    /// The connection that it belongs to: the name of the IKE_SA configuration.
    pub ike: String,
    /// Its own name.
    pub child: String,
    /// Addresses and names of the peer, as configured; `%any` where anybody may come.
    pub remote_addrs: Vec<String>,
    /// What the daemon does when the peer is dead.
    pub dpd_action: Action,
    /// What it does when the peer closes the CHILD_SA.
    pub close_action: Action,
}

/// What the daemon does by itself about a CHILD_SA that went away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Action {
    /// Nothing (`clear`, `none`).
    #[default]
    Nothing,
    /// Makes it anew when a packet wants to go through it (`trap`).
    Trap,
    /// Makes it anew at once (`start`, `restart`).
    Start,
}

/// One IKE_SA (`list-sas`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IkeSa {
    /// The connection's name.
    pub name: String,
    /// The daemon's number for it.
    pub unique_id: u32,
    /// Its state.
    pub state: IkeState,
    /// The peer's address.
    pub remote_host: Option<String>,
    /// Since it is established.
    pub established: Option<Duration>,
    /// What the daemon is doing with it, or has in its queue (`CHILD_CREATE`, `IKE_DPD`, …).
    pub tasks: Vec<String>,
    /// Its CHILD_SAs.
    pub children: Vec<ChildSa>,
}

/// State of an IKE_SA (`ike_sa_state_t` of strongSwan).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IkeState {
    /// Made, nothing sent yet.
    Created,
    /// On its way.
    Connecting,
    /// Up.
    Established,
    /// Kept by another node of a cluster.
    Passive,
    /// Its successor is under way.
    Rekeying,
    /// Has a successor.
    Rekeyed,
    /// On its way out.
    Deleting,
    /// Gone but for its memory.
    Destroying,
    /// A state that this program does not know.
    Unknown,
}

/// One CHILD_SA (`list-sas`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChildSa {
    /// The configuration's name: the section's `name`, else the section's own name.
    pub name: String,
    /// The daemon's number for it.
    pub unique_id: u32,
    /// Its state.
    pub state: ChildState,
    /// Since it is installed.
    pub installed: Option<Duration>,
    /// What came in.
    pub inbound: Traffic,
    /// What went out.
    pub outbound: Traffic,
}

/// What one direction of a CHILD_SA has carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Bytes.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
    /// Since the last packet; none when there was none.
    pub idle: Option<Duration>,
}

/// State of a CHILD_SA (`child_sa_state_t` of strongSwan).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChildState {
    /// Made, nothing sent yet.
    Created,
    /// A trap: waits for a packet.
    Routed,
    /// Going into the kernel.
    Installing,
    /// Up.
    Installed,
    /// Its addresses change.
    Updating,
    /// Up, its successor is under way.
    Rekeying,
    /// Still up, has a successor.
    Rekeyed,
    /// The exchange is tried again.
    Retrying,
    /// On its way out.
    Deleting,
    /// Gone for the peer, still receiving.
    Deleted,
    /// Gone but for its memory.
    Destroying,
    /// A state that this program does not know.
    Unknown,
}

/// What is configured and what is installed, seen in one breath.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct View {
    /// Every configured CHILD_SA.
    pub configured: Vec<ChildConfig>,
    /// Every IKE_SA.
    pub installed: Vec<IkeSa>,
}

impl ChildConfig {
    /// About how much memory it takes, in bytes.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.ike.len() + self.child.len() + self.remote_addrs.iter().map(text_weight).sum::<usize>()
    }
}

impl IkeSa {
    /// About how much memory it takes, in bytes.
    pub(super) fn weight(&self) -> usize {
        let texts = self.remote_host.iter().chain(&self.tasks).map(text_weight).sum::<usize>();
        let children = self.children.iter().map(|child| size_of::<ChildSa>() + child.name.len()).sum::<usize>();
        size_of::<Self>() + self.name.len() + texts + children
    }
}

fn text_weight(text: impl AsRef<str>) -> usize {
    size_of::<String>() + text.as_ref().len()
}
