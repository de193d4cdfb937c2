//! Work on every core.

use std::thread;

/// More threads than this would only wait for one another's turn.
const MOST_THREADS: usize = 16;

/// How many threads have something to do, where there are so many pieces of work.
pub(super) fn threads_for(pieces: usize) -> usize {
    thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS).min(pieces)
}

/// What `each` makes of all of them, in their order.
pub(super) fn on_every_core<T: Send, R: Send>(all: Vec<T>, each: impl Fn(T) -> R + Sync) -> Vec<R> {
    let threads = threads_for(all.len());
    if threads < 2 {
        return all.into_iter().map(each).collect();
    }
    let share = all.len().div_ceil(threads);
    let mut shares = Vec::new();
    let mut rest = all;
    while rest.len() > share {
        let next = rest.split_off(share);
        shares.push(std::mem::replace(&mut rest, next));
    }
    thread::scope(|scope| {
        let each = &each;
        let begun: Vec<_> = shares
            .into_iter()
            .map(|share| scope.spawn(move || share.into_iter().map(each).collect::<Vec<R>>()))
            .collect();
        let last: Vec<R> = rest.into_iter().map(each).collect();
        let mut made = Vec::new();
        for share in begun {
            match share.join() {
                Ok(share) => made.extend(share),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        made.extend(last);
        made
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_done_once_and_keeps_its_place() {
        for count in [0, 1, 2, 3, 7, 100] {
            let all: Vec<usize> = (0..count).collect();
            assert_eq!(on_every_core(all.clone(), |n| n * 3), all.into_iter().map(|n| n * 3).collect::<Vec<_>>());
        }
    }
}
