//! Puts resolv.conf back into an earlier state: the least that has to change does.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};

use super::state::{PROTECTION, protection_of};
use super::{Owner, ResolvState};

/// Puts `path` back into the state `before`. `clients` is what is known to be the client's content: behind a link that
/// had to be made again, nothing else is touched.
pub(super) fn put_back(path: &Path, before: &ResolvState, clients: Option<&[u8]>) -> io::Result<()> {
    match (&before.link, &before.content) {
        (Some(target), content) => {
            let relinked = fs::read_link(path).ok().as_ref() != Some(target);
            if relinked {
                clear_the_way(path)?;
                beside(path, |new| symlink(target, new))?;
            }
            put_behind_link(path, content.as_deref(), clients, relinked)
        }
        (None, None) => clear_the_way(path).and_then(|()| remove(path)),
        (None, Some(content)) => put_plain(path, content, before.owner.as_ref()),
    }
}

fn put_behind_link(path: &Path, content: Option<&[u8]>, clients: Option<&[u8]>, relinked: bool) -> io::Result<()> {
    let now = ResolvState::read(path)?.content;
    if now.as_deref() == content || relinked && now.is_some() && now.as_deref() != clients {
        return Ok(());
    }
    match content {
        Some(content) if now.is_some() => write_in_place(path, content),
        // Through the link: it is made where the link leads.
        Some(content) => OpenOptions::new().write(true).create(true).truncate(false).open(path).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        }),
        // Nothing stood at its end.
        None => remove(&fs::canonicalize(path)?),
    }
}

fn put_plain(path: &Path, content: &[u8], owner: Option<&Owner>) -> io::Result<()> {
    if fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file()) {
        // In place: a bind mount stays one, hard links and attributes stay.
        write_in_place(path, content)?;
        return owner.map_or(Ok(()), |owner| give_back(&File::open(path)?, owner));
    }
    clear_the_way(path)?;
    beside(path, |new| {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(new)?;
        file.write_all(content)?;
        match owner {
            Some(owner) => give_back(&file, owner)?,
            None => file.set_permissions(fs::Permissions::from_mode(0o644))?,
        }
        file.sync_all()
    })
}

/// Overwrites first and cuts then: on a full disk the file is never left empty.
fn write_in_place(path: &Path, content: &[u8]) -> io::Result<()> {
    unprotect(path)?;
    let file = OpenOptions::new().write(true).open(path)?;
    file.write_all_at(content, 0)?;
    file.set_len(content.len() as u64)?;
    file.sync_all()
}

/// Owner, permissions, attributes and protection as they were. An attribute that this filesystem does not take is not
/// worth a failure.
fn give_back(file: &File, owner: &Owner) -> io::Result<()> {
    std::os::unix::fs::fchown(file, Some(owner.uid), Some(owner.gid))?;
    file.set_permissions(fs::Permissions::from_mode(owner.mode))?;
    for (name, value) in &owner.attributes {
        let _ = rustix::fs::fsetxattr(file, &**name, value, rustix::fs::XattrFlags::empty());
    }
    let protection = IFlags::from_bits_truncate(owner.protection) & PROTECTION;
    if protection != protection_of(file) {
        ioctl_setflags(file, (ioctl_getflags(file)? - PROTECTION) | protection)?;
    }
    Ok(())
}

/// What stands there can be replaced: it is not protected, and no directory (one with something in it stays).
fn clear_the_way(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir(path),
        Ok(meta) if meta.is_file() => unprotect(path),
        _ => Ok(()),
    }
}

/// Takes `chattr +i` and `+a` off.
fn unprotect(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    if protection_of(&file).is_empty() {
        return Ok(());
    }
    let refused = |e: rustix::io::Errno| {
        let e = io::Error::from(e);
        io::Error::new(e.kind(), format!("it is immutable (chattr -i): {e}"))
    };
    ioctl_setflags(&file, ioctl_getflags(&file)? - PROTECTION).map_err(refused)
}

/// Makes it beside `path` and renames it into its place.
fn beside(path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".vpnprobe");
    let new: PathBuf = path.with_file_name(name);
    remove(&new)?;
    let done = make(&new).and_then(|()| fs::rename(&new, path));
    if done.is_err() {
        let _ = remove(&new);
    }
    done
}

fn remove(path: &Path) -> io::Result<()> {
    crate::files::remove(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &[u8] = b"nameserver 192.0.2.53\n";
    const CLIENTS: &[u8] = b"# SonicWall\n";

    /// A way to make a shape at the path; `target` lies beside it.
    type Make = fn(path: &Path, target: &Path);

    const SHAPES: [(&str, Make); 6] = [
        ("nothing", |_, _| {}),
        ("a plain file", |path, _| fs::write(path, BEFORE).unwrap()),
        ("an empty file", |path, _| fs::write(path, "").unwrap()),
        ("a file for its owner alone", |path, _| {
            fs::write(path, BEFORE).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
        }),
        ("a link", |path, target| {
            fs::write(target, BEFORE).unwrap();
            symlink(target, path).unwrap();
        }),
        ("a dangling link", |path, target| symlink(target, path).unwrap()),
    ];

    const CHANGES: [(&str, Make); 7] = [
        ("rewrites it", |path, _| fs::write(path, CLIENTS).unwrap()),
        ("replaces it", |path, _| {
            let _ = fs::remove_file(path);
            fs::write(path, CLIENTS).unwrap();
        }),
        ("replaces it for itself alone", |path, _| {
            let _ = fs::remove_file(path);
            fs::write(path, CLIENTS).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
        }),
        ("links it elsewhere", |path, target| {
            let _ = fs::remove_file(path);
            let own = target.with_file_name("clients-own");
            fs::write(&own, CLIENTS).unwrap();
            symlink(own, path).unwrap();
        }),
        ("deletes it", |path, _| {
            let _ = fs::remove_file(path);
        }),
        ("empties it", |path, _| fs::write(path, "").unwrap()),
        ("makes a directory of it", |path, _| {
            let _ = fs::remove_file(path);
            fs::create_dir(path).unwrap();
        }),
    ];

    #[test]
    fn every_shape_comes_back_whatever_a_client_does() {
        for (shape, make) in SHAPES {
            for (change, does) in CHANGES {
                let dir = tempfile::tempdir().unwrap();
                let (path, target) = (dir.path().join("resolv.conf"), dir.path().join("generated"));
                make(&path, &target);
                let before = ResolvState::read(&path).unwrap();
                does(&path, &target);
                put_back(&path, &before, Some(CLIENTS)).unwrap();
                let now = ResolvState::read(&path).unwrap();
                assert!(before.is(&now), "{shape}, a client that {change}: {now:?}");
                put_back(&path, &before, Some(CLIENTS)).unwrap();
                assert!(!dir.path().join("resolv.conf.vpnprobe").exists());
            }
        }
    }

    #[test]
    fn what_a_generator_made_meanwhile_is_not_touched_behind_a_link_that_is_made_again() {
        let dir = tempfile::tempdir().unwrap();
        let (path, target) = (dir.path().join("resolv.conf"), dir.path().join("generated"));
        fs::write(&target, BEFORE).unwrap();
        symlink(&target, &path).unwrap();
        let before = ResolvState::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        fs::write(&path, CLIENTS).unwrap();
        fs::write(&target, "nameserver 198.51.100.53\n").unwrap();
        put_back(&path, &before, Some(CLIENTS)).unwrap();
        assert_eq!(fs::read_link(&path).unwrap(), target);
        assert_eq!(fs::read_to_string(&target).unwrap(), "nameserver 198.51.100.53\n");
    }

    #[test]
    fn a_directory_with_something_in_it_is_not_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("resolv.conf");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("whatever"), "").unwrap();
        let before = ResolvState { content: Some(BEFORE.to_vec()), ..ResolvState::default() };
        assert!(put_back(&path, &before, None).is_err());
        assert!(path.join("whatever").exists());
    }
}
