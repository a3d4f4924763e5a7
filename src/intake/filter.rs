//! Decides from a path below a hot folder whether hotcut processes it. Must not access the disk.

use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::litter::{is_conflict, is_inner_cache, is_litter, is_sidecar};
use crate::config::Folder;

/// A subfolder is removed after it has been empty for this many times `settle`, since a program may be about to write into it.
const QUIET_TIMES: u32 = 30;

/// Whether a file is taken, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// It is taken.
    Taken,
    /// No pattern of `include` matches its name.
    NotIncluded,
    /// Its name marks a copy that a sync program made because two people changed one file.
    Conflict,
    /// A pattern of `exclude` matches it or a folder that it lies in.
    Excluded,
    /// It belongs to an operating system or another program: a bin, a snapshot, a cache, a temporary file, a sidecar of a photo.
    Litter,
    /// It lies in a folder into which hotcut itself moves photos.
    Own,
}

/// Decides by name alone. Names are bytes and compared without regard to case.
#[derive(Clone, Debug)]
pub struct FileFilter {
    folder: Arc<Folder>,
    own: Vec<PathBuf>,
}

impl FileFilter {
    /// Makes the filter of one folder.
    pub fn new(folder: Arc<Folder>) -> Self {
        let below = |path: &Path| path.strip_prefix(&folder.input).map(Path::to_owned).ok();
        let own = folder.own_folders().filter_map(below).collect();
        Self { folder, own }
    }

    /// How long a subfolder must have been empty before it is removed; `None` if subfolders stay.
    pub(super) fn removes_empty_after(&self) -> Option<Duration> {
        self.folder.tidy.then(|| self.folder.settle * QUIET_TIMES)
    }

    /// Returns whether the folder at `relative` may hold photos.
    pub fn enters(&self, relative: &Path) -> bool {
        self.shuts_out(relative).is_none()
    }

    /// Returns whether the file at `relative` is taken.
    pub fn takes(&self, relative: &Path) -> bool {
        self.judge(relative) == Judgement::Taken
    }

    /// Returns whether the file at `relative` is taken, and if not, why.
    pub fn judge(&self, relative: &Path) -> Judgement {
        if let Some(judgement) = self.shuts_out(relative) {
            return judgement;
        }
        let lower = |part: Option<&std::ffi::OsStr>| {
            part.map(|part| part.as_bytes().to_ascii_lowercase())
                .unwrap_or_default()
        };
        let is_included = self.folder.include.matches(relative);
        if is_included && is_conflict(&lower(relative.file_name())) {
            Judgement::Conflict
        } else if is_included {
            Judgement::Taken
        } else if is_sidecar(&lower(relative.extension())) {
            Judgement::Litter
        } else {
            Judgement::NotIncluded
        }
    }

    /// Why nothing at `relative` or below it is taken, whatever `include` says.
    fn shuts_out(&self, relative: &Path) -> Option<Judgement> {
        if self.own.iter().any(|own| relative.starts_with(own)) {
            return Some(Judgement::Own);
        }
        let mut parent = Vec::new();
        for part in relative {
            let name = part.as_bytes().to_ascii_lowercase();
            if is_litter(&name) || is_inner_cache(&parent, &name) {
                return Some(Judgement::Litter);
            }
            parent = name;
        }
        let exclude = &self.folder.exclude;
        let mut folders = relative.ancestors();
        (!exclude.patterns().is_empty() && folders.any(|path| exclude.matches(path)))
            .then_some(Judgement::Excluded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Edges, FailedPolicy, Include, OnSameName, SourcePolicy};

    impl FileFilter {
        /// Takes every JPEG below `input`.
        pub(in crate::intake) fn of_jpegs(input: &Path) -> Self {
            Self::new(Arc::new(Folder {
                name: "a".into(),
                input: input.to_owned(),
                outputs: Vec::new(),
                model: "m".into(),
                edges: Edges::default(),
                settle: Duration::ZERO,
                include: Include::new(vec!["*.jpg".into()]).unwrap(),
                exclude: Include::default(),
                source: SourcePolicy::Keep,
                on_same_name: OnSameName::Replace,
                failed: FailedPolicy::Note,
                tidy: false,
            }))
        }
    }

    fn filter() -> FileFilter {
        FileFilter::new(Arc::new(Folder {
            name: "a".into(),
            input: "/hot".into(),
            outputs: Vec::new(),
            model: "m".into(),
            edges: Edges::default(),
            settle: Duration::from_secs(1),
            include: Include::new(vec!["*.jpg".into(), "*.tmp".into()]).unwrap(),
            exclude: Include::new(vec![
                "drafts".into(),
                "*-web.jpg".into(),
                "2023/raw".into(),
                "old/".into(),
                "/top/**".into(),
            ])
            .unwrap(),
            source: SourcePolicy::Move("/hot/done".into()),
            on_same_name: OnSameName::Number,
            failed: FailedPolicy::Move("/elsewhere".into()),
            tidy: false,
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

    #[test]
    fn excluded_files_and_folders_are_left_alone() {
        for name in [
            "drafts/a.jpg",
            "x/Drafts/y/a.jpg",
            "a-WEB.jpg",
            "x/a-web.jpg",
            "2023/raw/a.jpg",
            "2023/RAW/x/a.jpg",
            "x/old/a.jpg",
            "top/x/a.jpg",
        ] {
            let judgement = filter().judge(Path::new(name));
            assert_eq!(judgement, Judgement::Excluded, "{name}");
        }
        for name in ["drafts.jpg", "x/2023/raw/a.jpg", "raw/a.jpg", "x/top/a.jpg"] {
            assert!(filter().takes(Path::new(name)), "{name}");
        }
        assert!(!filter().enters(Path::new("x/drafts")));
        assert!(filter().enters(Path::new("2023")));
    }

    #[test]
    fn what_is_not_taken_is_told_apart() {
        for (name, judgement) in [
            ("a.heic", Judgement::NotIncluded),
            ("readme", Judgement::NotIncluded),
            ("a.XMP", Judgement::Litter),
            ("CaptureOne/Cache/Proxies/a.jpg", Judgement::Litter),
            ("CaptureOne/a.jpg", Judgement::Taken),
            ("done/a.jpg", Judgement::Own),
            ("a (Anna's Conflicted Copy).jpg", Judgement::Conflict),
            ("a (conflicted copy).heic", Judgement::NotIncluded),
        ] {
            assert_eq!(filter().judge(Path::new(name)), judgement, "{name}");
        }
    }
}
