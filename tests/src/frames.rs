//! SAM's frames as the seed document shows them, and short ways to make others.

use serde_json::{Value, json};

/// The eight event types of the seed, each with the seed's own example, and the request for an approval.
pub fn of_the_seed() -> Vec<Value> {
    let frame = |kind: &str, time: &str, data: Value| json!({ "type": kind, "timestamp": format!("2026-01-17T10:30:{time}.000Z"), "data": data });
    vec![
        frame(
            "tool_call_start",
            "00",
            json!({"tool_name": "execute_code", "arguments": {"code": "print('hello')"}, "context": {}}),
        ),
        frame(
            "tool_call_end",
            "01",
            json!({"tool_name": "execute_code", "success": true, "duration": 0.523, "error": null}),
        ),
        frame(
            "tool_call_result",
            "01",
            json!({"tool_name": "execute_code", "result": "hello\n", "truncated": false}),
        ),
        frame(
            "system2_intervention",
            "05",
            json!({"intervention_type": "token_limit_breach", "action": "context_compression", "details": {"should_break": false,
                "context_modified": true, "message": "System 2 intervention: context_compression"}}),
        ),
        frame(
            "system3_evaluation",
            "02",
            json!({"tool_name": "execute_code", "decision": "approve", "reasoning": "Safe code execution for utility function",
                "confidence": 0.95}),
        ),
        frame(
            "system3_intervention",
            "02",
            json!({"action": "block_execution", "details": {"reason": "Protected file access attempt"}}),
        ),
        frame(
            "autonomous_activity",
            "10",
            json!({"activity_type": "heartbeat", "details": {"timestamp": 1_705_488_610.123, "heartbeat_count": 5}}),
        ),
        frame(
            "agent_status",
            "15",
            json!({"status": "processing", "details": {"iteration": 3, "tokens_used": 5432}}),
        ),
    ]
}

/// A request for an approval as the seed shows it, with this id.
pub fn approval_request(request_id: &str) -> Value {
    json!({
        "type": "approval_request",
        "timestamp": "2026-01-17T10:30:20.000Z",
        "data": {
            "request_id": request_id,
            "tool_name": "execute_code",
            "arguments": {"code": "print('Hello World')"},
            "tool_info": {"category": "development", "description": "Execute Python code", "requires_approval": true}
        }
    })
}

/// An answer as the seed shows it.
pub fn approval_response(request_id: &str, response: &str) -> Value {
    json!({ "type": "approval_response", "request_id": request_id, "response": response })
}

/// An event of no particular meaning, numbered.
pub fn note(number: u64) -> Value {
    json!({ "type": "note", "data": { "n": number } })
}
