//! What may stand on the command line, and which command it is.

use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};

use super::global::Global;
use super::{
    check_config, cleanup, client, common, completions, demo, ipsec, maintenance, man, nagios, notify_test, outbox,
    report, resume, run, schema, status, test,
};
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
    /// Turn the rows into an SLA report
    Report(report::ReportArgs),
    /// Check the configuration: every fault at once
    CheckConfig,
    /// Remove what a client of ours left on this host
    Cleanup(cleanup::CleanupArgs),
    /// Bring fallen IPsec tunnels of strongSwan back: MIPsec's command line
    #[command(infer_long_args = true, args_override_self = true)]
    Ipsec(ipsec::IpsecArgs),
    /// Ask the running prober how the sites are, and what is not delivered
    Status(status::StatusArgs),
    /// List messages that are not delivered, or send them again
    #[command(subcommand)]
    Outbox(outbox::OutboxCommand),
    /// Add, list or end maintenance windows while the prober runs
    #[command(subcommand)]
    Maintenance(maintenance::MaintenanceCommand),
    /// End the rest of an account that the gateway refused
    Resume(resume::ResumeArgs),
    /// List, show and try client profiles
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Show the main job on a simulated gateway: needs no root, no VPN, no network
    Demo(demo::DemoArgs),
    /// Send a test message through each channel, now
    NotifyTest(notify_test::NotifyTestArgs),
    /// Print the JSON Schema of the configuration, for editors
    Schema,
    /// Print what a shell needs to complete commands and options
    Completions(completions::CompletionsArgs),
    /// Print the manual page
    Man(man::ManArgs),
    /// The simulated client of `demo`
    #[command(hide = true, name = "demo-client")]
    DemoClient(demo::ClientArgs),
}

impl Command {
    /// Whether a monitoring system reads what it prints.
    const fn is_for_nagios(&self) -> bool {
        match self {
            Self::Test(args) => args.nagios,
            Self::Status(args) => args.nagios,
            _ => false,
        }
    }
}

/// Threads for what blocks are kept: one that is there can be used when the host lets no more be started, and without
/// any the runtime would panic.
const FOR_GOOD: Duration = Duration::from_hours(1_000_000);

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            if e.use_stderr() && asks_for_nagios() {
                common::say(&nagios::failure(&e.to_string()));
                return ExitCode::from(exit_code::UNKNOWN);
            }
            // Help and version are no errors: clap knows where each is printed.
            let status = if e.use_stderr() { exit_code::USAGE } else { exit_code::OK };
            let _ = e.print();
            return ExitCode::from(status);
        }
    };
    let global = &cli.global;
    // A report computes on every core, and its threads would wait for one another; what else runs waits for years.
    if !matches!(cli.command, Command::Report(_)) {
        crate::memory::share_one_heap();
    }
    if let Command::Ipsec(args) = &cli.command {
        telemetry::begin(global.log_format, args.verbosity());
        return ipsec::run(args);
    }
    // `test` shows its stages itself: log lines between them only on request.
    let quieter = i8::from(!matches!(cli.command, Command::Run));
    telemetry::begin(global.log_format, global.verbosity().saturating_sub(quieter));
    if let Command::Report(args) = &cli.command {
        return report::run(global, args);
    }
    if let Command::DemoClient(args) = &cli.command {
        // A client of one thread, as small as it gets.
        return demo::client(args);
    }
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).thread_keep_alive(FOR_GOOD).enable_all().build();
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
            Command::Status(args) => status::run(global, args).await,
            Command::Outbox(command) => outbox::run(global, command).await,
            Command::Maintenance(command) => maintenance::run(global, command).await,
            Command::Resume(args) => resume::run(global, args).await,
            Command::Client(command) => client::run(global, command).await,
            Command::Demo(args) => demo::run(args).await,
            Command::NotifyTest(args) => notify_test::run(global, args).await,
            Command::Schema => Ok(schema::run()),
            Command::Completions(args) => Ok(completions::run(&Cli::command(), args)),
            Command::Man(args) => man::run(Cli::command(), args),
            Command::DemoClient(_) | Command::Ipsec(_) | Command::Report(_) => Ok(exit_code::OK),
        }
    });
    // A look-up of a name that hangs in the resolver library must not hold the end up.
    runtime.shutdown_background();
    match status {
        Ok(status) => ExitCode::from(status),
        Err(error) if cli.command.is_for_nagios() => {
            common::say(&nagios::failure(&error.into_text()));
            ExitCode::from(exit_code::UNKNOWN)
        }
        Err(error) => error.report(),
    }
}

/// A monitoring system reads stdout and the status, also when the command line is wrong.
fn asks_for_nagios() -> bool {
    std::env::args_os().skip(1).take_while(|argument| argument != "--").any(|argument| argument == "--nagios")
}
