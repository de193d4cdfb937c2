//! The command lines of Connect Tunnel that are in use.

use vpnprobe::simulator::Invocation;

/// What the command line asks for.
pub(crate) enum Request {
    /// A session on the terminal.
    Console(Invocation),
    /// Something that this client does not know; the real one starts and never ends.
    Unknown,
    /// A profile of its own, of which there is none.
    NoServer,
}

/// Options that take a value of which nothing is made here.
const IGNORED: &[&str] = &["-m", "--mode", "-y", "--name"];

/// Reads what follows `-jar FILE`.
pub(crate) fn parse(arguments: &[String]) -> Request {
    let own = arguments.iter().position(|argument| argument == "-jar").map_or(0, |at| at + 2);
    let mut invocation = Invocation::default();
    let mut rest = arguments.get(own..).unwrap_or_default().iter();
    while let Some(argument) = rest.next() {
        let (option, mut value) = match argument.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value.to_owned())),
            _ => (argument.as_str(), None),
        };
        let mut take = || value.take().or_else(|| rest.next().cloned());
        match option {
            "-s" | "--server" => invocation.server = take().unwrap_or_default(),
            "-r" | "--realm" => invocation.realm = take(),
            "--username" => invocation.username = take(),
            "--password" => invocation.password = take(),
            "-d" | "--debug" => {}
            option if IGNORED.contains(&option) => drop(take()),
            _ => return Request::Unknown,
        }
    }
    if invocation.server.is_empty() { Request::NoServer } else { Request::Console(invocation) }
}
