//! A receiver of each kind that can be gone, refuse what it is sent, or take it.

use std::path::PathBuf;

use tempfile::TempDir;

use crate::mail_server::MailServer;
use crate::receiver::{Play, Receiver, closed_port};

/// Every kind of channel, in the order of the table.
pub(super) const KINDS: [&str; 7] = ["webhook", "alertmanager", "telegram", "slack", "teams", "email", "command"];

/// More often than anything is tried.
const ALWAYS: usize = 1000;

/// Where the messages of one channel go.
pub(super) struct Place {
    pub(super) kind: &'static str,
    port: u16,
    dir: TempDir,
    web: Option<Receiver>,
    mail: Option<MailServer>,
}

impl Place {
    /// One that is gone.
    pub(super) async fn gone(kind: &'static str) -> Self {
        let place = Self { kind, port: closed_port().await, dir: TempDir::new().unwrap(), web: None, mail: None };
        // A command that is gone could not be run; one that has nobody to tell says so.
        place.answers("nobody is there");
        place
    }

    /// Its channel: one line of YAML, by its kind.
    pub(super) fn configuration(&self) -> String {
        let (kind, port) = (self.kind, self.port);
        let (answer, told) = (self.answer(), self.told());
        let script =
            format!("if cat {0} >&2; then exit 75; fi; cat >>{1}; echo >>{1}", answer.display(), told.display());
        match kind {
            "email" => format!("server: 127.0.0.1, port: {port}, from: probe@example.com, to: ops@example.com"),
            "telegram" => format!("token: \"12:x\", chat_id: \"1\", api: \"http://127.0.0.1:{port}\""),
            "alertmanager" => format!("url: \"http://127.0.0.1:{port}/\", repeat: 1h"),
            "command" => format!("run: [sh, -c, \"{script}\"]"),
            _ => format!("url: \"http://127.0.0.1:{port}/\""),
        }
    }

    /// It is there from now on, and takes what comes.
    pub(super) async fn comes(&mut self) {
        self.takes();
        match self.kind {
            "email" => self.mail = Some(MailServer::start_at(self.port, &self.answer()).await),
            "command" => {}
            _ => self.web = Some(Receiver::plain_at(self.port).await),
        }
    }

    /// It refuses what comes: by this status over HTTP, by this answer of SMTP, by its exit status.
    pub(super) fn refuses(&self, status: u16, answer: &str) {
        self.answers(answer);
        if let Some(receiver) = &self.web {
            receiver.plays(&vec![Play::Answer(status, "", "no"); ALWAYS]);
        }
    }

    /// From now on it takes what comes, and forgets what it refused.
    pub(super) fn takes(&mut self) {
        let _ = std::fs::remove_file(self.answer());
        if let Some(receiver) = &mut self.web {
            receiver.plays(&[]);
            receiver.everything();
        }
    }

    /// What it took, site by site: of which one, and whether it was over. What Alertmanager is told again counts once.
    pub(super) async fn took(&mut self) -> Vec<(String, bool)> {
        let texts: Vec<String> = if let Some(receiver) = &mut self.web {
            receiver.everything().into_iter().map(|request| request.body).collect()
        } else if let Some(server) = &mut self.mail {
            let seen = server.seen_before_a_marker().await;
            seen.iter().filter_map(|fact| fact["mail"].as_str().map(str::to_owned)).collect()
        } else {
            std::fs::read_to_string(self.told()).unwrap_or_default().lines().map(str::to_owned).collect()
        };
        // Alertmanager is pushed several at once.
        let is_one = self.kind != "alertmanager";
        let headlines = |text| str::split(text, "[vpnprobe] ").skip(1).take(if is_one { 1 } else { usize::MAX });
        let mut took: Vec<_> = texts.iter().flat_map(|text| headlines(text)).filter_map(about).collect();
        took.sort_by(|(one, _), (other, _)| one.cmp(other));
        if !is_one {
            took.dedup();
        }
        took
    }

    fn answers(&self, answer: &str) {
        std::fs::write(self.answer(), answer).unwrap();
    }

    /// What mail servers and commands say as long as this file is there.
    fn answer(&self) -> PathBuf {
        self.dir.path().join("answer")
    }

    fn told(&self) -> PathBuf {
        self.dir.path().join("told")
    }
}

/// Every kind shows the headline, after the program's name: `site-3 is up again after 3 min`.
fn about(headline: &str) -> Option<(String, bool)> {
    let (site, rest) = headline.split_once(' ')?;
    Some((site.to_owned(), rest.starts_with("is up again")))
}
