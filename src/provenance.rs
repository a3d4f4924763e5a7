//! Converts the provenance in every PNG of hotcut from and to one line of text. It identifies a file as an output of hotcut and
//! names the version of its source. Must not depend on pixels or paths.

use std::fmt;
use std::ops::Range;

use crate::config::Edges;
use crate::{hex, png_chunks};

/// Keyword of the `tEXt` chunk that carries the provenance (PNG specification, third edition, 11.3.3.2).
pub const KEYWORD: &str = "hotcut";

/// Keyword of the `tEXt` chunk of a sheet: a picture of cutouts, which is not itself a cutout.
pub const SHEET_KEYWORD: &str = "hotcut-sheet";

/// The origin of an output: the source, its bytes, the model and the program.
///
/// As text: `v=1 source=<path> sha256=<64 hex digits> model=<name> version=<crate version>`, followed by ` end=doubtful` if the
/// source is doubtful, and by ` edges=<word>` unless edges are off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Path of the source relative to its hot folder, percent-encoded printable ASCII, no blanks.
    pub source: String,
    /// SHA-256 of the source's bytes.
    pub sha256: [u8; 32],
    /// Name of the model manifest.
    pub model: String,
    /// Version of hotcut that wrote the output.
    pub version: String,
    /// Whether the source may be incomplete: its format has no end mark, and its pixels end in zeros.
    pub is_doubtful: bool,
    /// How its edges were refined. An output without this word comes from a version that had only `off`.
    pub edges: Edges,
}

impl fmt::Display for Provenance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            source,
            sha256,
            model,
            version,
            is_doubtful,
            edges,
        } = self;
        let sha256 = hex::encode(sha256);
        write!(
            f,
            "v=1 source={source} sha256={sha256} model={model} version={version}"
        )?;
        if *is_doubtful {
            write!(f, " end=doubtful")?;
        }
        if *edges != Edges::Off {
            write!(f, " edges={edges}")?;
        }
        Ok(())
    }
}

/// The provenance of a PNG file, from all its bytes or only the first ones. The provenance precedes the pixels, so the first few
/// kilobytes are enough unless the colour profile is large.
///
/// `None` for anything but a PNG of hotcut. Never panics; allocates only if there is a provenance.
pub fn read(png: &[u8]) -> Option<Provenance> {
    locate(png).map(|(provenance, _)| provenance)
}

/// As [`read`], with the range of the whole chunk: length, kind, text and checksum.
pub fn locate(png: &[u8]) -> Option<(Provenance, Range<usize>)> {
    let (text, chunk) = text(png, KEYWORD)?;
    Some((parse(text)?, chunk))
}

/// Whether a PNG is a sheet of hotcut, from all its bytes or only the first ones.
pub fn is_sheet(png: &[u8]) -> bool {
    text(png, SHEET_KEYWORD).is_some()
}

/// The text of the first `tEXt` chunk with this keyword before the pixels, and the range of the whole chunk.
fn text<'a>(png: &'a [u8], keyword: &str) -> Option<(&'a [u8], Range<usize>)> {
    png_chunks::chunks(png)
        .take_while(|chunk| chunk.kind != *b"IDAT")
        .filter(|chunk| chunk.kind == *b"tEXt")
        .find_map(|chunk| {
            let text = chunk.body?.strip_prefix(keyword.as_bytes())?;
            Some((text.strip_prefix(b"\0")?, chunk.place))
        })
}

/// The chunk for `provenance`.
pub fn chunk(provenance: &Provenance) -> Vec<u8> {
    let text = format!("{KEYWORD}\0{provenance}");
    png_chunks::chunk(*b"tEXt", text.as_bytes())
}

fn parse(text: &[u8]) -> Option<Provenance> {
    let text = std::str::from_utf8(text).ok()?;
    let mut words = text.split(' ');
    let mut field = |key: &str| words.next()?.strip_prefix(key)?.strip_prefix('=');
    if field("v")? != "1" {
        return None;
    }
    let mut provenance = Provenance {
        source: field("source")?.to_owned(),
        sha256: hex::decode(field("sha256")?)?,
        model: field("model")?.to_owned(),
        version: field("version")?.to_owned(),
        is_doubtful: false,
        edges: Edges::Off,
    };
    // A later version may add words.
    for word in words {
        match word.split_once('=') {
            Some(("end", end)) => provenance.is_doubtful = end == "doubtful",
            Some(("edges", word)) => provenance.edges = Edges::named(word).unwrap_or(Edges::Off),
            _ => {}
        }
    }
    Some(provenance)
}

#[cfg(test)]
mod tests {
    use super::{Edges, KEYWORD, Provenance, chunk as provenance_chunk, is_sheet, locate, read};
    use crate::png_chunks::{SIGNATURE, chunk};

    fn provenance() -> Provenance {
        Provenance {
            source: "sub/a%20b.jpg".to_owned(),
            sha256: std::array::from_fn(|i| u8::try_from(i * 7).unwrap()),
            model: "u2net".to_owned(),
            version: "0.1.0".to_owned(),
            is_doubtful: false,
            edges: Edges::Off,
        }
    }

    fn png_head(chunks: &[Vec<u8>]) -> Vec<u8> {
        [
            SIGNATURE.to_vec(),
            chunk(*b"IHDR", &[0; 13]),
            chunks.concat(),
        ]
        .concat()
    }

    fn text_chunk() -> Vec<u8> {
        chunk(*b"tEXt", format!("{KEYWORD}\0{}", provenance()).as_bytes())
    }

    #[test]
    fn provenance_is_read_back_as_written() {
        assert_eq!(read(&png_head(&[text_chunk()])), Some(provenance()));
        for (is_doubtful, edges) in [
            (true, Edges::Off),
            (false, Edges::Soft),
            (true, Edges::Auto),
        ] {
            let provenance = Provenance {
                is_doubtful,
                edges,
                ..provenance()
            };
            let text = format!("{KEYWORD}\0{provenance}");
            let png = png_head(&[chunk(*b"tEXt", text.as_bytes())]);
            assert_eq!(read(&png), Some(provenance));
        }
        let later = format!("{KEYWORD}\0{} edges=new more=words", provenance());
        let png = png_head(&[chunk(*b"tEXt", later.as_bytes())]);
        assert_eq!(read(&png), Some(provenance()), "what a later version says");
    }

    #[test]
    fn provenance_is_found_behind_other_chunks_and_not_behind_the_pixels() {
        let other = chunk(*b"tEXt", b"Comment\0hotcut v=1");
        assert_eq!(read(&png_head(&[other, text_chunk()])), Some(provenance()));
        let pixels = chunk(*b"IDAT", &[1, 2, 3]);
        assert_eq!(read(&png_head(&[pixels, text_chunk()])), None);
    }

    #[test]
    fn head_cut_anywhere_gives_no_provenance_and_no_panic() {
        let whole = png_head(&[text_chunk()]);
        for length in 0..whole.len() - 4 {
            assert_eq!(read(&whole[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn chunk_of_a_provenance_is_located_whole() {
        let head = png_head(&[provenance_chunk(&provenance())]);
        let (found, place) = locate(&head).unwrap();
        assert_eq!(
            (found, &head[place]),
            (provenance(), &provenance_chunk(&provenance())[..])
        );
    }

    /// Fails when a sheet counts as a cutout, or a cutout as a sheet: each may be replaced only by its own kind.
    #[test]
    fn sheet_is_no_cutout_and_no_cutout_a_sheet() {
        let sheet = png_head(&[chunk(*b"tEXt", b"hotcut-sheet\0version=1")]);
        assert!(is_sheet(&sheet) && read(&sheet).is_none());
        assert!(!is_sheet(&png_head(&[text_chunk()])));
        let other = png_head(&[chunk(*b"tEXt", b"hotcut-sheets\0version=1")]);
        assert!(!is_sheet(&other));
    }

    #[test]
    fn other_version_or_bad_digest_is_not_ours() {
        for text in [
            "v=2 source=a sha256=00 model=m version=1",
            "v=1 source=a sha256=zz",
            "",
        ] {
            let bytes = format!("{KEYWORD}\0{text}");
            assert_eq!(
                read(&png_head(&[chunk(*b"tEXt", bytes.as_bytes())])),
                None,
                "{text}"
            );
        }
    }

    #[test]
    fn length_beyond_the_file_is_no_provenance() {
        let mut bytes = png_head(&[]);
        bytes.extend(u32::MAX.to_be_bytes());
        bytes.extend(b"tEXt");
        assert_eq!(read(&bytes), None);
    }
}
