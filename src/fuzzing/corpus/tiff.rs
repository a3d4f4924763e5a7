//! TIFF files, written entry by entry (TIFF 6.0, section 2), so that any entry can lie.
#![expect(clippy::unwrap_used, reason = "encoders do not fail in memory")]

use std::collections::BTreeMap;
use std::io::Cursor;

use tiff::encoder::colortype::RGB8;
use tiff::encoder::{Compression, TiffEncoder};

pub(crate) use super::SIDE;
use super::samples;
use Kind::{Byte, Long, Short};

/// The type of an entry's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Byte = 1,
    Short = 3,
    Long = 4,
}

impl Kind {
    fn bytes(self, values: &[u32]) -> Vec<u8> {
        let size = match self {
            Byte => 1,
            Short => 2,
            Long => 4,
        };
        values
            .iter()
            .flat_map(|v| v.to_le_bytes().into_iter().take(size))
            .collect()
    }
}

/// Tag, kind and values.
pub(crate) type TiffEntry<'a> = (u16, Kind, &'a [u32]);

/// A little-endian file: header, directory, values that do not fit into it, strips. An RGB picture without compression
/// unless `entries` say otherwise; they may also say something else about where the strips are.
pub(crate) fn page(entries: &[TiffEntry<'_>], strips: &[&[u8]]) -> Vec<u8> {
    let tiled = entries.iter().any(|(tag, ..)| *tag == 322);
    let (offsets, counts) = if tiled { (324, 325) } else { (273, 279) };
    let nowhere = vec![0; strips.len()];
    let lengths: Vec<u32> = strips
        .iter()
        .map(|s| u32::try_from(s.len()).unwrap())
        .collect();
    let defaults: [TiffEntry<'_>; 8] = [
        (256, Long, &[SIDE]),
        (257, Long, &[SIDE]),
        (258, Short, &[8; 3]),
        (259, Short, &[1]),
        (262, Short, &[2]),
        (offsets, Long, &nowhere),
        (277, Short, &[3]),
        (counts, Long, &lengths),
    ];
    let mut directory: BTreeMap<u16, (Kind, Vec<u32>)> = BTreeMap::new();
    for (tag, kind, values) in defaults.iter().chain(entries) {
        directory.insert(*tag, (*kind, values.to_vec()));
    }
    let behind = 8 + 2 + 12 * directory.len() + 4;
    let outside = |(kind, values): &(Kind, Vec<u32>)| {
        Some(kind.bytes(values).len())
            .filter(|size| *size > 4)
            .unwrap_or(0)
    };
    let mut next = behind + directory.values().map(outside).sum::<usize>();
    if !entries.iter().any(|(tag, ..)| *tag == offsets) {
        let mut places = Vec::new();
        for strip in strips {
            places.push(u32::try_from(next).unwrap());
            next += strip.len();
        }
        directory.insert(offsets, (Long, places));
    }
    let mut file = b"II*\0\x08\0\0\0".to_vec();
    file.extend(u16::try_from(directory.len()).unwrap().to_le_bytes());
    let mut values_outside = Vec::new();
    for (tag, (kind, values)) in &directory {
        let mut bytes = kind.bytes(values);
        file.extend(tag.to_le_bytes());
        file.extend((*kind as u16).to_le_bytes());
        file.extend(u32::try_from(values.len()).unwrap().to_le_bytes());
        if bytes.len() > 4 {
            file.extend(
                u32::try_from(behind + values_outside.len())
                    .unwrap()
                    .to_le_bytes(),
            );
            values_outside.extend(bytes);
        } else {
            bytes.resize(4, 0);
            file.extend(bytes);
        }
    }
    file.extend([0; 4]);
    file.extend(values_outside);
    file.extend(strips.concat());
    file
}

/// Four strips.
pub(crate) fn strips() -> Vec<u8> {
    let samples = samples();
    let strips: Vec<&[u8]> = samples.chunks(8 * 96).collect();
    page(&[(278, Long, &[8])], &strips)
}

/// Four tiles, of which the right and the lower ones reach beyond the picture.
pub(crate) fn tiles() -> Vec<u8> {
    let tile = &[220; 3 * 16 * 16][..];
    let sizes: [TiffEntry<'_>; 4] = [
        (256, Long, &[30]),
        (257, Long, &[20]),
        (322, Short, &[16]),
        (323, Short, &[16]),
    ];
    page(&sizes, &[tile; 4])
}

/// A strip for each colour.
pub(crate) fn planes() -> Vec<u8> {
    page(
        &[(278, Long, &[SIDE]), (284, Short, &[2])],
        &[&[220; 1024][..]; 3],
    )
}

/// A grey JPEG as the only strip.
pub(crate) fn jpeg(strip: &[u8]) -> Vec<u8> {
    let entries: [TiffEntry<'_>; 5] = [
        (258, Short, &[8]),
        (259, Short, &[7]),
        (262, Short, &[1]),
        (277, Short, &[1]),
        (278, Long, &[SIDE]),
    ];
    page(&entries, &[strip])
}

/// Strips as the `tiff` crate writes them.
pub(crate) fn encoded(compression: Compression) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut file)
        .unwrap()
        .with_compression(compression);
    encoder.write_image::<RGB8>(SIDE, SIDE, &samples()).unwrap();
    file.into_inner()
}
