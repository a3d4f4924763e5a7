//! The table of all formats, one line each. Must not depend on how a format is decoded.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::error::CutoutError;
use super::super::photo::Photo;
use super::end::EndCheck;
use super::limit::Limit;
use super::sniff::Sniffed;

/// What the rest of the crate needs to know about a format. Defined in the format's file.
#[derive(Debug)]
pub(super) struct Descriptor {
    /// The format's name in messages.
    pub(super) name: &'static str,
    /// Usual file name endings, in lower case. The content decides the format, not the ending.
    pub(super) endings: &'static [&'static str],
    /// Classifies a file by its first bytes, which are not all zeros. `None` if another format must decide.
    pub(super) sniff: fn(&[u8]) -> Option<Sniffed>,
    /// Decodes the first picture of a recognised file. Checks the structure, and the limit before it allocates the pixels. May
    /// panic.
    pub(super) decode: fn(&[u8], Limit) -> Result<Photo, CutoutError>,
    /// How to tell whether a decoded file is complete.
    pub(super) end: EndCheck,
}

/// Generates the enum and the table from the same lines, so that both contain every format.
macro_rules! formats {
    ($($format:ident = $file:ident: $doc:literal,)+) => {
        /// A picture format that hotcut reads, told by its first bytes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Format {
            $(#[doc = $doc] $format,)+
        }

        impl Format {
            /// Every format, in the order in which they are asked to classify a file.
            pub(super) const ALL: &[Format] = &[$(Format::$format,)+];

            pub(super) fn descriptor(self) -> &'static Descriptor {
                match self {
                    $(Format::$format => &super::$file::DESCRIPTOR,)+
                }
            }
        }
    };
}

formats! {
    Jpeg = jpeg: "JPEG: baseline, extended sequential and progressive Huffman.",
    Png = png: "PNG.",
    Webp = webp: "WebP, lossy or lossless; of an animation the first frame.",
    Tiff = tiff: "TIFF, first page.",
    Bmp = bmp: "Windows bitmap.",
    Gif = gif: "GIF, first frame.",
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.descriptor().name)
    }
}

/// Whether `ending` (lower case, without a dot) is a usual ending of a supported format.
pub fn is_read_ending(ending: &str) -> bool {
    let mut formats = Format::ALL.iter();
    formats.any(|format| format.descriptor().endings.contains(&ending))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::sniff::sniff;
    use super::super::{is_unsupported_ending, read};
    use super::{Format, Sniffed, is_read_ending};
    use crate::fuzzing::corpus::pictures;

    /// Fails when a new format has no file in the corpus of the fuzzing and truncation tests, or when another format claims its
    /// files.
    #[test]
    fn every_format_reads_its_files_of_the_corpus() {
        let pictures = pictures();
        for format in Format::ALL {
            let mut files = pictures
                .iter()
                .filter(|(_, file)| sniff(file) == Sniffed::Picture(*format));
            assert!(
                files.any(|(_, file)| read(*format, file, 1).is_ok()),
                "{format}"
            );
        }
    }

    /// Fails when an ending belongs to two formats, or to a supported and an unsupported one.
    #[test]
    fn each_ending_belongs_to_one_format() {
        let mut seen = BTreeSet::new();
        for format in Format::ALL {
            for ending in format.descriptor().endings {
                assert!(seen.insert(*ending), "{ending}");
                assert!(is_read_ending(ending) && !is_unsupported_ending(ending));
            }
        }
        assert!(!is_read_ending("heic") && is_unsupported_ending("heic"));
    }
}
