//! `cargo +nightly fuzz run cloud_encode crates/dialects/fuzz/seeds/cloud`
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_dialects_fuzz::fuzz_cloud_encode(bytes));
