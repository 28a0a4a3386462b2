//! Drives the fuzz targets from seeds and random changes to them, the same ones in each run: a stable compiler's share of
//! fuzzing. `fuzz/` has the targets for a nightly one.

#[allow(unreachable_pub)] // a crate of its own for libFuzzer
#[path = "../fuzz/src/lib.rs"]
mod targets;

use countersign_testkit::fuzz;

const SEEDS: &[&str] = &[
    r#"2["subscribe",{"hours":24,"update_interval":2,"binary":true}]"#,
    r#"2/metrics,7["request_history",{"hours":168,"step":5}]"#,
    r#"51-["set_interval",{"interval":5,"_placeholder":true,"num":0}]"#,
    r#"0/metrics,{"token":"t"}"#,
    include_str!("../fuzz/seeds/sam/tool_call_start.json"),
    include_str!("../fuzz/seeds/sam/tool_call_end.json"),
    include_str!("../fuzz/seeds/sam/tool_call_result.json"),
    include_str!("../fuzz/seeds/sam/system2_intervention.json"),
    include_str!("../fuzz/seeds/sam/system3_evaluation.json"),
    include_str!("../fuzz/seeds/sam/system3_intervention.json"),
    include_str!("../fuzz/seeds/sam/autonomous_activity.json"),
    include_str!("../fuzz/seeds/sam/agent_status.json"),
    include_str!("../fuzz/seeds/sam/approval_request.json"),
    include_str!("../fuzz/seeds/sam/approval_response.json"),
    include_str!("../fuzz/seeds/hive/subscribe.json"),
    include_str!("../fuzz/seeds/hive/subscribe_some.json"),
    include_str!("../fuzz/seeds/hive/unsubscribe.json"),
    include_str!("../fuzz/seeds/hive/auth.json"),
    include_str!("../fuzz/seeds/hive/execution_started.json"),
    include_str!("../fuzz/seeds/hive/execution_failed.json"),
    include_str!("../fuzz/seeds/hive/goal_progress.json"),
    include_str!("../fuzz/seeds/hive/execution_paused.json"),
    include_str!("../fuzz/seeds/hive/approval_request.json"),
    r#"{"action":"publish","event":{"type":"APPROVAL_RESPONSE","data":{"request_id":"r","response":"approve"}},"ack":1}"#,
    include_str!("../fuzz/seeds/cloud/ping.json"),
    include_str!("../fuzz/seeds/cloud/user_presence.json"),
    include_str!("../fuzz/seeds/cloud/agent_status.json"),
    include_str!("../fuzz/seeds/cloud/chat_message.json"),
    include_str!("../fuzz/seeds/cloud/notification.json"),
    include_str!("../fuzz/seeds/codex/user_input.json"),
    include_str!("../fuzz/seeds/codex/user_input_bare.json"),
    include_str!("../fuzz/seeds/codex/approval_response.json"),
    include_str!("../fuzz/seeds/codex/function_call.json"),
    include_str!("../fuzz/seeds/codex/function_call_output.json"),
    r#"{"type":"x","data":{"a":[1e999,-0.0,"\ud83d\ude00\ud800\u0000"]},"agent":"a","session":"s","stream":"t","ack":7}"#,
    r#"{"request_id":"r","tool_name":"t","arguments":{"a":{"b":[]}},"cwd":"/","timeout":1.5,"accepts_edits":true,"agent":"a"}"#,
];

/// What a decoder of frames may stumble over.
const PIECES: &[&str] = &[
    "\"type\":",
    "\"data\":{}",
    "\"approval_request\"",
    "\"approval_response\"",
    "\"tool_call_result\"",
    "\"response\":\"approve\"",
    "\"response\":\"deny\"",
    "\"arguments\":",
    "\"result\":\"",
    "\"payload\":",
    "\"review\":\"ALWAYS\"",
    "\"input\":[{}]",
    "\"action\":\"publish\",",
    "\"event\":{",
    "\"event_types\":[",
];

fn drive(target: fn(&[u8]), rounds: usize) {
    fuzz(target, SEEDS, PIECES, rounds);
}

#[test]
fn any_frame() {
    drive(targets::fuzz_sam_decode, 20_000);
}

#[test]
fn any_frame_of_hive() {
    drive(targets::fuzz_hive_decode, 20_000);
}

#[test]
fn any_question() {
    drive(targets::fuzz_sam_ask, 20_000);
}

#[test]
fn any_frame_of_a_cloud_client() {
    drive(targets::fuzz_cloud_decode, 20_000);
}

#[test]
fn any_event_told_to_a_cloud_client() {
    drive(targets::fuzz_cloud_encode, 20_000);
}

#[test]
fn any_message_of_codex() {
    drive(targets::fuzz_codex, 20_000);
}

#[test]
fn any_data_to_cut() {
    drive(targets::fuzz_shrink, 20_000);
    for unit in ["a", "é", "😀", "\\u0001", "\\ud83d\\ude00", "\\ud800", "\\\\", "\\\""] {
        for length in [65_530, 65_536, 65_540, 900_000] {
            let text = format!(
                r#"{{"result":"{}","k":["{}"]}}"#,
                unit.repeat(length / unit.len()),
                unit.repeat(9_000)
            );
            targets::fuzz_shrink(text.as_bytes());
        }
    }
}

#[test]
fn any_packet_of_a_socket_io_client_is_a_command_or_an_error() {
    drive(targets::fuzz_amiga, 20_000);
}
