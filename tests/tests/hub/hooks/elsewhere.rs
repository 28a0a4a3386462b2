//! Questions that were answered in the terminal: what the agent does next shows it, and the question is taken back. Where several could
//! be meant, none is.

use countersign_tests::Hub;
use serde_json::{Value, json};

use super::{Held, after, becomes, before, pending, permission, tell, wait_for};

fn ask(hub: &Hub, question: &Value) -> Held {
    Held::send(hub, "claude-code", question, &[])
}

fn nothing_was_said(held: Held) {
    let said = held.said();
    assert!(said.status == 200 && said.body.is_empty() && said.whole, "{said:?}");
}

#[test]
fn a_call_that_ran_was_permitted_there() {
    let hub = Hub::start();
    for ended in [
        after("s", "t1", "ls"),
        json!({"session_id": "s", "cwd": "/p", "hook_event_name": "PostToolUseFailure", "tool_name": "Bash",
            "tool_input": {"command": "ls"}, "tool_use_id": "t1", "error": "Exit code 1"}),
        json!({"session_id": "s", "cwd": "/p", "hook_event_name": "PermissionDenied", "tool_name": "Bash",
            "tool_input": {"command": "ls"}, "tool_use_id": "t1", "reason": "no"}),
    ] {
        tell(&hub, &before("s", "t1", "ls"));
        let (held, other) = (ask(&hub, &permission("s", "ls")), ask(&hub, &permission("s", "pwd")));
        let asked = wait_for(&hub, 2);
        let own = asked
            .iter()
            .find(|asked| asked["arguments"]["command"] == "ls")
            .unwrap();
        tell(&hub, &ended);
        let taken_back = becomes(&hub, own, "cancelled");
        assert_eq!(taken_back["decision"]["message"], "answered in the terminal");
        nothing_was_said(held);
        assert_eq!(pending(&hub).len(), 1, "the other one still waits");
        drop(other);
        wait_for(&hub, 0);
    }
}

#[test]
fn of_two_that_are_alike_none_is_taken_for_the_other() {
    let hub = Hub::start();
    tell(&hub, &before("s", "t1", "ls"));
    tell(&hub, &before("s", "t2", "ls"));
    let held = [ask(&hub, &permission("s", "ls")), ask(&hub, &permission("s", "ls"))];
    wait_for(&hub, 2);
    tell(&hub, &after("s", "t1", "ls"));
    assert_eq!(pending(&hub).len(), 2, "which of them it was is not known");
    // Once the turn is over neither waits for anything.
    tell(&hub, &json!({"session_id": "s", "hook_event_name": "Stop"}));
    wait_for(&hub, 0);
    held.into_iter().for_each(nothing_was_said);
}

#[test]
fn the_end_of_a_batch_a_turn_or_a_session_takes_back_what_it_ends() {
    let hub = Hub::start();
    let mut of_subagent = permission("s", "ls");
    of_subagent["agent_id"] = json!("a1");
    for (end, left) in [("PostToolBatch", 2), ("Stop", 2), ("SessionEnd", 1)] {
        let own = ask(&hub, &permission("s", "ls"));
        let subagents = ask(&hub, &of_subagent);
        let anothers = ask(&hub, &permission("s2", "ls"));
        wait_for(&hub, 3);
        tell(
            &hub,
            &json!({"session_id": "s", "hook_event_name": end, "tool_calls": []}),
        );
        assert_eq!(wait_for(&hub, left).last().unwrap()["agent"], "claude-code", "{end}");
        nothing_was_said(own);
        drop((subagents, anothers));
        wait_for(&hub, 0);
    }
}
