//! A panic inside a stage becomes a value, so that teardown and cleanup still run.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

/// Awaits `future`; a panic in it is given back as its message.
///
/// The state that the future changed is used again afterwards, by teardown and cleanup, which check everything against
/// the host itself and trust no invariant of an earlier stage.
pub(super) async fn caught<T>(future: impl Future<Output = T>) -> Result<T, String> {
    let mut future = pin!(future);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
        Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(panic) => Poll::Ready(Err(message(&*panic))),
    })
    .await
}

fn message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_value_and_what_comes_after_goes_on() {
        let panicking = async {
            tokio::task::yield_now().await;
            panic!("stage {} broke", 3);
        };
        let caught_message: Result<(), _> = caught(panicking).await;
        assert_eq!(caught_message.unwrap_err(), "stage 3 broke");
        assert_eq!(caught(async { 7 }).await, Ok(7));
    }
}
