//! Who may have written the configuration: as root, a file that another user can change is not obeyed, as it names
//! programs to run.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Why a configuration file is not to be trusted.
#[derive(Debug, thiserror::Error)]
pub enum OwnershipError {
    /// Owned by somebody else.
    #[error("`{}` belongs to user {owner}, who could change what runs as root", path.display())]
    Owner {
        /// The file, or the directory it lies in.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// Others may write it.
    #[error("`{}` can be written by its group or by everybody (mode {mode:o}), who could change what runs as root", path.display())]
    Writable {
        /// The file, or the directory it lies in.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It cannot be looked at.
    #[error("cannot look at `{}`", path.display())]
    Io {
        /// The file, or the directory it lies in.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// Checks a file and the directory it lies in (both, where the file is a symbolic link): each must belong to root or to
/// `user` and be writable by its owner alone.
pub fn check_ownership(path: &Path, user: u32) -> Result<(), OwnershipError> {
    let real = path.canonicalize().map_err(|source| OwnershipError::Io { path: path.to_owned(), source })?;
    check_one(&real, user)?;
    check_one(&directory_of(&real), user)?;
    check_one(&directory_of(path), user)
}

fn check_one(path: &Path, user: u32) -> Result<(), OwnershipError> {
    let metadata = path.metadata().map_err(|source| OwnershipError::Io { path: path.to_owned(), source })?;
    judge(path, &metadata, user)
}

fn judge(path: &Path, metadata: &Metadata, user: u32) -> Result<(), OwnershipError> {
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o7777);
    if owner != 0 && owner != user {
        return Err(OwnershipError::Owner { path: path.to_owned(), owner });
    }
    if mode & 0o022 != 0 {
        return Err(OwnershipError::Writable { path: path.to_owned(), mode });
    }
    Ok(())
}

/// The directory a file lies in: `.` for a bare name.
pub(super) fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    /// Whoever runs the tests owns what they make.
    fn me() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    fn mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_that_only_its_owner_can_write_is_obeyed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.yml");
        fs::write(&file, "").unwrap();
        mode(&file, 0o644);
        check_ownership(&file, me()).unwrap();
    }

    #[test]
    fn a_file_or_directory_that_others_can_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.yml");
        fs::write(&file, "").unwrap();
        for (file_mode, dir_mode) in [(0o664, 0o755), (0o646, 0o755), (0o600, 0o775), (0o600, 0o1777)] {
            mode(&file, file_mode);
            mode(dir.path(), dir_mode);
            let error = check_ownership(&file, me()).unwrap_err();
            assert!(matches!(error, OwnershipError::Writable { .. }), "{error}");
        }
    }

    #[test]
    fn the_directory_of_a_link_counts_as_well_as_that_of_its_file() {
        let (here, there) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = there.path().join("real.yml");
        fs::write(&file, "").unwrap();
        mode(&file, 0o644);
        let link = here.path().join("config.yml");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        check_ownership(&link, me()).unwrap();
        mode(here.path(), 0o777);
        assert!(check_ownership(&link, me()).is_err());
        mode(here.path(), 0o755);
        mode(there.path(), 0o777);
        assert!(check_ownership(&link, me()).is_err());
    }

    #[test]
    fn a_file_of_another_user_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let metadata = dir.path().metadata().unwrap();
        if me() == 0 {
            std::os::unix::fs::chown(dir.path(), Some(65534), None).unwrap();
            let error = judge(dir.path(), &dir.path().metadata().unwrap(), 0).unwrap_err();
            assert!(error.to_string().contains("belongs to user 65534"), "{error}");
        } else {
            assert!(judge(dir.path(), &metadata, me() + 1).is_err());
        }
    }

    #[test]
    fn a_bare_name_lies_in_the_current_directory() {
        assert_eq!(directory_of(Path::new("config.yml")), Path::new("."));
        assert_eq!(directory_of(Path::new("/etc/vpnprobe/config.yml")), Path::new("/etc/vpnprobe"));
    }
}
