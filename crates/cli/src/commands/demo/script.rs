//! What a run is made of: the words that `story` and `aside` are told in. It knows nothing of sockets or time.

use serde_json::{Value, json};

/// One thing that an agent does.
pub(super) enum Step {
    /// It thinks for so many seconds, at the price of so many tokens, and says so.
    Think { seconds: f64, tokens: u64 },
    /// It publishes an event.
    Event { kind: &'static str, data: Value },
    /// It calls a tool.
    Call(Call),
    /// It calls several tools at once.
    Together(Vec<Call>),
    /// It asks for a person's consent. Approved, it makes the call and takes `then`; denied, it takes `otherwise`.
    Ask {
        call: Call,
        category: &'static str,
        description: &'static str,
        reason: &'static str,
        then: Vec<Step>,
        otherwise: Vec<Step>,
    },
    /// It starts the second agent.
    Spawn { suffix: &'static str, steps: Vec<Step> },
    /// It waits for the second agent.
    Join,
}

/// A tool call with what comes of it.
pub(super) struct Call {
    pub(super) tool: &'static str,
    pub(super) arguments: Value,
    pub(super) seconds: f64,
    pub(super) outcome: Outcome,
    /// What system 3 says before it.
    pub(super) judged: Option<(&'static str, f64)>,
}

/// What comes of a tool call.
pub(super) enum Outcome {
    /// A result.
    Gives(Value),
    /// An error, and what was printed until then.
    Fails(&'static str, Option<&'static str>),
}

impl Call {
    /// System 3 approves of it first.
    pub(super) fn judged(mut self, reasoning: &'static str, confidence: f64) -> Self {
        self.judged = Some((reasoning, confidence));
        self
    }
}

/// A call that gives a result.
pub(super) fn gives(tool: &'static str, arguments: Value, seconds: f64, result: impl Into<Value>) -> Call {
    Call {
        tool,
        arguments,
        seconds,
        outcome: Outcome::Gives(result.into()),
        judged: None,
    }
}

/// A call that fails.
pub(super) fn fails(
    tool: &'static str,
    arguments: Value,
    seconds: f64,
    error: &'static str,
    output: Option<&'static str>,
) -> Call {
    Call {
        tool,
        arguments,
        seconds,
        outcome: Outcome::Fails(error, output),
        judged: None,
    }
}

/// A shell command that prints something.
pub(super) fn command(line: &str, seconds: f64, output: &str) -> Call {
    gives(
        "execute_command",
        json!({ "command": line, "cwd": CWD }),
        seconds,
        output,
    )
}

/// Where the run takes place.
pub(super) const CWD: &str = "/home/dev/shop-api";

pub(super) fn think(seconds: f64, tokens: u64) -> Step {
    Step::Think { seconds, tokens }
}

/// System 2 steps in.
pub(super) fn system2(about: &str, action: &str, should_break: bool, message: &str) -> Step {
    Step::Event {
        kind: "system2_intervention",
        data: json!({
            "intervention_type": about,
            "action": action,
            "details": { "should_break": should_break, "context_modified": true, "message": message },
        }),
    }
}

/// System 3 judges a call that is not made then.
pub(super) fn refused(tool: &str, arguments: &Value, reasoning: &str, confidence: f64) -> Step {
    Step::Event {
        kind: "system3_evaluation",
        data: json!({
            "tool_name": tool, "arguments": arguments, "decision": "deny", "reasoning": reasoning, "confidence": confidence,
        }),
    }
}

/// System 3 steps in.
pub(super) fn system3(action: &str, reason: &str) -> Step {
    Step::Event {
        kind: "system3_intervention",
        data: json!({ "action": action, "details": { "reason": reason } }),
    }
}

/// What the agent says of itself.
pub(super) fn status(status: &str, task: &str) -> Step {
    Step::Event {
        kind: "agent_status",
        data: json!({ "status": status, "details": { "task": task } }),
    }
}

/// Autonomous mode begins or ends.
pub(super) fn autonomous(activity: &str, goal: &str) -> Step {
    Step::Event {
        kind: "autonomous_activity",
        data: json!({ "activity_type": activity, "details": { "goal": goal } }),
    }
}
