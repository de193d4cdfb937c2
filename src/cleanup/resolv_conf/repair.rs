//! resolv.conf is put right: by the `restore_command`, else from the copy; then looked at again.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::time::timeout;

use super::put_back::put_back;
use super::{Judgement, ResolvState, Witness, judge};
use crate::config::ResolvConfConfig;

/// How long the `restore_command` may take; then it is killed and the copy written back.
const RESTORE_TIMEOUT: Duration = Duration::from_secs(10);

/// The resolver configuration of one network context.
#[derive(Debug, Clone)]
pub struct ResolvConf {
    path: PathBuf,
    restore_command: Option<Vec<String>>,
    /// Where the copy is laid for whoever has the rights that the prober lacks.
    copy: PathBuf,
}

impl ResolvConf {
    /// As configured.
    pub fn new(config: &ResolvConfConfig, state_dir: &Path) -> Self {
        Self {
            path: config.path.clone(),
            restore_command: config.restore_command.clone().filter(|command| !command.is_empty()),
            copy: state_dir.join("resolv.conf.before"),
        }
    }

    /// Its state now.
    pub fn read(&self) -> io::Result<ResolvState> {
        ResolvState::read(&self.path)
    }

    /// Whose doing its difference from before is. One that can't be read is no file any more, and nobody else makes a
    /// directory of it.
    pub fn judge(&self, before: &ResolvState, witness: Witness<'_>) -> Judgement {
        self.read().map_or(Judgement::Clients, |now| judge(before, &now, witness))
    }

    /// Puts it right: by the command, and where that does not help, from the copy. Says what it did, or why it could
    /// not, and what somebody with more rights should run.
    ///
    /// The command's word counts as well as the former state, where it made the file anew, for a resolver to use, and
    /// not with the client's content: whoever generates the file knows what changed meanwhile.
    pub async fn repair(&self, before: &ResolvState, witness: Witness<'_>) -> Result<String, String> {
        let found = self.read().unwrap_or_default();
        let clients = witness.while_up.filter(|up| !before.says_as(up)).unwrap_or(&found).content.clone();
        let path = self.path.display();
        let mut failures = Vec::new();
        if let Some(command) = &self.restore_command {
            let shown = command.join(" ");
            let ran = run(command).await;
            let now = self.read().unwrap_or_default();
            match ran {
                Ok(()) if before.is(&now) => return Ok(format!("restored {path} by `{shown}`")),
                Ok(())
                    if before.link == now.link
                        && now.names_a_server()
                        && ![&clients, &found.content].contains(&&now.content) =>
                {
                    return Ok(format!("`{shown}` made {path} anew, not as before the login: kept"));
                }
                Ok(()) => failures.push(format!("`{shown}` did not bring the former content back")),
                Err(why) => failures.push(format!("`{shown}` failed: {why}")),
            }
        }
        let written = put_back(&self.path, before, clients.as_deref());
        let now = self.read();
        // Behind a link that was made again stands what its generator made, now as before.
        let is_right = |now: &ResolvState| {
            before.is(now)
                || before.link.is_some() && before.link == now.link && now.content.is_some() && now.content != clients
        };
        match written {
            Ok(()) if now.as_ref().is_ok_and(is_right) => {
                let mut said = format!("wrote the former content of {path} back");
                for failure in failures {
                    said.push_str("; ");
                    said.push_str(&failure);
                }
                Ok(said)
            }
            Ok(()) => Err(format!("{path} changes again as soon as it is written back")),
            Err(e) => {
                failures.insert(0, format!("cannot restore {path}: {e}; as root: `{}`", self.by_hand(before)));
                Err(failures.join("; "))
            }
        }
    }

    /// Runs the `restore_command`, if there is one, whatever comes out: after a reboot nobody knows what the content
    /// should be. Says what it did.
    pub async fn refresh(&self) -> Option<String> {
        let command = self.restore_command.as_deref()?;
        let shown = command.join(" ");
        Some(match run(command).await {
            Ok(()) => format!("ran `{shown}`"),
            Err(why) => format!("`{shown}` failed: {why}"),
        })
    }

    /// What to run where the prober may not.
    fn by_hand(&self, before: &ResolvState) -> String {
        let path = quoted(&self.path);
        match (&before.link, &before.content) {
            (Some(target), _) => format!("ln -sfn {} {path}", quoted(target)),
            (None, None) => format!("rm {path}"),
            (None, Some(content)) => match crate::files::replace(&self.copy, content) {
                Ok(()) => format!("cp {} {path}", quoted(&self.copy)),
                Err(_) => format!("printf %s {} > {path}", quoted(Path::new(&*String::from_utf8_lossy(content)))),
            },
        }
    }
}

/// For a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

async fn run(command: &[String]) -> Result<(), String> {
    let mut child = tokio::process::Command::new(&command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| e.to_string())?;
    match timeout(RESTORE_TIMEOUT, child.wait()).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(status.to_string()),
        Ok(Err(e)) => Err(e.to_string()),
        Err(_) => Err(format!("it did not end within {} s", RESTORE_TIMEOUT.as_secs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    const BEFORE: &str = "nameserver 192.0.2.53\n";
    const CLIENTS: &str = "# SonicWall\nnameserver 10.1.0.53\n";

    struct Place {
        _dir: tempfile::TempDir,
        file: ResolvConf,
        before: ResolvState,
    }

    impl Place {
        /// A plain file as it should be; `FILE` in the command stands for it.
        fn with(command: Option<&str>) -> Self {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("resolv.conf");
            fs::write(&path, BEFORE).unwrap();
            let restore_command = command
                .map(|script| vec!["sh".into(), "-c".into(), script.replace("FILE", &path.display().to_string())]);
            let file = ResolvConf { path, restore_command, copy: dir.path().join("state/resolv.conf.before") };
            let before = file.read().unwrap();
            Self { _dir: dir, file, before }
        }

        fn client_writes(&self) {
            fs::write(&self.file.path, CLIENTS).unwrap();
        }

        async fn repair(&self) -> Result<String, String> {
            let up = ResolvState { content: Some(CLIENTS.into()), ..self.before.clone() };
            self.file.repair(&self.before, Witness { while_up: Some(&up), left: None }).await
        }

        fn text(&self) -> String {
            fs::read_to_string(&self.file.path).unwrap()
        }
    }

    #[tokio::test]
    async fn the_command_comes_first_and_is_verified() {
        let place = Place::with(Some("echo nameserver 192.0.2.53 > FILE"));
        place.client_writes();
        let said = place.repair().await.unwrap();
        assert!(said.contains("restored"), "{said}");
        assert_eq!(place.text(), BEFORE);
    }

    #[tokio::test]
    async fn a_command_that_does_not_help_is_named_and_the_copy_written_back() {
        for command in [
            "echo nonsense > FILE",
            "true",
            ": > FILE",
            "rm FILE",
            "printf '# SonicWall\nnameserver 10.1.0.53\n' > FILE",
        ] {
            let place = Place::with(Some(command));
            place.client_writes();
            let said = place.repair().await.unwrap();
            assert!(said.contains("wrote the former content") && said.contains("did not bring"), "{command}: {said}");
            assert_eq!(place.text(), BEFORE, "{command}");
        }
    }

    #[tokio::test]
    async fn a_command_that_knows_of_a_change_meanwhile_is_believed() {
        let place = Place::with(Some("echo nameserver 198.51.100.53 > FILE"));
        place.client_writes();
        let said = place.repair().await.unwrap();
        assert!(said.contains("made") && said.contains("anew"), "{said}");
        assert_eq!(place.text(), "nameserver 198.51.100.53\n");
    }

    #[tokio::test]
    async fn a_link_that_a_client_replaced_comes_back_and_what_was_made_behind_it_meanwhile_stays() {
        let mut place = Place::with(None);
        let target = place.file.path.with_file_name("generated");
        fs::rename(&place.file.path, &target).unwrap();
        symlink(&target, &place.file.path).unwrap();
        place.before = place.file.read().unwrap();
        for meanwhile in [BEFORE, "nameserver 198.51.100.53\n"] {
            fs::remove_file(&place.file.path).unwrap();
            place.client_writes();
            fs::write(&target, meanwhile).unwrap();
            place.repair().await.unwrap();
            assert_eq!(fs::read_link(&place.file.path).unwrap(), target);
            assert_eq!(place.text(), meanwhile);
        }
        place.client_writes();
        place.repair().await.unwrap();
        assert!(place.file.path.is_symlink(), "rewritten through the link");
        assert_eq!(place.text(), BEFORE);
    }

    #[tokio::test]
    async fn what_can_not_be_put_right_says_why_and_what_to_run() {
        let mut place = Place::with(Some("exit 3"));
        place.file.path = place.file.path.with_file_name("it's gone").join("resolv.conf");
        let why = place.repair().await.unwrap_err();
        assert!(why.contains("exit status: 3") && why.contains("cannot restore"), "{why}");
        let copy = place.file.copy.clone();
        assert!(
            why.contains(&format!("as root: `cp {} '", copy.display())) && why.contains(r"it'\''s gone/resolv.conf'`"),
            "{why}"
        );
        assert_eq!(fs::read_to_string(copy).unwrap(), BEFORE);
        let link = ResolvState { link: Some("../run/x".into()), ..ResolvState::default() };
        assert!(place.file.by_hand(&link).starts_with("ln -sfn ../run/x "));
        assert!(place.file.by_hand(&ResolvState::default()).starts_with("rm "));
    }
}
