//! What a decision, a stop or the policy says to the agent, in words for its model and its person.

use countersign_agents::hook::Answer;
use countersign_hub::Stop;
use countersign_model::{Approval, Json, Status, Surface};

const DENIED: &str = "The person denied this in Countersign.";
const BY_RULE: &str = "A standing rule in Countersign denies this.";
const EXPIRED: &str = "Nobody answered this in Countersign in time, so the answer is no.";
const STOPPED: &str = "The person stopped this run in Countersign.";
const STOPPED_BY_RULE: &str = "A rule of Countersign's policy stopped this run.";

/// Why nothing of a stopped session runs.
pub(super) fn stopped(stop: &Stop) -> String {
    let who = if stop.by == Surface::Hub {
        STOPPED_BY_RULE
    } else {
        STOPPED
    };
    with_words(who, stop.message.as_deref())
}

/// Why a person's words do not reach a stopped session's model.
pub(super) fn blocked(stop: &Stop) -> String {
    let reason = "This session is stopped in Countersign: lift the stop there to go on.";
    with_words(reason, stop.message.as_deref())
}

fn with_words(reason: &str, words: Option<&str>) -> String {
    match words.map(str::trim).filter(|words| !words.is_empty()) {
        Some(words) => format!("{reason} {words}"),
        None => reason.to_owned(),
    }
}

/// The words of a decision that is no approval, and whether it ends the run; `None` for one, and for a question that was taken back:
/// it was settled where the agent asked.
fn no(approval: &Approval) -> Option<(String, bool)> {
    let decision = approval.decision.as_ref();
    let words = decision
        .and_then(|decision| decision.message.clone())
        .filter(|words| !words.trim().is_empty());
    let by_rule = decision.is_some_and(|decision| decision.rule.is_some());
    Some(match approval.status {
        Status::Denied if by_rule => (words.unwrap_or_else(|| BY_RULE.to_owned()), false),
        Status::Denied => (words.unwrap_or_else(|| DENIED.to_owned()), false),
        Status::Expired => (EXPIRED.to_owned(), false),
        Status::Stopped => (with_words(STOPPED, words.as_deref()), true),
        Status::Approved | Status::Cancelled | Status::Pending => return None,
    })
}

fn grants(approval: &Approval) -> Vec<Json> {
    let places = approval.decision.iter().flat_map(|decision| &decision.grants);
    places
        .filter_map(|place| Some(approval.grants.get(*place as usize)?.entry.clone()))
        .collect()
}

/// What a `PermissionRequest` is answered.
pub(super) fn permission(approval: &Approval) -> Option<Answer> {
    if approval.status == Status::Approved {
        return Some(Answer::Permit {
            arguments: approval.decision.as_ref()?.arguments.clone(),
            grants: grants(approval),
        });
    }
    let (message, stop) = no(approval)?;
    Some(Answer::Refuse { message, stop })
}

/// What a `PreToolUse` is answered that a person was asked about.
pub(super) fn before_tool(approval: &Approval) -> Option<Answer> {
    if approval.status == Status::Approved {
        return Some(Answer::Allow {
            reason: "Approved in Countersign".to_owned(),
            arguments: approval.decision.as_ref()?.arguments.clone(),
        });
    }
    let (reason, stop) = no(approval)?;
    Some(Answer::Deny { reason, stop })
}
