//! Every kind of file, truncated at every percent: an incomplete picture must never be accepted.

use super::super::{CutoutError, FileEnd, Format, ZeroEnd};
use super::{cut_by_luma, cut_with_zeros, open};
use crate::fuzzing::corpus::{animations, pictures, tiff, webp};

/// Bytes at the end that are cut one by one, because the end marks are there.
const TAIL: usize = 40;

fn cuts(len: usize) -> impl Iterator<Item = usize> {
    let percents = (0..100).map(move |percent| len * percent / 100);
    percents.chain(len.saturating_sub(TAIL)..len)
}

/// Fails when a decoder fills in missing data, or panics. A complete first picture may give the same result.
#[test]
fn file_cut_at_any_percent_is_an_error_or_the_same_picture() {
    for (name, file) in pictures() {
        let whole = open(&cut_by_luma(&file).expect(name)).0;
        for length in cuts(file.len()) {
            match cut_by_luma(&file[..length]) {
                Err(CutoutError::Truncated | CutoutError::Damaged(_)) => {}
                Ok(cut) => assert!(open(&cut).0 == whole, "{name}: {length} of {}", file.len()),
                Err(error) => panic!("{name}: {length} of {}: {error:?}", file.len()),
            }
        }
    }
}

/// P3: a program sets a file's length first and writes the content in parts. Fails when unwritten parts count as black, when a
/// half-written picture is reported as damaged, or when the file is not accepted later.
#[test]
fn file_of_its_final_length_is_refused_until_it_is_written() {
    for (name, file) in pictures() {
        let whole = cut_by_luma(&file).expect(name);
        // Fewer zeros do not count as unwritten.
        let percents = (0..100).step_by(5);
        for percent in percents.filter(|percent| file.len() * (100 - percent) / 100 > 64) {
            let mut part = file.clone();
            part[file.len() * percent / 100..].fill(0);
            match cut_by_luma(&part) {
                Err(CutoutError::Truncated | CutoutError::ZeroEnd) => {}
                // In an animation or a file with several pages, the first picture may be complete.
                Ok(cut) => assert!(open(&cut).0 == open(&whole).0, "{name}: {percent} %"),
                Err(error) => panic!("{name}: {percent} %: {error:?}"),
            }
        }
    }
}

/// P1: fails when a picture whose last rows are black never gets a cutout.
#[test]
fn picture_that_ends_in_black_is_accepted_in_the_end() {
    let mut bmp = crate::fuzzing::corpus::encoded(image::ImageFormat::Bmp);
    let middle = bmp.len() / 2;
    bmp[middle..].fill(0);
    let mut tiff = tiff::strips();
    let middle = tiff.len() / 2;
    tiff[middle..].fill(0);
    for file in [bmp, tiff] {
        assert_eq!(cut_by_luma(&file), Err(CutoutError::ZeroEnd));
        let cut = cut_with_zeros(&file, ZeroEnd::Accept).unwrap();
        assert_eq!(cut.report.end, FileEnd::Zeros);
    }
}

/// P4: fails when a format without an end mark counts as one with a mark: its originals would be deleted sooner.
#[test]
fn formats_with_an_end_mark_are_known() {
    for (name, file) in pictures() {
        let has_mark = ["jpg", "png", "gif"]
            .iter()
            .any(|kind| name.ends_with(kind));
        let expected = if has_mark {
            FileEnd::Marked
        } else {
            FileEnd::Unmarked
        };
        assert_eq!(
            cut_by_luma(&file).expect(name).report.end,
            expected,
            "{name}"
        );
    }
}

/// Fails when only the length in the RIFF header is checked: the decoder accepts zeros in place of missing data.
#[test]
fn webp_whose_length_lies_is_still_known_to_be_short() {
    for file in [webp::lossy(), webp::lossy_with_alpha(), animations::webp()] {
        let first_picture = file.windows(4).position(|w| w == b"VP8 ").unwrap() + 8 + 74;
        for claim in [0u32, 4, 30] {
            for length in 30..first_picture {
                let mut short = file[..length].to_vec();
                short[4..8].copy_from_slice(&claim.to_le_bytes());
                let result = cut_by_luma(&short);
                // Between two chunks, only the wrong length shows that more should follow.
                let short = matches!(
                    result,
                    Err(CutoutError::Truncated | CutoutError::Damaged(Format::Webp))
                );
                assert!(short, "{claim}: {length}: {result:?}");
            }
        }
        let mut longer = file.clone();
        longer[4..8].copy_from_slice(&0x7fff_fff0u32.to_le_bytes());
        assert_eq!(cut_by_luma(&longer), Err(CutoutError::Truncated));
    }
}

/// Fails when a truncated JPEG in a strip of a complete file is accepted: the missing part would be grey.
#[test]
fn jpeg_cut_short_inside_a_tiff_is_damaged() {
    let chart = crate::fuzzing::corpus::JPEGS[2].1;
    let scan = chart.windows(2).position(|w| w == [0xff, 0xda]).unwrap();
    for length in (scan + 16..chart.len()).step_by(7) {
        let file = tiff::jpeg(&chart[..length]);
        let result = cut_by_luma(&file);
        assert_eq!(result, Err(CutoutError::Damaged(Format::Tiff)), "{length}");
    }
}

/// Appends the end mark to the rest of a file, as recovery programs do. Fails when a partly decoded JPEG is published.
#[test]
fn jpeg_that_lacks_its_middle_is_damaged() {
    let file = super::read("tests/data/photos/astronaut.jpg");
    for percent in (5..100).step_by(5) {
        let left = &file[..file.len() * percent / 100];
        let result = cut_by_luma(&[left, &[0xff, 0xd9]].concat());
        let refused = matches!(
            result,
            Err(CutoutError::Damaged(Format::Jpeg) | CutoutError::Truncated)
        );
        assert!(refused, "{percent} %");
    }
}
