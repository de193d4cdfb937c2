//! Pages of the program and its libraries that need not be resident while it waits.
//!
//! They come back from the page cache one by one, or from the disk, as they are needed again. Only what is mapped from a
//! file and cannot be written is touched: what was relocated at start-up lies in segments that can be written, also
//! where they are protected later (RELRO).

use std::ffi::{CStr, c_int, c_void};
use std::ops::Range;

use nix::libc;

/// Gives back what is free of the heap and what is clean of the program. For a process that sleeps for seconds: at its
/// next step every page that it runs through is mapped anew.
pub(crate) fn rest() {
    super::give_back();
    for range in clean_segments() {
        #[expect(unsafe_code, reason = "the call itself")]
        // SAFETY: the range lies within one segment that is mapped from a file, privately, and that nothing has written
        // to (`clean_segments`): its pages are those of the file, before and after.
        unsafe {
            // A range that can't be given back stays.
            libc::madvise(range.start as *mut c_void, range.len(), libc::MADV_DONTNEED);
        }
    }
}

/// Addresses of the pages that lie wholly in a segment which can't be written, of the program and all libraries.
fn clean_segments() -> Vec<Range<usize>> {
    let mut segments = Vec::new();
    #[expect(unsafe_code, reason = "the dynamic linker has no other interface")]
    // SAFETY: `note_segments` gets this very vector back, while it is borrowed for nothing else.
    unsafe {
        libc::dl_iterate_phdr(Some(note_segments), (&raw mut segments).cast());
    }
    segments
}

/// Called for each object, under the dynamic linker's lock.
#[expect(unsafe_code, reason = "called by the dynamic linker, reads its tables")]
unsafe extern "C" fn note_segments(info: *mut libc::dl_phdr_info, _: libc::size_t, list: *mut c_void) -> c_int {
    // SAFETY: `dl_iterate_phdr` hands out a table that is there during the call, and what `clean_segments` gave it.
    let (info, segments) = unsafe { (&*info, &mut *list.cast::<Vec<Range<usize>>>()) };
    if info.dlpi_phdr.is_null() || is_the_kernels(info.dlpi_name) {
        return 0;
    }
    // SAFETY: it is a table of so many entries.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)) };
    let base = address(info.dlpi_addr);
    let Some(page) = page_size().filter(|_| !has_relocated_text(base, headers)) else { return 0 };
    for header in headers.iter().filter(|header| header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0) {
        let start = base.wrapping_add(address(header.p_vaddr));
        let Some(end) = start.checked_add(address(header.p_filesz)) else { continue };
        let range = start.next_multiple_of(page)..end / page * page;
        if !range.is_empty() {
            segments.push(range);
        }
    }
    0
}

/// The vDSO, which is mapped from no file.
fn is_the_kernels(name: *const std::ffi::c_char) -> bool {
    if name.is_null() {
        return false;
    }
    #[expect(unsafe_code, reason = "a text of C")]
    // SAFETY: the dynamic linker's name of an object, which ends with a zero.
    let name = unsafe { CStr::from_ptr(name) };
    let name = name.to_bytes();
    name.starts_with(b"linux-vdso") || name.starts_with(b"linux-gate")
}

/// Whether relocations were written into segments that can't be written (`DT_TEXTREL`): their pages are not those of the
/// file. No compiler makes such objects unasked.
fn has_relocated_text(base: usize, headers: &[libc::Elf64_Phdr]) -> bool {
    /// An entry of the dynamic section: its tag and its value (`elf.h`).
    type Entry = [usize; 2];
    const DT_NULL: usize = 0;
    const DT_TEXTREL: usize = 22;
    const DT_FLAGS: usize = 30;
    const DF_TEXTREL: usize = 4;
    let Some(dynamic) = headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC) else { return false };
    let count = address(dynamic.p_memsz) / size_of::<Entry>();
    let start = base.wrapping_add(address(dynamic.p_vaddr)) as *const Entry;
    #[expect(unsafe_code, reason = "reads the object's own table")]
    // SAFETY: the object is loaded, and its dynamic section with it, aligned and of that size.
    let entries = unsafe { std::slice::from_raw_parts(start, count) };
    let mut entries = entries.iter().take_while(|[tag, _]| *tag != DT_NULL);
    entries.any(|[tag, value]| *tag == DT_TEXTREL || *tag == DT_FLAGS && value & DF_TEXTREL != 0)
}

/// Addresses of a 64-bit system fit.
#[expect(clippy::cast_possible_truncation, reason = "an address is as wide as a pointer")]
const fn address(value: u64) -> usize {
    value as usize
}

fn page_size() -> Option<usize> {
    nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE).ok()?.and_then(|size| usize::try_from(size).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranges of `/proc/self/maps`, whether each can be written, and whether it is of a file.
    fn maps() -> Vec<(Range<usize>, bool, bool)> {
        let text = std::fs::read_to_string("/proc/self/maps").unwrap();
        let line = |line: &str| {
            let words: Vec<_> = line.split_whitespace().collect();
            let (start, end) = words[0].split_once('-').unwrap();
            let number = |text| usize::from_str_radix(text, 16).unwrap();
            (number(start)..number(end), words[1].contains('w'), words.get(5).is_some_and(|path| path.starts_with('/')))
        };
        text.lines().map(line).collect()
    }

    #[test]
    fn what_is_given_back_is_of_a_file_and_can_not_be_written() {
        let segments = clean_segments();
        // Text and constants of the program, and of libc.
        assert!(segments.len() >= 4, "{segments:x?}");
        let own = what_is_given_back_is_of_a_file_and_can_not_be_written as *const () as usize;
        assert!(segments.iter().any(|range| range.contains(&own)), "the program's own text is among them");
        let maps = maps();
        for range in segments {
            let holders: Vec<_> = maps.iter().filter(|(it, ..)| it.start < range.end && range.start < it.end).collect();
            let covered: usize = holders.iter().map(|(it, ..)| it.end.min(range.end) - it.start.max(range.start)).sum();
            assert_eq!(covered, range.len(), "{range:x?}");
            assert!(holders.iter().all(|(_, is_writable, is_of_file)| !is_writable && *is_of_file), "{range:x?}");
        }
    }

    #[test]
    fn the_program_goes_on_after_it() {
        let text = "constants come back, too".to_owned() + &"x".repeat(100_000);
        rest();
        assert!(text.starts_with("constants come back, too") && format!("{:?}", maps()).len() > 100);
    }
}
