//! What answered at the sites when they were reached last.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::record::SiteName;

/// So many witnesses are asked: one live one ends it, and a thousand packets at a dead uplink would tell no more.
pub(super) const MOST_WITNESSES: usize = 8;

/// A name may get another address; looked up in every cycle, it would make them longer.
const LOOKED_UP_AGAIN: Duration = Duration::from_hours(1);

/// What answered at a site, outside its tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Witness {
    /// Echo requests.
    Ping(IpAddr),
    /// Connections.
    Tcp(SocketAddr),
}

impl Witness {
    pub(super) const fn address(self) -> IpAddr {
        match self {
            Self::Ping(address) => address,
            Self::Tcp(address) => address.ip(),
        }
    }
}

/// What answered when each site was reached last. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Witnesses(Arc<Mutex<BTreeMap<SiteName, Noted>>>);

/// What is known of one site.
#[derive(Debug, Clone, Copy)]
struct Noted {
    /// `None`: it was looked for, and nothing answered.
    witness: Option<Witness>,
    at: Instant,
}

impl Witnesses {
    /// This answered at that site.
    pub fn note(&self, site: &SiteName, witness: Witness) {
        self.keep(site, Some(witness));
    }

    /// Nothing answered there, or else this.
    pub(super) fn keep(&self, site: &SiteName, witness: Option<Witness>) {
        self.all().insert(site.clone(), Noted { witness, at: Instant::now() });
    }

    /// Whether it is time to look for what answers at that site.
    pub(super) fn wants(&self, site: &SiteName) -> bool {
        self.all().get(site).is_none_or(|noted| noted.at.elapsed() >= LOOKED_UP_AGAIN)
    }

    /// That of this site.
    pub(super) fn of(&self, site: &SiteName) -> Option<Witness> {
        self.all().get(site)?.witness
    }

    /// Those of other sites, at other addresses.
    pub(super) fn beside(&self, site: &SiteName, peers: &[IpAddr]) -> Vec<Witness> {
        let all = self.all();
        let others = all.iter().filter(|(other, _)| *other != site).filter_map(|(_, noted)| noted.witness);
        others.filter(|witness| !peers.contains(&witness.address())).take(MOST_WITNESSES).collect()
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<SiteName, Noted>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
