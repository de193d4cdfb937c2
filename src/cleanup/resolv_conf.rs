//! resolv.conf: compared with what stood there before the login, and put right.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::time::timeout;

use crate::config::ResolvConfConfig;

/// How long the `restore_command` may take; then it is killed and the copy written back.
const RESTORE_TIMEOUT: Duration = Duration::from_secs(10);
/// A larger resolv.conf is none (the resolver library reads far less).
const LARGEST: u64 = 1024 * 1024;

/// The resolver configuration of one network context.
#[derive(Debug, Clone)]
pub struct ResolvConf {
    path: PathBuf,
    restore_command: Option<Vec<String>>,
}

impl ResolvConf {
    /// As configured.
    pub fn new(config: &ResolvConfConfig) -> Self {
        Self { path: config.path.clone(), restore_command: config.restore_command.clone() }
    }

    /// Its content; `None`: there is no such file.
    pub fn read(&self) -> io::Result<Option<Vec<u8>>> {
        match fs::metadata(&self.path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
            Ok(meta) if meta.len() > LARGEST => {
                return Err(io::Error::other(format!("`{}` is larger than 1 MiB", self.path.display())));
            }
            Ok(_) => {}
        }
        fs::read(&self.path).map(Some)
    }

    /// Whether it is as it was.
    pub fn is(&self, before: Option<&[u8]>) -> bool {
        self.read().is_ok_and(|now| now.as_deref() == before)
    }

    /// Puts it right: by the command, and where that does not bring the same content back, from the copy. Says what it
    /// did, or why it could not.
    pub async fn repair(&self, before: Option<&[u8]>) -> Result<String, String> {
        let mut failures = Vec::new();
        let path = self.path.display();
        if let Some(command) = self.restore_command.as_deref().filter(|c| !c.is_empty()) {
            let shown = command.join(" ");
            match run(command).await {
                Ok(()) if self.is(before) => return Ok(format!("restored {path} by `{shown}`")),
                Ok(()) => failures.push(format!("`{shown}` did not bring the former content back")),
                Err(why) => failures.push(format!("`{shown}` failed: {why}")),
            }
        }
        match self.write_back(before) {
            Ok(()) if self.is(before) => {
                let mut said = format!("wrote the former content of {path} back");
                for failure in failures {
                    said.push_str("; ");
                    said.push_str(&failure);
                }
                Ok(said)
            }
            Ok(()) => Err(format!("{path} changes again as soon as it is written back")),
            Err(e) => {
                failures.push(format!("cannot write {path}: {e}"));
                Err(failures.join("; "))
            }
        }
    }

    /// Runs the `restore_command`, if there is one, whatever comes out: after a reboot nobody knows what the content
    /// should be. Says what it did.
    pub async fn refresh(&self) -> Option<String> {
        let command = self.restore_command.as_deref().filter(|c| !c.is_empty())?;
        let shown = command.join(" ");
        Some(match run(command).await {
            Ok(()) => format!("ran `{shown}`"),
            Err(why) => format!("`{shown}` failed: {why}"),
        })
    }

    /// In place: a symbolic link stays one, a bind mount too.
    fn write_back(&self, before: Option<&[u8]>) -> io::Result<()> {
        let Some(content) = before else { return fs::remove_file(&self.path) };
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(&self.path)?;
        file.write_all(content)?;
        file.sync_all()
    }
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

    fn resolv_conf(command: Option<&str>) -> (tempfile::TempDir, ResolvConf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("resolv.conf");
        fs::write(&path, "nameserver 192.0.2.53\n").unwrap();
        let restore_command = command.map(|script| {
            let script = script.replace("FILE", &path.display().to_string());
            vec!["sh".into(), "-c".into(), script]
        });
        (dir, ResolvConf { path, restore_command })
    }

    const BEFORE: &[u8] = b"nameserver 192.0.2.53\n";

    #[tokio::test]
    async fn the_command_comes_first_and_is_verified() {
        let (_dir, file) = resolv_conf(Some("echo nameserver 192.0.2.53 > FILE"));
        fs::write(&file.path, "# SonicWall\n").unwrap();
        assert!(!file.is(Some(BEFORE)));
        let said = file.repair(Some(BEFORE)).await.unwrap();
        assert!(said.contains("restored"), "{said}");
        assert!(file.is(Some(BEFORE)));
    }

    #[tokio::test]
    async fn a_command_that_does_not_help_is_named_and_the_copy_written_back() {
        let (_dir, file) = resolv_conf(Some("echo nonsense > FILE"));
        fs::write(&file.path, "# SonicWall\n").unwrap();
        let said = file.repair(Some(BEFORE)).await.unwrap();
        assert!(said.contains("wrote the former content") && said.contains("did not bring"), "{said}");
        assert!(file.is(Some(BEFORE)));
    }

    #[tokio::test]
    async fn a_link_stays_a_link() {
        let (dir, mut file) = resolv_conf(None);
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&file.path, &link).unwrap();
        file.path = link.clone();
        fs::write(&link, "# SonicWall\n").unwrap();
        file.repair(Some(BEFORE)).await.unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(file.is(Some(BEFORE)));
    }

    #[tokio::test]
    async fn a_file_that_was_not_there_is_removed_again() {
        let (_dir, file) = resolv_conf(None);
        file.repair(None).await.unwrap();
        assert!(file.is(None));
    }

    #[tokio::test]
    async fn what_can_not_be_put_right_says_why() {
        let (dir, mut file) = resolv_conf(Some("exit 3"));
        file.path = dir.path().join("gone/resolv.conf");
        let why = file.repair(Some(BEFORE)).await.unwrap_err();
        assert!(why.contains("exit status: 3") && why.contains("cannot write"), "{why}");
    }
}
