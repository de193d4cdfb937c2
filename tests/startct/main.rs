//! The lab's stand-in for Connect Tunnel: one program that plays two of the real client's processes, chosen by the name
//! under which it was started (or its first argument): `java`, which speaks the dialogue on the terminal, and
//! `AvConnect`, the helper that carries the traffic, here through openconnect. The third, `startct`, is the shell script
//! `startct.sh`, as it is in the original.

mod arguments;
mod helper;
mod java;
mod link;
mod place;
mod terminal;
mod tunnel;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments: Vec<String> =
        std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let mut role = base_name(&arguments);
    if role == "startct-standin" {
        arguments.remove(0);
        role = base_name(&arguments);
    }
    let arguments = arguments.get(1..).unwrap_or_default();
    match role.as_str() {
        "java" => java::run(arguments),
        "AvConnect" => helper::run(arguments),
        _ => {
            complain("start me as `java` or `AvConnect`");
            ExitCode::from(2)
        }
    }
}

fn base_name(arguments: &[String]) -> String {
    let name = arguments.first().and_then(|first| Path::new(first).file_name());
    name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// To whoever set the lab up: this is no part of the play.
fn complain(words: &str) {
    // Nobody is left to tell when this fails.
    let _ = writeln!(std::io::stderr(), "startct-standin: {words}");
}
