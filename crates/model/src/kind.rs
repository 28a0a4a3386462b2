//! The kinds of events that the hub knows by name. Any other kind is kept and forwarded as it came.

/// A tool call begins (SAM).
pub const TOOL_CALL_START: &str = "tool_call_start";
/// A tool call is over, well or badly (SAM).
pub const TOOL_CALL_END: &str = "tool_call_end";
/// What a tool call gave (SAM).
pub const TOOL_CALL_RESULT: &str = "tool_call_result";
/// SAM's system 2 changed the run: context, loops, errors.
pub const SYSTEM2_INTERVENTION: &str = "system2_intervention";
/// SAM's system 3 judged a tool call.
pub const SYSTEM3_EVALUATION: &str = "system3_evaluation";
/// SAM's system 3 stepped in.
pub const SYSTEM3_INTERVENTION: &str = "system3_intervention";
/// Autonomous mode: started, stopped, heartbeats (SAM).
pub const AUTONOMOUS_ACTIVITY: &str = "autonomous_activity";
/// What an agent is busy with (SAM, Cloud Agents).
pub const AGENT_STATUS: &str = "agent_status";
/// An agent waits for a person.
pub const APPROVAL_REQUEST: &str = "approval_request";
/// A peer's answer to a request. Never an event: the registry turns it into `approval_resolved`.
pub const APPROVAL_RESPONSE: &str = "approval_response";

/// A run begins (Hive).
pub const EXECUTION_STARTED: &str = "execution_started";
/// A run is over and went well (Hive).
pub const EXECUTION_COMPLETED: &str = "execution_completed";
/// A run is over and went badly (Hive).
pub const EXECUTION_FAILED: &str = "execution_failed";
/// A run waits, for a person maybe (Hive).
pub const EXECUTION_PAUSED: &str = "execution_paused";
/// A run goes on (Hive).
pub const EXECUTION_RESUMED: &str = "execution_resumed";
/// A node of a run's graph is done (Hive).
pub const NODE_EXECUTED: &str = "node_executed";
/// How far a run is (Hive).
pub const GOAL_PROGRESS: &str = "goal_progress";
/// A run got where it wanted (Hive).
pub const GOAL_ACHIEVED: &str = "goal_achieved";
/// Something that runs share has changed (Hive).
pub const STATE_CHANGED: &str = "state_changed";
/// A run broke a rule that it was given (Hive).
pub const CONSTRAINT_VIOLATION: &str = "constraint_violation";
/// Something was said in a conversation (Cloud Agents, Codex).
pub const CHAT_MESSAGE: &str = "chat_message";
/// A word to all people, or to one (Cloud Agents).
pub const NOTIFICATION: &str = "notification";
/// A person came, went, or is busy (Cloud Agents).
pub const USER_PRESENCE: &str = "user_presence";
/// What a request to a model took: tokens, cost.
pub const USAGE: &str = "usage";
/// What telemetry adds to a tool call that hooks tell of, too (OpenTelemetry): how long it took, who allowed it.
pub const TOOL_TELEMETRY: &str = "tool_telemetry";
/// A model's thinking, as far as it is shown (Codex).
pub const REASONING: &str = "reasoning";

/// A session of an agent begins (hooks).
pub const SESSION_STARTED: &str = "session_started";
/// A person broke an agent's turn off (hooks).
pub const INTERRUPT: &str = "interrupt";
/// A session of an agent is over (hooks).
pub const SESSION_ENDED: &str = "session_ended";
/// Sent through an agent's hook by whoever wants to see whether it arrives (hooks). It makes no session.
pub const PROBE: &str = "probe";
/// A subagent begins; its session names its parent's (hooks).
pub const SUBAGENT_STARTED: &str = "subagent_started";
/// A subagent is done (hooks).
pub const SUBAGENT_STOPPED: &str = "subagent_stopped";
/// An agent has answered and waits for its person (hooks).
pub const TURN_COMPLETED: &str = "turn_completed";
/// An agent could not answer (hooks).
pub const TURN_FAILED: &str = "turn_failed";

/// The hub's word to an agent that a person ended its run. Never an event: that is `session_stopped`.
pub const STOP: &str = "stop";

/// The one decision that ended an approval.
pub const APPROVAL_RESOLVED: &str = "approval_resolved";
/// Whether the agent got the decision.
pub const APPROVAL_DELIVERED: &str = "approval_delivered";
/// A person stopped a session.
pub const SESSION_STOPPED: &str = "session_stopped";
/// A person lifted a stop.
pub const SESSION_RESUMED: &str = "session_resumed";
/// A standing decision was made.
pub const RULE_CREATED: &str = "rule_created";
/// A standing decision was revoked.
pub const RULE_REVOKED: &str = "rule_revoked";
/// An agent's connection published its first event.
pub const AGENT_CONNECTED: &str = "agent_connected";
/// An agent's connection is gone.
pub const AGENT_DISCONNECTED: &str = "agent_disconnected";
/// First frame to a monitor that asked for a place in the log.
pub const HELLO: &str = "hello";
/// Receipt for a frame that asked for one.
pub const ACK: &str = "ack";
/// A resume point that the log no longer holds.
pub const HISTORY_LOST: &str = "history_lost";

/// Whether only the hub may make events of this kind. From a peer, an import or an upstream they are refused. Letter case
/// does not count: Hive's monitors are told kinds in lower case, and none may pass for the hub's own.
pub fn is_hub_only(kind: &str) -> bool {
    if kind.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return is_hub_only(&kind.to_ascii_lowercase());
    }
    kind.starts_with("rule_")
        || matches!(
            kind,
            APPROVAL_RESOLVED
                | APPROVAL_DELIVERED
                | SESSION_STOPPED
                | SESSION_RESUMED
                | AGENT_CONNECTED
                | AGENT_DISCONNECTED
                | HELLO
                | ACK
                | HISTORY_LOST
        )
}

/// Whether a peer may not publish events of this kind, nor an import or an upstream: the hub's own, and what has a door of its
/// own or would pass for the hub's word to an agent. Letter case does not count.
pub fn is_reserved(kind: &str) -> bool {
    is_hub_only(kind)
        || [APPROVAL_REQUEST, APPROVAL_RESPONSE, STOP]
            .iter()
            .any(|reserved| kind.eq_ignore_ascii_case(reserved))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_event_passes_for_an_answer_or_a_stop() {
        for name in [
            "approval_response",
            "APPROVAL_RESPONSE",
            "Approval_Request",
            "stop",
            "STOP",
            "Ack",
        ] {
            assert!(is_reserved(name), "{name}");
        }
        assert!(!is_reserved("stopped") && !is_reserved("tool_call_start"));
    }

    #[test]
    fn the_hubs_own_kinds_are_its_own_in_any_letter_case() {
        for name in [
            APPROVAL_RESOLVED,
            "Approval_Resolved",
            "SESSION_STOPPED",
            "Rule_x",
            "HELLO",
        ] {
            assert!(is_hub_only(name), "{name}");
        }
        for name in [APPROVAL_REQUEST, "EXECUTION_STARTED", "ruler", "HELLO_WORLD"] {
            assert!(!is_hub_only(name), "{name}");
        }
    }
}
