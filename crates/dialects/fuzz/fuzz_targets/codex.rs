//! `cargo +nightly fuzz run codex crates/dialects/fuzz/seeds/codex`
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_dialects_fuzz::fuzz_codex(bytes));
