//! Whole cycles, with the instants of their stages and of everything that they did with the network and `/proc`.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use vpnprobe::account::AccountBook;
use vpnprobe::cleanup::ResolvConf;
use vpnprobe::clock::SystemClock;
use vpnprobe::config::{Config, Environment};
use vpnprobe::ipsec::Ledger;
use vpnprobe::net::HostNet;
use vpnprobe::process::{Endurance, become_subreaper};
use vpnprobe::record::{SiteName, Stage, StageRecord, json_of};
use vpnprobe::runner::{Observer, Order, run_cycle};
use vpnprobe::stage::{Quiet, Surroundings};
use vpnprobe::vici::{Endpoint, Strongswan};

use super::watched::{Call, Watched};

/// Runs `count` cycles of `site`, one after the other.
pub(super) async fn run(config: &Config, site: &str, count: u32) -> Result<(), String> {
    let site = config.sites.iter().find(|s| s.name.as_str() == site).ok_or_else(|| format!("no site `{site}`"))?;
    become_subreaper().map_err(|e| format!("cannot become the subreaper: {e}"))?;
    let net = HostNet::new(config.resolv_conf.path.clone()).map_err(|e| format!("cannot look at the network: {e}"))?;
    let net = Arc::new(Watched::new(net));
    let around = surroundings(config, &net);
    for _ in 0..count {
        let stages = Stages::default();
        let order = Order::new(site.interval, true);
        net.take();
        let began = Instant::now();
        let finished = run_cycle(site, order, &around, &stages).await;
        finished.closing.close().map_err(|e| format!("cannot close the journal: {e}"))?;
        let mut result = json_of(&finished.record);
        result["began"] = stages.shown(began);
        result["calls"] = net.take().iter().map(|call| shown(call, began)).collect();
        super::print(&result)?;
    }
    Ok(())
}

fn surroundings(config: &Config, net: &Arc<Watched>) -> Surroundings {
    let endpoint = Endpoint::Unix(config.ipsec.socket.clone().into());
    Surroundings {
        ledger: Ledger::new(&config.state_dir, endpoint.to_string()),
        ike: Arc::new(Strongswan::new(endpoint, Arc::clone(net) as _)),
        net: Arc::clone(net) as _,
        clock: Arc::new(SystemClock),
        timezone: config.timezone.clone(),
        prober: config.prober.clone(),
        maintenance: Arc::clone(&config.maintenance),
        uplink: config.uplink.clone(),
        witnesses: vpnprobe::uplink::Witnesses::default(),
        state_dir: config.state_dir.clone(),
        accounts: AccountBook::new(&config.state_dir),
        resolv_conf: ResolvConf::new(&config.resolv_conf, &config.state_dir),
        client_env: std::env::vars().collect(),
        endurance: Endurance::default(),
        secret_env: Environment::of_process(),
        hold: Arc::new(Quiet),
        watch: None,
        cancel: CancellationToken::new(),
        hurry: CancellationToken::new(),
    }
}

/// `[name, began, ended]`, in milliseconds since the cycle's start.
fn shown(call: &Call, cycle: Instant) -> Value {
    json!([call.name, ms(call.began, cycle), ms(call.ended, cycle)])
}

fn ms(at: Instant, since: Instant) -> f64 {
    at.saturating_duration_since(since).as_secs_f64() * 1000.0
}

/// Notes when each stage began.
#[derive(Debug, Default)]
struct Stages(Mutex<Vec<(Stage, Instant)>>);

impl Stages {
    fn shown(&self, cycle: Instant) -> Value {
        let began = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        began
            .iter()
            .map(|(stage, at)| (stage.to_string(), json!(ms(*at, cycle))))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }
}

impl Observer for Stages {
    fn begins(&self, _: &SiteName, stage: Stage) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((stage, Instant::now()));
    }

    fn ended(&self, _: &SiteName, _: &StageRecord) {}
}
