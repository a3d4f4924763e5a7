//! Converts a `Format` to what is known of it: one line a format. Must not know how a format is read.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::super::error::CutoutError;
use super::super::photo::Photo;
use super::end::EndCheck;
use super::limit::Limit;
use super::sniff::Sniffed;

/// All that the rest of the crate asks of a format; the file of the format has it.
#[derive(Debug)]
pub(super) struct Descriptor {
    /// The format as messages call it.
    pub(super) name: &'static str,
    /// Endings that files of the format usually have, in lower case. The content decides, not the ending.
    pub(super) endings: &'static [&'static str],
    /// The first bytes of a file -> what it is. `None` if it is for another format to say. The bytes are not all zeros.
    pub(super) sniff: fn(&[u8]) -> Option<Sniffed>,
    /// A file that was recognised -> its first picture. Checks the structure, and the limit before it makes room for
    /// pixels. May panic.
    pub(super) decode: fn(&[u8], Limit) -> Result<Photo, CutoutError>,
    /// How it is known of a file that gave a picture whether it has its end.
    pub(super) end: EndCheck,
}

/// Makes the enum and the table from the same lines, so that neither can lack a format.
macro_rules! formats {
    ($($format:ident = $file:ident: $doc:literal,)+) => {
        /// A picture format that hotcut reads, told by its first bytes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub enum Format {
            $(#[doc = $doc] $format,)+
        }

        impl Format {
            /// Every format. They are asked what a file is in this order.
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

/// Whether files of a format that is read usually end so; `ending` is in lower case and without a dot.
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

    /// Fails when a format is added without a file that fuzzing and the tests of truncation start from, or when its
    /// sniffing leaves its own files to another format.
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

    /// Fails when an ending belongs to two formats, or to one that is read and one that is not.
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
