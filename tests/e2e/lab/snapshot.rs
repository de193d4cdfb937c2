//! What stands in the prober's namespace: processes, addresses, routes, rules, resolv.conf.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// A process of the namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    /// As the kernel knows it.
    pub(crate) name: String,
}

/// Everything that a client could have left.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Snapshot {
    pub(crate) processes: Vec<Process>,
    addresses: Value,
    routes: [Value; 2],
    rules: [Value; 2],
    pub(crate) resolv_conf: String,
}

impl Snapshot {
    /// The namespace as it is now.
    pub(crate) fn take(namespace: &str) -> Self {
        Self {
            processes: processes(namespace),
            addresses: ip(namespace, "addr"),
            routes: [ip(namespace, "-4 route show table all"), ip(namespace, "-6 route show table all")],
            rules: [ip(namespace, "-4 rule"), ip(namespace, "-6 rule")],
            resolv_conf: resolv_conf(namespace),
        }
    }

    /// Whether every address counts already: a link's own IPv6 address is tentative for its first second.
    pub(crate) fn is_settled(&self) -> bool {
        !self.addresses.to_string().contains("tentative")
    }

    /// In which respects another one differs, in words.
    pub(crate) fn differences(&self, now: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |what: &str, before: String, now: String| {
            if before != now {
                found.push(format!("{what}\n  before: {before}\n  now:    {now}"));
            }
        };
        compare("processes", format!("{:?}", self.processes), format!("{:?}", now.processes));
        compare("addresses", self.addresses.to_string(), now.addresses.to_string());
        for version in 0..2 {
            compare("routes", self.routes[version].to_string(), now.routes[version].to_string());
            compare("rules", self.rules[version].to_string(), now.rules[version].to_string());
        }
        compare("resolv.conf", self.resolv_conf.clone(), now.resolv_conf.clone());
        found
    }

    /// Family and priority of the rules that another snapshot does not have, as `ip rule del` takes them.
    pub(crate) fn rules_beside(&self, other: &Self) -> Vec<[String; 2]> {
        let of = |version: usize| {
            let rules = self.rules[version].as_array().unwrap();
            let new = rules.iter().filter(move |rule| !other.rules[version].as_array().unwrap().contains(rule));
            new.map(move |rule| [["-4", "-6"][version].to_owned(), rule["priority"].to_string()])
        };
        of(0).chain(of(1)).collect()
    }

    /// The routes that somebody made, as `ip route add` takes them.
    pub(crate) fn routes_by_hand(&self) -> Vec<Vec<String>> {
        let routes = self.routes.iter().flat_map(|routes| routes.as_array().unwrap());
        let by_hand = routes.filter(|route| route["protocol"] != "kernel");
        let arguments = |route: &Value| {
            let named = [("to", "dst"), ("via", "gateway"), ("dev", "dev"), ("metric", "metric"), ("table", "table")];
            let given = named.map(|(word, key)| Some([word.to_owned(), route[key].as_str()?.to_owned()]));
            given.into_iter().flatten().flatten().collect()
        };
        by_hand.map(arguments).collect()
    }

    /// Names of the interfaces.
    pub(crate) fn interfaces(&self) -> Vec<&str> {
        self.addresses.as_array().unwrap().iter().filter_map(|link| link["ifname"].as_str()).collect()
    }
}

/// The living processes of a namespace.
pub(crate) fn processes(namespace: &str) -> Vec<Process> {
    let here = format!("net:[{}]", fs::metadata(Path::new("/run/netns").join(namespace)).unwrap().ino());
    let pids = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let mut found: Vec<Process> = pids.filter_map(|pid| process(pid, &here)).collect();
    found.sort_by_key(|process| process.pid);
    found
}

/// A process that ends while it is looked at is none any more.
fn process(pid: i32, here: &str) -> Option<Process> {
    let at = Path::new("/proc").join(pid.to_string());
    let belongs = fs::read_link(at.join("ns/net")).ok()?.to_str() == Some(here);
    let name = fs::read_to_string(at.join("comm")).ok()?.trim().to_owned();
    belongs.then_some(Process { pid, name })
}

/// The namespace's resolv.conf, which `ip netns exec` binds over the host's.
pub(crate) fn resolv_conf(namespace: &str) -> String {
    fs::read_to_string(Path::new("/etc/netns").join(namespace).join("resolv.conf")).unwrap()
}

/// What `ip` says.
fn ip(namespace: &str, arguments: &str) -> Value {
    let output = Command::new("ip").args(["-n", namespace, "-j"]).args(arguments.split(' ')).output().unwrap();
    assert!(output.status.success(), "ip {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}
