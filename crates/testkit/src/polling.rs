//! Asking a future where it stands, without a runtime and without waiting.

use std::future::Future;

use futures_util::FutureExt;

/// The future's result if it is there at the first poll; `None` means that it would wait. The future is dropped.
pub fn now_or_never<F: Future>(future: F) -> Option<F::Output> {
    future.now_or_never()
}
