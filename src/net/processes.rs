//! Which processes belong to a network namespace, hold a tun device or have a socket open: read from `/proc`.
//!
//! A process that ends while it is looked at, or that this user may not look at, is left out. Must not end anything.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// The network namespace of the calling thread, as the kernel names it (`net:[4026531840]`).
pub(super) fn own_network() -> io::Result<PathBuf> {
    fs::read_link("/proc/thread-self/ns/net")
}

/// Whether the process is in this network namespace; `None` where that may not be seen. One that is gone, or about to
/// go, is in none: it gives its namespaces back before it is a zombie.
pub(super) fn is_in_network(pid: i32, network: &Path) -> Option<bool> {
    match fs::read_link(format!("/proc/{pid}/ns/net")) {
        Ok(link) => Some(link == network),
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => None,
        Err(_) => Some(false),
    }
}

/// Processes of this network namespace that hold the tun or tap device called `interface` open. Interface names are
/// per namespace, so a holder in another one holds another device.
pub(super) fn holders(interface: &str, network: &Path) -> Vec<i32> {
    process_ids().filter(|&pid| is_in_network(pid, network) == Some(true) && holds(pid, interface)).collect()
}

/// A process that has the socket with this inode open.
pub(super) fn owner_of_socket(inode: u64) -> Option<i32> {
    let link = PathBuf::from(format!("socket:[{inode}]"));
    process_ids().find(|&pid| descriptors(pid).any(|(_, target)| target == link))
}

fn process_ids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten();
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The open descriptors of a process, by number and by what they point at.
fn descriptors(pid: i32) -> impl Iterator<Item = (String, PathBuf)> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten();
    entries.flatten().filter_map(|entry| {
        let target = fs::read_link(entry.path()).ok()?;
        Some((entry.file_name().into_string().ok()?, target))
    })
}

fn holds(pid: i32, interface: &str) -> bool {
    descriptors(pid)
        // `/dev/net/tun`; the path before it may be another's view.
        .filter(|(_, target)| target.file_name().is_some_and(|name| name == "tun"))
        .filter_map(|(number, _)| fs::read_to_string(format!("/proc/{pid}/fdinfo/{number}")).ok())
        .any(|info| tun_interface(&info) == Some(interface))
}

/// The interface behind a descriptor, from its fdinfo (`tun_chr_show_fdinfo` in `drivers/net/tun.c`).
fn tun_interface(info: &str) -> Option<&str> {
    info.lines().find_map(|line| line.strip_prefix("iff:")).map(str::trim)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsRawFd;
    use std::os::linux::fs::MetadataExt;

    use super::*;

    fn own_pid() -> i32 {
        i32::try_from(std::process::id()).unwrap()
    }

    #[test]
    fn this_process_is_in_its_own_network_and_one_that_is_gone_is_not() {
        let network = own_network().unwrap();
        assert_eq!(is_in_network(own_pid(), &network), Some(true));
        assert_eq!(is_in_network(own_pid(), Path::new("net:[1]")), Some(false));
        assert_eq!(is_in_network(i32::MAX, &network), Some(false));
        assert_eq!(is_in_network(-1, &network), Some(false));
    }

    #[test]
    fn a_process_that_has_ended_is_in_no_network_though_its_parent_took_no_note() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = rustix::process::Pid::from_child(&child);
        let until_ended = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        rustix::process::waitid(rustix::process::WaitId::Pid(pid), until_ended).unwrap();
        assert_eq!(is_in_network(pid.as_raw_nonzero().get(), &own_network().unwrap()), Some(false));
        child.wait().unwrap();
    }

    #[test]
    fn the_owner_of_a_socket_is_found() {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let inode = fs::metadata(format!("/proc/self/fd/{}", socket.as_raw_fd())).unwrap().st_ino();
        assert_eq!(owner_of_socket(inode), Some(own_pid()));
        drop(socket);
        assert_eq!(owner_of_socket(inode), None);
    }

    #[test]
    fn an_interface_that_nobody_opened_has_no_holder() {
        assert_eq!(holders("no-such-if", &own_network().unwrap()), Vec::<i32>::new());
    }

    #[test]
    fn the_interface_is_read_whole_from_fdinfo() {
        let info = "pos:\t0\nflags:\t0104002\nmnt_id:\t23\nino:\t95\niff:\ttun10\n";
        assert_eq!(tun_interface(info), Some("tun10"));
        assert_eq!(tun_interface("pos:\t0\n"), None);
    }
}
