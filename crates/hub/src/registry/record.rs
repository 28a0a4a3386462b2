//! What the registry leaves for the log: events, the rows that travel with them, and the data of those that are its own.

use std::sync::Arc;

use countersign_model::{
    Approval, Decision, Delivery, Extra, Json, Millis, NewEvent, Origin, Scope, Seq, Status, Surface, Verdict, kind,
    to_json,
};
use serde::Serialize;

use crate::Change;

/// An event to append, with the rows to write with it.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) event: NewEvent,
    pub(crate) changes: Vec<Change>,
    pub(crate) via: Vec<Arc<str>>,
}

impl Record {
    pub(super) fn of_hub(
        agent: &Arc<str>,
        session: Option<&Arc<str>>,
        kind: &str,
        data: Json,
        changes: Vec<Change>,
    ) -> Self {
        Self {
            event: NewEvent {
                origin: Origin::Hub,
                agent: agent.clone(),
                session: session.cloned(),
                stream: None,
                kind: kind.into(),
                timestamp: None,
                data,
                extra: Extra::default(),
            },
            changes,
            via: Vec::new(),
        }
    }

    /// A record about this approval: under its agent, session and stream.
    pub(super) fn about(approval: &Approval, kind: &str, data: Json, changes: Vec<Change>) -> Self {
        let mut record = Self::of_hub(&approval.agent, Some(&approval.session), kind, data, changes);
        record.event.stream.clone_from(&approval.stream);
        record
    }
}

/// Records in the order in which they enter the log, the first at `next`.
#[derive(Debug)]
pub(crate) struct Outbox {
    pub(super) next: Seq,
    pub(crate) records: Vec<Record>,
}

impl Outbox {
    pub(crate) fn after(tail: Seq) -> Self {
        Self {
            next: tail + 1,
            records: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, record: Record) -> Seq {
        self.records.push(record);
        self.next += 1;
        self.next - 1
    }
}

#[derive(Serialize)]
struct Resolved<'a> {
    approval_id: &'a str,
    request_id: &'a str,
    tool_name: &'a str,
    status: Status,
    #[serde(flatten)]
    decision: &'a Decision,
}

#[derive(Serialize)]
pub(super) struct Delivered<'a> {
    pub(super) approval_id: &'a str,
    pub(super) request_id: &'a str,
    pub(super) tool_name: &'a str,
    pub(super) delivery: Delivery,
    pub(super) decision: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) message: Option<&'a str>,
}

fn resolved_data(approval: &Approval) -> Json {
    let decision = approval
        .decision
        .as_ref()
        .expect("a resolved approval has its decision");
    to_json(&Resolved {
        approval_id: &approval.id,
        request_id: &approval.request_id,
        tool_name: &approval.tool_name,
        status: approval.status,
        decision,
    })
}

pub(super) fn resolved_record(approval: &Approval) -> Record {
    Record::about(
        approval,
        kind::APPROVAL_RESOLVED,
        resolved_data(approval),
        row(approval),
    )
}

/// The row to write: none for a record that could not be read, which is kept as it is, to be looked at.
pub(super) fn row(approval: &Approval) -> Vec<Change> {
    if approval.is_stand_in() {
        return Vec::new();
    }
    vec![Change::Approval(Box::new(approval.clone()))]
}

pub(super) fn by_hub(verdict: Verdict, message: &str, now: Millis) -> Decision {
    Decision {
        decision: verdict,
        scope: Scope::Once,
        message: Some(message.to_owned()),
        arguments: None,
        grants: Vec::new(),
        by: Surface::Hub,
        rule: None,
        at: now,
    }
}
