//! `cargo +nightly fuzz run amiga`
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| countersign_dialects_fuzz::fuzz_amiga(bytes));
