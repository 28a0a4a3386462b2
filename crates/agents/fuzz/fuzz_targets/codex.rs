//! `cargo +nightly fuzz run codex crates/agents/fixtures/codex`
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_agents_fuzz::fuzz_codex(bytes));
