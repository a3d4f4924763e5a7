//! A path below a hot folder -> whether hotcut looks at it; reads nothing from disk.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::Folder;

/// Endings of files that editors, browsers and transfer tools are still writing.
const TEMPORARY_ENDINGS: &[&str] = &[
    "~",
    ".tmp",
    ".temp",
    ".part",
    ".partial",
    ".crdownload",
    ".download",
    ".filepart",
    ".!qb",
    ".swp",
    ".lock",
    ".hotcut.txt",
];

/// Folders and files that systems put beside photos.
const LITTER: &[&str] = &[
    "thumbs.db",
    "desktop.ini",
    "ehthumbs.db",
    "@eadir",
    "#recycle",
    "__macosx",
    "lost+found",
    "$recycle.bin",
];

/// Decides by name alone; names are bytes and compared without regard to case.
#[derive(Clone, Debug)]
pub struct Filter {
    folder: Arc<Folder>,
    own: Vec<PathBuf>,
}

impl Filter {
    /// Makes the filter of one folder.
    pub fn new(folder: Arc<Folder>) -> Self {
        let below = |path: &Path| path.strip_prefix(&folder.input).map(Path::to_owned).ok();
        let own = folder.own_folders().filter_map(below).collect();
        Self { folder, own }
    }

    /// Tells whether the folder at `relative` may hold photos.
    pub fn enters(&self, relative: &Path) -> bool {
        !relative.iter().any(|part| is_litter(part.as_bytes()))
            && !self.own.iter().any(|own| relative.starts_with(own))
    }

    /// Tells whether the file at `relative` is one that the folder wants.
    pub fn takes(&self, relative: &Path) -> bool {
        self.enters(relative) && self.folder.include.matches(relative)
    }
}

fn is_litter(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.starts_with(b".")
        || lower.starts_with(b"~$")
        || lower.starts_with(b"~.")
        || LITTER.iter().any(|litter| lower == litter.as_bytes())
        || TEMPORARY_ENDINGS
            .iter()
            .any(|ending| lower.ends_with(ending.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{FailedPolicy, Include, OnSameName, SourcePolicy};
    use std::time::Duration;

    impl Filter {
        /// Takes every JPEG below `input`.
        pub(in crate::intake) fn of_jpegs(input: &Path) -> Self {
            Self::new(Arc::new(Folder {
                name: "a".into(),
                input: input.to_owned(),
                output: "/out".into(),
                model: "m".into(),
                settle: Duration::ZERO,
                include: Include::new(vec!["*.jpg".into()]).unwrap(),
                source: SourcePolicy::Keep,
                on_same_name: OnSameName::Replace,
                failed: FailedPolicy::Note,
            }))
        }
    }

    fn filter() -> Filter {
        Filter::new(Arc::new(Folder {
            name: "a".into(),
            input: "/hot".into(),
            output: "/out".into(),
            model: "m".into(),
            settle: Duration::from_secs(1),
            include: Include::new(vec!["*.jpg".into(), "*.tmp".into()]).unwrap(),
            source: SourcePolicy::Move("/hot/done".into()),
            on_same_name: OnSameName::Number,
            failed: FailedPolicy::Move("/elsewhere".into()),
        }))
    }

    #[test]
    fn photos_are_taken_at_any_depth() {
        for name in ["a.jpg", "sub/deep/B.JPG", "done 2/a.jpg"] {
            assert!(filter().takes(Path::new(name)), "{name}");
        }
    }

    #[test]
    fn litter_and_own_folders_are_left_alone() {
        for name in [
            ".a.jpg",
            "._a.jpg",
            "a.jpg~",
            "a.jpg.part",
            "~$a.jpg",
            "x/@eaDir/a.jpg",
            "__MACOSX/a.jpg",
            "a.tmp",
            "a.jpg.hotcut.txt",
            "done/a.jpg",
            ".hidden/a.jpg",
            "a.txt",
            "a.jpg/readme",
        ] {
            assert!(!filter().takes(Path::new(name)), "{name}");
        }
    }
}
