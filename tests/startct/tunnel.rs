//! The tunnel: a real openconnect that lives and dies with the helper.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use vpnprobe::simulator::{NO_SECURE_CONNECTION, Scenario, TIMED_OUT, TunnelShape, WRONG_CREDENTIALS, unreachable};

use crate::helper::Event;
use crate::link::Report;
use crate::place::Place;

/// The file that the client rewrites.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// An interface that the client makes for itself.
const TUNNEL: &str = "tun0";

/// As the script knows it.
const fn shape(tunnel: TunnelShape) -> &'static str {
    match tunnel {
        TunnelShape::Whole | TunnelShape::Persistent => "whole",
        TunnelShape::NoInterface => "no-interface",
        TunnelShape::NoAddress => "no-address",
        TunnelShape::NoRoute => "no-route",
        TunnelShape::OtherRoute => "other-route",
    }
}

pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: String,
}

pub(crate) struct Tunnel {
    client: Child,
    server: String,
}

impl Tunnel {
    /// Starts to log in. What the client says comes as events.
    pub(crate) fn start(
        place: &Place,
        server: &str,
        credentials: &Credentials,
        scenario: &Scenario,
        events: Sender<Event>,
    ) -> io::Result<Self> {
        let (output, input) = io::pipe()?;
        let mut command = Command::new("setpriv");
        command
            // One process in the original, helper and tunnel: if one is killed, the other goes with it.
            .args(["--pdeathsig", "KILL", "openconnect", "--protocol=anyconnect", "--non-inter", "--passwd-on-stdin"])
            .arg(format!("--user={}", credentials.user))
            .arg(format!("--servercert={}", place.pin()?))
            .arg(format!("--script={}", place.tunnel_script().display()))
            .args(["--reconnect-timeout=5", server])
            .stdin(Stdio::piped())
            .stdout(input.try_clone()?)
            .stderr(input);
        command.env("STANDIN_TUNNEL", shape(scenario.tunnel));
        match scenario.tunnel {
            // The packets go to the script in place of an interface.
            TunnelShape::NoInterface => drop(command.arg("--script-tun")),
            TunnelShape::Persistent => {
                Command::new("ip").args(["tuntap", "add", TUNNEL, "mode", "tun"]).status()?;
                command.arg(format!("--interface={TUNNEL}"));
            }
            TunnelShape::Whole | TunnelShape::NoAddress | TunnelShape::NoRoute | TunnelShape::OtherRoute => {}
        }
        if scenario.rewrites_resolv_conf {
            command.env("STANDIN_RESOLV_CONF", RESOLV_CONF);
        }
        if !scenario.restores_resolv_conf {
            command.env("STANDIN_LEAVES_RESOLV_CONF", "yes");
        }
        let mut client = command.spawn()?;
        if let Some(mut stdin) = client.stdin.take() {
            writeln!(stdin, "{}", credentials.password)?;
        }
        let mut log = place.log()?;
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = writeln!(log, "{line}");
                if events.send(Event::Line(line)).is_err() {
                    return;
                }
            }
            let _ = events.send(Event::Over);
        });
        Ok(Self { client, server: server.to_owned() })
    }

    /// Whether this line says that the tunnel is up, by the client's word or in truth.
    pub(crate) fn is_up(line: &str, claims_early: bool) -> bool {
        line.starts_with(if claims_early { "Configured as " } else { "tunnel script: done" })
    }

    /// What the user is told when it did not come up.
    pub(crate) fn why_not(&self, lines: &[String]) -> Report {
        let said = |words: &str| lines.iter().any(|line| line.contains(words));
        if said("Login failed") {
            Report::Rejected(WRONG_CREDENTIALS.to_owned())
        } else if said("Failed to connect to") || said("getaddrinfo failed") {
            Report::Unreachable(unreachable(&self.server))
        } else if said("SSL connection failure") {
            Report::Unreachable(NO_SECURE_CONNECTION.to_owned())
        } else {
            Report::Unreachable(TIMED_OUT.to_owned())
        }
    }

    /// Asks it to leave.
    pub(crate) fn interrupt(&self) {
        if let Some(pid) = i32::try_from(self.client.id()).ok().and_then(Pid::from_raw) {
            // It may have ended by itself.
            let _ = kill_process(pid, Signal::INT);
        }
    }

    /// After its last word.
    pub(crate) fn bury(mut self) {
        let _ = self.client.wait();
    }
}
