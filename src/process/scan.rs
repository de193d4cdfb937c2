//! One look at `/proc`.

use std::fs::{self, File};
use std::io::{self, Read};

use serde::{Deserialize, Serialize};

/// Names a process for good: a process id alone may be another process a moment later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// Process id.
    pub pid: i32,
    /// Start time in clock ticks since boot (`/proc/PID/stat`, field 22).
    pub start_time: u64,
}

impl ProcessId {
    /// The process that has this id now.
    pub fn of(pid: i32) -> Option<Self> {
        parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?).map(|p| p.id)
    }
}

/// A process as `/proc` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Which.
    pub id: ProcessId,
    /// Its parent's process id.
    pub parent: i32,
    /// Its session: the id of the process that began it.
    pub session: i32,
    /// It has ended and only waits for its parent to take note.
    pub zombie: bool,
    /// Its name (`comm`: the first 15 bytes of the program's base name).
    pub name: String,
    /// Its arguments; empty for a zombie.
    pub args: Vec<String>,
    /// The value of the mark in its environment; `None` without one, or where this user may not look.
    pub mark: Option<String>,
    /// Whether it belongs to the network in question; `None` where this user may not see that.
    pub here: Option<bool>,
    /// It is becoming another program just now: it has no arguments and no environment yet.
    pub in_exec: bool,
}

/// Room for most environments; a larger one makes it grow.
const BUFFER: usize = 64 * 1024;

/// Every process, with the value of `mark_name` in its environment; `here` tells which belong to the network.
///
/// A process that ends while it is looked at is left out. So is a thread of the kernel: none is ever a client's, and on
/// a host that does little they are most of what stands in `/proc`.
pub fn scan(mark_name: &str, here: impl Fn(i32) -> Option<bool>) -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let mut buffer = vec![0; BUFFER];
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid| read(pid, mark_name, &mut buffer))
        .map(|process| Process { here: here(process.id.pid), ..process })
        .collect()
}

/// Children of a process that have ended and of which it has not taken note.
pub(super) fn ended_children_of(parent: i32) -> impl Iterator<Item = ProcessId> {
    let pids = fs::read_dir("/proc").into_iter().flatten();
    let pids = pids.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?))
        .filter(move |process| process.zombie && process.parent == parent)
        .map(|process| process.id)
}

fn read(pid: i32, mark_name: &str, buffer: &mut Vec<u8>) -> Option<Process> {
    let stat = String::from_utf8_lossy(content(pid, "stat", buffer)?);
    if is_kernel_thread(&stat) {
        return None;
    }
    let mut process = parse_stat(&stat)?;
    if !process.zombie {
        let arguments = content(pid, "cmdline", buffer).unwrap_or_default();
        // One that wiped its arguments has zero bytes in their place.
        process.in_exec = arguments.is_empty();
        process.args = strings(arguments).map(text).collect();
        let mut environment = strings(content(pid, "environ", buffer).unwrap_or_default());
        process.mark = environment.find_map(|v| v.strip_prefix(mark_name.as_bytes())?.strip_prefix(b"=")).map(text);
    }
    Some(process)
}

/// A file of a process. The kernel makes its content anew for every read, so it is read in as few as possible.
fn content<'b>(pid: i32, file: &str, buffer: &'b mut Vec<u8>) -> Option<&'b [u8]> {
    let mut file = File::open(format!("/proc/{pid}/{file}")).ok()?;
    let mut filled = 0;
    loop {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => return Some(&buffer[..filled]),
            Ok(count) => filled += count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
        if filled == buffer.len() {
            buffer.resize(filled * 2, 0);
        }
    }
}

/// Strings that each end with a zero byte.
fn strings(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|&b| b == 0).filter(|s| !s.is_empty())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Reads a line of `/proc/PID/stat` (proc(5)). The name stands in parentheses and may itself contain any character,
/// parentheses and spaces too: it ends at the last one.
fn parse_stat(line: &str) -> Option<Process> {
    let (pid, rest) = line.split_once(" (")?;
    let (name, rest) = rest.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    // Fields from the third on: state, ppid, pgrp, session, …; the start time is the 22nd.
    Some(Process {
        id: ProcessId { pid: pid.trim().parse().ok()?, start_time: fields.get(19)?.parse().ok()? },
        parent: fields.get(1)?.parse().ok()?,
        session: fields.get(3)?.parse().ok()?,
        zombie: matches!(*fields.first()?, "Z" | "X"),
        name: name.to_owned(),
        args: Vec::new(),
        mark: None,
        here: None,
        in_exec: false,
    })
}

/// Whether a line of `/proc/PID/stat` is a kernel thread's, by its flags (the ninth field).
fn is_kernel_thread(line: &str) -> bool {
    /// `PF_KTHREAD` in `include/linux/sched.h`.
    const KERNEL_THREAD: u64 = 0x0020_0000;
    let flags = line.rsplit_once(')').and_then(|(_, rest)| rest.split_ascii_whitespace().nth(6)?.parse::<u64>().ok());
    flags.is_some_and(|flags| flags & KERNEL_THREAD != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_and_spaces_is_read() {
        let line = "42 (a) b (c)) S 7 42 40 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3";
        let process = parse_stat(line).unwrap();
        assert_eq!(process.id, ProcessId { pid: 42, start_time: 987_654 });
        assert_eq!((process.parent, process.session), (7, 40));
        assert_eq!(process.name, "a) b (c)");
        assert!(!process.zombie);
    }

    #[test]
    fn threads_of_the_kernel_are_known_by_their_flags() {
        let kthreadd = "2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 7 0 0";
        assert!(is_kernel_thread(kthreadd));
        let client = "42 (openconnect) S 7 42 40 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 2 3";
        assert!(!is_kernel_thread(client));
        assert!(!is_kernel_thread("42 (openconnect"));
    }

    #[test]
    fn a_file_longer_than_the_buffer_is_read_to_its_end() {
        let own = i32::try_from(std::process::id()).unwrap();
        let whole = fs::read("/proc/self/environ").unwrap();
        let mut small = vec![0; 7];
        assert_eq!(content(own, "environ", &mut small).unwrap(), whole);
        assert_eq!(content(i32::MAX, "environ", &mut small), None);
    }

    #[test]
    fn torn_lines_are_no_processes() {
        for line in ["", "42", "42 (a", "42 (a) S 7", "x (a) S 7 42 40 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 9"] {
            assert_eq!(parse_stat(line), None, "{line}");
        }
    }

    #[test]
    fn this_very_process_is_seen_with_its_arguments() {
        let own = i32::try_from(std::process::id()).unwrap();
        let all = scan("PATH", |pid| Some(pid == own));
        let found: Vec<_> = all.iter().filter(|p| p.here == Some(true)).collect();
        assert_eq!(found.len(), 1);
        assert!(!found[0].args.is_empty());
        assert!(found[0].mark.is_some(), "PATH stands in the environment of a test");
    }
}
