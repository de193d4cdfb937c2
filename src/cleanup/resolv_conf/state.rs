//! resolv.conf as it stands: what it is, what it says, whose it is. Reading it changes nothing.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{IFlags, OFlags, ioctl_getflags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

/// A larger resolv.conf is none (the resolver library reads far less).
const LARGEST: u64 = 1024 * 1024;

/// Flags that keep everybody from writing: `chattr +i` and `+a`.
pub(super) const PROTECTION: IFlags = IFlags::IMMUTABLE.union(IFlags::APPEND);

/// resolv.conf as it stood at one moment. The default: there was nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
pub struct ResolvState {
    /// Where the symbolic link leads, as it is written there; `None`: it is no link.
    pub link: Option<PathBuf>,
    /// What is read there, through the link; `None`: there is no file.
    pub content: Option<Vec<u8>>,
    /// Whose a plain file is. Behind a link the file is another's, whose business that is.
    pub owner: Option<Owner>,
    /// Device and inode of the file that is read: another one behind the same link was made anew.
    pub file: Option<(u64, u64)>,
}

/// Whose a file is, and who may do what with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
    /// `chattr` flags that keep everybody from writing it.
    pub protection: u32,
    /// Extended attributes (ACL, label of `SELinux`).
    pub attributes: Vec<(String, Vec<u8>)>,
}

/// As it may be found in a state file: earlier versions knew the content alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Whole { link: Option<PathBuf>, content: Option<Vec<u8>>, owner: Option<Owner>, file: Option<(u64, u64)> },
    Content(Option<Vec<u8>>),
}

impl From<Stored> for ResolvState {
    fn from(stored: Stored) -> Self {
        match stored {
            Stored::Whole { link, content, owner, file } => Self { link, content, owner, file },
            Stored::Content(content) => Self { content, ..Self::default() },
        }
    }
}

impl ResolvState {
    /// Looks at `path`.
    ///
    /// # Errors
    ///
    /// What stands there is neither a file nor a link, is larger than 1 MiB, or may not be read.
    pub fn read(path: &Path) -> io::Result<Self> {
        let here = match fs::symlink_metadata(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            other => other?,
        };
        if !here.is_symlink() {
            return Self::of_file(path);
        }
        let link = Some(fs::read_link(path)?);
        match fs::metadata(path) {
            // `/dev/null` at its end is as good as nothing.
            Ok(end) if end.is_file() => Ok(Self { link, owner: None, ..Self::of_file(path)? }),
            Ok(_) => Ok(Self { link, ..Self::default() }),
            Err(e) if e.kind() == io::ErrorKind::NotFound || e.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
                Ok(Self { link, ..Self::default() })
            }
            Err(e) => Err(e),
        }
    }

    fn of_file(path: &Path) -> io::Result<Self> {
        // Without blocking: a named pipe in the file's place must not hang the prober.
        let flags = OFlags::NONBLOCK.bits().cast_signed();
        let file = File::options().read(true).custom_flags(flags).open(path)?;
        let meta = file.metadata()?;
        if !meta.is_file() {
            let what = if meta.is_dir() { "a directory" } else { "not a file" };
            return Err(io::Error::other(format!("`{}` is {what}", path.display())));
        }
        let owner = Owner {
            uid: meta.uid(),
            gid: meta.gid(),
            mode: meta.mode() & 0o7777,
            protection: protection_of(&file).bits(),
            attributes: attributes_of(&file),
        };
        let mut content = Vec::new();
        (&file).take(LARGEST + 1).read_to_end(&mut content)?;
        if content.len() as u64 > LARGEST {
            return Err(io::Error::other(format!("`{}` is larger than 1 MiB", path.display())));
        }
        let file = Some((meta.dev(), meta.ino()));
        Ok(Self { link: None, content: Some(content), owner: Some(owner), file })
    }

    /// Whether another state is as good as this one: the same link or none, the same content, and of a plain file the
    /// same owner and permissions. The time of the last change is none of it: whoever caches the file goes by that.
    pub fn is(&self, now: &Self) -> bool {
        self.says_as(now) && self.owner.as_ref().zip(now.owner.as_ref()).is_none_or(|(was, is)| was.is(is))
    }

    /// Whether another state has the same link and the same content.
    pub fn says_as(&self, other: &Self) -> bool {
        self.link == other.link && self.content == other.content
    }

    /// Whether a resolver could use it: a line that names a server.
    pub fn names_a_server(&self) -> bool {
        let content = self.content.as_deref().unwrap_or_default();
        content.split(|&b| b == b'\n').any(|line| line.starts_with(b"nameserver ") || line.starts_with(b"nameserver\t"))
    }
}

impl Owner {
    /// Protection that came (`chattr +i`) is no difference of its own; protection that went is one.
    fn is(&self, now: &Self) -> bool {
        (self.uid, self.gid, self.mode) == (now.uid, now.gid, now.mode) && self.protection & !now.protection == 0
    }
}

/// None where the filesystem knows of no such flags.
pub(super) fn protection_of(file: &File) -> IFlags {
    ioctl_getflags(file).map_or(IFlags::empty(), |flags| flags & PROTECTION)
}

/// What can be read of them: a filesystem without any has none.
fn attributes_of(file: &File) -> Vec<(String, Vec<u8>)> {
    let mut names = vec![0_u8; 4096];
    let length = rustix::fs::flistxattr(file, &mut names[..]).unwrap_or_default();
    let names = names[..length].split(|&b| b == 0).filter(|name| !name.is_empty());
    let read = |name: &[u8]| {
        let name = String::from_utf8(name.to_vec()).ok()?;
        let mut value = vec![0_u8; 4096];
        let length = rustix::fs::fgetxattr(file, &*name, &mut value[..]).ok()?;
        value.truncate(length);
        Some((name, value))
    };
    names.filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const TEXT: &[u8] = b"nameserver 192.0.2.53\n";

    fn place() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("resolv.conf");
        (dir, path)
    }

    #[test]
    fn every_shape_is_told_from_every_other() {
        let (dir, path) = place();
        let target = dir.path().join("generated");
        fs::write(&target, TEXT).unwrap();
        let mut seen = vec![ResolvState::read(&path).unwrap()];
        fs::write(&path, "").unwrap();
        seen.push(ResolvState::read(&path).unwrap());
        fs::write(&path, TEXT).unwrap();
        seen.push(ResolvState::read(&path).unwrap());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        seen.push(ResolvState::read(&path).unwrap());
        for to in ["generated", "gone", "/dev/null", "resolv.conf"] {
            fs::remove_file(&path).unwrap();
            symlink(to, &path).unwrap();
            seen.push(ResolvState::read(&path).unwrap());
        }
        for (a, one) in seen.iter().enumerate() {
            for (b, other) in seen.iter().enumerate() {
                assert_eq!(one.is(other), a == b, "{one:?} and {other:?}");
            }
        }
    }

    #[test]
    fn what_is_no_file_is_said_and_never_waited_for() {
        let (_dir, path) = place();
        fs::create_dir(&path).unwrap();
        assert!(ResolvState::read(&path).unwrap_err().to_string().ends_with("is a directory"));
        fs::remove_dir(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(ResolvState::read(&path).unwrap_err().to_string().ends_with("is not a file"));
        fs::remove_file(&path).unwrap();
        fs::write(&path, vec![b'#'; 1 << 21]).unwrap();
        assert!(ResolvState::read(&path).unwrap_err().to_string().ends_with("is larger than 1 MiB"));
    }

    #[test]
    fn a_state_is_kept_over_a_restart_and_one_of_an_earlier_version_is_understood() {
        let (_dir, path) = place();
        fs::write(&path, TEXT).unwrap();
        let state = ResolvState::read(&path).unwrap();
        let kept = serde_json::to_string(&state).unwrap();
        assert_eq!(serde_json::from_str::<ResolvState>(&kept).unwrap(), state);
        let earlier: ResolvState = serde_json::from_str(&serde_json::to_string(TEXT).unwrap()).unwrap();
        assert!(earlier.is(&state), "the owner was not noted then, so it is no difference");
        assert_eq!(serde_json::from_str::<ResolvState>("null").unwrap(), ResolvState::default());
    }

    #[test]
    fn a_server_is_named_by_its_own_line_alone() {
        let named = |text: &str| ResolvState { content: Some(text.into()), ..ResolvState::default() }.names_a_server();
        assert!(named("search example.com\nnameserver 192.0.2.1\n") && named("nameserver\t::1"));
        assert!(!named("") && !named("# nameserver 192.0.2.1\n") && !named("nameservers 192.0.2.1\n"));
        assert!(!ResolvState::default().names_a_server());
    }
}
