//! Stage `prepare`: the host is as it was before our first login, nobody else's client runs, and we know what to do.

use super::{StageEnd, Surroundings, VpnCycle};
use crate::cleanup::{Baseline, Difference, Journal, JournalFile, KnownGood, Mode, TidyReport, Witness, boot_id};
use crate::config::{Profile, Secret, SecretSource};
use crate::process::{MARK, Process, scan};
use crate::record::MalfunctionKind;

/// Runs the stage.
pub(super) async fn run(cx: &mut VpnCycle<'_>) -> StageEnd {
    match prepare(cx).await {
        Ok(done) if done.is_empty() => StageEnd::passed(),
        Ok(done) => StageEnd::passed_with(format!("removed leftovers: {}", done.join("; "))),
        Err(end) => end,
    }
}

async fn prepare(cx: &mut VpnCycle<'_>) -> Result<Vec<String>, StageEnd> {
    let around = cx.around;
    match &cx.lock {
        Some(Ok(_)) => {}
        Some(Err(held)) => return Err(StageEnd::because(MalfunctionKind::ClientBusy, held.to_string())),
        None => return Err(StageEnd::because(MalfunctionKind::Cancelled, "the prober was asked to stop")),
    }
    let journal_file = JournalFile::new(&around.state_dir, around.net.name());

    let mut done = settle_earlier(around, &journal_file).await?;
    done.extend(clean(around.end_adopted(cx.vpn.client.adopt.clone(), Mode::Repair).await)?);
    if let Some(other) = others_client(around, &cx.vpn.client) {
        let words = format!("{} ({}) is running and is not ours", other.name, other.id.pid);
        return Err(StageEnd::because(MalfunctionKind::ClientBusy, words));
    }

    cx.password = read_secret(cx.vpn.password.as_ref(), around).await?;
    cx.otp_secret = read_secret(cx.vpn.otp_secret.as_ref(), around).await?;
    cx.key_passphrase = read_secret(cx.vpn.key_passphrase.as_ref(), around).await?;

    done.extend(compare_resolv_conf(cx).await?);
    let baseline = Baseline::take(&*around.net, &around.resolv_conf)
        .map_err(|e| failed(format!("cannot look at interfaces, routes and resolv.conf: {e}")))?;
    let journal = Journal {
        version: Journal::VERSION,
        boot_id: boot_id(),
        cycle: cx.cycle.clone(),
        owes_row: cx.owes_row,
        leader: None,
        adopt: cx.vpn.client.adopt.clone(),
        interface: cx.vpn.client.interface.clone(),
        baseline: baseline.clone(),
        resolv_conf_left: None,
    };
    journal_file
        .write(&journal)
        .map_err(|e| failed(format!("cannot write the journal `{}`: {e}", journal_file.path().display())))?;
    cx.baseline = Some(baseline);
    cx.journal = Some(journal);
    cx.journal_file = Some(journal_file);
    Ok(done)
}

async fn read_secret(source: Option<&SecretSource>, around: &Surroundings) -> Result<Option<Secret>, StageEnd> {
    let Some(source) = source else { return Ok(None) };
    source.read(&around.secret_env).await.map(Some).map_err(|e| failed(crate::error::chain(&e)))
}

/// Compares resolv.conf with its known good state; what a client wrote is taken back.
async fn compare_resolv_conf(cx: &mut VpnCycle<'_>) -> Result<Option<String>, StageEnd> {
    let around = cx.around;
    let broken = |e: std::io::Error| failed(format!("cannot compare resolv.conf with its known good state: {e}"));
    let now = around.resolv_conf.read().map_err(broken)?;
    let mut known = KnownGood::open(&around.state_dir, around.net.name()).map_err(broken)?;
    let difference = known.compare(&now).map_err(broken)?;
    cx.known_good = Some(known);
    match difference {
        Difference::None | Difference::Others => Ok(None),
        Difference::Clients(good) => {
            around.resolv_conf.repair(&good, Witness::default()).await.map(Some).map_err(failed)
        }
    }
}

fn failed(words: impl AsRef<str>) -> StageEnd {
    StageEnd::because(MalfunctionKind::PrepareFailed, words)
}

/// Removes what an earlier cycle left, if its cleanup was not verified.
async fn settle_earlier(around: &Surroundings, file: &JournalFile) -> Result<Vec<String>, StageEnd> {
    let journal = file
        .read(around.clock.now())
        .map_err(|e| failed(format!("cannot read the journal `{}`: {e}", file.path().display())))?;
    let Some(journal) = journal else { return Ok(Vec::new()) };
    clean(around.settle(&journal, Mode::Repair).await)
}

fn clean(report: TidyReport) -> Result<Vec<String>, StageEnd> {
    if report.is_clean() { Ok(report.done) } else { Err(failed(report.left_in_words())) }
}

/// A process of the same program that holds a tunnel in this network: somebody else's VPN. Where this user may not see
/// what a process holds, its name is enough: better one cycle too few than another's VPN disturbed.
fn others_client(around: &Surroundings, client: &Profile) -> Option<Process> {
    let program = client.command.rsplit('/').next().unwrap_or(&client.command);
    // `comm` holds 15 bytes.
    let short: String = program.chars().take(15).collect();
    let namesakes = scan(MARK, |pid| around.net.contains_process(pid));
    let mut namesakes = namesakes.into_iter().filter(|p| !p.zombie && p.name == short).peekable();
    namesakes.peek()?;
    let tunnels = around.net.snapshot().map(|s| s.interfaces).unwrap_or_default();
    let holds_tunnel = |pid| tunnels.iter().any(|tunnel| around.net.holders(&tunnel.name).contains(&pid));
    namesakes.find(|p| match p.here {
        Some(true) => holds_tunnel(p.id.pid),
        Some(false) => false,
        None => true,
    })
}
