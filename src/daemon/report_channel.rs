//! The channel of reports: their letters lie in the state directory, so that the alert state stays a small file.

use std::io;
use std::path::{Path, PathBuf};

use crate::alert::{Attachment, Channel, EmailChannel, Outgoing, OutgoingMail, SendError};
use crate::files;
use crate::net::BoxFuture;
use crate::report::letter::Letter;

/// Its name in the outbox.
pub(super) const NAME: &str = "report";
/// Where letters lie, in `state_dir`.
const DIRECTORY: &str = "reports";

/// Letters by the ids of their messages.
#[derive(Debug, Clone)]
pub(super) struct Letters {
    dir: PathBuf,
}

impl Letters {
    pub(super) fn new(state_dir: &Path) -> Self {
        Self { dir: state_dir.join(DIRECTORY) }
    }

    /// Writes a letter: whole or not at all, for this user's eyes only.
    pub(super) fn write(&self, id: &str, letter: &Letter) -> io::Result<()> {
        files::replace(&self.path(id), &serde_json::to_vec(letter)?)
    }

    fn read(&self, id: &str) -> io::Result<Letter> {
        Ok(serde_json::from_slice(&std::fs::read(self.path(id))?)?)
    }

    /// Removes the letters of messages that nobody sends any more.
    pub(super) fn keep_only(&self, ids: &[String]) {
        let Ok(entries) = std::fs::read_dir(&self.dir) else { return };
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            if !ids.iter().any(|id| self.path(id) == path) {
                // What stays is tried again the next time.
                let _ = files::remove(&path);
            }
        }
    }

    fn path(&self, id: &str) -> PathBuf {
        self.dir.join(format!("{id}.json"))
    }
}

/// Sends letters by mail.
pub(super) struct ReportChannel {
    mail: EmailChannel,
    letters: Letters,
}

impl ReportChannel {
    pub(super) fn new(mail: EmailChannel, letters: Letters) -> Self {
        Self { mail, letters }
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Result<(), SendError> {
        let (letters, id) = (self.letters.clone(), outgoing.event.id.clone());
        let read = tokio::task::spawn_blocking(move || letters.read(&id).map_err(|e| (letters.path(&id), e)));
        let letter = match read.await {
            Ok(Ok(letter)) => letter,
            Ok(Err((path, error))) => {
                return Err(SendError::permanent(format!("cannot read the report `{}`: {error}", path.display())));
            }
            Err(error) => return Err(SendError::transient(format!("cannot read the report: {error}"))),
        };
        let attachment = letter.page.map(|page| Attachment {
            name: page.name,
            media_type: "text/html; charset=utf-8",
            content: page.html.into_bytes(),
        });
        let plain = OutgoingMail::from_outgoing(outgoing);
        self.mail
            .deliver(&OutgoingMail { subject: letter.subject, body: letter.body, html: None, attachment, ..plain })
            .await
    }
}

impl Channel for ReportChannel {
    fn name(&self) -> &'static str {
        NAME
    }

    fn takes_alerts(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(self.deliver(outgoing))
    }
}
