//! A day of outages in which the prober is killed again and again, in the middle of whatever it does: each channel tells
//! what a prober that nobody kills would have told of the same looks, in order; what comes twice is the same.
//!
//! `VPNPROBE_SEED=… cargo test --test it killed_at_random -- --nocapture` shows the figures.

mod day;
mod prober;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{Instant, timeout, timeout_at};
use vpnprobe::alert::{AlertEvent, AlertKind, AlertState, FileStore, Outgoing, OutgoingMail, SubjectState};
use vpnprobe::clock::{Clock, SystemClock};
use vpnprobe::zone::Zone;

use self::day::{Day, OUTAGES, Plan};
use self::prober::{Fact, Look, ORDERS, Orders, rules};
use crate::mail_server::MailServer;
use crate::receiver::Receiver;

/// The test starts itself again as the prober.
const PROBER: &str = "kills::every_outage_is_told_although_the_prober_is_killed_at_random";
/// Longest life; only a fault of the test itself takes so long.
const LIMIT: Duration = Duration::from_mins(2);

/// A number from the environment.
fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

/// A running prober.
struct Running {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    facts: Vec<Fact>,
}

impl Running {
    fn start(orders: &Orders) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args([PROBER, "--exact", "--nocapture", "--test-threads=1"])
            .env(ORDERS, serde_json::to_string(orders).unwrap())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines, facts: Vec::new() }
    }

    /// What it does next; none at its end.
    async fn next(&mut self) -> Option<&Fact> {
        while let Some(line) = self.lines.next_line().await.unwrap() {
            // The program for tests says a word of its own.
            if let Ok(fact) = serde_json::from_str(&line) {
                self.facts.push(fact);
                return self.facts.last();
            }
        }
        None
    }

    /// Lives until the plan kills it, or to its end.
    async fn lives(mut self, start: DateTime<Utc>, plan: &mut Plan) -> Vec<Fact> {
        let mut strike = plan.strikes(start, 0);
        while strike.is_none() {
            match timeout(LIMIT, self.next()).await.expect("the prober does nothing") {
                Some(Fact::Started { pending }) => strike = plan.strikes(start, *pending),
                Some(Fact::Began(look) | Fact::Row(look)) => strike = plan.strikes(look.at, 0),
                Some(Fact::Observed { look, pending }) => strike = plan.strikes(look.now, *pending),
                Some(Fact::Over) => {}
                None => return self.facts,
            }
        }
        let until = Instant::now() + strike.unwrap();
        while let Ok(Some(_)) = timeout_at(until, self.next()).await {}
        self.process.kill().await.unwrap();
        while self.next().await.is_some() {}
        self.facts
    }
}

/// What was seen of all lives.
#[derive(Default)]
struct Story {
    /// Looks that count.
    looks: Vec<Look>,
    kills: usize,
    /// Looks of which a kill left the row and no more.
    owed: usize,
    cut: usize,
}

impl Story {
    /// Takes a life in. `state`: what stands on the disk. Gives the cycle that was cut, the one
    /// that left its row and no more, and how late it is.
    fn take(
        &mut self,
        facts: &[Fact],
        before: &Orders,
        state: &FileStore,
    ) -> (Option<Look>, Option<Look>, DateTime<Utc>) {
        let (mut cut, mut now) = (before.cut.clone(), before.start);
        let (mut unsure, mut owed) = (before.owed.clone(), None);
        for fact in facts {
            match fact {
                Fact::Began(look) => (cut, now) = (Some(look.clone()), look.at),
                Fact::Row(look) => (cut, unsure, now) = (None, Some(look.clone()), look.now),
                Fact::Observed { look, .. } => {
                    self.looks.push(look.clone());
                    unsure = None;
                }
                Fact::Started { .. } | Fact::Over => {}
            }
        }
        self.cut += usize::from(cut.is_some());
        if let Some(look) = unsure {
            let known = state.peek().unwrap();
            if known.subjects.get(&look.site).and_then(SubjectState::last_look) == Some(look.at) {
                self.looks.push(look);
            } else {
                self.owed += usize::from(before.owed.as_ref() != Some(&look));
                owed = Some(look);
            }
        }
        (cut, owed, now)
    }

    /// What is told of these looks by a prober that nobody kills.
    fn told(&self) -> Vec<AlertEvent> {
        let mut state = AlertState::default();
        self.looks.iter().flat_map(|look| state.observe(&look.seen(), rules(), look.now)).collect()
    }
}

/// A message as it came.
struct Came {
    site: String,
    id: String,
    content: String,
}

impl Came {
    fn of_document(text: &str) -> Self {
        let document: Value = serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"));
        let field = |name: &str| document[name].as_str().unwrap().to_owned();
        Self { site: field("site"), id: field("id"), content: text.to_owned() }
    }

    /// The boundary between the parts of a mail is made anew each time.
    fn of_mail(text: &str) -> Self {
        let (_, id) = text.split_once("Message-ID: <").unwrap();
        let id = id.split_once('@').unwrap().0.to_owned();
        let boundary = text.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        Self { site: id.split('.').next().unwrap().into(), id, content: text.replace(boundary, "") }
    }
}

/// Checks what came to one channel, and says how much of it came twice.
fn check(channel: &str, came: &[Came], told: &[AlertEvent], id: impl Fn(&AlertEvent) -> String) -> String {
    let mut contents = BTreeMap::new();
    for message in came {
        let first = contents.entry(&message.id).or_insert(&message.content);
        assert_eq!(*first, &message.content, "{channel}: what comes again is the same");
    }
    for site in day::SITES {
        let mut ids: Vec<_> = came.iter().filter(|came| came.site == site).map(|came| came.id.clone()).collect();
        ids.dedup();
        let expected: Vec<_> = told.iter().filter(|event| event.subject == site).map(&id).collect();
        assert_eq!(ids, expected, "{channel}, {site}: each, in order, and again only at once");
    }
    let (all, repeats) = (came.len(), came.len() - told.len());
    format!("{channel} {repeats} of {all} ({} %)", (repeats * 100 + all / 2) / all)
}

fn config(mail: u16, hook: u16, dir: &Path) -> String {
    let told = dir.join("told");
    // A message that the prober was killed in the middle of is none.
    let script =
        format!("document=$(cat) && test -n \"$document\" && printf '%s\\n' \"$document\" >>{}", told.display());
    let script = serde_json::to_string(&script).unwrap();
    format!(
        r#"
logging: {{ email: {{ server: 127.0.0.1, port: {mail}, from: probe@example.com, to: ops@example.com }} }}
alerts:
  channels:
    hook: {{ webhook: {{ url: "http://127.0.0.1:{hook}/" }} }}
    script: {{ command: [sh, -c, {script}] }}
"#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn every_outage_is_told_although_the_prober_is_killed_at_random() {
    if let Ok(orders) = std::env::var(ORDERS) {
        return prober::live(&orders).await;
    }
    let seed = from_environment("VPNPROBE_SEED");
    let seed = seed.unwrap_or_else(|| SystemClock.now().timestamp_millis().unsigned_abs() % 1_000_000);
    let kills = usize::try_from(from_environment("VPNPROBE_KILLS").unwrap_or(200)).unwrap();
    let (mut mails, mut hook) = (MailServer::start("none", None, &[]).await, Receiver::plain(&[]).await);
    let dir = TempDir::new().unwrap();
    let disk = FileStore::new(dir.path(), Arc::new(SystemClock));
    println!("seed {seed}; {:?}", Day::new(seed));

    let (mut plan, mut story) = (Plan::new(seed, kills), Story::default());
    let mut orders = Orders {
        seed,
        dir: dir.path().into(),
        config: config(mails.port, hook.port, dir.path()),
        start: day::begin(),
        until: DateTime::<Utc>::MAX_UTC,
        cut: None,
        owed: None,
    };
    loop {
        if plan.left() == 0 {
            // Long enough for what the last kill kept from being seen.
            orders.until = day::end().max(orders.start) + TimeDelta::minutes(30);
        }
        let facts = Running::start(&orders).lives(orders.start, &mut plan).await;
        let (cut, owed, now) = story.take(&facts, &orders, &disk);
        if matches!(facts.last(), Some(Fact::Over)) {
            break;
        }
        story.kills += 1;
        orders = Orders { start: now + plan.pause(), cut, owed, ..orders };
    }
    assert_eq!(story.kills, kills);

    let told = story.told();
    let count = |is: fn(&AlertKind) -> bool| told.iter().filter(|event| is(&event.kind)).count();
    assert_eq!(count(|kind| matches!(kind, AlertKind::Triggered { .. })), OUTAGES, "{told:?}");
    assert_eq!(count(|kind| matches!(kind, AlertKind::Resolved { .. })), OUTAGES, "{told:?}");
    let of_mails: Vec<_> = mails.seen_before_a_marker().await;
    let of_mails: Vec<_> = of_mails.iter().filter_map(|fact| fact["mail"].as_str()).map(Came::of_mail).collect();
    let of_hook: Vec<_> = hook.everything().iter().map(|request| Came::of_document(&request.body)).collect();
    let script = std::fs::read_to_string(dir.path().join("told")).unwrap();
    let of_script: Vec<_> = script.lines().map(Came::of_document).collect();

    let by_mail = |event: &AlertEvent| {
        let outgoing = Outgoing::of(event.clone(), None, &Zone::utc(), event.at);
        OutgoingMail::from_outgoing(&outgoing).message_id
    };
    let mut said = format!("{kills} kills in {} looks; ", story.looks.len());
    write!(said, "{} cycles cut, {} left their row alone; {} messages; repeats: ", story.cut, story.owed, told.len())
        .unwrap();
    let shares = [
        check("email", &of_mails, &told, by_mail),
        check("webhook", &of_hook, &told, |event| event.id.clone()),
        check("command", &of_script, &told, |event| event.id.clone()),
    ];
    println!("{said}{}", shares.join(", "));
}
