//! Checks the bytes of a cutout in transit for the beginning and end of a PNG. Must not decode.

use std::io;

use crate::png_chunks::{END as TAIL, SIGNATURE as HEAD};

/// Inspects the bytes of a PNG in transit.
#[derive(Debug, Default)]
pub(crate) struct PngCheck {
    head: Vec<u8>,
    tail: Vec<u8>,
}

impl PngCheck {
    /// Inspects the next bytes.
    pub(crate) fn see(&mut self, bytes: &[u8]) {
        let wanted = HEAD.len() - self.head.len();
        self.head.extend(bytes.iter().take(wanted));
        let kept = bytes.len().saturating_sub(TAIL.len());
        self.tail.extend(bytes.iter().skip(kept));
        let surplus = self.tail.len().saturating_sub(TAIL.len());
        self.tail.drain(..surplus);
    }

    /// Checks the result after the last byte, so that invalid output of a worker is never published.
    pub(crate) fn check(&self) -> io::Result<()> {
        if self.head == HEAD && self.tail == TAIL {
            return Ok(());
        }
        let lie = "the worker sent an incomplete PNG";
        Err(io::Error::new(io::ErrorKind::InvalidData, lie))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_png(bytes: &[u8], block: usize) -> bool {
        let mut png_check = PngCheck::default();
        for part in bytes.chunks(block) {
            png_check.see(part);
        }
        png_check.check().is_ok()
    }

    /// P3: fails when half a PNG, or other data, counts as a complete PNG, however it is split.
    #[test]
    fn only_what_begins_and_ends_as_a_png_passes() {
        let whole = [HEAD, b"pixels", TAIL].concat();
        let last = whole.len() - 1;
        for block in 1..40 {
            assert!(is_png(&whole, block), "{block}");
            assert!(!is_png(&whole[..last], block), "{block}");
            assert!(!is_png(&whole[1..], block), "{block}");
            assert!(!is_png(&[0xA5; 64], block), "{block}");
        }
        assert!(!is_png(&[], 1));
    }
}
