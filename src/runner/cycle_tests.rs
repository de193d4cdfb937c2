//! A cycle in a simulated network, with small shell scripts for clients: order, skip rules, what always runs.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::{Arc, Mutex};

use chrono::{NaiveTime, Weekday};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::account::AccountBook;
use crate::cleanup::ResolvConf;
use crate::clock::SystemClock;
use crate::config::{self, Environment, SiteTarget};
use crate::demo::{DemoNet, World};
use crate::ipsec::fake::{FakeDaemon, child, config as tunnel, ike, ike_in, target};
use crate::ipsec::{Inside, Ledger, Seen, assess};
use crate::maintenance::{Effects, Sites, When, Window, Windows};
use crate::net::{
    BoxFuture, BoxStream, ConnectError, LockHeld, NetChanges, NetContext, NetSnapshot, PingError, PingReport,
    PingRequest, PreExec, ResolveError, Route, RouteHop, Rule,
};
use crate::process::Endurance;
use crate::record::{FailureKind, PingStats, Verdict};
use crate::stage::Quiet;
use crate::vici::{Endpoint, IkeState, Strongswan, View};
use crate::zone::Zone;

/// What is wrong with the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    SilentOutside,
    PanicsInside,
    RoutesPastTheTunnel,
    CannotTellTheWay,
    /// Nothing can be opened any more once the client runs.
    CannotWatch,
}

/// The simulated host's network, with something wrong.
#[derive(Debug)]
struct TestNet {
    inner: DemoNet,
    wrong: Wrong,
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
        match self.wrong {
            Wrong::RoutesPastTheTunnel => Ok(Some(RouteHop { interface: 2, source: None })),
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
        let inside = matches!(request.target, IpAddr::V4(v4) if v4.octets()[0] == 10);
        match self.wrong {
            Wrong::SilentOutside if !inside => Box::pin(async move {
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
        self.inner.connect(to, deadline)
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
    force: bool,
}

impl Story {
    fn of(client: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        World::create(dir.path()).unwrap();
        Self { dir, client: client.to_owned(), wrong: Wrong::Nothing, more: Vec::new(), force: false }
    }

    fn wrong(mut self, wrong: Wrong) -> Self {
        self.wrong = wrong;
        self
    }

    fn site_key(mut self, line: &str) -> Self {
        self.more.push(line.to_owned());
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
        let lines = usual.iter().filter(|line| !own.contains(&key(line))).map(|l| (*l).to_owned());
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
        let net = Arc::new(TestNet { inner: DemoNet::of(world), wrong: self.wrong });
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

#[tokio::test]
async fn a_cycle_in_a_maintenance_window_says_so() {
    let story = Story::of(GOOD);
    let config = story.config();
    let mut around = story.around(&config);
    let when = When::Weekly { day: Weekday::Mon, time: NaiveTime::MIN, length: Duration::from_hours(7 * 24) };
    let window = Window { name: Some("carrier".into()), sites: Sites::All, when, effects: Effects::default() };
    around.maintenance = Arc::new(Windows::new(Zone::utc(), vec![window]));
    let (record, _) = story.tell_with(&config, &around).await;
    assert_eq!(record.maintenance.unwrap().label(), "carrier");
    assert_eq!(story.tell().await.0.maintenance, None);
}

#[tokio::test]
async fn the_stages_run_in_their_order() {
    let (record, diary) = Story::of(GOOD).tell().await;
    assert_eq!(record.verdict, Verdict::Up, "{record:?}");
    let expected = ["prepare", "external", "login", "internal", "teardown", "cleanup"]
        .map(|stage| [format!("{stage} begins"), format!("{stage}=passed")])
        .concat();
    assert_eq!(diary, expected);
    assert!(record.login.is_some() && record.external.is_some() && record.internal.is_some());
    assert_eq!(record.leftovers, []);
}

#[tokio::test]
async fn a_gateway_that_drops_pings_is_still_logged_in_at() {
    let (record, _) = Story::of(GOOD).wrong(Wrong::SilentOutside).tell().await;
    assert_eq!(
        stages(&record),
        "prepare=passed external=no-reply login=passed internal=passed teardown=passed cleanup=passed"
    );
    assert_eq!((record.verdict, record.failed_stage), (Verdict::Down, Some(Stage::External)));
    let relaxed = Story::of(GOOD).wrong(Wrong::SilentOutside).site_key("external_required: false");
    let (record, _) = relaxed.tell().await;
    assert_eq!((record.verdict, record.reason), (Verdict::Up, None));
    assert!(record.detail.unwrap().contains("external"), "the failure is still reported");
}

#[tokio::test]
async fn a_rejected_login_skips_the_inside_and_takes_the_client_down() {
    let (record, _) = Story::of("printf 'Password: '; read p; echo Login failed; sleep 30").tell().await;
    assert_eq!(
        stages(&record),
        "prepare=passed external=passed login=auth-rejected internal=skipped teardown=passed cleanup=passed"
    );
    assert_eq!(record.reason, Some(FailureKind::AuthRejected.into()));
    assert_eq!(record.login, None);
    assert!(record.took.unwrap() < Duration::from_secs(10), "the client was made to leave");
}

#[tokio::test]
async fn a_refused_account_rests_until_its_password_changes_or_somebody_insists() {
    let refusing = "echo x >> DIR/logins; printf 'Password: '; read p; echo Login failed; sleep 30";
    let mut story = Story::of(refusing);
    let logins = |story: &Story| std::fs::read_to_string(story.dir.path().join("logins")).unwrap().lines().count();
    let first = story.tell().await.0;
    assert_eq!((first.verdict, logins(&story)), (Verdict::Down, 1));
    let (second, _) = story.tell().await;
    assert_eq!(
        stages(&second),
        "prepare=passed external=passed login=account-paused internal=skipped teardown=skipped cleanup=skipped"
    );
    assert_eq!((second.verdict, logins(&story)), (Verdict::Unknown, 1), "nobody was logged in");
    let detail = second.detail.unwrap();
    assert!(detail.contains("rests after auth-rejected until 20"), "{detail}");
    story.force = true;
    assert_eq!((story.tell().await.0.verdict, logins(&story)), (Verdict::Down, 2));
    story.force = false;
    assert_eq!((story.tell().await.0.verdict, logins(&story)), (Verdict::Unknown, 2));
    let changed = story.site_key("password: correct-horse");
    assert_eq!((changed.tell().await.0.verdict, logins(&changed)), (Verdict::Down, 3));
}

#[tokio::test]
async fn an_accepted_account_does_not_rest_any_more() {
    let mut story = Story::of("printf 'Password: '; read p; echo Login failed; sleep 30");
    story.tell().await;
    story.client = GOOD.to_owned();
    story.force = true;
    assert_eq!(story.tell().await.0.verdict, Verdict::Up);
    story.force = false;
    assert_eq!(story.tell().await.0.verdict, Verdict::Up);
}

#[tokio::test]
async fn a_client_that_is_not_installed_is_our_own_trouble() {
    let mut story = Story::of(GOOD);
    story.client = "unused".into();
    let mut config = story.config();
    let site = Arc::make_mut(&mut config.sites[0]);
    let SiteTarget::SslVpn(vpn) = &mut site.target else { unreachable!() };
    Arc::make_mut(&mut vpn.client).command = "/no/such/client".into();
    let around = story.around(&config);
    let (record, _) = story.tell_with(&config, &around).await;
    assert_eq!(
        stages(&record),
        "prepare=passed external=passed login=client-missing internal=skipped teardown=skipped cleanup=skipped"
    );
    assert_eq!(record.verdict, Verdict::Unknown);
    assert!(record.detail.unwrap().contains("/no/such/client"));
}

#[tokio::test]
async fn a_claim_without_an_interface_is_no_tunnel() {
    let claims = "printf 'Password: '; read p; echo Connected; read q";
    let (record, _) = Story::of(claims).site_key("timeout: 1").tell().await;
    assert_eq!(record.reason, Some(FailureKind::NoInterface.into()));
    assert!(record.login.is_some(), "the claim was timed all the same");
}

#[tokio::test]
async fn a_way_past_the_tunnel_is_told() {
    let (record, _) = Story::of(GOOD).wrong(Wrong::RoutesPastTheTunnel).tell().await;
    assert_eq!(record.reason, Some(FailureKind::NotThroughTunnel.into()));
    assert_eq!(record.internal, None, "no ping went out to prove nothing");
}

#[tokio::test]
async fn a_client_that_dies_under_the_ping_is_a_lost_tunnel() {
    let dies = "printf 'Password: '; read p; printf 10.88.0.15 > DIR/interfaces/tun0; echo Connected; sleep 0.2; \
                rm DIR/interfaces/tun0; kill -9 $$";
    let (record, _) = Story::of(dies)
        .site_key("internal_ip: 10.1.0.66")
        .site_key("ping: { count: 500, interval: 10ms, timeout: 1s }")
        .tell()
        .await;
    assert_eq!((record.failed_stage, record.reason), (Some(Stage::Internal), Some(FailureKind::Disconnected.into())));
}

#[tokio::test]
async fn what_a_dying_client_leaves_is_removed() {
    let leaves = "printf 'Password: '; read p; printf 10.88.0.15 > DIR/interfaces/tun0; \
                  echo '# SonicWall' > DIR/resolv.conf; echo Connected; read q; exit 1";
    let story = Story::of(leaves);
    let (record, _) = story.tell().await;
    assert_eq!((record.verdict, record.leftovers.as_slice()), (Verdict::Up, [].as_slice()));
    let resolv_conf = std::fs::read_to_string(story.dir.path().join("resolv.conf")).unwrap();
    assert_eq!(resolv_conf, "nameserver 192.0.2.53\n");
    let cleanup = record.stages.last().unwrap().detail.clone().unwrap();
    assert!(cleanup.contains("removed interface tun0"), "{cleanup}");
}

#[tokio::test]
async fn resolv_conf_is_compared_before_each_login() {
    let client = GOOD.replace("echo Connected;", "echo '# SonicWall' > DIR/resolv.conf; echo Connected;");
    let story = Story::of(&format!("{client}; echo nameserver 192.0.2.53 > DIR/resolv.conf"));
    let (first, _) = story.tell().await;
    assert_eq!(first.stages[5].detail, None, "the client took it back itself");
    // Something that outlived the check writes the client's content once more.
    let resolv_conf = story.dir.path().join("resolv.conf");
    std::fs::write(&resolv_conf, "# SonicWall\n").unwrap();
    let (second, _) = story.tell().await;
    assert!(second.stages[0].detail.as_deref().unwrap().contains("wrote the former content"), "{second:?}");
    // The administrator's own change is kept.
    std::fs::write(&resolv_conf, "nameserver 198.51.100.53\n").unwrap();
    let (third, _) = story.tell().await;
    assert_eq!(third.stages[0].detail, None);
    assert_eq!(std::fs::read_to_string(&resolv_conf).unwrap(), "nameserver 198.51.100.53\n");
}

#[tokio::test]
async fn a_prober_that_can_not_look_for_the_interface_does_not_blame_the_tunnel() {
    let story = Story::of(GOOD).wrong(Wrong::CannotWatch);
    let config = story.config();
    let order = Order::new(Duration::from_mins(10), false);
    let finished = run_cycle(&config.sites[0], order, &story.around(&config), &NoObserver).await;
    let record = finished.record;
    assert_eq!((record.verdict, record.failed_stage), (Verdict::Unknown, Some(Stage::Login)), "{record:?}");
    assert_eq!(record.reason, Some(MalfunctionKind::PrepareFailed.into()));
    assert!(record.detail.unwrap().contains("too many open files"));
}

#[tokio::test]
async fn a_prober_that_can_not_tell_the_way_does_not_blame_the_tunnel() {
    let (record, _) = Story::of(GOOD).wrong(Wrong::CannotTellTheWay).tell().await;
    assert_eq!((record.verdict, record.failed_stage), (Verdict::Unknown, Some(Stage::Internal)), "{record:?}");
    assert_eq!(record.reason, Some(MalfunctionKind::PrepareFailed.into()));
    assert!(record.detail.unwrap().contains("too many open files"));
}

#[tokio::test]
async fn after_a_panic_the_tunnel_is_still_taken_down() {
    let (record, _) = Story::of(GOOD).wrong(Wrong::PanicsInside).tell().await;
    assert_eq!(
        stages(&record),
        "prepare=passed external=passed login=passed internal=panicked teardown=passed cleanup=passed"
    );
    assert_eq!(record.verdict, Verdict::Unknown);
    assert_eq!(record.detail.as_deref(), Some("no such thing"));
}

#[tokio::test]
async fn a_stop_in_the_middle_of_a_login_takes_the_client_down() {
    let hangs = "printf 'Password: '; read p; echo waiting > DIR/waits; sleep 30";
    let story = Story::of(hangs);
    let config = story.config();
    let around = story.around(&config);
    let waits = story.dir.path().join("waits");
    let stop = async {
        while !waits.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        around.cancel.cancel();
        std::future::pending::<()>().await;
    };
    let (record, _) = tokio::select! {
        told = story.tell_with(&config, &around) => told,
        () = stop => unreachable!("it waits for ever"),
    };
    assert_eq!(
        stages(&record),
        "prepare=passed external=passed login=cancelled internal=skipped teardown=passed cleanup=passed"
    );
    assert_eq!((record.verdict, record.failed_stage), (Verdict::Unknown, Some(Stage::Login)));
}

#[tokio::test]
async fn without_a_place_for_the_journal_no_client_is_started() {
    let story = Story::of("touch DIR/started; sleep 30");
    let config = story.config();
    let mut around = story.around(&config);
    around.state_dir = story.dir.path().join("resolv.conf/not-a-directory");
    let (record, _) = story.tell_with(&config, &around).await;
    assert_eq!(
        stages(&record),
        "prepare=prepare-failed external=skipped login=skipped internal=skipped teardown=skipped cleanup=skipped"
    );
    assert!(!story.dir.path().join("started").exists());
}

#[tokio::test]
async fn a_tunnel_that_came_back_by_itself_has_its_whole_grace_at_its_next_fall() {
    let story = Story::of(GOOD);
    let text = format!(
        "state_dir: {}/state\nsites: {{ tunnel: {{ kind: ipsec, child_sa: net }} }}",
        story.dir.path().display()
    );
    let config = config::load_str(&text, story.dir.path(), "test.yml", &Environment::default()).unwrap().config;
    let configured = vec![tunnel("gw", "net")];
    let up = vec![ike("gw", 1, vec![child("net", 7)])];
    let around = Surroundings { ike: Arc::new(FakeDaemon::new(configured.clone(), up)), ..story.around(&config) };
    let falling = View { configured, installed: vec![ike_in(IkeState::Connecting, ike("gw", 2, vec![]))] };
    let recovering_since = |at: &str| {
        let target = target("net");
        let seen = Seen { target: &target, assessment: &assess(&falling, &target), inside: Inside::NotAsked };
        around.ledger.observe(&falling, seen, at.parse().unwrap()).recovering_since.unwrap().to_rfc3339()
    };
    recovering_since("2026-11-20T06:00:00Z");
    let (record, _) = story.tell_with(&config, &around).await;
    assert_eq!(stages(&record), "sa=passed restart=skipped");
    assert_eq!(recovering_since("2026-11-20T09:00:00Z"), "2026-11-20T09:00:00+00:00");
}
