//! Questions and answers through the hub: what agents, approvers and readers see of them, also when the store fails or the
//! hub starts again.

mod answers;
mod binding;
mod failing;
mod stops;

use countersign_hub::{AnswerError, AskError, BatchError, Config, Item, Limits, Refusal, Waiter};
use countersign_model::{Answer, Approval, Ask, Delivery, Scope, SessionKey, Status, Surface, Verdict, kind};
use countersign_testkit::{Drained, Rig, answer, ask, now_or_never, session};

fn rig() -> Rig {
    Rig::new(Config::default())
}

fn put(rig: &Rig, question: Ask) -> Waiter {
    now_or_never(rig.hub.ask(question))
        .expect("room")
        .expect("taken")
        .waiter
}

/// Asked and committed.
fn asked(rig: &Rig, question: Ask) -> Waiter {
    let waiter = put(rig, question);
    rig.drain();
    waiter
}

fn give(rig: &Rig, waiter: &Waiter, answer: Answer) -> Result<Approval, AnswerError> {
    now_or_never(rig.hub.answer(waiter.id(), answer)).expect("at once")
}

fn status(waiter: &mut Waiter) -> Option<Status> {
    waiter.claim().map(|approval| approval.status)
}

/// What readers have seen of one kind.
fn seen(rig: &Rig, kind: &str) -> Vec<serde_json::Value> {
    let mut cursor = rig.hub.cursor(Some(&"0".parse().expect("a place"))).expect("kept");
    let batch = now_or_never(cursor.read(usize::MAX, usize::MAX))
        .expect("at once")
        .expect("readable");
    let of_kind = batch.iter().filter(|entry| *entry.event.kind == *kind);
    of_kind
        .map(|entry| serde_json::from_str(entry.event.data.get()).expect("JSON"))
        .collect()
}
