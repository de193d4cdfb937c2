//! The simulated host: a directory that the prober and its simulated client share.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::net::{Interface, MAIN_TABLE, NetSnapshot, Route, RouteProtocol};

/// resolv.conf before any login.
pub(super) const RESOLV_CONF: &str = "nameserver 192.0.2.53\n";
/// The certificate that the simulated gateway shows.
pub(super) const FINGERPRINT: &str = "25:DA:72:43:1E:3C:61:59:30:92:85:16:8B:AC:23:29:2E:CF:3E:2C";
/// The password that it takes.
pub(super) const PASSWORD: &str = "correct-horse";
/// Index of the tunnel's interface.
const TUNNEL: u32 = 7;
const KERNEL: RouteProtocol = RouteProtocol(2);
const BOOT: RouteProtocol = RouteProtocol(3);

/// The simulated host.
#[derive(Debug, Clone)]
pub struct World {
    dir: PathBuf,
}

impl World {
    /// A host in this directory.
    pub fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// Makes it as it is before any login.
    pub fn create(dir: &Path) -> io::Result<Self> {
        let world = Self::at(dir);
        fs::create_dir_all(world.interfaces())?;
        fs::write(world.resolv_conf(), RESOLV_CONF)?;
        Ok(world)
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its resolv.conf.
    pub fn resolv_conf(&self) -> PathBuf {
        self.dir.join("resolv.conf")
    }

    /// Where interfaces come and go.
    pub fn interfaces(&self) -> PathBuf {
        self.dir.join("interfaces")
    }

    fn tunnel(&self) -> PathBuf {
        self.interfaces().join("tun0")
    }

    /// Brings the tunnel up, as Connect Tunnel does: interface, routes, and a rewritten resolv.conf.
    pub fn connect(&self) -> io::Result<()> {
        fs::write(self.resolv_conf(), format!("# SonicWall Connect Tunnel\nnameserver 10.1.0.53\n{RESOLV_CONF}"))?;
        fs::write(self.tunnel(), "10.88.0.15")
    }

    /// Takes it down again.
    pub fn disconnect(&self) -> io::Result<()> {
        crate::files::remove(&self.tunnel())?;
        fs::write(self.resolv_conf(), RESOLV_CONF)
    }

    /// Whether the tunnel is up.
    pub fn is_connected(&self) -> bool {
        self.tunnel().exists()
    }

    /// Interfaces and routes.
    pub fn snapshot(&self) -> NetSnapshot {
        let interface = |index, name: &str, address: [u8; 4], length| Interface {
            index,
            name: name.into(),
            up: true,
            carrier: true,
            mtu: if index == TUNNEL { 1400 } else { 1500 },
            addresses: vec![(address.into(), length)],
        };
        let route = |destination: [u8; 4], length, interface, protocol| Route {
            destination: (destination.into(), length),
            gateway: None,
            interface: Some(interface),
            metric: 0,
            scope: 0,
            source: None,
            protocol,
            table: MAIN_TABLE,
        };
        let mut snapshot = NetSnapshot {
            interfaces: vec![interface(1, "lo", [127, 0, 0, 1], 8), interface(2, "eth0", [192, 0, 2, 10], 24)],
            routes: vec![route([0; 4], 0, 2, BOOT), route([192, 0, 2, 0], 24, 2, KERNEL)],
            rules: Vec::new(),
        };
        if self.is_connected() {
            snapshot.interfaces.push(interface(TUNNEL, "tun0", [10, 88, 0, 15], 32));
            snapshot.routes.push(route([10, 0, 0, 0], 8, TUNNEL, BOOT));
        }
        snapshot
    }
}
