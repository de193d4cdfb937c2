//! Which tunnels `vpnprobe ipsec` looks at: MIPsec's list, and the names on the command line.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::ipsec::Refused;
use crate::config::{NameListFault, parse_name_list};
use crate::exit_code;
use crate::memory::on_a_passing_thread;

/// MIPsec's.
const DEFAULT_LIST: &str = "/opt/mipsec/mipsec.yaml";
/// Larger is no list of names.
const LARGEST: u64 = 16 << 20;

/// The names of the list, then those of the command line, each once.
pub(super) fn names(list: Option<&PathBuf>, tunnels: &[String]) -> Result<Vec<String>, Refused> {
    let path = list.map_or(Path::new(DEFAULT_LIST), PathBuf::as_path);
    let mut names = match read(path) {
        Ok(text) => on_a_passing_thread(|| parse(path, &text))?,
        Err(NotRead::Unopened(why)) => {
            // MIPsec goes on without a list that it can't open.
            let words = format!("{} cannot be opened: {why}", path.display());
            if list.is_some() {
                tracing::warn!("{words}");
            } else {
                tracing::debug!("{words}");
            }
            Vec::new()
        }
        Err(NotRead::Unreadable(why)) => {
            return Err(Refused::new(exit_code::NOT_PARSED, format!("{}: {why}", path.display())));
        }
    };
    names.extend(tunnels.iter().cloned());
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    if names.is_empty() {
        let words = format!(
            "no tunnel to look at: {} names none\n  hint: write a list of CHILD_SAs, one a line like `- net-a`, or name them: vpnprobe ipsec net-a net-b",
            path.display()
        );
        return Err(Refused::new(exit_code::FAILED, words));
    }
    Ok(names)
}

/// Why there is no text.
enum NotRead {
    /// It can't be opened.
    Unopened(io::Error),
    /// It was, and is not what it should be.
    Unreadable(String),
}

/// Whatever can be read to its end will do, a pipe too.
fn read(path: &Path) -> Result<String, NotRead> {
    let file = File::open(path).map_err(NotRead::Unopened)?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(NotRead::Unopened(io::ErrorKind::IsADirectory.into()));
    }
    let mut bytes = Vec::new();
    let unreadable = |words: String| NotRead::Unreadable(words);
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|e| unreadable(format!("cannot be read: {e}")))?;
    if u64::try_from(bytes.len()).is_ok_and(|size| size > LARGEST) {
        return Err(unreadable(format!("is larger than {} MiB", LARGEST >> 20)));
    }
    String::from_utf8(bytes).map_err(|_| unreadable("is not valid UTF-8".to_owned()))
}

fn parse(path: &Path, text: &str) -> Result<Vec<String>, Refused> {
    parse_name_list(text).map_err(|fault| {
        let (status, hint) = match &fault {
            NameListFault::NotAList { .. } => {
                (exit_code::NOT_A_LIST, "it is a list of CHILD_SAs, one a line: `- net-a`")
            }
            NameListFault::NotAName { .. } => {
                (exit_code::NOT_A_NAME, "put a name that is a number or a word like `on` in quotes")
            }
            NameListFault::NotYaml { .. } => {
                (exit_code::NOT_PARSED, "it is a list of CHILD_SAs, one a line: `- net-a`")
            }
        };
        Refused::new(status, format!("{}: {fault}\n  hint: {hint}", path.display()))
    })
}
