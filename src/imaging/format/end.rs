//! Decides from the bytes of a picture whether the file may still be incomplete. Must not decode pixels.
//!
//! A program may set a file's length before it writes the content. Unwritten parts read as zeros.

use serde::{Deserialize, Serialize};

use super::registry::Format;

/// The smallest number of zero bytes at the end of pixel data that counts as unwritten.
const ZEROS_MIN: usize = 64;

/// The greatest number of zero bytes needed: one page. Programs write at least a page at a time, and a shorter end is less than a
/// row of a large picture.
const ZEROS_MAX: usize = 4096;

/// The fraction (1/256) of larger pictures that must be zeros.
const ZEROS_PART: usize = 256;

/// How the end of a file shows that the file is complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileEnd {
    /// The format ends with a mark, which was found.
    Marked,
    /// The format has no end mark. There is no sign that the file is incomplete.
    Unmarked,
    /// The format has no end mark, and its pixels end in zeros: black, or not yet written.
    Zeros,
}

/// How to treat a file that may be incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ZeroEnd {
    /// Refuse it for now.
    Refuse,
    /// Accept it: it has not changed for long enough.
    Accept,
}

/// How to tell whether a decoded file is complete. Each format must define it.
#[derive(Debug, Clone, Copy)]
pub(super) enum EndCheck {
    /// The format has an end mark; its decoder refuses a file without it.
    Mark,
    /// The format has no end mark; its decoder refuses a file that ends in zeros.
    Decoder,
    /// The format has no end mark. Its pixel data, if its location is known, shows whether the file was written completely.
    Pixels(fn(&[u8]) -> Option<Pixels<'_>>),
}

/// The location of the pixel data in a file.
#[derive(Debug)]
pub(super) struct Pixels<'a> {
    /// In the order of the file.
    pub(super) pieces: Vec<&'a [u8]>,
    /// Whether the data is compressed, so that each written piece ends in a byte other than zero.
    pub(super) is_coded: bool,
}

/// How `bytes`, a decoded picture, end.
pub(super) fn of_picture(format: Format, bytes: &[u8]) -> FileEnd {
    let pixels = match format.descriptor().end {
        EndCheck::Mark => return FileEnd::Marked,
        EndCheck::Decoder => return FileEnd::Unmarked,
        EndCheck::Pixels(pixels) => pixels(bytes),
    };
    match pixels {
        Some(pixels) if !pixels.are_written() => FileEnd::Zeros,
        Some(_) | None => FileEnd::Unmarked,
    }
}

/// Whether `bytes`, which could not be decoded, may be a picture that is only partly written.
pub(super) fn may_be_unfinished(format: Format, bytes: &[u8]) -> bool {
    let whole = Pixels {
        pieces: vec![bytes],
        is_coded: false,
    };
    !whole.are_written() || of_picture(format, bytes) == FileEnd::Zeros
}

impl Pixels<'_> {
    fn are_written(&self) -> bool {
        if self.is_coded {
            let mut pieces = self.pieces.iter();
            return pieces.all(|piece| piece.is_empty() || zeros(piece) < needed(piece.len()));
        }
        let total: usize = self.pieces.iter().map(|piece| piece.len()).sum();
        let mut found = 0;
        for piece in self.pieces.iter().rev() {
            let here = zeros(piece);
            found += here;
            if here < piece.len() {
                break;
            }
        }
        total == 0 || found < needed(total)
    }
}

/// The number of zero bytes at the end.
fn zeros(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|&&byte| byte == 0).count()
}

/// How many zero bytes at the end of `len` bytes count as unwritten.
fn needed(len: usize) -> usize {
    (len / ZEROS_PART).clamp(ZEROS_MIN, ZEROS_MAX).min(len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_written(is_coded: bool, pieces: &[&[u8]]) -> bool {
        Pixels {
            pieces: pieces.to_vec(),
            is_coded,
        }
        .are_written()
    }

    /// P3: fails when half a picture counts as complete, or when a few black pixels in a corner delay it.
    #[test]
    fn a_page_of_zeros_at_the_end_of_a_large_picture_is_not_written() {
        let mut large = vec![7; 3_000_000];
        let len = large.len();
        large[len - 4095..].fill(0);
        assert!(are_written(false, &[&large]));
        large[len - 4096..].fill(0);
        assert!(!are_written(false, &[&large]));
        assert!(are_written(
            false,
            &[&[vec![7; 2000], vec![0; 63]].concat()]
        ));
        assert!(!are_written(
            false,
            &[&[vec![7; 2000], vec![0; 64]].concat()]
        ));
        assert!(!are_written(false, &[&[0; 12]]));
        assert!(are_written(false, &[]));
    }

    /// P3: fails when each small strip is checked separately, or when a black strip in the middle delays a picture.
    #[test]
    fn zeros_are_counted_across_strips_and_only_at_the_end() {
        let (lit, dark) = (vec![7; 4000], vec![0; 40]);
        assert!(are_written(false, &[&lit, &dark, &lit]));
        assert!(are_written(false, &[&lit, &dark]));
        assert!(!are_written(false, &[&lit, &dark, &dark]));
    }

    /// P3: fails when an unwritten compressed strip goes unnoticed because a later one was written.
    #[test]
    fn each_compressed_strip_must_end_in_something() {
        let (coded, missing) = (vec![7; 300], vec![0; 300]);
        assert!(are_written(true, &[&coded, &[], &coded]));
        assert!(!are_written(true, &[&missing, &coded]));
    }
}
