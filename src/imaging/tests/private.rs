//! The metadata of a photo: only a valid colour profile may reach the output.

use std::io::Cursor;

use image::{ImageEncoder as _, ImageFormat};
use moxcms::ColorProfile;

use super::colours::{grey_ink_profile, icc_segment, with_segment};
use super::{Output, cut_by_luma, open, read};
use crate::fuzzing::corpus::{encoded, samples, tiff, webp};
use crate::png_chunks;

/// Stands for the photographer's address.
const SECRET: &[u8; 24] = b"52N31'12\" 13E24'36\" home";

/// An EXIF block (CIPA DC-008, 4.6) with an orientation, a place, and a thumbnail that shows the background.
fn exif() -> Vec<u8> {
    let thumbnail = with_segment(&read("tests/data/photos/chart-grey.jpg"), 0xfe, SECRET);
    let thumbnail_len = u32::try_from(thumbnail.len()).unwrap();
    let entry = |tag: u16, kind: u16, count: u32, value: u32| {
        let numbers = [count.to_le_bytes(), value.to_le_bytes()].concat();
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &numbers].concat()
    };
    let directory = |entries: &[Vec<u8>], next: u32| {
        let count = u16::try_from(entries.len()).unwrap().to_le_bytes();
        [&count[..], &entries.concat(), &next.to_le_bytes()].concat()
    };
    let (place, second, values) = (38, 68, 98);
    [
        b"II*\0\x08\0\0\0".to_vec(),
        directory(
            &[entry(0x0112, 3, 1, 1), entry(0x8825, 4, 1, place)],
            second,
        ),
        directory(&[entry(1, 2, 2, 0x4e), entry(2, 5, 3, values)], 0),
        directory(
            &[
                entry(0x0201, 4, 1, values + 24),
                entry(0x0202, 4, 1, thumbnail_len),
            ],
            0,
        ),
        SECRET.to_vec(),
        thumbnail,
    ]
    .concat()
}

fn xmp() -> Vec<u8> {
    [
        b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>",
        &SECRET[..],
        b"</x:xmpmeta>",
    ]
    .concat()
}

fn indiscreet_jpeg() -> Vec<u8> {
    let namespace = &b"http://ns.adobe.com/xap/1.0/\0"[..];
    let segments = [
        (0xe1, [b"Exif\0\0", &exif()[..]].concat()),
        (0xe1, [namespace, &xmp()].concat()),
        (0xe2, [b"MPF\0", &exif()[..]].concat()),
        (0xed, [b"Photoshop 3.0\0", &SECRET[..]].concat()),
        (0xfe, SECRET.to_vec()),
    ];
    let file = segments.iter().fold(
        read("tests/data/photos/chart.jpg"),
        |file, (marker, body)| with_segment(&file, *marker, body),
    );
    // Phones append a video, cameras a larger preview.
    let preview = read("tests/data/photos/chart-grey.jpg");
    [file, preview, SECRET.to_vec()].concat()
}

fn indiscreet_png() -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, 32, 32);
    encoder.set_color(png::ColorType::Rgb);
    let text = String::from_utf8(SECRET.to_vec()).unwrap();
    encoder
        .add_text_chunk("GPS".to_owned(), text.clone())
        .unwrap();
    encoder
        .add_ztxt_chunk("Comment".to_owned(), text.clone())
        .unwrap();
    encoder
        .add_itxt_chunk("XML:com.adobe.xmp".to_owned(), text)
        .unwrap();
    let mut writer = encoder.write_header().unwrap();
    for kind in [*b"eXIf", *b"tIME", *b"prVt"] {
        let kind = png::chunk::ChunkType(kind);
        writer.write_chunk(kind, &exif()).unwrap();
    }
    writer.write_image_data(&samples()).unwrap();
    writer.finish().unwrap();
    file
}

fn indiscreet_tiff() -> Vec<u8> {
    let words = |bytes: &[u8]| bytes.iter().map(|b| u32::from(*b)).collect::<Vec<u32>>();
    let (block, packet, secret) = (words(&exif()), words(&xmp()), words(SECRET));
    let entries: [tiff::TiffEntry<'_>; 5] = [
        (270, tiff::Kind::Byte, &secret),
        (700, tiff::Kind::Byte, &packet),
        (33723, tiff::Kind::Byte, &secret),
        (34377, tiff::Kind::Byte, &block),
        (34853, tiff::Kind::Byte, &block),
    ];
    tiff::page(&entries, &[&samples()])
}

/// The same picture with the secret in every format that can hold metadata.
fn indiscreet() -> Vec<(&'static str, Vec<u8>)> {
    let gif = encoded(ImageFormat::Gif);
    let comment = [&[0x21, 0xfe, 24][..], SECRET, &[0]].concat();
    let table = 13 + (3 << ((gif[10] & 7) + 1));
    let gif = [&gif[..table], &comment, &gif[table..]].concat();
    let in_webp = webp::with_metadata(webp::EXIF, *b"EXIF", &exif());
    let xmp_in_webp = webp::with_metadata(webp::XMP, *b"XMP ", &xmp());
    let bmp = [encoded(ImageFormat::Bmp), SECRET.to_vec()].concat();
    vec![
        ("JPEG", indiscreet_jpeg()),
        ("PNG", indiscreet_png()),
        ("WebP with EXIF", in_webp),
        ("WebP with XMP", xmp_in_webp),
        ("TIFF", indiscreet_tiff()),
        ("GIF", gif),
        ("BMP", bmp),
    ]
}

/// The chunk kinds of an output; pixel chunks are listed once.
pub(super) fn chunks(cut: &Output) -> Vec<[u8; 4]> {
    let chunks: Vec<_> = png_chunks::chunks(&cut.png).collect();
    let end = chunks.last().map(|chunk| chunk.place.end);
    assert_eq!(end, Some(cut.png.len()));
    let mut kinds: Vec<_> = chunks.iter().map(|chunk| chunk.kind).collect();
    kinds.dedup_by(|a, b| a == b && a == b"IDAT");
    kinds
}

/// Fails when a location, a thumbnail or an unknown chunk is in an output of any format. The pixels cannot contain the secret: the
/// same files without it give the same bytes except for the provenance.
#[test]
fn place_and_thumbnail_stay_behind() {
    for (name, file) in indiscreet() {
        assert!(
            file.windows(SECRET.len()).any(|w| w == SECRET),
            "{name} holds nothing"
        );
        let cut = cut_by_luma(&file).expect(name);
        let thumbnail = read("tests/data/photos/chart-grey.jpg");
        for secret in [
            &SECRET[..],
            &thumbnail[thumbnail.len() - 40..],
            b"Exif",
            b"xmpmeta",
        ] {
            assert!(
                !cut.png.windows(secret.len()).any(|w| w == secret),
                "{name}"
            );
        }
        let known = [*b"IHDR", *b"tEXt", *b"pHYs", *b"IDAT", *b"IEND"];
        let kinds = chunks(&cut);
        assert!(
            kinds.iter().all(|kind| known.contains(kind)),
            "{name}: {kinds:?}"
        );
        assert_eq!(
            kinds.iter().filter(|kind| *kind == b"tEXt").count(),
            1,
            "{name}"
        );
    }
}

/// The chart with `profile`, in each format that can hold a profile.
fn with_profile(profile: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let chart = read("tests/data/photos/chart.jpg");
    let parts: Vec<&[u8]> = profile.chunks(60_000).collect();
    let count = u8::try_from(parts.len()).unwrap();
    let numbered = (1..=count).zip(&parts).rev();
    let jpeg = numbered.fold(chart, |file, (number, part)| {
        let body = [b"ICC_PROFILE\0", &[number, count][..], part].concat();
        with_segment(&file, 0xe2, &body)
    });
    let mut png = Cursor::new(Vec::new());
    let mut encoder = image::codecs::png::PngEncoder::new(&mut png);
    encoder.set_icc_profile(profile.to_vec()).unwrap();
    encoder
        .write_image(&samples(), 32, 32, image::ExtendedColorType::Rgb8)
        .unwrap();
    let bytes: Vec<u32> = profile.iter().map(|b| u32::from(*b)).collect();
    let in_tiff = [(34675, tiff::Kind::Byte, &bytes[..])];
    vec![
        ("JPEG", jpeg),
        ("PNG", png.into_inner()),
        ("WebP", webp::with_metadata(webp::ICC, *b"ICCP", profile)),
        ("TIFF", tiff::page(&in_tiff, &[&samples()])),
    ]
}

fn display_p3() -> Vec<u8> {
    ColorProfile::new_display_p3().encode().unwrap()
}

/// Fails when an unusable profile reaches the output, or makes the photo unreadable.
#[test]
fn unsound_profile_is_dropped() {
    let sound = display_p3();
    let changed = |at: usize, bytes: &[u8]| {
        let mut profile = sound.clone();
        profile[at..at + bytes.len()].copy_from_slice(bytes);
        profile
    };
    let profiles = [
        ("one byte", vec![1]),
        ("garbage", vec![0x5a; 70_000]),
        ("cut in its header", sound[..100].to_vec()),
        ("cut behind its header", sound[..128].to_vec()),
        ("cut in its middle", sound[..sound.len() / 2].to_vec()),
        ("cut at its end", sound[..sound.len() - 1].to_vec()),
        ("length of 4 GB", changed(0, &[0xff; 4])),
        ("length of 0", changed(0, &[0; 4])),
        ("many tags", changed(128, &[0xff; 4])),
        ("tag outside", changed(136, &[0x7f, 0xff, 0xff, 0xff])),
        ("tag without an end", changed(140, &[0xff; 4])),
        ("of Lab", changed(16, b"Lab ")),
        ("of inks", grey_ink_profile()),
    ];
    for (what, profile) in profiles {
        for (name, file) in with_profile(&profile) {
            let cut = cut_by_luma(&file).expect(what);
            assert_eq!(open(&cut).1.icc_profile, None, "{what}, {name}");
        }
    }
}

/// Fails when a profile in several segments (50 in a JPEG) is lost, or when bytes after the profile's end reach the output:
/// anything can be hidden there.
#[test]
fn sound_profile_stays_up_to_its_own_end() {
    let mut giant = display_p3();
    let first = giant.len();
    giant.resize(3_000_000, 0);
    giant[..4].copy_from_slice(&3_000_000u32.to_be_bytes());
    // Extends the first tag over all bytes that follow.
    giant[136..140].copy_from_slice(&u32::try_from(first).unwrap().to_be_bytes());
    giant[140..144].copy_from_slice(&u32::try_from(3_000_000 - first).unwrap().to_be_bytes());
    for profile in [display_p3(), giant] {
        for (name, file) in with_profile(&[&profile[..], SECRET].concat()) {
            let cut = cut_by_luma(&file).unwrap();
            let kept = open(&cut).1.icc_profile;
            assert!(
                kept.as_deref() == Some(&profile[..]),
                "{name}: {:?}",
                kept.map(|p| p.len())
            );
        }
    }
}

/// Fails when a damaged CMYK or grey profile breaks the conversion. These profiles are used for computation, not only copied.
#[test]
fn damaged_profile_of_inks_or_greys_costs_nothing_but_itself() {
    let inks = grey_ink_profile();
    let greys = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
    for (name, profile) in [("chart-cmyk.jpg", inks), ("chart-grey.jpg", greys)] {
        let chart = read(&format!("tests/data/photos/{name}"));
        let cut_with = |profile: &[u8]| {
            let file = with_segment(&chart, 0xe2, &icc_segment(profile));
            let error = cut_by_luma(&file).err();
            let harmless = matches!(error, None | Some(super::CutoutError::NoSubject));
            assert!(harmless, "{name}: {error:?}");
        };
        for at in (0..profile.len()).step_by(if profile.len() > 1000 { 11 } else { 1 }) {
            cut_with(&profile[..at]);
            for value in [0, 0x7f, 0xff] {
                let mut changed = profile.clone();
                changed[at] = value;
                cut_with(&changed);
            }
        }
    }
}
