//! `hotcut::fuzzing::provenance` under libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(
    init: hotcut_fuzz::write_seeds("provenance").expect("target/ can be written to"),
    |bytes: &[u8]| hotcut::fuzzing::provenance(bytes)
);
