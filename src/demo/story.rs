//! What the demonstration shows: three passes over three sites, the rows, the mails.

use std::path::Path;
use std::sync::Arc;

use super::world::{FINGERPRINT, PASSWORD};
use crate::alert::{Channel, Outgoing, SendError};
use crate::config::{self, Config, Environment, Site};
use crate::net::BoxFuture;
use crate::record::CycleRecord;
use crate::runner::{Observer, Order, Sink, run_cycle};
use crate::stage::Surroundings;

/// A login of a good day.
const GOOD: &str = "{ certificates: [leaf], delays: { contact: 60ms, connecting: 350ms, leaving: 200ms } }";
/// The password is typed, and nothing happens any more.
const HANGS: &str = "{ faults: [ { at: menu, time: 2, do: hang } ] }";

/// The configuration of the three sites; `program` is the prober itself, which also plays the client.
pub fn configuration(dir: &Path, program: &Path, lima_is_repaired: bool) -> Result<Config, String> {
    let lima = if lima_is_repaired { GOOD } else { HANGS };
    let text = format!(
        r#"
prober: demo
state_dir: "{dir}/state"
logging: {{ dir: "{dir}/results", file: demo }}
resolv_conf: {{ path: "{dir}/resolv.conf" }}
defaults:
  vpn_gw: vpn.example.com
  external_ip: 203.0.113.10
  internal_ip: 10.1.0.1
  username: probe
  password: {PASSWORD}
  timeout: 5
  client: simulated
  fingerprint: "SHA1:{FINGERPRINT}"
  ping: {{ interval: 20ms, timeout: 300ms }}
clients:
  simulated:
    extends: startct
    command: "{program}"
    args: [demo-client, --dir, "{dir}", --scenario, "{{scenario}}"]
    leave: {{ send: quit, grace: 5s }}
    adopt: []
sites:
  paris: {{ params: {{ scenario: "{GOOD}" }} }}
  lagos: {{ internal_ip: 10.1.0.66, params: {{ scenario: "{GOOD}" }} }}
  lima: {{ timeout: 1.5, params: {{ scenario: "{lima}" }} }}
"#,
        dir = dir.display(),
        program = program.display(),
    );
    config::load_str(&text, dir, "demo.yml", &Environment::default())
        .map(|loaded| loaded.config)
        .map_err(|e| format!("the demonstration's own configuration has faults (please report this):\n{e}"))
}

/// Probes every site once; each record goes to `sink`, and to `each` when it is safe.
pub async fn tell(
    sites: &[Arc<Site>],
    around: &Surroundings,
    observer: &dyn Observer,
    sink: &dyn Sink,
    mut each: impl FnMut(Event<'_>),
) {
    for site in sites {
        if around.cancel.is_cancelled() {
            return;
        }
        each(Event::Begins(site));
        let finished = run_cycle(site, Order::new(site.interval, true), around, observer).await;
        sink.take(&finished.record, site).await;
        if let Err(e) = finished.closing.close() {
            tracing::warn!(error = %e, "cannot close the cycle's journal");
        }
        each(Event::Ended(&finished.record));
    }
}

/// What [`tell`] tells.
#[derive(Debug)]
pub enum Event<'a> {
    /// A site's cycle begins.
    Begins(&'a Site),
    /// It is over.
    Ended(&'a CycleRecord),
}

/// A mail channel that hands each mail over instead of sending it.
pub struct Printer<F>(pub F);

impl<F: Fn(&str, &str) + Send + Sync> Channel for Printer<F> {
    fn name(&self) -> &'static str {
        "email"
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<(), SendError>> {
        (self.0)(&outgoing.subject, &outgoing.body);
        Box::pin(async { Ok(()) })
    }
}
