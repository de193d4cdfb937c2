//! The allocator, and the stacks of threads.

/// One heap for all threads, instead of one a thread: the prober has two, and what each of them frees the other can use.
/// To be called before the first thread is started. Only glibc's allocator has such a choice.
pub(crate) fn share_one_heap() {
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "the allocator has no other interface")]
    // SAFETY: `mallopt` sets a number in the allocator; it has no other precondition than a known parameter.
    unsafe {
        nix::libc::mallopt(nix::libc::M_ARENA_MAX, 1);
    }
}

/// Gives what is free back to the system: after a cycle, whose patterns, terminal and tables are gone. Well below a
/// millisecond.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    #[expect(unsafe_code, reason = "the allocator has no other interface")]
    // SAFETY: `malloc_trim` takes its own locks and touches only memory that is not in use.
    unsafe {
        nix::libc::malloc_trim(0);
    }
}

/// Does something large on a thread of its own: what its stack and the allocator's cache for it held goes with it, while
/// a thread that lives on keeps both.
pub(crate) fn on_a_passing_thread<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(done) => done,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}
