//! Kinds of TIFF that studios produce and that other formats do not have.

use std::io::Cursor;

use tiff::encoder::colortype::{CMYK8, ColorType, RGB8, RGB16, RGB32Float, RGBA8};
use tiff::encoder::{Compression, Rational, TiffEncoder, TiffValue};
use tiff::tags::Tag;

use super::super::{CutoutError, Unsupported};
use super::{by_hand, cut_by_luma, motley, open};

/// A page of 32 x 32 pixels in strips of 5 rows, with additional tags.
fn page<C: ColorType>(
    samples: &[C::Inner],
    compression: Compression,
    tags: &[(Tag, u16)],
) -> Vec<u8>
where
    [C::Inner]: TiffValue,
{
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file)
        .unwrap()
        .with_compression(compression);
    let mut page = encoder.new_image::<C>(32, 32).unwrap();
    page.rows_per_strip(5).unwrap();
    page.resolution(tiff::tags::ResolutionUnit::Inch, Rational { n: 300, d: 1 });
    for (tag, value) in tags {
        page.encoder().write_tag(*tag, *value).unwrap();
    }
    page.write_data(samples).unwrap();
    file.into_inner()
}

fn rgb() -> Vec<u8> {
    motley().iter().flat_map(|p| [p[0], p[1], p[2]]).collect()
}

#[test]
fn strips_of_every_compression_join() {
    for (name, compression) in [
        ("none", Compression::Uncompressed),
        ("LZW", Compression::Lzw),
        (
            "deflate",
            Compression::Deflate(tiff::encoder::DeflateLevel::Fast),
        ),
        ("PackBits", Compression::Packbits),
    ] {
        let file = page::<RGB8>(&rgb(), compression, &[]);
        let (pixels, info) = open(&cut_by_luma(&file).unwrap());
        assert_eq!(pixels, by_hand(&motley()), "{name}");
        assert_eq!(
            info.pixel_dims.map(|dims| (dims.xppu, dims.yppu)),
            Some((11811, 11811))
        );
        for length in (0..file.len()).step_by(7) {
            let result = cut_by_luma(&file[..length]);
            assert_eq!(result, Err(CutoutError::Truncated), "{name}: {length}");
        }
    }
}

#[test]
fn sixteen_bits_are_rounded() {
    let wide: Vec<u16> = rgb().iter().map(|&v| u16::from(v) * 257).collect();
    let cut = cut_by_luma(&page::<RGB16>(&wide, Compression::Lzw, &[])).unwrap();
    assert_eq!(open(&cut).0, by_hand(&motley()));
}

#[test]
fn inks_become_light() {
    let inks: Vec<u8> = motley()
        .iter()
        .flat_map(|p| [255 - p[0], 255 - p[1], 255 - p[2], 0])
        .collect();
    let cut = cut_by_luma(&page::<CMYK8>(&inks, Compression::Uncompressed, &[])).unwrap();
    assert_eq!(open(&cut).0, by_hand(&motley()));
}

#[test]
fn planes_are_woven_together() {
    // Written by hand, because the encoder writes only interleaved samples: one strip per plane.
    let colours = motley();
    let planes: Vec<u8> = (0..3)
        .flat_map(|c| colours.iter().map(move |p| p[c]))
        .collect();
    let mut file = Vec::from(*b"II*\0\x08\0\0\0");
    let data = 8 + 2 + 9 * 12 + 4 + 3 * 8;
    let lists = data - 24;
    let entries: [(u16, u16, u32, u32); 9] = [
        (256, 4, 1, 32),
        (257, 4, 1, 32),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 3, lists),
        (277, 3, 1, 3),
        (279, 4, 3, lists + 12),
        (284, 3, 1, 2),
    ];
    file.extend(9u16.to_le_bytes());
    for (tag, kind, count, value) in entries {
        file.extend(tag.to_le_bytes());
        file.extend(kind.to_le_bytes());
        file.extend(count.to_le_bytes());
        file.extend(value.to_le_bytes());
    }
    file.extend([0; 4]);
    (0..3).for_each(|plane| file.extend((data + plane * 1024).to_le_bytes()));
    (0..3).for_each(|_| file.extend(1024u32.to_le_bytes()));
    file.extend(planes);
    // Three values for the bits per sample do not fit into the entry itself.
    let bits = u32::try_from(file.len()).unwrap();
    file.extend([8, 0, 8, 0, 8, 0]);
    let entry = 8 + 2 + 2 * 12;
    file[entry + 4..entry + 12].copy_from_slice(&[3u32.to_le_bytes(), bits.to_le_bytes()].concat());
    assert_eq!(open(&cut_by_luma(&file).unwrap()).0, by_hand(&motley()));
}

#[test]
fn associated_alpha_is_made_straight() {
    let samples = [200, 100, 180, 200].repeat(1024);
    let file = page::<RGBA8>(
        &samples,
        Compression::Uncompressed,
        &[(Tag::ExtraSamples, 1)],
    );
    let (pixels, _) = open(&cut_by_luma(&file).unwrap());
    assert_eq!(pixels[0][..3], [255, 128, 230]);
}

#[test]
fn raw_files_and_floating_point_are_not_mistaken_for_pictures() {
    let thumbnail = page::<RGB8>(
        &rgb(),
        Compression::Uncompressed,
        &[(Tag::NewSubfileType, 1)],
    );
    assert_eq!(
        cut_by_luma(&thumbnail),
        Err(CutoutError::Unsupported(Unsupported::Raw))
    );
    let dng = page::<RGB8>(
        &rgb(),
        Compression::Uncompressed,
        &[(Tag::Unknown(50706), 1)],
    );
    assert_eq!(
        cut_by_luma(&dng),
        Err(CutoutError::Unsupported(Unsupported::Raw))
    );
    let float = page::<RGB32Float>(&[0.5; 3072], Compression::Uncompressed, &[]);
    let result = cut_by_luma(&float);
    assert!(
        matches!(result, Err(CutoutError::Unsupported(_))),
        "{result:?}"
    );
}

#[test]
fn tag_that_claims_gigabytes_of_values_is_not_believed() {
    let mut file = page::<RGB8>(&rgb(), Compression::Uncompressed, &[]);
    let directory = u32::from_le_bytes(*file[4..].first_chunk().unwrap()) as usize;
    let unit = Tag::ResolutionUnit.to_u16().to_le_bytes();
    let entry = file[directory + 2..]
        .chunks_exact_mut(12)
        .find(|entry| entry[..2] == unit);
    entry.unwrap()[4..8].copy_from_slice(&0x7000_0000u32.to_le_bytes());
    assert_eq!(open(&cut_by_luma(&file).unwrap()).0, by_hand(&motley()));
}
