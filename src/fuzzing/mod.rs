//! What is fuzzed: every reader of bytes that a stranger may have written. Compiled for `tests/fuzz`, where libFuzzer
//! looks for bytes that break it, and for tests, which try a fixed number of mutations.

#[cfg_attr(not(test), expect(dead_code, reason = "hostile tests need more of it"))]
pub(crate) mod corpus;
#[cfg(test)]
#[path = "../../tests/it/support/dice.rs"]
mod dice;
#[cfg(test)]
mod mutations;

pub use crate::imaging::fuzzing::decode;
pub use crate::worker::fuzzing::protocol;

use crate::config::Edges;
use crate::png_chunks;
use crate::provenance::{self, Provenance};
use crate::worker::fuzzing::frames;

/// Looks for a provenance in `head`.
///
/// # Panics
/// If the reader does, or if a provenance that was read does not survive being written again.
pub fn provenance(head: &[u8]) {
    if let Some(found) = provenance::read(head) {
        let again = [png_chunks::SIGNATURE, &provenance::chunk(&found)].concat();
        assert_eq!(provenance::read(&again), Some(found));
    }
}

/// Everything to start from: the entry point that reads it, its name and its bytes.
pub fn seeds() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let pictures = corpus::pictures().into_iter();
    let frames = frames()
        .into_iter()
        .map(|(name, frame)| ("protocol", name, frame));
    pictures
        .map(|(name, file)| ("decode", name, file))
        .chain([("provenance", "marked.png", marked())])
        .chain(frames)
        .collect()
}

/// The head of an output.
fn marked() -> Vec<u8> {
    let provenance = Provenance {
        source: "sub/a%20b.jpg".to_owned(),
        sha256: [0x5a; 32],
        model: "student".to_owned(),
        version: "0.1.0".to_owned(),
        is_doubtful: false,
        edges: Edges::Auto,
    };
    corpus::png(png::ColorType::Rgba, png::BitDepth::Eight, |encoder| {
        // Latin letters that are as few as these are never refused.
        encoder
            .add_text_chunk(provenance::KEYWORD.to_owned(), provenance.to_string())
            .ok();
    })
}
