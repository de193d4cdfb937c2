//! Tunnels that are watched: an event of strongSwan asks for their site's cycle at once.
//!
//! What an event says is logged when it comes, whatever else the prober does then. What it means is for the cycle to see.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::config::{Config, Ipsec};
use crate::ipsec::resolve;
use crate::net::NetContext;
use crate::record::SiteName;
use crate::scheduler::Wake;
use crate::vici::{ChildRef, Direction, Endpoint, Event, IkeControl, Strongswan};

/// How long a daemon that came back may take until it knows the watched tunnels. Its socket is there first: what loads
/// its configuration (`swanctl --load-all` in the unit) needs it.
const CONFIGURED_WITHIN: Duration = Duration::from_secs(2);
/// From one look to the next meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A site whose tunnel is watched.
struct Watched {
    index: usize,
    site: SiteName,
    tunnel: Ipsec,
}

/// Begins watching, where a site asks for it.
pub(super) fn begin(
    config: &Config,
    net: &Arc<dyn NetContext>,
    wakes: mpsc::UnboundedSender<Wake>,
) -> Option<JoinHandle<()>> {
    let sites = config.sites.iter().enumerate();
    let watched: Vec<_> = sites
        .filter_map(|(index, site)| {
            let tunnel = site.ipsec().filter(|tunnel| tunnel.watch)?.clone();
            Some(Watched { index, site: site.name.clone(), tunnel })
        })
        .collect();
    // The configuration was checked; an endpoint that is none would have stopped the start.
    let endpoint = Endpoint::parse(&config.ipsec.socket).ok().filter(|_| !watched.is_empty())?;
    let strongswan = Strongswan::new(endpoint, Arc::clone(net));
    Some(tokio::spawn(watch(strongswan, watched, wakes)))
}

async fn watch(strongswan: Strongswan, watched: Vec<Watched>, wakes: mpsc::UnboundedSender<Wake>) {
    let mut events = strongswan.events();
    let mut lost = false;
    loop {
        let event = events.next().await;
        let was_lost = lost;
        match &event {
            Event::Lost(error) => {
                lost = true;
                tracing::warn!("events of strongSwan are not heard any more: {}", crate::error::chain(error));
            }
            Event::Connected if lost => {
                lost = false;
                until_configured(&strongswan, &watched).await;
                tracing::info!("events of strongSwan are heard again: looking at all watched tunnels");
            }
            Event::Child { child, child_id, direction, .. } => {
                let site = watched.iter().find(|one| asked_for(&one.tunnel, &event).is_some());
                if let Some(Watched { site, .. }) = site {
                    let way = if *direction == Direction::Up { "up" } else { "down" };
                    tracing::info!(%site, "strongSwan: CHILD_SA {child}{{{child_id}}} is {way}");
                }
            }
            // Between two configurations nobody listened for a moment.
            Event::Connected | Event::Ike { .. } | Event::Rekeyed { .. } => {}
        }
        for one in &watched {
            let up = match event {
                Event::Connected => was_lost.then_some(true),
                _ => match asked_for(&one.tunnel, &event) {
                    Some(up) => Some(up),
                    None => continue,
                },
            };
            if wakes.send(Wake { index: one.index, up }).is_err() {
                return;
            }
        }
    }
}

/// Waits until the daemon knows the watched tunnels, or for [`CONFIGURED_WITHIN`]. Events wait too; none is lost.
async fn until_configured(daemon: &dyn IkeControl, watched: &[Watched]) {
    let until = Instant::now() + CONFIGURED_WITHIN;
    let targets: Vec<_> = watched
        .iter()
        .map(|one| ChildRef { ike: one.tunnel.ike_sa.clone(), child: one.tunnel.child_sa.clone() })
        .collect();
    loop {
        let view = daemon.view(until).await.unwrap_or_default();
        let knows_all = targets.iter().all(|target| resolve(&view, target).is_ok());
        if knows_all || Instant::now() + LOOK_EVERY > until {
            return;
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Whether an event concerns a tunnel, and which way it says that it went.
///
/// A rekeying is none: it changes nothing.
fn asked_for(tunnel: &Ipsec, event: &Event) -> Option<bool> {
    match event {
        Event::Child { ike, child, direction, .. } => {
            let its_own = *child == tunnel.child_sa && tunnel.ike_sa.as_ref().is_none_or(|name| name == ike);
            its_own.then_some(*direction == Direction::Up)
        }
        Event::Connected | Event::Lost(_) | Event::Ike { .. } | Event::Rekeyed { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::RestartPolicy;

    fn event(ike: &str, child: &str, direction: Direction) -> Event {
        Event::Child { ike: ike.into(), ike_id: 1, child: child.into(), child_id: 7, direction }
    }

    #[test]
    fn an_event_concerns_the_tunnel_that_it_names_and_no_other() {
        let tunnel = |ike: Option<&str>| Ipsec {
            child_sa: "net-a".into(),
            ike_sa: ike.map(str::to_owned),
            restart: RestartPolicy::default(),
            watch: true,
        };
        let down = event("site-a", "net-a", Direction::Down);
        assert_eq!(asked_for(&tunnel(None), &down), Some(false));
        assert_eq!(asked_for(&tunnel(Some("site-a")), &down), Some(false));
        assert_eq!(asked_for(&tunnel(Some("site-b")), &down), None, "two connections have a child of this name");
        assert_eq!(asked_for(&tunnel(None), &event("site-a", "net-a-1", Direction::Down)), None);
        assert_eq!(asked_for(&tunnel(None), &event("site-a", "net-a", Direction::Up)), Some(true));
        let rekeyed = Event::Rekeyed { ike: "site-a".into(), ike_id: 1, child: "net-a".into(), old_id: 7, new_id: 8 };
        assert_eq!(asked_for(&tunnel(None), &rekeyed), None);
    }
}
