//! Network namespaces for one test, and threads inside them.

use std::fs::File;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// A network namespace that lives as long as this value.
pub(crate) struct Namespace(String);

impl Namespace {
    /// A new namespace with nothing but a loopback; `label` tells the namespaces of all tests apart.
    pub(crate) fn new(label: &str) -> Self {
        let namespace = Self(format!("vpx{}-{label}", std::process::id()));
        command("ip", &["netns", "add", &namespace.0]);
        namespace.ip("link set lo up");
        namespace
    }

    /// Two namespaces with a cable between them: `10.99.0.1/24` and `fd99::1/64` in the first, `.2` and `::2` in the
    /// second, both by the name of `eth0`.
    pub(crate) fn pair(label: &str) -> (Self, Self) {
        let (one, other) = (Self::new(&format!("{label}-a")), Self::new(&format!("{label}-b")));
        one.cable("eth0", &other, "eth0");
        one.address("eth0", "10.99.0.1/24");
        one.address("eth0", "fd99::1/64");
        other.address("eth0", "10.99.0.2/24");
        other.address("eth0", "fd99::2/64");
        (one, other)
    }

    /// Lays a cable between interfaces of two namespaces, and takes them up.
    pub(crate) fn cable(&self, name: &str, other: &Self, other_name: &str) {
        self.ip(&format!("link add {name} type veth peer name {other_name} netns {}", other.0));
        self.ip(&format!("link set {name} up"));
        other.ip(&format!("link set {other_name} up"));
    }

    /// Gives an interface an address that counts at once.
    pub(crate) fn address(&self, interface: &str, address: &str) {
        let at_once = if address.contains(':') { "nodad" } else { "" };
        self.ip(&format!("address add {address} dev {interface} {at_once}"));
    }

    /// Runs `ip` in the namespace.
    pub(crate) fn ip(&self, arguments: &str) {
        let arguments: Vec<_> = ["-n", &self.0].into_iter().chain(arguments.split_whitespace()).collect();
        command("ip", &arguments);
    }

    /// A command in the namespace.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0]).args(arguments);
        command
    }

    /// Sets a variable of the namespace, by its path below `/proc/sys/net`.
    pub(crate) fn set(&self, variable: &str, value: &str) {
        self.inside(|| std::fs::write(format!("/proc/sys/net/{variable}"), value).unwrap());
    }

    /// Allows ICMP datagram sockets to everybody.
    pub(crate) fn allow_datagram_icmp(&self) {
        self.set("ipv4/ping_group_range", "0 2147483647");
    }

    /// Calls `what` on a thread inside the namespace.
    pub(crate) fn inside<T: Send>(&self, what: impl FnOnce() -> T + Send) -> T {
        let file = File::open(format!("/var/run/netns/{}", self.0)).unwrap();
        thread::scope(|scope| {
            let inside = scope.spawn(move || {
                move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                what()
            });
            inside.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Runs a future on a runtime inside the namespace.
    pub(crate) fn run<T: Send, F: Future<Output = T>>(&self, what: impl FnOnce() -> F + Send) -> T {
        self.inside(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(what())
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // A failure here must not hide the test's own.
        let _ = Command::new("ip").args(["netns", "del", &self.0]).stderr(Stdio::null()).status();
    }
}

/// An address as written.
pub(crate) fn addr(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn command(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {errors}", arguments.join(" "));
}
