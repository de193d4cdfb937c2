//! `vpnprobe demo`: the main job on a simulated gateway.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

use super::common::{CommandError, say, surroundings_in};
use super::show::Terminal;
use crate::alert::{Channel, RouteGate};
use crate::daemon::Recorder;
use crate::demo::{DemoNet, Event, Printer, World, configuration, play_client, tell};
use crate::exit_code;
use crate::shutdown::{Hangup, Shutdown};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub(super) struct DemoArgs {
    /// Keep the files of the demonstration
    #[arg(long)]
    keep: bool,
}

/// Arguments of the simulated client.
#[derive(Debug, clap::Args)]
pub(super) struct ClientArgs {
    #[arg(long)]
    dir: PathBuf,
    #[arg(long)]
    scenario: String,
}

/// Plays the simulated client.
pub(super) fn client(args: &ClientArgs) -> ExitCode {
    ExitCode::from(play_client(World::at(&args.dir), &args.scenario))
}

type Mails = Arc<Mutex<Vec<(String, String)>>>;

/// Runs the command.
pub(super) async fn run(args: &DemoArgs) -> Result<u8, CommandError> {
    let failed = |what: &'static str| move |e: std::io::Error| CommandError::Failed(format!("cannot {what}: {e}"));
    let dir = std::env::temp_dir().join(format!("vpnprobe-demo-{}", std::process::id()));
    let program = std::env::current_exe().map_err(failed("find this program"))?;
    let world = World::create(&dir).map_err(failed("make the simulated host"))?;
    let shutdown = Shutdown::listen(Hangup::Stops).map_err(failed("listen for signals"))?;
    let told = three_passes(&world, &program, &shutdown).await;
    if args.keep {
        say(&format!("\nThe files are in {}.\n", dir.display()));
    } else {
        std::fs::remove_dir_all(&dir).map_err(failed("remove the simulated host"))?;
    }
    told.map(|()| exit_code::OK)
}

async fn three_passes(world: &World, program: &std::path::Path, shutdown: &Shutdown) -> Result<(), CommandError> {
    let broken = configuration(world.dir(), program, false).map_err(CommandError::Failed)?;
    let repaired = configuration(world.dir(), program, true).map_err(CommandError::Failed)?;
    let gate = RouteGate::new();
    let net = Arc::new(DemoNet::of(world.clone()));
    let around = surroundings_in(net, &broken, Arc::new(gate.clone()), shutdown)?;
    let mails = Mails::default();
    let recorder = {
        let mails = Arc::clone(&mails);
        let printer: Arc<dyn Channel> = Arc::new(Printer(move |subject: &str, body: &str| {
            let mut mails = mails.lock().unwrap_or_else(PoisonError::into_inner);
            mails.push((subject.to_owned(), body.to_owned()));
        }));
        Recorder::with_channels(&broken, &around, &gate, vec![printer]).map_err(CommandError::Failed)?
    };

    say(
        "A simulated gateway and client; the dialogue, the terminal, the clean-up, rows and mails are the real thing.\n",
    );
    let terminal = Terminal::of_stdout();
    for (headline, config) in [
        ("First pass: three sites, two of them broken.", &broken),
        ("Second pass: down twice in a row, so people are told.", &broken),
        ("Third pass: lima is repaired.", &repaired),
    ] {
        say(&format!("\n{headline}\n"));
        tell(&config.sites, &around, &terminal, &recorder, |event| match event {
            Event::Begins(site) => say(&terminal.headline(site)),
            Event::Ended(record) => say(&terminal.verdict_line(record)),
        })
        .await;
    }
    let _ = recorder.close().await;

    say("\nThe rows, one per cycle:\n");
    print_rows(&broken.logging.dir);
    for (subject, body) in mails.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        say(&format!("\nA mail:\n    Subject: {subject}\n"));
        for line in body.lines() {
            say(format!("    {line}").trim_end());
            say("\n");
        }
    }
    say("\nNext: write a config.yml (config.yml.example shows every key) and run `vpnprobe test`.\n");
    Ok(())
}

fn print_rows(dir: &std::path::Path) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for path in entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.extension().is_some_and(|e| e == "csv")) {
        say(&std::fs::read_to_string(path).unwrap_or_default());
    }
}
