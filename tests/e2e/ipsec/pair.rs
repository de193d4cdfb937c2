//! Two strongSwan daemons for the length of one test, and what may befall the tunnels between them.

use std::cell::RefCell;
use std::fs;
use std::process::{Command, Output};

use super::Sas;
use crate::lab::{Lab, Setup, Undo, until};

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Where the prober stands.
    Prober,
    /// The other one.
    Peer,
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Self::Prober => "prober",
            Self::Peer => "peer",
        }
    }
}

/// A tunnel of the lab.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tunnel {
    pub(crate) ike: &'static str,
    pub(crate) child: &'static str,
    /// What lies behind it.
    pub(crate) inside: &'static str,
}

impl Tunnel {
    pub(crate) const A: Self = Self { ike: "site-a", child: "net-a", inside: "10.75.0.1" };
    pub(crate) const B1: Self = Self { ike: "shared", child: "net-b1", inside: "10.75.1.1" };
    pub(crate) const B2: Self = Self { ike: "shared", child: "net-b2", inside: "10.75.2.1" };
    pub(crate) const REKEYS: Self = Self { ike: "rekey", child: "net-r", inside: "10.75.3.1" };
    pub(crate) const PSK: Self = Self { ike: "site-psk", child: "net-p", inside: "10.75.4.1" };
    pub(crate) const RECOVERS: Self = Self { ike: "recovers", child: "net-o", inside: "10.75.5.1" };
    pub(crate) const TWIN_1: Self = Self { ike: "twin-1", child: "net-twin", inside: "10.75.6.1" };
    pub(crate) const TWIN_2: Self = Self { ike: "twin-2", child: "net-twin", inside: "10.75.7.1" };
}

impl Tunnel {
    /// One of those that `tunnels` adds.
    pub(crate) fn many(number: usize) -> Self {
        let leak = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        Self {
            ike: leak(format!("many-{:02}", number / 20)),
            child: leak(format!("many-{number:03}")),
            inside: leak(format!("10.74.1.{}", number + 1)),
        }
    }

    /// The keys of its site, by a ping of half a second; `more` comes beside them.
    pub(crate) fn keys(self, more: &str) -> String {
        format!(
            "kind: ipsec, child_sa: {}, external_ip: 10.76.0.1, internal_ip: {}, \
             ping: {{ count: 3, interval: 20ms, timeout: 500ms }}, {more}",
            self.child, self.inside
        )
    }
}

/// Both daemons, with their tunnels loaded; ended with this value.
pub(crate) struct Pair<'a> {
    lab: &'a Lab,
    uplink: RefCell<Option<Undo>>,
}

impl<'a> Pair<'a> {
    /// Both configured by swanctl.conf, no tunnel up.
    pub(crate) fn start(lab: &'a Lab) -> Self {
        Self::started(lab, &["pair", "start"])
    }

    /// The prober's side configured by ipsec.conf.
    pub(crate) fn start_with_ipsec_conf(lab: &'a Lab) -> Self {
        Self::started(lab, &["pair", "start", "ipsec.conf"])
    }

    /// Both configured by swanctl.conf, these tunnels up and carrying traffic.
    pub(crate) fn with(lab: &'a Lab, tunnels: &[Tunnel]) -> Self {
        let pair = Self::start(lab);
        for tunnel in tunnels {
            pair.initiate(*tunnel);
        }
        pair
    }

    /// The same, with strongSwan's own time limits: a peer that does not answer is given up after 165 s.
    pub(crate) fn with_usual_limits(lab: &'a Lab, tunnels: &[Tunnel]) -> Self {
        let pair = Self::started(lab, &["pair", "start", "swanctl", "usual-limits"]);
        for tunnel in tunnels {
            pair.initiate(*tunnel);
        }
        pair
    }

    fn started(lab: &'a Lab, arguments: &[&str]) -> Self {
        let pair = Self { lab, uplink: RefCell::new(None) };
        pair.tell(arguments);
        pair
    }

    /// `scripts/lab ARGUMENTS`.
    fn tell(&self, arguments: &[&str]) {
        let output = self.lab.script(arguments).output().unwrap();
        assert!(output.status.success(), "lab {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr));
    }

    fn tell_side(&self, side: Side, action: &str) {
        self.tell(&["pair", side.name(), action]);
    }

    fn swanctl(&self, side: Side, arguments: &[&str]) -> Output {
        let arguments: Vec<_> = ["swanctl", side.name()].iter().chain(arguments).copied().collect();
        self.lab.script(&arguments).output().unwrap()
    }

    #[track_caller]
    fn swanctl_succeeds(&self, side: Side, arguments: &[&str]) {
        let output = self.swanctl(side, arguments);
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "swanctl {}: {}", arguments.join(" "), String::from_utf8_lossy(&said));
    }

    /// A configuration with a site for this tunnel, of the child's name; `more` comes beside its keys.
    pub(crate) fn site(&self, tunnel: Tunnel, more: &str) -> Setup<'a> {
        self.setup(tunnel.child, &tunnel.keys(more))
    }

    /// The same, and only strongSwan is asked.
    pub(crate) fn site_without_inside(&self, tunnel: Tunnel) -> Setup<'a> {
        let keys = format!("kind: ipsec, child_sa: {}", tunnel.child);
        self.setup(tunnel.child, &keys).without("external_ip").without("internal_ip")
    }

    fn setup(&self, name: &str, keys: &str) -> Setup<'a> {
        let socket = self.lab.dir().join("pair/prober/charon.vici");
        self.lab.site(name, keys).top(&format!("ipsec: {{ socket: \"{}\" }}", socket.display()))
    }

    /// What one side says of its SAs; none while it does not run.
    pub(crate) fn sas(&self, side: Side) -> Sas {
        Sas::read(&String::from_utf8_lossy(&self.swanctl(side, &["--list-sas"]).stdout))
    }

    /// How many children one side has in its configuration.
    pub(crate) fn configured(&self, side: Side) -> usize {
        let output = self.swanctl(side, &["--list-conns"]);
        String::from_utf8_lossy(&output.stdout).matches(": TUNNEL, ").count()
    }

    /// Brings a tunnel up by hand, and sees traffic go through it.
    #[track_caller]
    pub(crate) fn initiate(&self, tunnel: Tunnel) {
        self.swanctl_succeeds(Side::Prober, &["--initiate", "--ike", tunnel.ike, "--child", tunnel.child]);
        self.carries(tunnel);
    }

    /// Whether it can be brought up by hand.
    pub(crate) fn can_be_initiated(&self, tunnel: Tunnel) -> bool {
        let arguments = ["--initiate", "--ike", tunnel.ike, "--child", tunnel.child, "--timeout", "5"];
        self.swanctl(Side::Prober, &arguments).status.success()
    }

    /// Whether a ping is answered from behind the tunnel: one of five, within half a second.
    pub(crate) fn answers(&self, tunnel: Tunnel) -> bool {
        let ping = ["run", "ping", "-nq", "-c5", "-i0.02", "-W0.5", tunnel.inside];
        self.lab.script(&ping).output().unwrap().status.success()
    }

    /// Asserts that it carries traffic.
    #[track_caller]
    pub(crate) fn carries(&self, tunnel: Tunnel) {
        assert!(self.answers(tunnel), "`{}` carries no traffic: {:?}", tunnel.child, self.sas(Side::Prober));
        let from = self.lab.connects_from(&format!("{}:9802", tunnel.inside));
        let from = from.unwrap_or_else(|| panic!("no TCP through `{}`", tunnel.child));
        // What the peer has to send again, after a fault, would come in through the tunnel.
        until("the end of the connection at the peer", || self.peer_is_done_with(from).then_some(()));
    }

    fn peer_is_done_with(&self, port: u16) -> bool {
        let peer = self.lab.namespace_of("peer");
        let ss = ["ss", "-Htn", "state", "connected", "exclude", "time-wait", "dport"];
        let found =
            Command::new("ip").args(["netns", "exec", &peer]).args(ss).arg(format!("= :{port}")).output().unwrap();
        assert!(found.status.success(), "{}", String::from_utf8_lossy(&found.stderr));
        found.stdout.is_empty()
    }

    /// Asserts that it carries none.
    #[track_caller]
    pub(crate) fn carries_nothing(&self, tunnel: Tunnel) {
        assert!(!self.answers(tunnel), "`{}` carries traffic: {:?}", tunnel.child, self.sas(Side::Prober));
    }

    /// Whether the peer's own address answers.
    pub(crate) fn reaches_peer(&self) -> bool {
        self.lab.script(&["run", "ping", "-nq", "-c1", "-W1", "10.76.0.1"]).output().unwrap().status.success()
    }

    /// Somebody takes the CHILD_SA down.
    pub(crate) fn delete_child(&self, side: Side, tunnel: Tunnel) {
        self.swanctl_succeeds(side, &["--terminate", "--child", tunnel.child]);
    }

    /// Somebody takes the IKE_SA down, with all its children.
    pub(crate) fn delete_ike(&self, side: Side, tunnel: Tunnel) {
        self.swanctl_succeeds(side, &["--terminate", "--ike", tunnel.ike]);
    }

    /// `kill -9`: the other side is not told.
    pub(crate) fn kill(&self, side: Side) {
        self.tell_side(side, "kill");
    }

    /// It runs again, without configuration.
    pub(crate) fn start_empty(&self, side: Side) {
        self.tell_side(side, "start");
    }

    /// It gets its configuration.
    pub(crate) fn load(&self, side: Side) {
        self.tell_side(side, "load");
    }

    /// It runs again, with its configuration. Without one, a peer answers that it knows no proposal, and a daemon that
    /// was recovering by itself takes that for an answer for good: so nothing reaches it before.
    pub(crate) fn back(&self, side: Side) {
        let _quiet = (side == Side::Peer).then(|| self.way_is_silent());
        self.start_empty(side);
        self.load(side);
    }

    /// Its configuration is gone.
    pub(crate) fn unload(&self, side: Side) {
        self.tell_side(side, "unload");
    }

    /// It ends in its own way, telling the other, and runs again with its configuration.
    pub(crate) fn restart(&self, side: Side) {
        self.tell_side(side, "stop");
        self.back(side);
    }

    /// Half-open tunnels: the peer lost all its SAs and does not know.
    pub(crate) fn peer_forgets(&self) {
        self.kill(Side::Peer);
        self.back(Side::Peer);
    }

    /// The key of `site-psk` is another one on the prober's side.
    pub(crate) fn psk_is_wrong(&self) {
        self.tell_side(Side::Prober, "wrong-psk");
    }

    /// The key of `site-psk` is right again.
    pub(crate) fn psk_is_right(&self) {
        self.tell_side(Side::Prober, "right-psk");
    }

    /// So many tunnels more, none of them up.
    pub(crate) fn tunnels(&self, count: usize) {
        self.tell(&["tunnels", &count.to_string()]);
    }

    /// So many tunnels more, all of them up.
    #[track_caller]
    pub(crate) fn tunnels_up(&self, count: usize) -> Sas {
        self.tell(&["tunnels", &count.to_string(), "up"]);
        self.until("all of them are up", |sas| sas.installed() == count)
    }

    /// ESP to the peer vanishes on its way, IKE does not; until the value goes. In UDP 4500, IKE has four zeros where ESP
    /// has its SPI.
    pub(crate) fn esp_vanishes(&self) -> Undo {
        self.peer_drops("iifname prober0 udp dport 4500 @th,64,32 != 0")
    }

    /// Packets for what is behind this tunnel vanish behind it, until the value goes.
    pub(crate) fn inside_is_silent(&self, tunnel: Tunnel) -> Undo {
        self.peer_drops(&format!("iifname ipsec0 ip daddr {}", tunnel.inside))
    }

    /// Everything to the peer vanishes, until the value goes.
    pub(crate) fn way_is_silent(&self) -> Undo {
        self.peer_drops("iifname prober0")
    }

    fn peer_drops(&self, packets: &str) -> Undo {
        let nft = format!("ip netns exec {} nft", self.lab.namespace_of("peer"));
        let chain = "{ type filter hook prerouting priority -400 ; }";
        Undo::after(
            &[
                format!("{nft} add table ip fault"),
                format!("{nft} add chain ip fault drops {chain}"),
                format!("{nft} add rule ip fault drops {packets} drop"),
            ],
            vec![format!("{nft} delete table ip fault")],
        )
    }

    /// The interface towards the peer is down, and with it every route there; until the value goes.
    pub(crate) fn interface_is_down(&self) -> Undo {
        let ip = format!("ip -n {}", self.lab.namespace());
        let back = |net: &str| format!("{ip} route add {net} via 10.76.0.1");
        Undo::after(
            &[format!("{ip} link set peer0 down")],
            vec![format!("{ip} link set peer0 up"), back("10.74.0.0/16"), back("10.75.0.0/16")],
        )
    }

    /// The cable to the peer is pulled, until `plug`.
    pub(crate) fn pull(&self) {
        let link = |state: &str| format!("ip -n {} link set prober0 {state}", self.lab.namespace_of("peer"));
        *self.uplink.borrow_mut() = Some(Undo::after(&[link("down")], vec![link("up")]));
    }

    /// It is plugged in again.
    pub(crate) fn plug(&self) {
        self.uplink.borrow_mut().take();
    }

    /// What the prober's side logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.lab.dir().join("log/charon-prober.log")).unwrap()
    }

    /// Waits until the prober's side is as `expected` says.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, expected: impl Fn(&Sas) -> bool) -> Sas {
        until(what, || Some(self.sas(Side::Prober)).filter(|sas| expected(sas)))
    }
}

impl Drop for Pair<'_> {
    fn drop(&mut self) {
        self.plug();
        let _ = self.lab.script(&["pair", "stop"]).output();
    }
}
