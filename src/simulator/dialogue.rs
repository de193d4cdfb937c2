//! The dialogue itself, in the order of the real client.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use super::console::Typed;
use super::{Action, Attempt, Carrier, CertificateOf, Console, DialogOrder, Scenario, Step, words};

/// How often a session that is up looks after its tunnel.
const LOOK_AFTER: Duration = Duration::from_millis(100);

/// What the command line said.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Invocation {
    /// The gateway.
    pub server: String,
    /// The login group.
    pub realm: Option<String>,
    /// Not asked for then.
    pub username: Option<String>,
    /// Not asked for then.
    pub password: Option<String>,
}

impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation")
            .field("server", &self.server)
            .field("realm", &self.realm)
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "<password>"))
            .finish()
    }
}

/// How a conversation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By `quit`.
    Left,
    /// There was no getting in, or the user cancelled.
    GaveUp,
    /// The tunnel was lost.
    Lost,
    /// The terminal was closed. The tunnel, if any, is still as it was.
    Closed,
    /// By a fault of the scenario. The tunnel, if any, is still as it was.
    Died {
        /// The exit status.
        status: u8,
    },
}

impl Ending {
    /// The client's exit status.
    pub const fn status(self) -> u8 {
        match self {
            Self::Left => 0,
            Self::GaveUp | Self::Lost => 1,
            Self::Closed => 129,
            Self::Died { status } => status,
        }
    }
}

/// Plays the client, from its first word to its last.
pub fn converse<W: Write, C: Carrier>(
    console: Console<W>,
    scenario: &Scenario,
    invocation: &Invocation,
    carrier: &mut C,
) -> Ending {
    let mut conversation = Conversation { console, scenario, invocation, carrier, seen: BTreeMap::new() };
    loop {
        match conversation.play() {
            Ok(ending) | Err(Stop::At(ending)) => return ending,
            Err(Stop::Anew) => {}
        }
    }
}

/// The conversation is over before its way was gone.
enum Stop {
    At(Ending),
    /// And begins again.
    Anew,
}

impl From<io::Error> for Stop {
    /// A terminal that can't be written to is closed.
    fn from(_: io::Error) -> Self {
        Self::At(Ending::Closed)
    }
}

type Flow<T> = Result<T, Stop>;

struct Conversation<'a, W, C> {
    console: Console<W>,
    scenario: &'a Scenario,
    invocation: &'a Invocation,
    carrier: &'a mut C,
    /// How often each step has come.
    seen: BTreeMap<Step, u32>,
}

impl<W: Write, C: Carrier> Conversation<'_, W, C> {
    fn play(&mut self) -> Flow<Ending> {
        self.begin(Step::Start)?;
        self.contact()?;
        if self.scenario.order != DialogOrder::CertificateLast {
            self.certificates()?;
        }
        self.log_in()?;
        self.session()
    }

    fn certificates(&mut self) -> Flow<()> {
        self.scenario.certificates.clone().into_iter().try_for_each(|of| self.ask_about(of))
    }

    /// A step begins: its delay passes, its faults strike.
    fn begin(&mut self, step: Step) -> Flow<()> {
        wait(self.scenario.delay(step));
        for banner in self.scenario.banners.iter().filter(|banner| banner.at == step) {
            for _ in 0..banner.times {
                self.console.say(&banner.say)?;
            }
        }
        let time = self.seen.entry(step).or_default();
        *time += 1;
        let time = *time;
        let scenario = self.scenario;
        self.console.speak(scenario.manners.clone());
        scenario.faults_at(step, time).try_for_each(|action| self.act(action))
    }

    /// A fault strikes.
    fn act(&mut self, action: &Action) -> Flow<()> {
        match action {
            Action::Hang => {
                self.console.ignore_everything();
                return Err(Stop::At(Ending::Closed));
            }
            Action::Die { say, status } => {
                if let Some(words) = say {
                    self.console.say_line(words)?;
                }
                return Err(Stop::At(Ending::Died { status: *status }));
            }
            Action::Restart => return Err(Stop::Anew),
            Action::Say(words) => self.console.say_line(words)?,
            Action::Ask(question) => drop(answered(self.console.ask(question)?)?),
            Action::Flood(flood) => self.console.flood(*flood)?,
            Action::Speak(manner) => {
                let manners = [self.scenario.manners.as_slice(), &[*manner]].concat();
                self.console.speak(manners);
            }
            Action::Run(command) => self.carrier.run(command),
        }
        Ok(())
    }

    fn contact(&mut self) -> Flow<()> {
        self.begin(Step::Contact)?;
        match self.carrier.contact() {
            Ok(()) => Ok(()),
            Err(words) => self.give_up(&words),
        }
    }

    fn ask_about(&mut self, of: CertificateOf) -> Flow<()> {
        self.begin(Step::Certificate)?;
        let certificate = self.carrier.certificate(of);
        let sha1 = match (&self.scenario.false_fingerprint, of) {
            (Some(sha1), CertificateOf::Leaf) => sha1,
            _ => &certificate.sha1,
        };
        let subject = match (&self.scenario.false_subject, of) {
            (Some(subject), CertificateOf::Leaf) => subject,
            _ => &certificate.subject,
        };
        let block = format!("{}\n  Subject: {subject}\n  Fingerprint: SHA1[{sha1}]\n", words::UNTRUSTED);
        self.console.say(&block)?;
        let answer = self.console.ask(&format!("{} [YES/NO]? ", words::ACCEPT))?;
        if !answered(answer)?.eq_ignore_ascii_case("yes") {
            self.give_up("The certificate was not accepted.")?;
        }
        self.menu()
    }

    /// Asks for the credentials until they are good.
    fn log_in(&mut self) -> Flow<()> {
        let mut given = (self.invocation.username.clone(), self.invocation.password.clone());
        let mut asked = 0;
        loop {
            let (user, password) = self.credentials(given)?;
            given = (self.invocation.username.clone(), None);
            asked += 1;
            if asked <= self.scenario.asks_again {
                continue;
            }
            if !self.second_factor()? {
                continue;
            }
            if self.scenario.order == DialogOrder::CertificateLast {
                self.certificates()?;
            }
            self.begin(Step::Connecting)?;
            self.console.say_line(words::CONNECTING)?;
            match self.carrier.connect(&user, &password) {
                Attempt::Connected => return Ok(()),
                Attempt::Rejected(words) => self.console.say_line(&words)?,
                Attempt::Unreachable(words) => self.give_up(&words)?,
            }
        }
    }

    /// The credential dialog, as much of it as is needed.
    fn credentials(&mut self, given: (Option<String>, Option<String>)) -> Flow<(String, String)> {
        let complete = given.1.is_some();
        let (user, password) = if self.scenario.order == DialogOrder::PasswordFirst {
            let password = self.password(given.1)?;
            (self.user(given.0)?, password)
        } else {
            (self.user(given.0)?, self.password(given.1)?)
        };
        if !complete {
            self.menu()?;
        }
        Ok((user, password))
    }

    fn user(&mut self, given: Option<String>) -> Flow<String> {
        match given {
            Some(user) => Ok(user),
            None if !self.scenario.asks_user => Ok("probe".into()),
            None => {
                self.begin(Step::Username)?;
                answered(self.console.ask(words::USERNAME)?)
            }
        }
    }

    fn password(&mut self, given: Option<String>) -> Flow<String> {
        if let Some(password) = given {
            return Ok(password);
        }
        self.begin(Step::Password)?;
        answered(self.console.ask_hidden(words::PASSWORD)?)
    }

    /// Whether the code is good; without a second factor it always is.
    fn second_factor(&mut self) -> Flow<bool> {
        let Some(factor) = &self.scenario.second_factor else { return Ok(true) };
        self.begin(Step::Code)?;
        let code = answered(self.console.ask_hidden(&factor.prompt)?)?;
        self.menu()?;
        let good = self.carrier.takes_code(factor, &code);
        if !good {
            self.console.say_line(words::WRONG_CODE)?;
        }
        Ok(good)
    }

    /// The buttons of a dialog.
    fn menu(&mut self) -> Flow<()> {
        self.begin(Step::Menu)?;
        self.console.say(words::BUTTONS)?;
        match answered(self.console.ask(words::MENU)?)?.trim() {
            "" | "1" => Ok(()),
            _ => self.give_up("Cancelled."),
        }
    }

    /// The tunnel is up: until `quit`, its loss, or the end of the terminal.
    fn session(&mut self) -> Flow<Ending> {
        self.begin(Step::Connected)?;
        self.console.say_line(words::CONNECTED)?;
        self.begin(Step::Prompt)?;
        self.console.say_line(words::PROMPT)?;
        for domain in &self.scenario.redirected_domains {
            self.console.say_line(&format!("  redirected domain: {domain}"))?;
        }
        let mut traffic = false;
        loop {
            match self.console.read_within(LOOK_AFTER) {
                Typed::Line(line) if line.trim() == "quit" => return self.leave(),
                Typed::Line(line) => self.command(line.trim())?,
                Typed::Closed => return Ok(Ending::Closed),
                Typed::Nothing if !self.carrier.alive() => {
                    self.console.say_line(words::DISCONNECTED)?;
                    return Ok(Ending::Lost);
                }
                Typed::Nothing if !traffic && self.carrier.has_traffic() => {
                    traffic = true;
                    self.begin(Step::Traffic)?;
                }
                Typed::Nothing => {}
            }
        }
    }

    fn command(&mut self, command: &str) -> Flow<()> {
        match command {
            "" => {}
            "status" => self.console.say_line(&format!("{}: {}", words::CONNECTED, self.invocation.server))?,
            _ => self.console.say_line("Commands: status, quit")?,
        }
        self.console.say_line(words::PROMPT)?;
        Ok(())
    }

    fn leave(&mut self) -> Flow<Ending> {
        self.begin(Step::Leaving)?;
        self.carrier.disconnect();
        self.begin(Step::Disconnected)?;
        self.console.say_line(words::DISCONNECTED)?;
        Ok(Ending::Left)
    }

    fn give_up(&mut self, words: &str) -> Flow<()> {
        self.console.say_line(words)?;
        self.console.say_line(words::DISCONNECTED)?;
        Err(Stop::At(Ending::GaveUp))
    }
}

fn answered(answer: Option<String>) -> Flow<String> {
    answer.ok_or(Stop::At(Ending::Closed))
}

#[expect(clippy::disallowed_methods, reason = "a fake client takes its time; nothing waits for an event here")]
fn wait(time: Duration) {
    thread::sleep(time);
}

#[cfg(test)]
#[path = "dialogue_tests.rs"]
mod tests;
