//! A client under way: a task that reads its terminal, answers by the dialogue and tells what happened.
//!
//! The task goes on reading as long as anybody holds the terminal open: a client whose terminal nobody reads stalls in
//! its next write. It never kills; dropping the [`Session`] closes the terminal (which hangs the client up) once the
//! task has ended with it.

use std::collections::VecDeque;
use std::io;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::dialogue::{Dialogue, Step};
use super::fields::Expanded;
use super::pty::{ClientCommand, PtyClient, SpawnError, spawn};
use super::terminal::TerminalText;
use super::transcript::Transcript;
use super::watch::{Seen, Typist, Watch, Watcher};
use crate::config::Secret;
use crate::net::PreExec;
use crate::record::{DialogueEvent, Reason};

/// Read at once at most: a flood is handled in few, large pieces.
const LARGEST_READ: usize = 64 * 1024;
/// After the client's own process has ended, what it wrote last is read until the terminal's end comes; descendants
/// that hold the terminal open delay the news of its end by this much at most.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// How long a client may take to switch the echo off after its question, on a busy host; then it does not (rules with
/// `may_hide`). OpenVPN, which throws away what was typed before, takes 0.1 ms on an idle one.
const TO_HIDE: Duration = Duration::from_millis(250);

/// A client that has written in this time waits for nobody, whatever its last words look like.
const QUIET: Duration = Duration::from_millis(100);

/// What happened to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
    /// It says that the tunnel is up.
    Connected {
        /// When its word arrived.
        at: Instant,
        /// Whether the word can be worth something by itself: credentials were typed before, or the profile has none.
        credible: bool,
    },
    /// That was not true: it asks for credentials.
    Withdrawn,
    /// It asks for the password again, at random as it seems; say by [`Session::permit`] whether it may be typed.
    AskedAgain,
    /// It says (or does) what the profile calls a failure.
    Failed {
        /// Why.
        reason: Reason,
        /// Its words.
        text: String,
    },
    /// It says that the tunnel is gone again.
    Lost {
        /// Why.
        reason: Reason,
        /// Its words.
        text: String,
    },
    /// Its process ended.
    Ended {
        /// How; `None` when the system would not tell.
        status: Option<ExitStatus>,
    },
}

impl SessionEvent {
    /// How the client ended, where that is what happened and the system tells.
    pub const fn status(&self) -> Option<ExitStatus> {
        match self {
            Self::Ended { status } => *status,
            _ => None,
        }
    }
}

/// A client under way.
#[derive(Debug)]
pub struct Session {
    pid: i32,
    spawned: Instant,
    events: mpsc::UnboundedReceiver<SessionEvent>,
    orders: mpsc::UnboundedSender<Order>,
    shared: Arc<Mutex<Shared>>,
    secrets: Vec<(String, Secret)>,
    task: JoinHandle<()>,
}

/// What the task is asked to do.
#[derive(Debug)]
enum Order {
    Type(String),
    Settle,
    Permit(bool),
}

#[derive(Debug, Default)]
struct Shared {
    transcript: Transcript,
    question: Option<String>,
    waits_in_vain: bool,
    /// When the client wrote last.
    wrote: Option<Instant>,
    heard: bool,
    /// When it last said that the tunnel is up.
    claimed: Option<Instant>,
    /// Codes that were typed: to be blanked as any secret.
    codes: Vec<(String, Secret)>,
}

impl Session {
    /// Starts the client and the task that talks with it.
    ///
    /// `secrets` (by the name of their field) are blanked in everything that this session shows. `watch` sees it live.
    pub fn start(
        command: &ClientCommand,
        pre_exec: Option<PreExec>,
        dialogue: Dialogue,
        secrets: Vec<(String, Secret)>,
        watch: Option<Watch>,
    ) -> Result<Self, SpawnError> {
        let client = spawn(command, pre_exec)?;
        let (pid, spawned) = (client.pid, client.spawned);
        let (event_sender, events) = mpsc::unbounded_channel();
        let (order_sender, orders) = mpsc::unbounded_channel();
        let shared = Arc::new(Mutex::new(Shared::default()));
        let (typist, answers) = mpsc::unbounded_channel();
        let watcher = Watcher::new(watch);
        watcher.sees(Seen::Started(Typist(typist)));
        let pump = Pump {
            watcher,
            answers,
            secrets: secrets.clone(),
            client,
            dialogue,
            terminal: TerminalText::default(),
            shared: Arc::clone(&shared),
            events: event_sender,
            orders,
            asked: spawned,
            unsent: VecDeque::new(),
        };
        let task = tokio::spawn(pump.run());
        Ok(Self { pid, spawned, events, orders: order_sender, shared, secrets, task })
    }

    /// Process id of the client's first process; also its process group and session.
    pub const fn pid(&self) -> i32 {
        self.pid
    }

    /// When spawn returned.
    pub const fn spawned(&self) -> Instant {
        self.spawned
    }

    /// The next thing that happens; `None` after the end. Safe to cancel.
    pub async fn event(&mut self) -> Option<SessionEvent> {
        self.events.recv().await
    }

    /// Types a line (Enter is added).
    pub fn type_line(&self, line: &str) {
        self.order(Order::Type(line.to_owned()));
    }

    /// The tunnel was seen: the dialogue types nothing any more, and only the tunnel's loss counts.
    pub fn settle(&self) {
        self.order(Order::Settle);
    }

    /// Whether the password may be typed a second time.
    pub fn permit(&self, granted: bool) {
        self.order(Order::Permit(granted));
    }

    fn order(&self, order: Order) {
        // A task that has ended has no client to talk with.
        let _ = self.orders.send(order);
    }

    /// Whether any rule of the dialogue has matched: the gateway has spoken.
    pub fn has_heard(&self) -> bool {
        self.locked().heard
    }

    /// Whether the client waits for credentials that it does not get.
    pub fn waits_in_vain(&self) -> bool {
        self.locked().waits_in_vain
    }

    /// When the client last said that the tunnel is up, the tunnel seen or not.
    pub fn last_claim(&self) -> Option<Instant> {
        self.locked().claimed
    }

    /// A question on which the client waits and that no rule knows, secrets blanked.
    pub fn open_question(&self) -> Option<String> {
        let shared = self.locked();
        if shared.wrote.is_some_and(|wrote| wrote.elapsed() < QUIET) {
            return None;
        }
        let question = shared.question.clone();
        drop(shared);
        question.map(|question| self.blanked(&question))
    }

    /// The dialogue so far, secrets blanked.
    pub fn dialogue(&self) -> Vec<DialogueEvent> {
        let shared = self.locked();
        shared.transcript.events(&self.secrets_and(&shared.codes))
    }

    /// The client's last words, secrets blanked.
    pub fn last_line(&self) -> Option<String> {
        let shared = self.locked();
        shared.transcript.last_line(&self.secrets_and(&shared.codes))
    }

    /// Replaces every secret in `text`.
    pub fn blanked(&self, text: &str) -> String {
        super::transcript::blank(text, &self.secrets_and(&self.locked().codes))
    }

    fn secrets_and(&self, codes: &[(String, Secret)]) -> Vec<(String, Secret)> {
        self.secrets.iter().chain(codes).cloned().collect()
    }

    fn locked(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The task's own things.
struct Pump {
    client: PtyClient,
    dialogue: Dialogue,
    terminal: TerminalText,
    shared: Arc<Mutex<Shared>>,
    events: mpsc::UnboundedSender<SessionEvent>,
    orders: mpsc::UnboundedReceiver<Order>,
    /// When it printed something last.
    asked: Instant,
    unsent: VecDeque<u8>,
    watcher: Watcher,
    /// Typed by a person who watches.
    answers: mpsc::UnboundedReceiver<Secret>,
    secrets: Vec<(String, Secret)>,
}

impl Pump {
    async fn run(mut self) {
        let mut buffer = vec![0; LARGEST_READ];
        let mut exit: Option<(Option<ExitStatus>, Instant)> = None;
        let (mut open, mut told) = (true, false);
        while open || !told {
            let last_words = exit.map_or_else(Instant::now, |(_, at)| at + LAST_WORDS);
            let moment = self.asked + TO_HIDE;
            // In no fixed order: a client that floods its terminal must not keep `quit` from being typed.
            tokio::select! {
                read = self.client.read.read(&mut buffer), if open => match read {
                    Ok(None) | Err(_) => open = false,
                    Ok(Some(count)) => self.heard(&buffer[..count], Instant::now()),
                },
                written = write_some(&mut self.client.write, &self.unsent), if open && !self.unsent.is_empty() => {
                    match written {
                        Ok(count) => drop(self.unsent.drain(..count)),
                        Err(_) => self.unsent.clear(),
                    }
                }
                order = self.orders.recv() => match order {
                    Some(Order::Type(line)) => self.type_line(&line, &line),
                    Some(Order::Settle) => self.dialogue.settle(),
                    Some(Order::Permit(granted)) => {
                        self.dialogue.permit(granted);
                        self.take_steps(Instant::now());
                    }
                    // The session was dropped: nobody is left to tell.
                    None => return,
                },
                Some(answer) = self.answers.recv() => {
                    self.with_shared(|shared, _| shared.codes.push(("answer".to_owned(), answer.clone())));
                    self.dialogue.answered();
                    self.type_line(answer.reveal(), "<answer>");
                }
                status = self.client.child.wait(), if exit.is_none() => exit = Some((status.ok(), Instant::now())),
                () = sleep_until(moment), if self.dialogue.waits_a_moment() => {
                    self.dialogue.moment_over();
                    self.take_steps(Instant::now());
                }
                () = sleep_until(last_words), if exit.is_some() && !told => {
                    told = self.tell_end(exit);
                }
            }
            if !open && exit.is_some() && !told {
                told = self.tell_end(exit);
            }
        }
    }

    fn tell_end(&self, exit: Option<(Option<ExitStatus>, Instant)>) -> bool {
        let _ = self.events.send(SessionEvent::Ended { status: exit.and_then(|(status, _)| status) });
        true
    }

    /// The client printed these bytes, or changed its terminal's modes.
    fn heard(&mut self, bytes: &[u8], at: Instant) {
        let text = self.terminal.push(bytes);
        if !text.is_empty() {
            self.with_shared(|shared, since| shared.transcript.received(since(at), &text));
        }
        self.dialogue.push(bytes, &text);
        if !text.is_empty() {
            self.asked = at;
        }
        // Asked after the text was read: echo that is off now was off, or went off, when the client asked.
        let echo_off = self.client.modes.echo_is_off();
        self.dialogue.echo_off(echo_off);
        let secrets = self.secrets();
        self.watcher.printed(&text, echo_off, &secrets);
        self.take_steps(at);
    }

    fn secrets(&self) -> Vec<(String, Secret)> {
        let mut all = self.secrets.clone();
        self.with_shared(|shared, _| all.extend(shared.codes.iter().cloned()));
        all
    }

    fn take_steps(&mut self, at: Instant) {
        while let Some(step) = self.dialogue.next_step() {
            if let Some((expect, fingerprint)) = self.dialogue.matched() {
                self.watcher.sees(Seen::Matched { expect, fingerprint });
            }
            let event = match step {
                Step::Send(Expanded { text, shown, codes }) => {
                    self.with_shared(|shared, _| shared.codes.extend(codes));
                    self.type_line(text.reveal(), &shown);
                    continue;
                }
                Step::Connected { credible } => {
                    self.with_shared(|shared, _| shared.claimed = Some(at));
                    SessionEvent::Connected { at, credible }
                }
                Step::Withdrawn => SessionEvent::Withdrawn,
                Step::AskedAgain => SessionEvent::AskedAgain,
                Step::Failed { reason, text } => SessionEvent::Failed { reason, text },
                Step::Lost { reason, text } => SessionEvent::Lost { reason, text },
            };
            let _ = self.events.send(event);
        }
        let question = self.dialogue.open_question();
        let (heard, waits_in_vain) = (self.dialogue.has_heard(), self.dialogue.waits_in_vain());
        self.with_shared(|shared, _| {
            shared.question = question;
            shared.waits_in_vain = waits_in_vain;
            shared.wrote = Some(at);
            shared.heard = heard;
        });
    }

    fn type_line(&mut self, line: &str, shown: &str) {
        self.unsent.extend(line.as_bytes());
        self.unsent.push_back(b'\n');
        let secrets = self.secrets();
        self.watcher.typed(shown, &secrets);
        self.with_shared(|shared, since| shared.transcript.sent(since(Instant::now()), shown));
    }

    fn with_shared(&self, change: impl FnOnce(&mut Shared, &dyn Fn(Instant) -> Duration)) {
        let spawned = self.client.spawned;
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut shared, &|at: Instant| at.saturating_duration_since(spawned));
    }
}

async fn write_some(pty: &mut pty_process::OwnedWritePty, unsent: &VecDeque<u8>) -> io::Result<usize> {
    pty.write(unsent.as_slices().0).await
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::client::Fields;
    use crate::config::{DialogueRule, Pattern, Reaction, Template, TemplatePart};
    use crate::record::FailureKind;

    fn shell(script: &str) -> ClientCommand {
        let env = BTreeMap::from([("PATH".to_owned(), "/usr/bin:/bin".to_owned())]);
        ClientCommand { program: "sh".into(), args: vec!["-c".into(), script.into()], env }
    }

    fn start(script: &str) -> Session {
        let send = |field: &str| Reaction::Send {
            line: Template { parts: vec![TemplatePart::Field(field.into())] },
            max: None,
            hidden: false,
            may_hide: false,
            again: false,
        };
        let rules = vec![
            DialogueRule { expect: Pattern::new("Password: ").unwrap(), reaction: send("password") },
            DialogueRule { expect: Pattern::new("(?m)^Connected").unwrap(), reaction: Reaction::Connected },
            DialogueRule {
                expect: Pattern::new("(?m)^Disconnected").unwrap(),
                reaction: Reaction::Failed(FailureKind::Disconnected.into()),
            },
        ];
        let secret = Secret::new("hunter2");
        let fields = Fields::default().with_secret("password", secret.clone());
        let dialogue = Dialogue::new(rules, fields, Vec::new()).unwrap();
        Session::start(&shell(script), None, dialogue, vec![("password".into(), secret)], None).unwrap()
    }

    #[tokio::test]
    async fn a_password_is_typed_and_never_shown() {
        let mut session = start("printf 'Password: '; read p; echo \"you said $p\"; echo Connected; read x");
        assert!(matches!(session.event().await, Some(SessionEvent::Connected { .. })));
        let shown: Vec<_> = session.dialogue().into_iter().map(|e| e.text).collect();
        assert_eq!(shown, ["Password:", "<password>", "you said <password>", "Connected"]);
        session.type_line("bye");
        let Some(SessionEvent::Ended { status }) = session.event().await else { panic!("it should have ended") };
        assert!(status.unwrap().success());
        assert_eq!(session.event().await, None);
    }

    #[tokio::test]
    async fn last_words_are_heard_before_the_end() {
        let mut session = start("echo Disconnected; exit 3");
        assert!(matches!(session.event().await, Some(SessionEvent::Failed { .. })));
        let Some(SessionEvent::Ended { status }) = session.event().await else { panic!("it should have ended") };
        assert_eq!(status.unwrap().code(), Some(3));
    }

    #[tokio::test]
    async fn a_descendant_that_holds_the_terminal_does_not_hide_the_end() {
        let mut session = start("(trap '' HUP; exec sleep 2) & echo gone; exit 7");
        let Some(SessionEvent::Ended { status }) = session.event().await else { panic!("it should have ended") };
        assert_eq!(status.unwrap().code(), Some(7));
        assert_eq!(session.last_line().as_deref(), Some("gone"));
    }

    #[tokio::test]
    async fn a_client_that_writes_much_is_never_stalled() {
        let script = "i=0; while [ $i -lt 3000 ]; do echo 'a line that nobody waits for, forty bytes'; i=$((i+1)); done; echo Connected; read x";
        let mut session = start(script);
        assert!(matches!(session.event().await, Some(SessionEvent::Connected { .. })));
    }

    #[tokio::test]
    async fn a_client_that_floods_its_terminal_can_still_be_typed_to() {
        let mut session = start("echo Connected; yes 'noise without end' & read line; kill $!; echo; echo heard $line");
        assert!(matches!(session.event().await, Some(SessionEvent::Connected { .. })));
        session.type_line("quit");
        assert!(matches!(session.event().await, Some(SessionEvent::Ended { .. })));
        assert_eq!(session.last_line().as_deref(), Some("heard quit"));
    }

    #[tokio::test]
    async fn a_client_that_still_writes_waits_for_no_answer() {
        let mut session = start("echo Connected; while :; do printf 'noise: '; done");
        assert!(matches!(session.event().await, Some(SessionEvent::Connected { .. })));
        let noise = |session: &Session| session.last_line().is_some_and(|line| line.contains("noise"));
        while !noise(&session) {
            tokio::task::yield_now().await;
        }
        assert_eq!(session.open_question(), None);
    }

    #[tokio::test]
    async fn a_missing_program_is_named() {
        let mut command = shell("");
        command.program = "no-such-client".into();
        let dialogue = Dialogue::new(Vec::new(), Fields::default(), Vec::new()).unwrap();
        let error = Session::start(&command, None, dialogue, Vec::new(), None).unwrap_err();
        assert!(matches!(error, SpawnError::Missing { .. }), "{error:?}");
        assert_eq!(error.to_string(), "cannot run `no-such-client`");
    }
}
