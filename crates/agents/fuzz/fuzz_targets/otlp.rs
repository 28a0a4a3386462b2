//! `cargo +nightly fuzz run otlp crates/agents/fixtures/otlp`
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_agents_fuzz::fuzz_otlp(bytes));
