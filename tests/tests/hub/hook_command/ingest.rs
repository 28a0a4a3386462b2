//! `countersign ingest codex`: runs of Codex that have no hooks, from their output.

use countersign_tests::Hub;
use countersign_tests::command::cli_with;

const RUN: &str = r#"{"type":"thread.started","thread_id":"t-1"}
not JSON
{"type":"turn.started"}
{"type":"item.started","item":{"id":"item_0","type":"command_execution","command":"ls","aggregated_output":"","exit_code":null,"status":"in_progress"}}
{"type":"item.completed","item":{"id":"item_0","type":"command_execution","command":"ls","aggregated_output":"a\n","exit_code":0,"status":"completed"}}
{"type":"turn.completed","usage":{"input_tokens":10,"cached_input_tokens":0,"output_tokens":5}}
"#;

#[test]
fn a_run_without_hooks_is_in_the_log_and_goes_on_to_the_next_in_the_pipe() {
    let hub = Hub::start();
    let output = cli_with(&hub, &["ingest", "codex", "--tee"], RUN).expect(0);
    assert_eq!(output.out, RUN.trim_end());
    assert!(output.err.contains("line 2"), "{}", output.err);
    let rows = hub.history();
    let of = |kind: &str| {
        let found = rows.iter().find(|row| row["kind"] == kind && row["agent"] == "codex");
        found.unwrap_or_else(|| panic!("{kind} in {rows:?}"))
    };
    assert_eq!(of("tool_call_start")["session"], "t-1");
    assert_eq!(of("tool_call_end")["data"]["success"], true);
}
