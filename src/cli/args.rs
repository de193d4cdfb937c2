//! What may stand on the command line, and which command it is.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use super::global::Global;
use super::{check_config, cleanup, client, common, demo, resume, run, test};
use crate::exit_code;
use crate::telemetry;

/// Synthetic prober for VPN gateways: logs in through the real client, measures, and leaves the host as it found it.
#[derive(Debug, Parser)]
#[command(name = "vpnprobe", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Probe all sites for ever, in the foreground
    Run,
    /// Probe once, now, and show each stage as it happens
    Test(test::TestArgs),
    /// Check the configuration: every fault at once
    CheckConfig,
    /// Remove what a client of ours left on this host
    Cleanup(cleanup::CleanupArgs),
    /// End the rest of an account that the gateway refused
    Resume(resume::ResumeArgs),
    /// List, show and try client profiles
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Show the main job on a simulated gateway: needs no root, no VPN, no network
    Demo(demo::DemoArgs),
    /// The simulated client of `demo`
    #[command(hide = true, name = "demo-client")]
    DemoClient(demo::ClientArgs),
}

/// Threads for what blocks are kept: one that is there can be used when the host lets no more be started, and without
/// any the runtime would panic.
const FOR_GOOD: Duration = Duration::from_hours(1_000_000);

/// Runs the program.
pub fn main() -> ExitCode {
    crate::memory::share_one_heap();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version are no errors: clap knows where each is printed.
            let status = if e.use_stderr() { exit_code::USAGE } else { exit_code::OK };
            let _ = e.print();
            return ExitCode::from(status);
        }
    };
    let global = &cli.global;
    // `test` shows its stages itself: log lines between them only on request.
    let quieter = i8::from(!matches!(cli.command, Command::Run));
    telemetry::begin(global.log_format, global.verbosity().saturating_sub(quieter));
    if let Command::DemoClient(args) = &cli.command {
        // A client of one thread, as small as it gets.
        return demo::client(args);
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).thread_keep_alive(FOR_GOOD).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(e) => return common::fail(&format!("cannot start: {e}")),
    };
    let status = runtime.block_on(async {
        let _ = tokio::task::spawn_blocking(|| ()).await;
        match &cli.command {
            Command::Run => run::run(global).await,
            Command::Test(args) => test::run(global, args).await,
            Command::CheckConfig => check_config::run(global),
            Command::Cleanup(args) => cleanup::run(global, args).await,
            Command::Resume(args) => resume::run(global, args),
            Command::Client(command) => client::run(global, command).await,
            Command::Demo(args) => demo::run(args).await,
            Command::DemoClient(_) => Ok(exit_code::OK),
        }
    });
    // A look-up of a name that hangs in the resolver library must not hold the end up.
    runtime.shutdown_background();
    match status {
        Ok(status) => ExitCode::from(status),
        Err(error) => error.report(),
    }
}
