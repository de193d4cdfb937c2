//! Whole cycles in a simulated network: with small shell scripts for clients, and with a simulated strongSwan.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio_util::sync::CancellationToken;

use super::*;
use crate::account::AccountBook;
use crate::cleanup::ResolvConf;
use crate::clock::SystemClock;
use crate::config::{self, Environment};
use crate::demo::{DemoNet, World};
use crate::ipsec::Ledger;
use crate::net::{
    BoxFuture, BoxStream, ConnectError, LockHeld, NetChanges, NetContext, NetSnapshot, PingError, PingReport,
    PingRequest, PreExec, ResolveError, Route, RouteHop, Rule,
};
use crate::process::Endurance;
use crate::record::PingStats;
use crate::stage::Quiet;
use crate::uplink::{Witness, Witnesses};
use crate::vici::{Endpoint, Strongswan};

#[path = "cycle_login_tests.rs"]
mod login;
#[path = "cycle_uplink_tests.rs"]
mod own_uplink;
#[path = "cycle_tunnel_tests.rs"]
mod tunnel;

/// What is wrong with the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// Pings outside are not answered; connections are.
    SilentOutside,
    /// Neither are answered.
    DeadOutside,
    PanicsInside,
    RoutesPastTheTunnel,
    NoWayOut,
    /// From the first ping inside on.
    NoWayOutInUse,
    CannotTellTheWay,
    /// Nothing can be opened any more once the client runs.
    CannotWatch,
}

/// Answers whatever else is silent outside.
const NEVER_SILENT: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 200));

/// Has been dead for days.
const ALWAYS_SILENT: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 99));

fn is_inside(target: IpAddr) -> bool {
    matches!(target, IpAddr::V4(v4) if v4.octets()[0] == 10)
}

/// The simulated host's network, with something wrong.
#[derive(Debug)]
struct TestNet {
    inner: DemoNet,
    wrong: Wrong,
    in_use: AtomicBool,
    connections: Arc<AtomicUsize>,
}

impl TestNet {
    /// What is wrong now.
    fn wrong(&self) -> Wrong {
        match (self.wrong, self.in_use.load(Ordering::Relaxed)) {
            (Wrong::NoWayOutInUse, true) => Wrong::NoWayOut,
            (Wrong::NoWayOutInUse, false) => Wrong::Nothing,
            (wrong, _) => wrong,
        }
    }
}

impl NetContext for TestNet {
    fn name(&self) -> &'static str {
        "test"
    }
    fn pre_exec(&self) -> Option<PreExec> {
        None
    }
    fn resolv_conf(&self) -> &Path {
        self.inner.resolv_conf()
    }
    fn snapshot(&self) -> io::Result<NetSnapshot> {
        self.inner.snapshot()
    }
    fn watch(&self) -> io::Result<Box<dyn NetChanges>> {
        if self.wrong == Wrong::CannotWatch {
            return Err(io::Error::other("too many open files"));
        }
        self.inner.watch()
    }
    fn route_to(&self, target: IpAddr) -> io::Result<Option<RouteHop>> {
        match self.wrong() {
            Wrong::RoutesPastTheTunnel => Ok(Some(RouteHop { interface: 2, source: None })),
            Wrong::NoWayOut if !is_inside(target) => Ok(None),
            Wrong::CannotTellTheWay => Err(io::Error::other("too many open files")),
            _ => self.inner.route_to(target),
        }
    }
    fn remove_interface(&self, index: u32) -> io::Result<()> {
        self.inner.remove_interface(index)
    }
    fn remove_route(&self, route: &Route) -> io::Result<()> {
        self.inner.remove_route(route)
    }
    fn add_route(&self, route: &Route) -> io::Result<()> {
        self.inner.add_route(route)
    }
    fn remove_rule(&self, rule: &Rule) -> io::Result<()> {
        self.inner.remove_rule(rule)
    }
    fn add_rule(&self, rule: &Rule) -> io::Result<()> {
        self.inner.add_rule(rule)
    }
    fn holders(&self, _: &str) -> Vec<i32> {
        Vec::new()
    }
    fn contains_process(&self, _: i32) -> Option<bool> {
        Some(false)
    }
    fn ping(&self, request: PingRequest) -> BoxFuture<'_, Result<PingReport, PingError>> {
        let inside = is_inside(request.target);
        if inside {
            self.in_use.store(true, Ordering::Relaxed);
        }
        let silent = match self.wrong() {
            Wrong::NoWayOut => true,
            Wrong::SilentOutside | Wrong::DeadOutside => !inside && request.target != NEVER_SILENT,
            _ => request.target == ALWAYS_SILENT,
        };
        match self.wrong() {
            _ if silent => Box::pin(async move {
                tokio::time::sleep(request.interval * (request.count - 1) + request.timeout).await;
                Ok(PingReport { stats: PingStats::from_rtts(request.count, &[]), unreachable: None })
            }),
            Wrong::PanicsInside if inside => Box::pin(async { panic!("no such thing") }),
            _ => self.inner.ping(request),
        }
    }
    fn resolve<'a>(&'a self, host: &'a str, timeout: Duration) -> BoxFuture<'a, Result<IpAddr, ResolveError>> {
        self.inner.resolve(host, timeout)
    }
    fn resolve_all<'a>(&'a self, host: &'a str, timeout: Duration) -> BoxFuture<'a, Result<Vec<IpAddr>, ResolveError>> {
        self.inner.resolve_all(host, timeout)
    }
    fn connect(&self, to: SocketAddr, deadline: Instant) -> BoxFuture<'_, Result<BoxStream, ConnectError>> {
        self.connections.fetch_add(1, Ordering::Relaxed);
        match self.wrong() {
            Wrong::DeadOutside | Wrong::NoWayOut => Box::pin(async move {
                tokio::time::sleep_until(deadline).await;
                Err(ConnectError::TimedOut)
            }),
            _ => self.inner.connect(to, deadline),
        }
    }
    fn datagrams(&self, to: SocketAddr) -> io::Result<tokio::net::UdpSocket> {
        self.inner.datagrams(to)
    }
    fn try_lock(&self) -> Result<NetLock, LockHeld> {
        Ok(Box::new(()))
    }
    fn unlocked(&self) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// Writes down what happens.
#[derive(Debug, Default)]
struct Diary(Mutex<Vec<String>>);

impl Observer for Diary {
    fn begins(&self, _: &SiteName, stage: Stage) {
        self.0.lock().unwrap().push(format!("{stage} begins"));
    }
    fn ended(&self, _: &SiteName, record: &StageRecord) {
        self.0.lock().unwrap().push(format!("{}={}", record.stage, record.outcome.as_str()));
    }
}

const GOOD: &str = "printf 'Password: '; read p; printf 10.88.0.15 > DIR/interfaces/tun0; echo Connected; \
                    read q; rm DIR/interfaces/tun0";

/// A site, its world, and everything around it.
struct Story {
    dir: tempfile::TempDir,
    client: String,
    wrong: Wrong,
    more: Vec<String>,
    less: Vec<&'static str>,
    force: bool,
    witnesses: Witnesses,
    /// How often somebody was connected to.
    connections: Arc<AtomicUsize>,
}

impl Story {
    fn of(client: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        World::create(dir.path()).unwrap();
        Self {
            dir,
            client: client.to_owned(),
            wrong: Wrong::Nothing,
            more: Vec::new(),
            less: Vec::new(),
            force: false,
            witnesses: Witnesses::default(),
            connections: Arc::default(),
        }
    }

    fn wrong(mut self, wrong: Wrong) -> Self {
        self.wrong = wrong;
        self
    }

    fn site_key(mut self, line: &str) -> Self {
        self.more.push(line.to_owned());
        self
    }

    fn without(mut self, key: &'static str) -> Self {
        self.less.push(key);
        self
    }

    /// The site's keys; what a story says itself replaces the usual.
    fn site(&self) -> String {
        let usual = [
            "vpn_gw: vpn.example.com",
            "external_ip: 203.0.113.10",
            "internal_ip: 10.1.0.1",
            "username: probe",
            "password: hunter2",
            "timeout: 5",
            "client: fake",
            "ping: { count: 2, interval: 10ms, timeout: 50ms }",
        ];
        let key = |line: &str| line.split(':').next().unwrap().to_owned();
        let own: Vec<_> = self.more.iter().map(|line| key(line)).collect();
        let wanted = |line: &&&str| !own.contains(&key(line)) && !self.less.contains(&key(line).as_str());
        let lines = usual.iter().filter(wanted).map(|l| (*l).to_owned());
        lines.chain(self.more.iter().cloned()).fold(String::new(), |site, line| site + "    " + &line + "\n")
    }

    fn config(&self) -> config::Config {
        let dir = self.dir.path().display();
        let script = self.client.replace("DIR", &dir.to_string());
        let text = format!(
            r#"
state_dir: "{dir}/state"
resolv_conf: {{ path: "{dir}/resolv.conf" }}
clients:
  fake:
    command: sh
    args: ["-c", "{script}"]
    dialogue:
      - {{ expect: "Password: ", send: "{{password}}" }}
      - {{ expect: "(?m)^Connected", connected: true }}
      - {{ expect: "(?m)^Login failed", failed: auth-rejected }}
      - {{ expect: "(?m)^Nobody answers", failed: connect-timeout }}
    leave: {{ send: quit, grace: 5s }}
    interface: "tun*"
sites:
  paris:
{site}"#,
            site = self.site(),
        );
        config::load_str(&text, self.dir.path(), "test.yml", &Environment::default()).unwrap().config
    }

    fn around(&self, config: &config::Config) -> Surroundings {
        let world = World::at(self.dir.path());
        let path = std::env::var("PATH").unwrap_or_default();
        let net = Arc::new(TestNet {
            inner: DemoNet::of(world),
            wrong: self.wrong,
            in_use: AtomicBool::new(false),
            connections: Arc::clone(&self.connections),
        });
        let endpoint = Endpoint::Unix(self.dir.path().join("charon.vici"));
        Surroundings {
            ledger: Ledger::new(&config.state_dir, endpoint.to_string()),
            ike: Arc::new(Strongswan::new(endpoint, Arc::clone(&net) as _)),
            net,
            clock: Arc::new(SystemClock),
            timezone: config.timezone.clone(),
            prober: config.prober.clone(),
            maintenance: Arc::clone(&config.maintenance),
            uplink: config.uplink.clone(),
            witnesses: self.witnesses.clone(),
            state_dir: config.state_dir.clone(),
            accounts: AccountBook::new(&config.state_dir),
            resolv_conf: ResolvConf::new(&config.resolv_conf, &config.state_dir),
            client_env: BTreeMap::from([("PATH".to_owned(), path)]),
            endurance: Endurance { term: Duration::from_secs(2), kill: Duration::from_secs(2) },
            secret_env: Environment::default(),
            hold: Arc::new(Quiet),
            watch: None,
            cancel: CancellationToken::new(),
            hurry: CancellationToken::new(),
        }
    }

    /// Runs the cycle and proves that nothing is left.
    async fn tell(&self) -> (CycleRecord, Vec<String>) {
        let config = self.config();
        self.tell_with(&config, &self.around(&config)).await
    }

    async fn tell_with(&self, config: &config::Config, around: &Surroundings) -> (CycleRecord, Vec<String>) {
        let before = World::at(self.dir.path()).snapshot();
        let diary = Diary::default();
        let order = Order { force: self.force, ..Order::new(Duration::from_mins(10), false) };
        let finished = run_cycle(&config.sites[0], order, around, &diary).await;
        finished.closing.close().unwrap();
        assert_eq!(World::at(self.dir.path()).snapshot(), before, "the network is as it was");
        assert!(!self.dir.path().join("state/cycle-test.json").exists(), "no journal is left");
        assert!(!format!("{:?}", finished.record).contains("hunter2"), "no secret in the record");
        (finished.record, diary.0.into_inner().unwrap())
    }
}

fn stages(record: &CycleRecord) -> String {
    let words: Vec<_> = record.stages.iter().map(|s| format!("{}={}", s.stage, s.outcome.as_str())).collect();
    words.join(" ")
}
