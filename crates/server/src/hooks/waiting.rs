//! A request that waits for a decision, however long. The head of the reply goes out at once, so that a hub that hangs is told from a
//! person who takes their time; its body is the answer. A connection that ends takes the question back at once.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use countersign_hub::Waiter;
use countersign_model::{Approval, Status};
use futures_util::future::BoxFuture;
use futures_util::stream;
use tokio::sync::watch;

/// The waiter of a connection.
struct Held {
    waiter: Option<Waiter>,
    asker: Asker,
    closing: watch::Receiver<bool>,
}

/// Whoever asks over a connection that is held.
pub(crate) struct Asker {
    /// Why its question is taken back when the connection ends.
    pub(crate) gone: &'static str,
    /// Told when the approval of that id waits no longer.
    pub(crate) ended: Box<dyn Fn(&str) + Send>,
    /// Told when its question was taken back because the connection ended.
    pub(crate) withdrawn: Option<Box<dyn FnOnce() + Send>>,
}

impl Held {
    /// Nobody is waited for any longer.
    fn end(&mut self) -> Option<Waiter> {
        let waiter = self.waiter.take()?;
        (self.asker.ended)(waiter.id());
        Some(waiter)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // When it is the hub that goes, whoever asked comes back to the next one with the same question.
        if let Some(waiter) = self.end()
            && !*self.closing.borrow()
        {
            let withdrawn = waiter.withdraw(self.asker.gone);
            if let (true, Some(tell)) = (withdrawn, self.asker.withdrawn.take()) {
                tell();
            }
        }
    }
}

enum Stage {
    Waiting(Held),
    Written(Waiter),
}

/// Holds the request until there is an answer. A hub that closes breaks the reply off: nothing that could be read as an answer.
pub(crate) fn hold(
    waiter: Waiter,
    asker: Asker,
    closing: watch::Receiver<bool>,
    answer: impl FnOnce(Approval) -> BoxFuture<'static, Option<String>> + Send + 'static,
) -> Response {
    let held = Held {
        waiter: Some(waiter),
        asker,
        closing,
    };
    let mut answer = Some(answer);
    let body = stream::unfold(Some(Stage::Waiting(held)), move |stage| {
        let answer = answer.take();
        async move {
            match stage? {
                Stage::Waiting(mut held) => {
                    let mut closing = held.closing.clone();
                    let waiter = held.waiter.as_mut()?;
                    let approval = tokio::select! {
                        biased;
                        approval = waiter.answer() => approval,
                        _ = closing.wait_for(|closing| *closing) => {
                            let closed = std::io::Error::other("Countersign is closing");
                            return Some((Err(closed), Some(Stage::Waiting(held))));
                        }
                    };
                    // What was taken back was settled elsewhere: nothing is said of it here.
                    let taken_back = approval.status == Status::Cancelled;
                    let text = match answer {
                        Some(answer) => answer(approval).await,
                        None => None,
                    };
                    let waiter = held.end()?;
                    if let Some(text) = text {
                        return Some((Ok(Bytes::from(text)), Some(Stage::Written(waiter))));
                    }
                    if taken_back {
                        waiter.unsaid();
                    } else {
                        waiter.delivered();
                    }
                    None
                }
                Stage::Written(waiter) => {
                    waiter.delivered();
                    None
                }
            }
        }
    });
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
