//! Drives the fuzz targets from the recorded hooks and random changes to them, the same ones in each run: a stable compiler's share of
//! fuzzing. `fuzz/` has the targets for a nightly one.

#[allow(unreachable_pub)] // a crate of its own for libFuzzer
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::path::Path;

/// What a parser of hooks stumbles over.
const PIECES: &[&str] = &[
    "\\ud800",
    "\\u0000",
    "\\",
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "1e999",
    "-0",
    "\u{feff}",
    "\u{202e}",
    "é",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
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

/// xorshift64: the same numbers in each run and on each machine.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap_or(0)
    }
}

fn change(bytes: &mut Vec<u8>, seeds: &[String], numbers: &mut Numbers) {
    let at = numbers.below(bytes.len() + 1);
    let end = (at + numbers.below(24)).min(bytes.len());
    match numbers.below(7) {
        0 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let piece = bytes[at..end].to_vec();
            let to = numbers.below(bytes.len() + 1);
            bytes.splice(to..to, piece);
        }
        3 => {
            let other = seeds[numbers.below(seeds.len())].as_bytes();
            let from = numbers.below(other.len());
            let to = (from + numbers.below(120)).min(other.len());
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        _ => {
            let piece = PIECES[numbers.below(PIECES.len())].as_bytes();
            bytes.splice(at..at, piece.iter().copied());
        }
    }
}

fn drive(target: fn(&[u8]), folder: &str, rounds: usize) {
    let seeds = seeds(folder);
    for seed in &seeds {
        target(seed.as_bytes());
    }
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    for _ in 0..rounds {
        let mut bytes = seeds[numbers.below(seeds.len())].as_bytes().to_vec();
        for _ in 0..=numbers.below(4) {
            change(&mut bytes, &seeds, &mut numbers);
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let outcome = std::panic::catch_unwind(|| target(text.as_bytes()));
        assert!(outcome.is_ok(), "fails on {text:?}");
    }
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
