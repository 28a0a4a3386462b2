//! `cargo +nightly fuzz run sam_decode crates/dialects/fuzz/seeds/sam`
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_dialects_fuzz::fuzz_sam_decode(bytes));
