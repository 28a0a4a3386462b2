//! Drives the fuzz targets from the recorded hooks and random changes to them, the same ones in each run: a stable compiler's share of
//! fuzzing. `fuzz/` has the targets for a nightly one.

#[allow(unreachable_pub)] // a crate of its own for libFuzzer
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::path::Path;

use countersign_testkit::fuzz;

/// What a parser of hooks and telemetry may stumble over.
const PIECES: &[&str] = &[
    "\"hook_event_name\":\"PermissionRequest\",",
    "\"hook_event_name\":\"SessionStopped\",",
    "\"session_id\":\"s\",",
    "\"agent_id\":\"a\",",
    "\"agent_type\":\"\",",
    "\"tool_name\":\"Bash\",",
    "\"tool_input\":",
    "\"tool_use_id\":7,",
    "\"late\":false,",
    "\"arguments\":{},",
    "\"permission_suggestions\":[{\"type\":",
    "\"type\":\"item.completed\",",
    "\"item\":{",
    "\"traceId\":\"00\",",
    "\"intValue\":\"9223372036854775808\"",
    "\"timeUnixNano\":\"18446744073709551615\",",
    "{\"arrayValue\":{\"values\":[",
    "{\"kvlistValue\":{\"values\":[{\"key\":\"\",\"value\":",
];

fn seeds(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("fixtures")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("a fixture"))
        .collect()
}

fn drive(target: fn(&[u8]), folder: &str, rounds: usize) {
    fuzz(target, &seeds(folder), PIECES, rounds);
}

#[test]
fn any_hook_of_claude_code() {
    drive(targets::fuzz_claude, "claude", 10_000);
}

#[test]
fn any_hook_of_codex() {
    drive(targets::fuzz_codex, "codex", 10_000);
}

#[test]
fn any_line_of_codex_exec() {
    drive(targets::fuzz_codex_exec, "codex", 10_000);
}

#[test]
fn any_body_of_an_exporter() {
    // Whole batches are long, and each is read in six ways.
    drive(targets::fuzz_otlp, "otlp", 800);
}
