//! The lab for the length of one test: controls before it, the same namespace after it.

use std::cell::Cell;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::snapshot::{self, Process, Snapshot};
use super::{Mail, SECRETS, Setup, until};

/// The tests share one prober's namespace.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What belongs to a client in the lab.
const CLIENT: &[&str] = &["startct", "startct.sh", "java", "AvConnect", "setpriv", "openconnect", "openvpn"];

/// The lab, for one test. Its end proves that the namespace is as it was.
pub(crate) struct Lab {
    name: String,
    dir: PathBuf,
    before: Snapshot,
    mails_before: usize,
    log_before: usize,
    openvpn_before: usize,
    gateway_touched: Cell<bool>,
    mail_touched: Cell<bool>,
    _turn: MutexGuard<'static, ()>,
}

impl Lab {
    /// Waits for its turn and proves that the lab is in order.
    pub(crate) fn locked() -> Self {
        // A test that failed has put the lab in order again.
        let turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        let name = std::env::var("VPNPROBE_LAB").unwrap_or_else(|_| "vplab".to_owned());
        let dir = Path::new("/tmp").join(&name);
        assert!(dir.join("config.yml").exists(), "needs the lab: run scripts/test e2e");
        let namespace = format!("{name}-prober");
        let before = until("every address of the prober's namespace counts", || {
            Some(Snapshot::take(&namespace)).filter(Snapshot::is_settled)
        });
        let mut lab = Self {
            name,
            dir,
            before,
            mails_before: 0,
            log_before: 0,
            openvpn_before: 0,
            gateway_touched: Cell::new(false),
            mail_touched: Cell::new(false),
            _turn: turn,
        };
        lab.controls();
        lab.mails_before = Mail::all_in(&lab.dir.join("mails")).len();
        lab.log_before = lab.whole_gateway_log().len();
        lab.openvpn_before = lab.whole_openvpn_log().len();
        lab
    }

    /// Without these, nothing that is seen later would prove anything.
    fn controls(&self) {
        assert_eq!(self.before.processes, [], "control: something runs in the prober's namespace");
        assert_eq!(
            self.before.interfaces(),
            ["lo", "gw0", "mail0", "peer0"],
            "control: interfaces of the prober's namespace"
        );
        let original = fs::read_to_string(self.dir.join("resolv.conf.original")).unwrap();
        assert_eq!(self.before.resolv_conf, original, "control: resolv.conf of the prober's namespace");
        let routes = self.before.routes_by_hand();
        let to: Vec<_> = routes.iter().map(|route| route[1].as_str()).collect();
        let expected = ["10.74.0.0/16", "10.75.0.0/16", "10.78.1.0/24"];
        assert_eq!(to, expected, "control: routes of the prober's namespace: {routes:?}");
        assert!(!self.has_way_inside(), "control: there is a way to the inside without a tunnel");
        assert!(self.connects("10.78.0.1:443"), "control: the gateway does not listen");
        assert!(self.connects("10.79.0.1:25"), "control: the mail server does not listen");
    }

    /// Whether something listens there, seen from where the prober stands.
    pub(crate) fn connects(&self, address: &str) -> bool {
        self.connects_from(address).is_some()
    }

    /// The same, and from which port it did.
    pub(crate) fn connects_from(&self, address: &str) -> Option<u16> {
        let address: SocketAddr = address.parse().unwrap();
        let namespace = fs::File::open(Path::new("/run/netns").join(self.namespace())).unwrap();
        let attempt = thread::spawn(move || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            let stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok()?;
            Some(stream.local_addr().unwrap().port())
        });
        attempt.join().unwrap()
    }

    /// A configuration with this site; `keys` is the inside of a YAML flow mapping.
    pub(crate) fn site(&self, name: &str, keys: &str) -> Setup<'_> {
        Setup::new(self).site(name, keys)
    }

    /// Its directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The namespace in which the prober stands.
    pub(crate) fn namespace(&self) -> String {
        format!("{}-prober", self.name)
    }

    /// Another namespace of the lab: `gw`, `inside`, `mail`, `peer`.
    pub(crate) fn namespace_of(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    /// `scripts/lab ARGUMENTS`.
    pub(crate) fn script(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/lab"));
        command.args(arguments).env("VPNPROBE_LAB", &self.name);
        command
    }

    /// `stop`, `start`, `pause` or `cont`; it runs again after the test.
    pub(crate) fn gateway(&self, action: &str) {
        self.gateway_touched.set(action != "start" && action != "cont");
        self.knob("gateway", action);
    }

    /// `stop`, `start` or `hang`; it runs again after the test.
    pub(crate) fn mail_server(&self, action: &str) {
        self.mail_touched.set(action != "start");
        self.knob("mail", action);
    }

    fn knob(&self, part: &str, action: &str) {
        let output = self.script(&[part, action]).output().unwrap();
        assert!(output.status.success(), "lab {part} {action}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// The namespace as it is now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot::take(&self.namespace())
    }

    /// Asserts that the namespace is as it was before the test.
    #[track_caller]
    pub(crate) fn is_as_before(&self) {
        let differences = self.before.differences(&self.snapshot());
        assert!(differences.is_empty(), "the namespace is not as before: {}", differences.join("\n"));
    }

    /// The processes of the namespace.
    pub(crate) fn processes(&self) -> Vec<Process> {
        snapshot::processes(&self.namespace())
    }

    /// Waits until a process of this name runs in the namespace.
    #[track_caller]
    pub(crate) fn process(&self, name: &str) -> Process {
        until(&format!("a process `{name}` in the prober's namespace"), || {
            self.processes().into_iter().find(|process| process.name == name)
        })
    }

    /// Whether this interface is there.
    pub(crate) fn has_interface(&self, name: &str) -> bool {
        self.snapshot().interfaces().contains(&name)
    }

    /// Waits until a tunnel stands and resolv.conf is rewritten.
    #[track_caller]
    pub(crate) fn tunnel_stands(&self) {
        until("the client's tunnel with a rewritten resolv.conf", || {
            let resolv_conf = snapshot::resolv_conf(&self.namespace());
            (self.has_interface("tun0") && resolv_conf.contains("SonicWall")).then_some(())
        });
    }

    /// `kill -9` of the client's whole tree.
    pub(crate) fn kill_client(&self) {
        let client: Vec<_> = self.processes().into_iter().filter(|p| CLIENT.contains(&p.name.as_str())).collect();
        assert!(!client.is_empty(), "there is no client to kill");
        for process in client {
            kill(process.pid, Signal::KILL);
        }
    }

    /// `kill -9` of one process.
    pub(crate) fn kill(&self, process: &Process) {
        assert!(self.processes().contains(process), "{process:?} is gone");
        kill(process.pid, Signal::KILL);
        until("its end", || (!self.processes().contains(process)).then_some(()));
    }

    /// Somebody else's process where the prober stands.
    pub(crate) fn stranger(&self, command: &[&str]) -> Stranger {
        let arguments: Vec<_> = ["run"].iter().chain(command).copied().collect();
        Stranger::start(self.script(&arguments))
    }

    /// A tunnel of somebody else, without anybody behind it; it goes with the value.
    pub(crate) fn tunnel(&self, name: &str, address: &str) -> Tunnel<'_> {
        let namespace = self.namespace();
        assert!(ip(&["-n", &namespace, "tuntap", "add", name, "mode", "tun"]));
        let tunnel = Tunnel { lab: self, name: name.to_owned() };
        assert!(ip(&["-n", &namespace, "address", "add", address, "dev", name]));
        assert!(ip(&["-n", &namespace, "link", "set", name, "up"]));
        tunnel
    }

    /// Packets beyond 1,000 bytes vanish between the gateway and the inside, until the value goes.
    pub(crate) fn large_packets_vanish(&self) -> Undo {
        let change = |what: &str| format!("tc -n {}-gw qdisc {what}", self.name);
        // A bucket that holds no packet so large: it is dropped without a word.
        assert!(shell(&change("add dev in0 root tbf rate 100mbit burst 1000 limit 100000")));
        Undo(vec![change("del dev in0 root")])
    }

    /// The link between the gateway and the inside takes 600 bytes, until the value goes.
    pub(crate) fn inside_link_is_narrow(&self) -> Undo {
        let change = |mtu: u32| {
            ["gw", "inside"].map(|name| format!("ip -n {}-{name} link set in0 mtu {mtu}", self.name)).to_vec()
        };
        for command in change(600) {
            assert!(shell(&command), "{command}");
        }
        Undo(change(1500))
    }

    /// The cable to the gateway is pulled at the gateway's end, until the value goes.
    pub(crate) fn cable_is_pulled(&self) -> Undo {
        let set = |state: &str| format!("ip -n {}-gw link set out0 {state}", self.name);
        // An address of IPv6 goes with the link.
        let address = format!("ip -n {}-gw address replace fd78::1/64 dev out0 nodad", self.name);
        // Whoever asked for the gateway meanwhile is about to give up, and with it whoever asks next.
        let forget = format!("ip -n {} neigh flush dev gw0", self.namespace());
        Undo::after(&[set("down")], vec![set("up"), address, forget])
    }

    /// The gateway has one more address, until the value goes.
    pub(crate) fn another_gateway(&self, address: &str) -> Undo {
        let change = |action: &str| format!("ip -n {}-gw address {action} {address}/24 dev out0", self.name);
        Undo::after(&[change("add")], vec![change("del")])
    }

    /// Whether there is a way to the inside host.
    pub(crate) fn has_way_inside(&self) -> bool {
        ip(&["-n", &self.namespace(), "route", "get", "10.77.0.1"])
    }

    /// Whether the way to the inside host is by this interface.
    pub(crate) fn goes_inside_by(&self, interface: &str) -> bool {
        let arguments = ["-n", &self.namespace(), "route", "get", "10.77.0.1"];
        let output = Command::new("ip").args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).contains(&format!("dev {interface} "))
    }

    /// Whether the inside host answers.
    pub(crate) fn inside_answers(&self) -> bool {
        self.script(&["run", "ping", "-nqc1", "-W5", "10.77.0.1"]).output().unwrap().status.success()
    }

    /// How often a password reached the gateway since the test began.
    pub(crate) fn passwords_at_gateway(&self) -> usize {
        self.gateway_log().matches("sec-mod: auth cont for user").count()
    }

    /// How often a password reached `OpenVPN` since the test began.
    pub(crate) fn passwords_at_openvpn(&self) -> usize {
        self.whole_openvpn_log()[self.openvpn_before..].matches("lab: password of ").count()
    }

    /// How often a one-time code reached it.
    pub(crate) fn codes_at_openvpn(&self) -> usize {
        self.whole_openvpn_log()[self.openvpn_before..].matches("lab: code of ").count()
    }

    fn whole_openvpn_log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.dir.join("log/openvpn.log")).unwrap()).into_owned()
    }

    /// Tells one of the `OpenVPN` servers something by its management interface.
    pub(crate) fn tell_openvpn(&self, server: &str, line: &str) {
        let mut socket = UnixStream::connect(self.dir.join(format!("run/openvpn-{server}.socket"))).unwrap();
        socket.set_read_timeout(Some(super::PATIENCE)).unwrap();
        let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
        assert!(lines.next().unwrap().unwrap().contains("Management Interface"));
        writeln!(socket, "{line}").unwrap();
        let answer = lines.find(|line| !line.as_ref().unwrap().starts_with('>')).unwrap().unwrap();
        assert!(answer.starts_with("SUCCESS"), "{answer}");
    }

    /// The number by which that server knows the client that came last.
    pub(crate) fn openvpn_client(&self, server: &str) -> u32 {
        let mut socket = UnixStream::connect(self.dir.join(format!("run/openvpn-{server}.socket"))).unwrap();
        socket.set_read_timeout(Some(super::PATIENCE)).unwrap();
        writeln!(socket, "status 2").unwrap();
        let lines = BufReader::new(socket).lines().map(Result::unwrap).take_while(|line| line != "END");
        let clients = lines.filter(|line| line.starts_with("CLIENT_LIST,"));
        // CLIENT_LIST,Common Name,Real Address,…,Username,Client ID,Peer ID,Cipher
        clients.map(|line| line.rsplit(',').nth(2).unwrap().parse().unwrap()).max().unwrap()
    }

    /// How often a password or a code reached one of the other gateways (`codes`, `hostile`), ever.
    pub(crate) fn passwords_at(&self, gateway: &str) -> usize {
        let log = fs::read(self.dir.join(format!("log/ocserv-{gateway}.log"))).unwrap();
        String::from_utf8_lossy(&log).matches("sec-mod: auth cont for user").count()
    }

    /// The gateway with a second factor forgets which codes were used, as in another half minute.
    pub(crate) fn forget_codes(&self) {
        self.knob("gateway", "forget-codes");
    }

    /// What the gateway wrote since the test began.
    pub(crate) fn gateway_log(&self) -> String {
        self.whole_gateway_log().split_off(self.log_before)
    }

    fn whole_gateway_log(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.dir.join("log/ocserv.log")).unwrap()).into_owned()
    }

    /// Mails delivered since the test began, in their order.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        Mail::all_in(&self.dir.join("mails")).split_off(self.mails_before)
    }

    fn start_what_was_stopped(&self) {
        if self.gateway_touched.replace(false) {
            // Paused or stopped: both ways lead to a gateway that runs.
            let _ = self.script(&["gateway", "cont"]).output();
            let _ = self.script(&["gateway", "start"]).output();
        }
        if self.mail_touched.replace(false) {
            let _ = self.script(&["mail", "stop"]).output();
            let _ = self.script(&["mail", "start"]).output();
        }
    }

    /// So that the next test has a fair start.
    fn put_in_order(&self) {
        let namespace = self.namespace();
        for process in self.processes() {
            kill(process.pid, Signal::KILL);
        }
        for interface in self.snapshot().interfaces().into_iter().filter(|name| name.starts_with("tun")) {
            let _ = ip(&["-n", &namespace, "link", "del", interface]);
        }
        let (before, now) = (self.before.routes_by_hand(), self.snapshot().routes_by_hand());
        for (action, routes, others) in [("del", &now, &before), ("add", &before, &now)] {
            for route in routes.iter().filter(|route| !others.contains(route)) {
                let start = ["-n", &namespace, "route", action];
                let _ = ip(&start.into_iter().chain(route.iter().map(String::as_str)).collect::<Vec<_>>());
            }
        }
        for rule in self.snapshot().rules_beside(&self.before) {
            let [family, priority] = rule;
            let _ = ip(&["-n", &namespace, &family, "rule", "del", "priority", &priority]);
        }
        let _ = fs::write(Path::new("/etc/netns").join(&namespace).join("resolv.conf"), &self.before.resolv_conf);
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.start_what_was_stopped();
        let differences = self.before.differences(&self.snapshot());
        if !differences.is_empty() {
            self.put_in_order();
        }
        if thread::panicking() {
            return;
        }
        assert!(differences.is_empty(), "the test left something: {}", differences.join("\n"));
        for mail in self.mails() {
            for secret in SECRETS {
                assert!(!mail.text.contains(secret), "a mail holds the secret `{secret}`");
            }
        }
    }
}

/// A tunnel that is not the prober's.
pub(crate) struct Tunnel<'a> {
    lab: &'a Lab,
    name: String,
}

impl Drop for Tunnel<'_> {
    fn drop(&mut self) {
        let _ = ip(&["-n", &self.lab.namespace(), "link", "del", &self.name]);
    }
}

/// A process that is not the prober's; ended with this value.
pub(crate) struct Stranger(Child);

impl Stranger {
    pub(crate) fn start(mut command: Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    pub(crate) fn lives(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Ends it in its own way, so that it cleans up.
    pub(crate) fn interrupt(&mut self) {
        kill(i32::try_from(self.0.id()).unwrap(), Signal::INT);
        self.0.wait().unwrap();
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        // It may be about to start another one, which would stay.
        if self.lives() {
            let pid = i32::try_from(self.0.id()).unwrap();
            kill(pid, Signal::STOP);
            let _ = waitpid(Pid::from_raw(pid), WaitOptions::UNTRACED);
        }
        for pid in descendants(self.0.id()) {
            kill(pid, Signal::KILL);
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Children and children's children.
fn descendants(pid: u32) -> Vec<i32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = children.split_whitespace().map(|child| child.parse::<u32>().unwrap());
    children.flat_map(|child| [vec![i32::try_from(child).unwrap()], descendants(child)].concat()).collect()
}

/// It may have ended by itself.
pub(crate) fn kill(pid: i32, signal: Signal) {
    let _ = kill_process(Pid::from_raw(pid).unwrap(), signal);
}

/// Puts something right again when it goes.
pub(crate) struct Undo(Vec<String>);

impl Undo {
    /// Does something that will have to be put right.
    #[track_caller]
    pub(crate) fn after(commands: &[String], undo: Vec<String>) -> Self {
        let put_right = Self(undo);
        for command in commands {
            assert!(shell(command), "{command}");
        }
        put_right
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        for command in &self.0 {
            let _ = shell(command);
        }
    }
}

/// Whether a command without quotes succeeds.
fn shell(command: &str) -> bool {
    let mut words = command.split(' ');
    Command::new(words.next().unwrap()).args(words).stdin(Stdio::null()).status().unwrap().success()
}

/// Whether `ip` succeeds.
fn ip(arguments: &[&str]) -> bool {
    Command::new("ip").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}
