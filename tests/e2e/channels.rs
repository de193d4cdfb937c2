//! While a client holds the host's routes, no channel is spoken to: neither a web server nor a command.

use std::fs::{self, File, Permissions};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::lab::{Lab, until};

/// Connections to remote ports 8080 and 9093 that stand, as the kernel's table writes them.
const WEBHOOK: &str = ":1F90 01 ";
const ALERTMANAGER: &str = ":2385 01 ";

/// A web server beside the mail server, that takes every connection and never answers: nobody accepts one.
fn hanging_receiver(lab: &Lab, port: u16) -> TcpListener {
    let namespace = File::open(Path::new("/run/netns").join(lab.namespace_of("mail"))).unwrap();
    let bound = thread::spawn(move || {
        move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
        TcpListener::bind(("10.79.0.1", port)).unwrap()
    });
    bound.join().unwrap()
}

#[test]
fn while_a_tunnel_stands_no_channel_is_spoken_to() {
    let lab = Lab::locked();
    let _receivers = [8080, 9093].map(|port| hanging_receiver(&lab, port));
    let both = lab.site("down", "client: openconnect, vpn_gw: \"10.78.0.1:9\"").site("up", "client: lab-startct");
    // It never ends by itself, and runs under its own name.
    let command = both.dir().join("tells-slowly");
    fs::write(&command, "#!/bin/sh\nsleep 60\n").unwrap();
    fs::set_permissions(&command, Permissions::from_mode(0o755)).unwrap();
    let channels = format!(
        "hook: {{ webhook: {{ url: \"http://10.79.0.1:8080/\" }} }}, \
         am: {{ alertmanager: {{ url: \"http://10.79.0.1:9093\" }} }}, script: {{ command: [\"{}\"] }}",
        command.display()
    );
    let both = both.top("frequency: 6").top(&format!("alerts: {{ channels: {{ {channels} }} }}"));
    let both = both.default("ping", "{ count: 20, interval: 50ms, timeout: 1s }");
    let prober = both.start(&["run"]);
    let (mut spoken, mut with_tunnel) = ([0, 0, 0], 0);
    until("eight rows", || {
        let speaks = || {
            let runs = lab.processes().iter().any(|process| process.name == "tells-slowly");
            [prober.has_socket("tcp", WEBHOOK), prober.has_socket("tcp", ALERTMANAGER), runs]
        };
        // The tunnel is looked for on both sides of the look: one that comes or goes meanwhile says nothing.
        let before = prober.sees_tunnel();
        let seen = speaks();
        let tunnel = before && prober.sees_tunnel();
        assert!(!(tunnel && seen.contains(&true)), "[webhook, alertmanager, command] while a tunnel stood: {seen:?}");
        spoken.iter_mut().zip(seen).for_each(|(count, seen)| *count += usize::from(seen));
        with_tunnel += usize::from(tunnel);
        (both.rows().len() >= 8).then_some(())
    });
    prober.stop().exits(0);
    assert!(!spoken.contains(&0) && with_tunnel > 0, "control: looks that saw each {spoken:?}, a tunnel {with_tunnel}");
}
