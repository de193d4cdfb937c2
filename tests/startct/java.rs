//! The role of `java … -jar …/SnwlConnect.jar`: the dialogue on the terminal. The traffic is the helper's.

use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, ToSocketAddrs};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use tokio::signal::unix::SignalKind;
use vpnprobe::clock::{Clock, SystemClock};
use vpnprobe::simulator::{
    ANOTHER_INSTANCE, Attempt, Carrier, Certificate, CertificateOf, Ending, Fate, SecondFactor, TIMED_OUT, converse,
    unreachable,
};

use crate::arguments::{self, Request};
use crate::link::{self, Order, Report};
use crate::place::Place;
use crate::{complain, terminal};

/// A gateway that says nothing for so long is given up. The real client's own limit is not known; the prober's is shorter.
const CONTACT: Duration = Duration::from_mins(1);
/// The helper has this long to take the tunnel down before the client ends without it.
const FAREWELL: Duration = Duration::from_secs(20);

/// Plays the role; returns the exit status.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    play(arguments).unwrap_or_else(|error| {
        complain(&error.to_string());
        ExitCode::from(2)
    })
}

fn play(arguments: &[String]) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let invocation = match arguments::parse(arguments) {
        Request::Console(invocation) => invocation,
        Request::NoServer => return refuse("No VPN server is configured."),
        Request::Unknown => linger(),
    };
    let place = Place::find()?;
    let Some(_instance) = only_instance(&place)? else { return refuse(ANOTHER_INSTANCE) };
    let scenario = place.scenario()?;
    let survives_hangup = scenario.at_hangup == Fate::Stays && io::stdin().is_terminal();
    if survives_hangup {
        terminal::ignore(SignalKind::hangup())?;
    }
    if scenario.at_terminate == Fate::Stays {
        terminal::ignore(SignalKind::terminate())?;
    }
    let mut helper = Helper::start(place, invocation.server.clone())?;
    let ending = converse(terminal::console(), &scenario, &invocation, &mut helper);
    if ending == Ending::Closed && survives_hangup {
        linger();
    }
    Ok(ExitCode::from(ending.status()))
}

/// Until killed.
fn linger() -> ! {
    loop {
        thread::park();
    }
}

fn refuse(words: &str) -> Result<ExitCode, Box<dyn std::error::Error>> {
    writeln!(io::stdout(), "{words}")?;
    Ok(ExitCode::FAILURE)
}

/// Held as long as the file is open; none: another has it.
fn only_instance(place: &Place) -> io::Result<Option<File>> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(place.instance_lock())?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// `AvConnect`, and the line to it.
struct Helper {
    place: Place,
    server: String,
    process: Child,
    stream: TcpStream,
    reports: Receiver<Report>,
}

impl Helper {
    fn start(place: Place, server: String) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        // Nothing of the terminal is handed on: the helper outlives it.
        let process = Command::new(place.helper())
            .arg(format!("--app-dir={}", place.home().display()))
            .arg(format!("-p{}", listener.local_addr()?.port()))
            .env("STARTCT_HOME", place.home())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(place.log()?)
            .spawn()?;
        let (stream, _) = listener.accept()?;
        let (sender, reports) = mpsc::channel();
        let incoming = stream.try_clone()?;
        thread::spawn(move || link::receive(incoming, |report| sender.send(report).is_ok()));
        Ok(Self { place, server, process, stream, reports })
    }
}

impl Carrier for Helper {
    fn contact(&mut self) -> Result<(), String> {
        greet(&self.server).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => TIMED_OUT.to_owned(),
            _ => unreachable(&self.server),
        })
    }

    fn certificate(&mut self, of: CertificateOf) -> Certificate {
        let subject = match of {
            CertificateOf::Root => "CN=vpnprobe lab CA",
            CertificateOf::Leaf => "CN=gw.lab",
        };
        Certificate { subject: subject.to_owned(), sha1: self.place.sha1(of) }
    }

    fn takes_code(&mut self, factor: &SecondFactor, code: &str) -> bool {
        let now = u64::try_from(SystemClock.now().timestamp()).unwrap_or_default();
        let new = factor.totp_key.is_none() || self.place.is_new_code(code).unwrap_or(false);
        new && factor.takes(code, now)
    }

    fn connect(&mut self, user: &str, password: &str) -> Attempt {
        let server = self.server.clone();
        let order = Order::Connect { server, user: user.to_owned(), password: password.to_owned() };
        if link::send(&self.stream, &order).is_err() {
            return Attempt::Unreachable(TIMED_OUT.to_owned());
        }
        match self.reports.recv() {
            Ok(Report::Connected) => Attempt::Connected,
            Ok(Report::Rejected(words)) => Attempt::Rejected(words),
            Ok(Report::Unreachable(words)) => Attempt::Unreachable(words),
            Ok(Report::Lost | Report::Disconnected) | Err(_) => Attempt::Unreachable(TIMED_OUT.to_owned()),
        }
    }

    fn disconnect(&mut self) {
        if link::send(&self.stream, &Order::Disconnect).is_err() {
            return;
        }
        while let Ok(report) = self.reports.recv_timeout(FAREWELL) {
            if matches!(report, Report::Disconnected) {
                // It ends right after its last word.
                let _ = self.process.wait();
                return;
            }
        }
    }

    fn alive(&mut self) -> bool {
        match self.reports.try_recv() {
            Ok(Report::Lost | Report::Disconnected) | Err(TryRecvError::Disconnected) => false,
            Ok(_) | Err(TryRecvError::Empty) => true,
        }
    }

    fn has_traffic(&mut self) -> bool {
        fs::read_to_string("/proc/net/dev").is_ok_and(|table| received_by_tunnel(&table) > 0)
    }

    /// With the terminal and the environment of the client, as whatever a client starts.
    fn run(&mut self, command: &str) {
        let ran = Command::new("sh").args(["-c", command]).env("STARTCT_HOME", self.place.home()).status();
        let why = match ran {
            Ok(status) if status.success() => return,
            Ok(status) => status.to_string(),
            Err(error) => error.to_string(),
        };
        if let Ok(mut log) = self.place.log() {
            let _ = writeln!(log, "`{command}` failed: {why}");
        }
    }
}

/// Packets that came out of the tunnel (`proc_net_dev(5)`): the second number after the name.
fn received_by_tunnel(table: &str) -> u64 {
    let tunnel = table.lines().find_map(|line| line.trim_start().strip_prefix("tun0:"));
    tunnel.and_then(|numbers| numbers.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

/// Whether something that speaks TLS is there: it reacts to whatever is said to it.
fn greet(server: &str) -> io::Result<()> {
    let address = if server.contains(':') { server.to_owned() } else { format!("{server}:443") };
    let address = address.to_socket_addrs()?.next().ok_or(io::ErrorKind::NotFound)?;
    let mut stream = TcpStream::connect_timeout(&address, CONTACT)?;
    stream.set_read_timeout(Some(CONTACT))?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
    match stream.read(&mut [0]) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
        _ => Ok(()),
    }
}
