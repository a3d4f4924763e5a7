//! Converts the bytes of a picture that was read, or could not be, to whether the file may still be on its way. Must not
//! decode a pixel.
//!
//! A program may set the length of a file before it writes its content. What is not written yet reads as zeros.

use serde::{Deserialize, Serialize};

use super::registry::Format;

/// The fewest zeros at the end of pixels that count as not written, in bytes.
const ZEROS_MIN: usize = 64;

/// The most that are needed, in bytes: one page. Programs write at least a page at a time, and a shorter end is less than
/// a row of a large picture.
const ZEROS_MAX: usize = 4096;

/// Of larger pictures this part must be zeros.
const ZEROS_PART: usize = 256;

/// How the end of a file shows that all of it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileEnd {
    /// The format ends with a mark, which was found.
    Marked,
    /// The format has no such mark. Nothing speaks against the file being whole.
    Unmarked,
    /// The format has no such mark, and its pixels end in zeros: black, or not written yet.
    Zeros,
}

/// What becomes of a file that may not be written to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ZeroEnd {
    /// It is refused for now.
    Refuse,
    /// It is taken as it is: it has not changed for long enough.
    Accept,
}

/// How it is known of a file that gave a picture whether it has its end. Each format must say.
#[derive(Debug, Clone, Copy)]
pub(super) enum EndCheck {
    /// The format ends with a mark, without which its decoder refuses a file.
    Mark,
    /// The format has no such mark, and its decoder refuses a file that ends in zeros.
    Decoder,
    /// The format has no such mark. Its pixels, if it can be told where they lie, show whether they were written.
    Pixels(fn(&[u8]) -> Option<Pixels<'_>>),
}

/// Where the pixels of a file lie.
#[derive(Debug)]
pub(super) struct Pixels<'a> {
    /// In the order of the file.
    pub(super) pieces: Vec<&'a [u8]>,
    /// Each piece ends with something that is not zeros, if it was written.
    pub(super) is_coded: bool,
}

/// How `bytes` end, of which a picture was read.
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

/// Whether `bytes`, of which no picture could be read, may be a picture of which a part is not written yet.
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

/// Zeros at the end.
fn zeros(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|&&byte| byte == 0).count()
}

/// How many zeros at the end of `len` bytes count.
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

    /// P3: fails when half a picture counts as whole, or when a few black pixels in a corner make it wait.
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

    /// P3: fails when each small strip is judged alone, or when a black strip in the middle makes a picture wait.
    #[test]
    fn zeros_are_counted_across_strips_and_only_at_the_end() {
        let (lit, dark) = (vec![7; 4000], vec![0; 40]);
        assert!(are_written(false, &[&lit, &dark, &lit]));
        assert!(are_written(false, &[&lit, &dark]));
        assert!(!are_written(false, &[&lit, &dark, &dark]));
    }

    /// P3: fails when a compressed strip that was not written yet goes unnoticed because a later one was.
    #[test]
    fn each_compressed_strip_must_end_in_something() {
        let (coded, missing) = (vec![7; 300], vec![0; 300]);
        assert!(are_written(true, &[&coded, &[], &coded]));
        assert!(!are_written(true, &[&missing, &coded]));
    }
}
