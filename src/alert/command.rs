//! A channel that is a program: it gets the event as JSON on its standard input and `VPNPROBE_…` in its environment, and
//! says by its exit status whether people were told. No shell reads anything.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::document::MESSAGE_FIELDS;
use super::{Channel, Outgoing, SendError};
use crate::config::NotifyCommand;
use crate::group::Group;
use crate::net::BoxFuture;
use crate::record::one_line;

/// The most that is read of what it says of its trouble.
const MAX_WORDS: u64 = 4 << 10;
/// What it said before its end may still be on its way.
const LAST_WORDS: Duration = Duration::from_millis(100);

/// A program that is handed each message.
pub struct CommandChannel {
    name: String,
    command: NotifyCommand,
    /// Variables that it does not get.
    secret_env: Vec<String>,
}

impl CommandChannel {
    /// The channel; variables of these names are secrets.
    pub fn new(name: &str, command: NotifyCommand, secret_env: Vec<String>) -> Self {
        Self { name: name.to_owned(), command, secret_env }
    }

    async fn deliver(&self, outgoing: &Outgoing) -> Result<(), SendError> {
        let program = self.command.run.first().map_or("", String::as_str);
        let mut child = self.spawn(program, outgoing).map_err(|error| cannot_run(program, &error))?;
        let group = Group::of(&child);
        let document = outgoing.document().to_string();
        let Ok(ended) = timeout(self.command.timeout, run(&mut child, document.as_bytes())).await else {
            let seconds = self.command.timeout.as_secs_f64();
            return Err(SendError::transient(format!("the command `{program}` did not end within {seconds} s")));
        };
        let (status, words) = ended.map_err(|error| cannot_run(program, &error))?;
        group.release();
        if status.success() {
            return Ok(());
        }
        let said = if words.is_empty() { String::new() } else { format!(": {words}") };
        Err(SendError::transient(format!("the command `{program}` failed: {status}{said}")))
    }

    fn spawn(&self, program: &str, outgoing: &Outgoing) -> io::Result<Child> {
        let mut command = Command::new(program);
        command
            .args(self.command.run.get(1..).unwrap_or_default())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        for name in &self.secret_env {
            command.env_remove(name);
        }
        for name in MESSAGE_FIELDS {
            let value = outgoing.field(name).unwrap_or_default();
            command.env(format!("VPNPROBE_{}", name.to_uppercase()), value);
        }
        command.spawn()
    }
}

/// Trying again soon helps with a full process table, not with a program that is not there.
fn cannot_run(program: &str, error: &io::Error) -> SendError {
    let text = format!("cannot run the command `{program}`: {error}");
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied => SendError::permanent(text),
        _ => SendError::transient(text),
    }
}

/// Hands it the document and waits for its end; what it said of its trouble. What it starts in the background may hold its
/// pipes open: they are not waited for.
async fn run(child: &mut Child, document: &[u8]) -> io::Result<(ExitStatus, String)> {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let mut words = Vec::new();
    let talk = async {
        let tell = async {
            if let Some(mut stdin) = stdin {
                // One that does not read it need not.
                let _ = stdin.write_all(document).await;
            }
        };
        let hear = async {
            if let Some(stderr) = stderr {
                let _ = stderr.take(MAX_WORDS).read_to_end(&mut words).await;
            }
        };
        tokio::join!(tell, hear);
    };
    let status = {
        tokio::pin!(talk);
        let ended = tokio::select! {
            status = child.wait() => Some(status?),
            () = &mut talk => None,
        };
        match ended {
            Some(status) => {
                let _ = timeout(LAST_WORDS, talk).await;
                status
            }
            None => child.wait().await?,
        }
    };
    Ok((status, one_line(&String::from_utf8_lossy(&words))))
}

impl Channel for CommandChannel {
    fn name(&self) -> &str {
        &self.name
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(self.deliver(outgoing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::document::tests::down;

    fn channel(words: &[&str], timeout: Duration) -> CommandChannel {
        let run = words.iter().map(|&word| word.to_owned()).collect();
        CommandChannel::new("script", NotifyCommand { run, timeout }, vec!["HOME".to_owned()])
    }

    async fn send(script: &str) -> Result<(), SendError> {
        channel(&["sh", "-c", script], Duration::from_secs(20)).send(&down()).await
    }

    #[tokio::test]
    async fn a_program_gets_the_document_and_the_fields_and_no_secret() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().display();
        send(&format!("cat >{path}/in && env >{path}/env")).await.unwrap();
        let document: serde_json::Value =
            serde_json::from_str(&std::fs::read_to_string(dir.path().join("in")).unwrap()).unwrap();
        assert_eq!(document, down().document());
        let environment = std::fs::read_to_string(dir.path().join("env")).unwrap();
        for line in ["VPNPROBE_SITE=paris", "VPNPROBE_SEVERITY=critical", "VPNPROBE_STATUS=firing"] {
            assert!(environment.lines().any(|l| l == line), "{line}\n{environment}");
        }
        assert!(!environment.lines().any(|line| line.starts_with("HOME=")), "{environment}");
    }

    #[tokio::test]
    async fn its_exit_status_says_whether_people_were_told() {
        assert_eq!(send("exit 0").await, Ok(()));
        let error = send("echo 'the modem is busy' >&2; exit 75").await.unwrap_err();
        assert_eq!(error, SendError::transient("the command `sh` failed: exit status: 75: the modem is busy"));
        assert_eq!(
            send("cat >/dev/null; sleep 600 & exit 0").await,
            Ok(()),
            "what it leaves running is not waited for"
        );
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_not_tried_again_soon() {
        let error = channel(&["/nonexistent/notify"], Duration::from_secs(20)).send(&down()).await.unwrap_err();
        assert!(error.permanent && error.text.contains("`/nonexistent/notify`"), "{error}");
    }

    #[tokio::test]
    async fn one_that_hangs_is_killed_with_what_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("alive");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let mut alive = tokio::net::unix::pipe::OpenOptions::new().open_receiver(&fifo).unwrap();
        let script = format!("exec 3>{}; sleep 600 & echo >&3; wait", fifo.display());
        let channel = channel(&["sh", "-c", &script], Duration::from_secs(2));
        let outgoing = down();
        let mut seen = [0; 1];
        let (sent, _) = tokio::join!(channel.send(&outgoing), alive.read_exact(&mut seen));
        assert_eq!(sent.unwrap_err().text, "the command `sh` did not end within 2 s");
        // The pipe ends when the last process that holds it is gone.
        assert_eq!(alive.read(&mut seen).await.unwrap(), 0);
    }
}
