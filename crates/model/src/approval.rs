//! Approvals: questions that agents wait on, and the decisions that end them.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{Extra, Json, Millis, NewEvent, Origin, Seq, SessionKey, kind};

/// Where an approval stands. It leaves `Pending` once, and never returns to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nobody has answered.
    Pending,
    /// The call may run.
    Approved,
    /// The call may not run; the agent goes on.
    Denied,
    /// The run ends.
    Stopped,
    /// Its time ran out, which means no.
    Expired,
    /// Its agent went away and did not come back, which means no.
    Cancelled,
}

impl Status {
    /// The name it has on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Stopped => "stopped",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of that name.
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Pending,
            Self::Approved,
            Self::Denied,
            Self::Stopped,
            Self::Expired,
            Self::Cancelled,
        ]
        .into_iter()
        .find(|s| s.as_str() == name)
    }

    /// What the agent is told. Everything but an approval is a "no".
    pub fn verdict(self) -> Option<Verdict> {
        match self {
            Self::Pending => None,
            Self::Approved => Some(Verdict::Approve),
            Self::Stopped => Some(Verdict::Stop),
            Self::Denied | Self::Expired | Self::Cancelled => Some(Verdict::Deny),
        }
    }
}

/// The three answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The call may run.
    Approve,
    /// The call may not run; the agent goes on.
    Deny,
    /// The run ends.
    Stop,
}

impl Verdict {
    /// The name it has on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::Stop => "stop",
        }
    }

    /// The status an approval has after this answer.
    pub fn status(self) -> Status {
        match self {
            Self::Approve => Status::Approved,
            Self::Deny => Status::Denied,
            Self::Stop => Status::Stopped,
        }
    }
}

/// How far an answer reaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// This request.
    #[default]
    Once,
    /// The same call again in this session.
    Session,
    /// The same call again by this agent.
    Always,
}

/// Where a decision was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
#[serde(rename_all = "lowercase")]
pub enum Surface {
    /// The native dialog.
    Dialog,
    /// The window.
    Window,
    /// The tray.
    Tray,
    /// REST: the command line, the web monitor, a script.
    Rest,
    /// A WebSocket with the approver's right.
    Socket,
    /// The hub: expiry, cancellation, a stopped session, a rule, a failing store.
    Hub,
}

/// An answer on its way in.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Approve, deny or stop.
    pub verdict: Verdict,
    /// How far it reaches.
    pub scope: Scope,
    /// A word to the agent.
    pub message: Option<String>,
    /// Other arguments to run with, where the agent can carry that out.
    pub arguments: Option<Json>,
    /// Which of [`Approval::grants`] go with it, by their places.
    pub grants: Vec<u32>,
    /// Where it was given.
    pub by: Surface,
}

/// What ended an approval.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct Decision {
    /// Approve, deny or stop; expiry and cancellation are a deny.
    pub decision: Verdict,
    /// How far it reaches.
    pub scope: Scope,
    /// A word to the agent, or why the hub decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub message: Option<String>,
    /// Other arguments to run with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "unknown"))]
    pub arguments: Option<Json>,
    /// Which of [`Approval::grants`] the agent keeps from now on, by their places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<u32>>"))]
    pub grants: Vec<u32>,
    /// Where it was made.
    pub by: Surface,
    /// The rule that answered, when a rule did.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "string"))]
    pub rule: Option<Arc<str>>,
    /// When, RFC 3339.
    #[cfg_attr(test, ts(type = "string"))]
    pub at: Millis,
}

/// Whether the agent got the decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// Not yet.
    #[default]
    Waiting,
    /// It was written to the agent.
    Delivered,
    /// The agent is gone.
    Undeliverable,
}

/// A permission that an agent offers to keep by itself when a call is approved.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct Grant {
    /// What it means, in plain words.
    pub label: String,
    /// The agent's own entry, which goes back to it as it came.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub entry: Json,
}

/// A question on its way in.
#[derive(Clone, Debug)]
pub struct Ask {
    /// How it was asked.
    pub origin: Origin,
    /// Who asks.
    pub agent: Arc<str>,
    /// In which session.
    pub session: Arc<str>,
    /// The stream it is labelled with.
    pub stream: Option<Arc<str>>,
    /// The request's own id.
    pub request_id: Arc<str>,
    /// The tool to run.
    pub tool_name: String,
    /// What to run it with.
    pub arguments: Json,
    /// What the agent says of the tool.
    pub tool_info: Option<Json>,
    /// Where it would run.
    pub cwd: Option<String>,
    /// Expire after so many seconds.
    pub timeout: Option<i64>,
    /// Whether the agent runs edited arguments.
    pub edits: bool,
    /// Whether a stop with the answer ends the agent's run; where it would not, no surface offers one.
    pub stops: bool,
    /// What the agent itself would keep from an approval.
    pub grants: Vec<Grant>,
    /// The agent's own timestamp.
    pub timestamp: Option<Json>,
    /// The event's data, as it came.
    pub data: Json,
    /// What the event's envelope says beside all this.
    pub extra: Extra,
}

impl Ask {
    /// The approval that waits for an answer from now on, and the event at `seq` that says so. `digest` is what
    /// [`Approval::digest`] binds.
    pub fn asked(self, id: Arc<str>, digest: String, seq: Seq, now: Millis) -> (Approval, NewEvent) {
        let approval = Approval {
            id,
            request_id: self.request_id,
            agent: self.agent.clone(),
            session: self.session.clone(),
            stream: self.stream.clone(),
            origin: self.origin,
            tool_name: self.tool_name,
            arguments: self.arguments,
            tool_info: self.tool_info,
            cwd: self.cwd,
            digest,
            edits: self.edits,
            stops: self.stops,
            grants: self.grants,
            seq,
            asked_at: now,
            expires_at: self.timeout.map(|seconds| now.plus_seconds(seconds)),
            status: Status::Pending,
            decision: None,
            delivery: Delivery::Waiting,
        };
        let event = NewEvent {
            origin: self.origin,
            agent: self.agent,
            session: Some(self.session),
            stream: self.stream,
            kind: kind::APPROVAL_REQUEST.into(),
            timestamp: self.timestamp,
            data: self.data,
            extra: self.extra,
        };
        (approval, event)
    }
}

/// A question that an agent waits on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct Approval {
    /// The hub's id.
    #[cfg_attr(test, ts(type = "string"))]
    pub id: Arc<str>,
    /// The request's own id, unique within its agent.
    #[cfg_attr(test, ts(type = "string"))]
    pub request_id: Arc<str>,
    /// Who asks.
    #[cfg_attr(test, ts(type = "string"))]
    pub agent: Arc<str>,
    /// In which session.
    #[cfg_attr(test, ts(type = "string"))]
    pub session: Arc<str>,
    /// The stream it was labelled with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "string"))]
    pub stream: Option<Arc<str>>,
    /// How it was asked.
    pub origin: Origin,
    /// The tool to run.
    pub tool_name: String,
    /// What to run it with, as it came.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub arguments: Json,
    /// What the agent says of the tool, as it came.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "unknown"))]
    pub tool_info: Option<Json>,
    /// The working directory the call would run in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub cwd: Option<String>,
    /// SHA-256 of the canonical tool name, arguments and working directory, in hex: what was approved is what runs.
    pub digest: String,
    /// Whether the agent runs edited arguments when an answer brings them.
    pub edits: bool,
    /// Whether a stop with the answer ends the agent's run.
    #[serde(default = "crate::yes")]
    pub stops: bool,
    /// What the agent itself would keep from an approval, if the answer says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<Grant>>"))]
    pub grants: Vec<Grant>,
    /// The place of its `approval_request` in the log.
    #[cfg_attr(test, ts(type = "number"))]
    pub seq: Seq,
    /// When it was asked, RFC 3339.
    #[cfg_attr(test, ts(type = "string"))]
    pub asked_at: Millis,
    /// When it expires, RFC 3339; without it, never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "string"))]
    pub expires_at: Option<Millis>,
    /// Where it stands.
    pub status: Status,
    /// What ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub decision: Option<Decision>,
    /// Whether the agent got the decision.
    pub delivery: Delivery,
}

impl Approval {
    /// Whether this only stands in for a record that could not be read: such a one binds no call, and is never an approval.
    pub fn is_stand_in(&self) -> bool {
        self.digest.is_empty()
    }

    /// The session it belongs to.
    pub fn session_key(&self) -> SessionKey {
        SessionKey {
            agent: self.agent.clone(),
            session: self.session.clone(),
        }
    }
}

/// A standing decision that a person gave with an answer: the same call, by the same agent, is answered the same way.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[cfg_attr(test, ts(export))]
pub struct Rule {
    /// The hub's id.
    #[cfg_attr(test, ts(type = "string"))]
    pub id: Arc<str>,
    /// Whose calls.
    #[cfg_attr(test, ts(type = "string"))]
    pub agent: Arc<str>,
    /// In this session only; without one, in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "string"))]
    pub session: Option<Arc<str>>,
    /// Which tool.
    pub tool_name: String,
    /// Exactly this call: [`Approval::digest`].
    pub digest: String,
    /// Approve or deny.
    pub decision: Verdict,
    /// The approval whose answer made it.
    #[cfg_attr(test, ts(type = "string"))]
    pub approval: Arc<str>,
    /// When, RFC 3339.
    #[cfg_attr(test, ts(type = "string"))]
    pub created_at: Millis,
}
