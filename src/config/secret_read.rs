//! Reading a secret where its source says, at the moment it is needed.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

use super::secret::is_plain_name;
use super::{Environment, Secret, SecretError, SecretSource};
use crate::group::Group;

/// No secret is larger; a wrong path (a log, a device) is.
const LARGEST: usize = 64 << 10;

/// How long a command may take. After this it is killed with its process group: a login must not wait for ever for an
/// agent that asks somebody for a passphrase.
const DEADLINE: Duration = Duration::from_secs(10);

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    /// Its owner alone.
    Owner,
    /// Not our business: systemd keeps the directory of credentials closed.
    Any,
}

impl SecretSource {
    /// Reads the secret.
    ///
    /// # Errors
    ///
    /// [`SecretError`], which never shows a value: a file that others can read, an unset variable, a command that fails
    /// or takes longer than 10 s, an empty or overlong value, one with control characters.
    pub async fn read(&self, environment: &Environment) -> Result<Secret, SecretError> {
        let what = self.to_string();
        let bytes = match self {
            Self::Inline(secret) => return Ok(secret.clone()),
            Self::File(path) => read_file(path, Readers::Owner)?,
            Self::Env(name) => {
                environment.get(name).ok_or_else(|| SecretError::NotSet(name.clone()))?.as_bytes().to_vec()
            }
            Self::Command(words) => run(words).await?,
            Self::Credential(name) => {
                if !is_plain_name(name) {
                    return Err(SecretError::CredentialName(name.clone()));
                }
                let directory = environment.get("CREDENTIALS_DIRECTORY");
                let directory = directory.ok_or_else(|| SecretError::NoCredentials(name.clone()))?;
                read_file(&Path::new(directory).join(name), Readers::Any)?
            }
        };
        first_line(bytes, what)
    }
}

/// Where the secret comes from, in words; never the secret.
impl std::fmt::Display for SecretSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Inline(_) => f.write_str("the configuration"),
            Self::File(path) => write!(f, "the file `{}`", path.display()),
            Self::Env(name) => write!(f, "the environment variable `{name}`"),
            Self::Command(words) => write!(f, "the command `{}`", words.first().map_or("", String::as_str)),
            Self::Credential(name) => write!(f, "the credential `{name}`"),
        }
    }
}

fn read_file(path: &Path, readers: Readers) -> Result<Vec<u8>, SecretError> {
    let failed = |source| SecretError::File { path: path.to_owned(), source };
    // Without blocking: a named pipe in the file's place must not hang the prober.
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(flags).open(path).map_err(failed)?;
    // Of what was opened, so that nobody can swap the file in between.
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(failed(io::Error::new(io::ErrorKind::InvalidInput, "not a file")));
    }
    let mode = metadata.mode() & 0o7777;
    if readers == Readers::Owner && mode & 0o077 != 0 {
        return Err(SecretError::Readable { path: path.to_owned(), mode });
    }
    let mut bytes = Vec::new();
    file.take(LARGEST as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

async fn run(words: &[String]) -> Result<Vec<u8>, SecretError> {
    let program = words.first().cloned().unwrap_or_default();
    let failed = |source| SecretError::Command { program: program.clone(), source };
    // Its stderr is not shown: such programs like to print what they were given.
    let mut child = Command::new(&program)
        .args(words.get(1..).unwrap_or_default())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let group = Group::of(&child);
    match tokio::time::timeout(DEADLINE, output(&mut child)).await {
        Err(_) => Err(SecretError::CommandTimeout { program, after: DEADLINE }),
        Ok(Err(source)) => Err(SecretError::Command { program, source }),
        Ok(Ok((_, None))) => Err(SecretError::TooLarge(format!("the command `{program}`"))),
        Ok(Ok((bytes, Some(status)))) => {
            group.release();
            if status.success() { Ok(bytes) } else { Err(SecretError::CommandFailed { program, status }) }
        }
    }
}

/// The output and how the command ended; no end where it prints too much to be waited for.
async fn output(child: &mut Child) -> io::Result<(Vec<u8>, Option<std::process::ExitStatus>)> {
    let mut bytes = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(LARGEST as u64 + 1).read_to_end(&mut bytes).await?;
    }
    if bytes.len() > LARGEST {
        return Ok((bytes, None));
    }
    Ok((bytes, Some(child.wait().await?)))
}

fn first_line(mut bytes: Vec<u8>, what: String) -> Result<Secret, SecretError> {
    if bytes.len() > LARGEST {
        return Err(SecretError::TooLarge(what));
    }
    if let Some(end) = bytes.iter().position(|b| *b == b'\n') {
        bytes.truncate(end);
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    // A mark that some editors put in front of a text is not typed.
    if bytes.starts_with("\u{feff}".as_bytes()) {
        bytes.drain(..'\u{feff}'.len_utf8());
    }
    match String::from_utf8(bytes) {
        Ok(text) if text.is_empty() => Err(SecretError::Empty(what)),
        Ok(text) if !text.chars().any(char::is_control) => Ok(Secret::new(text)),
        _ => Err(SecretError::NotText(what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    fn secret_file(content: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pw");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        (dir, path)
    }

    async fn read(source: SecretSource) -> Result<String, String> {
        let read = source.read(&Environment::new([("PW", "from-env"), ("EMPTY", "")], "h")).await;
        read.map(|secret| secret.reveal().to_owned()).map_err(|error| error.to_string())
    }

    fn command(words: &[&str]) -> SecretSource {
        SecretSource::Command(words.iter().map(|&word| word.to_owned()).collect())
    }

    #[tokio::test]
    async fn the_first_line_of_a_file_counts_without_its_end() {
        for content in [&b"hunter2"[..], b"hunter2\n", b"hunter2\r\nrest", b"hunter2\n\xff", b"\xef\xbb\xbfhunter2\r\n"]
        {
            let (_dir, path) = secret_file(content, 0o600);
            assert_eq!(read(SecretSource::File(path)).await, Ok("hunter2".to_owned()));
        }
        let (_dir, path) = secret_file(b" two  words \n", 0o400);
        assert_eq!(read(SecretSource::File(path)).await, Ok(" two  words ".to_owned()));
    }

    #[tokio::test]
    async fn a_file_that_others_can_read_is_refused() {
        for mode in [0o640, 0o604, 0o644, 0o610] {
            let (_dir, path) = secret_file(b"hunter2", mode);
            let error = read(SecretSource::File(path)).await.unwrap_err();
            assert!(error.contains(&format!("mode {mode:o}")) && !error.contains("hunter2"), "{error}");
        }
    }

    #[tokio::test]
    async fn what_is_no_secret_is_refused_without_showing_it() {
        for (content, wanted) in [
            (&b""[..], "is empty"),
            (b"\nhunter2", "is empty"),
            (b"\xef\xbb\xbf", "is empty"),
            (b"hunter2\0", "is not a line of text"),
            (b"hunter2\x1b[0m", "is not a line of text"),
            (b"hunter2\xff", "is not a line of text"),
            (&b"x".repeat(65537), "larger than 64 KiB"),
        ] {
            let (_dir, path) = secret_file(content, 0o600);
            let error = read(SecretSource::File(path)).await.unwrap_err();
            assert!(error.contains(wanted) && !error.contains("hunter2"), "{error}");
        }
        assert!(read(SecretSource::File("/nonexistent/pw".into())).await.unwrap_err().contains("/nonexistent/pw"));
        for no_file in ["/", "/dev/zero", "/dev/null", "/proc/self/fd"] {
            let error = read(SecretSource::File(no_file.into())).await.unwrap_err();
            assert!(error.contains("cannot read the secret file"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_named_pipe_does_not_hang_the_prober() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRUSR).unwrap();
        assert!(read(SecretSource::File(path)).await.is_err());
    }

    #[tokio::test]
    async fn a_secret_comes_from_the_environment() {
        assert_eq!(read(SecretSource::Env("PW".into())).await, Ok("from-env".to_owned()));
        assert!(read(SecretSource::Env("NOPE".into())).await.unwrap_err().contains("`NOPE` is not set"));
        assert!(read(SecretSource::Env("EMPTY".into())).await.unwrap_err().contains("is empty"));
    }

    #[tokio::test]
    async fn a_secret_comes_from_a_command_without_a_shell() {
        assert_eq!(read(command(&["printf", "%s\nrest", "a b;$c"])).await, Ok("a b;$c".to_owned()));
        assert!(read(command(&["false"])).await.unwrap_err().contains("`false` failed: exit status: 1"));
        assert!(read(command(&["/nonexistent/pass"])).await.unwrap_err().contains("cannot run"));
        assert!(read(command(&[])).await.is_err());
        assert!(read(command(&["yes", "hunter2"])).await.unwrap_err().contains("larger than 64 KiB"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_command_that_hangs_is_given_up() {
        let error = read(command(&["sleep", "600"])).await.unwrap_err();
        assert!(error.contains("`sleep` did not end within 10 s"), "{error}");
    }

    #[tokio::test]
    async fn a_command_that_is_given_up_is_killed_with_its_children() {
        let dir = tempfile::tempdir().unwrap();
        let fifo = dir.path().join("alive");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let mut alive = tokio::net::unix::pipe::OpenOptions::new().open_receiver(&fifo).unwrap();
        let script = format!("exec 3>{}; sleep 600 & echo >&3; wait", fifo.display());
        let mut seen = [0; 1];
        tokio::select! {
            ended = read(command(&["sh", "-c", &script])) => panic!("{ended:?}"),
            started = alive.read_exact(&mut seen) => { started.unwrap(); }
        }
        // The pipe ends when the last process that holds it is gone.
        assert_eq!(alive.read(&mut seen).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn a_credential_is_a_plain_name_in_the_directory_of_systemd() {
        let (dir, path) = secret_file(b"hunter2", 0o644);
        let environment = Environment::new([("CREDENTIALS_DIRECTORY", dir.path().display().to_string())], "h");
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let secret = SecretSource::Credential(name.clone()).read(&environment).await.unwrap();
        assert_eq!(secret.reveal(), "hunter2");
        assert!(SecretSource::Credential(name).read(&Environment::default()).await.is_err());
        for name in ["../pw", "/etc/passwd", "..", ""] {
            let error = SecretSource::Credential(name.to_owned()).read(&environment).await.unwrap_err();
            assert!(matches!(error, SecretError::CredentialName(_)), "{error}");
        }
    }

    #[test]
    fn nothing_of_a_secret_is_printed() {
        let source = SecretSource::Inline(Secret::new("hunter2"));
        assert!(!format!("{source} {source:?}").contains("hunter2"));
    }
}
