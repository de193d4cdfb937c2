//! The role of `AvConnect`: it carries the traffic. It leaves the client's session at once, so that neither the end of
//! the terminal nor a signal to the client's group reaches it; only `java` (or a signal of its own) ends it.

use std::net::{Ipv4Addr, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver, Sender};
use std::{io, mem, thread};

use tokio::signal::unix::SignalKind;
use vpnprobe::simulator::{Fate, Scenario};

use crate::complain;
use crate::link::{self, Order, Report};
use crate::place::Place;
use crate::terminal;
use crate::tunnel::{Credentials, Tunnel};

/// What happens to the helper.
pub(crate) enum Event {
    Order(Order),
    /// `java` is gone.
    Alone,
    /// A line of the tunnel's client.
    Line(String),
    /// The tunnel's client said its last.
    Over,
}

/// Plays the role; returns the exit status.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    match play(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(2)
        }
    }
}

fn play(arguments: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    rustix::process::setsid()?;
    let port = arguments.iter().find_map(|argument| argument.strip_prefix("-p")).ok_or("no port in my arguments")?;
    let place = Place::find()?;
    let scenario = place.scenario()?;
    if scenario.at_terminate == Fate::Stays {
        terminal::ignore(SignalKind::terminate())?;
    }
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port.parse()?))?;
    let (sender, events) = mpsc::channel();
    let (incoming, orders) = (stream.try_clone()?, sender.clone());
    thread::spawn(move || {
        link::receive(incoming, |order| orders.send(Event::Order(order)).is_ok());
        let _ = orders.send(Event::Alone);
    });
    Helper { place, scenario, stream, sender, state: State::Idle, orphan: false }.serve(&events)?;
    Ok(())
}

enum State {
    Idle,
    /// With what its client said so far.
    Connecting(Tunnel, Vec<String>),
    Up(Tunnel),
    Leaving(Tunnel),
    /// Nothing is left to do.
    Done,
}

struct Helper {
    place: Place,
    scenario: Scenario,
    stream: TcpStream,
    sender: Sender<Event>,
    state: State,
    /// It goes on without `java`, as long as its tunnel does.
    orphan: bool,
}

impl Helper {
    fn serve(mut self, events: &Receiver<Event>) -> io::Result<()> {
        for event in events {
            let state = mem::replace(&mut self.state, State::Done);
            self.state = match event {
                Event::Order(Order::Connect { server, user, password }) => {
                    self.connect(state, &server, &Credentials { user, password })?
                }
                Event::Alone if self.outlives(&state) => {
                    self.orphan = true;
                    state
                }
                Event::Order(Order::Disconnect) | Event::Alone => self.leave(state),
                Event::Line(line) => self.hear(state, line),
                Event::Over => self.tunnel_over(state),
            };
            if matches!(self.state, State::Done) {
                break;
            }
        }
        Ok(())
    }

    fn connect(&self, state: State, server: &str, credentials: &Credentials) -> io::Result<State> {
        let State::Idle = state else { return Ok(state) };
        let tunnel = Tunnel::start(&self.place, server, credentials, &self.scenario, self.sender.clone())?;
        Ok(State::Connecting(tunnel, Vec::new()))
    }

    /// Whether the tunnel goes on without `java`.
    fn outlives(&self, state: &State) -> bool {
        matches!(state, State::Up(_)) && self.scenario.helper == Fate::Stays
    }

    fn leave(&self, state: State) -> State {
        match state {
            State::Connecting(tunnel, _) | State::Up(tunnel) => {
                tunnel.interrupt();
                State::Leaving(tunnel)
            }
            State::Leaving(tunnel) => State::Leaving(tunnel),
            State::Idle | State::Done => {
                self.report(&Report::Disconnected);
                State::Done
            }
        }
    }

    fn hear(&self, state: State, line: String) -> State {
        let State::Connecting(tunnel, mut lines) = state else { return state };
        if Tunnel::is_up(&line, self.scenario.claims_early) {
            self.report(&Report::Connected);
            return State::Up(tunnel);
        }
        lines.push(line);
        State::Connecting(tunnel, lines)
    }

    fn tunnel_over(&self, state: State) -> State {
        let (tunnel, report, next) = match state {
            State::Connecting(tunnel, lines) => {
                let why = tunnel.why_not(&lines);
                (tunnel, why, State::Idle)
            }
            State::Up(tunnel) => (tunnel, Report::Lost, if self.orphan { State::Done } else { State::Idle }),
            State::Leaving(tunnel) => (tunnel, Report::Disconnected, State::Done),
            State::Idle | State::Done => return state,
        };
        tunnel.bury();
        self.report(&report);
        next
    }

    /// Whoever does not hear it is gone, and that is an event of its own.
    fn report(&self, report: &Report) {
        let _ = link::send(&self.stream, report);
    }
}
