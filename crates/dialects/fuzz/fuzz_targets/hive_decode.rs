//! `cargo +nightly fuzz run hive_decode crates/dialects/fuzz/seeds/hive`
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_dialects_fuzz::fuzz_hive_decode(bytes));
