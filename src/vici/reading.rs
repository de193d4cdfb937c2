//! What the daemon's messages mean: connections, SAs, events. Pure.
//!
//! Every key may be missing and every value may be odd: old versions say less, later ones say more. What is there is
//! taken, what is not is absent; only a message that is not well-formed is refused, and that is `message`'s.

use std::time::Duration;

use super::events::{Direction, Event};
use super::message::Section;
use super::{Action, ChildConfig, ChildSa, ChildState, IkeSa, IkeState, Traffic};

/// The CHILD_SA configurations of a `list-conn` event.
pub fn read_connections(message: Section<'_>) -> impl Iterator<Item = ChildConfig> {
    message.sections().flat_map(|(ike, connection)| {
        let children = connection.section("children").into_iter().flat_map(Section::sections);
        children.map(move |(child, config)| ChildConfig {
            ike: owned(ike),
            child: owned(child),
            remote_addrs: connection.list("remote_addrs").map(owned).collect(),
            dpd_action: action(config.text("dpd_action").as_deref()),
            close_action: action(config.text("close_action").as_deref()),
        })
    })
}

/// The IKE_SAs of a `list-sa` event: one, as far as is known.
pub fn read_sas(message: Section<'_>) -> impl Iterator<Item = IkeSa> {
    message.sections().map(|(name, sa)| {
        let tasks = ["tasks-active", "tasks-passive", "tasks-queued"].into_iter().flat_map(|queue| sa.list(queue));
        IkeSa {
            name: owned(name),
            unique_id: unique_id(sa),
            state: ike_state(sa.text("state").as_deref()),
            remote_host: sa.value("remote-host").map(owned),
            established: seconds(sa, "established"),
            tasks: tasks.map(owned).collect(),
            children: children(sa).map(|(key, child)| child_sa(key, child)).collect(),
        }
    })
}

/// The event of this name, where it is one that is known and says which SA it is of.
pub fn read_event(name: &[u8], message: Section<'_>) -> Option<Event> {
    let direction = if message.value("up") == Some(b"yes") { Direction::Up } else { Direction::Down };
    // The section is named like the connection, whatever that is called; `up` is a value.
    let (ike, sa) = message.sections().next()?;
    let (ike, ike_id) = (owned(ike), unique_id(sa));
    let (key, child) = match name {
        b"ike-updown" => return Some(Event::Ike { ike, ike_id, direction }),
        b"child-updown" | b"child-rekey" => sa.section("child-sas")?.sections().next()?,
        _ => return None,
    };
    if name == b"child-updown" {
        return Some(Event::Child {
            ike,
            ike_id,
            child: child_name(key, child),
            child_id: unique_id(child),
            direction,
        });
    }
    let (old, new) = (child.section("old")?, child.section("new")?);
    Some(Event::Rekeyed { ike, ike_id, child: child_name(key, new), old_id: unique_id(old), new_id: unique_id(new) })
}

/// Sections without a state are no SAs.
fn children(sa: Section<'_>) -> impl Iterator<Item = (&[u8], Section<'_>)> {
    let sections = sa.section("child-sas").into_iter().flat_map(Section::sections);
    sections.filter(|(_, child)| child.value("state").is_some())
}

fn child_sa(key: &[u8], sa: Section<'_>) -> ChildSa {
    ChildSa {
        name: child_name(key, sa),
        unique_id: unique_id(sa),
        state: child_state(sa.text("state").as_deref()),
        installed: seconds(sa, "install-time"),
        inbound: traffic(sa, ["bytes-in", "packets-in", "use-in"]),
        outbound: traffic(sa, ["bytes-out", "packets-out", "use-out"]),
    }
}

/// The configuration's name. Up to 5.5.1 it is the section's own; since then the section is called `NAME-ID`, and
/// `name` says it (`a-1` may be a configuration's name).
fn child_name(key: &[u8], sa: Section<'_>) -> String {
    owned(sa.value("name").unwrap_or(key))
}

/// The daemon's numbers begin with 1: 0 is none, and a `terminate` of it is refused.
fn unique_id(sa: Section<'_>) -> u32 {
    sa.number("uniqueid").unwrap_or(0)
}

fn traffic(sa: Section<'_>, [bytes, packets, used]: [&str; 3]) -> Traffic {
    Traffic { bytes: sa.number(bytes).unwrap_or(0), packets: sa.number(packets).unwrap_or(0), idle: seconds(sa, used) }
}

fn seconds(section: Section<'_>, name: &str) -> Option<Duration> {
    section.number(name).map(Duration::from_secs)
}

fn owned(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `none`, `trap`, `start` since 5.9.6, and several of them as `trap | start`; `clear`, `hold`, `restart` before. Not
/// said before 5.6.2.
fn action(word: Option<&str>) -> Action {
    let has = |known: [&str; 2]| {
        word.is_some_and(|w| w.split('|').any(|w| known.iter().any(|k| w.trim().eq_ignore_ascii_case(k))))
    };
    if has(["start", "restart"]) {
        Action::Start
    } else if has(["trap", "hold"]) {
        Action::Trap
    } else {
        Action::Nothing
    }
}

fn ike_state(word: Option<&str>) -> IkeState {
    match word {
        Some("CREATED") => IkeState::Created,
        Some("CONNECTING") => IkeState::Connecting,
        Some("ESTABLISHED") => IkeState::Established,
        Some("PASSIVE") => IkeState::Passive,
        Some("REKEYING") => IkeState::Rekeying,
        Some("REKEYED") => IkeState::Rekeyed,
        Some("DELETING") => IkeState::Deleting,
        Some("DESTROYING") => IkeState::Destroying,
        _ => IkeState::Unknown,
    }
}

fn child_state(word: Option<&str>) -> ChildState {
    match word {
        Some("CREATED") => ChildState::Created,
        Some("ROUTED") => ChildState::Routed,
        Some("INSTALLING") => ChildState::Installing,
        Some("INSTALLED") => ChildState::Installed,
        Some("UPDATING") => ChildState::Updating,
        Some("REKEYING") => ChildState::Rekeying,
        Some("REKEYED") => ChildState::Rekeyed,
        Some("RETRYING") => ChildState::Retrying,
        Some("DELETING") => ChildState::Deleting,
        Some("DELETED") => ChildState::Deleted,
        Some("DESTROYING") => ChildState::Destroying,
        _ => ChildState::Unknown,
    }
}

#[cfg(test)]
#[path = "reading_tests.rs"]
mod tests;
