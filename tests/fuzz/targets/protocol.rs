//! `hotcut::fuzzing::protocol` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: hotcut_fuzz::write_seeds("protocol").expect("target/ can be written to"),
    |bytes: &[u8]| hotcut::fuzzing::protocol(bytes)
);
