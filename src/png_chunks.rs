//! Converts PNG bytes to their chunks, and a kind and a body to a chunk. Must not depend on their meaning.

use std::iter;
use std::ops::Range;

/// The first bytes of every PNG (PNG specification, third edition, 5.2).
pub const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The last chunk of every PNG, with length and checksum (11.2.5).
pub const END: &[u8] = b"\0\0\0\0IEND\xae\x42\x60\x82";

/// Bytes of a chunk before its body: length and kind.
const HEAD_BYTES: usize = 8;

/// Bytes of a chunk after its body.
const CHECKSUM_BYTES: usize = 4;

/// A chunk with at least its length and kind (5.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PngChunk<'a> {
    /// Four ASCII letters in a valid chunk.
    pub kind: [u8; 4],
    /// The content. `None` if the bytes end before the content does.
    pub body: Option<&'a [u8]>,
    /// The range of the chunk, from its length to its checksum. It may exceed the available bytes.
    pub place: Range<usize>,
}

/// The chunks of a PNG, from all its bytes or only the first ones. Does not verify checksums. Empty if the bytes are not a PNG.
pub fn chunks(png: &[u8]) -> impl Iterator<Item = PngChunk<'_>> {
    let mut at = if png.starts_with(SIGNATURE) {
        SIGNATURE.len()
    } else {
        png.len()
    };
    iter::from_fn(move || {
        let (&length, rest) = png.get(at..)?.split_first_chunk::<4>()?;
        let (&kind, after) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        let start = at;
        at = at
            .saturating_add(HEAD_BYTES + CHECKSUM_BYTES)
            .saturating_add(length);
        Some(PngChunk {
            kind,
            body: after.get(..length),
            place: start..at,
        })
    })
}

/// The bytes of a chunk. The body must be shorter than 4 GiB.
pub fn chunk(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let content = [&kind, body].concat();
    let checksum = crc32fast::hash(&content);
    [
        &length.to_be_bytes()[..],
        &content,
        &checksum.to_be_bytes()[..],
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::{END, SIGNATURE, chunk, chunks};

    fn kinds(png: &[u8]) -> Vec<[u8; 4]> {
        chunks(png).map(|chunk| chunk.kind).collect()
    }

    #[test]
    fn chunks_come_in_the_order_of_the_file() {
        let text = chunk(*b"tEXt", b"a\0b");
        let png = [SIGNATURE, &text, END].concat();
        let found: Vec<_> = chunks(&png).collect();
        assert_eq!(kinds(&png), [*b"tEXt", *b"IEND"]);
        assert_eq!(found[0].body, Some(&b"a\0b"[..]));
        assert_eq!(png[found[0].place.clone()], text);
        assert_eq!(found[1].body, Some(&b""[..]));
        assert_eq!(found[1].place.end, png.len());
        assert_eq!(chunk(*b"IEND", b""), END);
    }

    /// Fails when the walk panics on an incomplete file, or returns an incomplete body.
    #[test]
    fn walk_ends_with_the_bytes() {
        let png = [SIGNATURE, &chunk(*b"tEXt", b"a\0b"), END].concat();
        for length in 0..png.len() {
            let head = &png[..length];
            let expected = usize::from(length >= 16) + usize::from(length >= 31);
            assert_eq!(kinds(head).len(), expected, "{length}");
            let body = chunks(head).next().and_then(|chunk| chunk.body);
            assert_eq!(body.is_some(), length >= 19, "{length}");
        }
        let long = [SIGNATURE, &u32::MAX.to_be_bytes()[..], b"tEXt"].concat();
        assert_eq!(chunks(&long).next().unwrap().body, None);
        assert_eq!(chunks(&long).count(), 1);
        assert_eq!(kinds(b"GIF89a and more than eight bytes"), [[0; 4]; 0]);
    }
}
