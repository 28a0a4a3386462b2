//! `cargo +nightly fuzz run claude crates/agents/fixtures/claude`
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_agents_fuzz::fuzz_claude(bytes));
