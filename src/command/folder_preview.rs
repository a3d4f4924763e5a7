//! Describes the content of a hot folder before it is served, in sentences for a person. Must not change anything.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use bytesize::ByteSize;

use super::not_taken::{Remedy, sentences};
use crate::config::{FailedPolicy, Folder, OnSameName, SourcePolicy};
use crate::fs::disk;
use crate::fs::disk::Pulse;
use crate::fs::mount;
use crate::fs::path_error::PathError;
use crate::fs::root::Root;
use crate::intake::{FileFilter, Found, Listing, NotTaken, Walk};

/// The content of a hot folder.
#[derive(Debug)]
pub(super) struct FolderPreview {
    /// Files that the folder takes.
    photos: u64,
    /// Their total size.
    bytes: u64,
    /// The name of the file system, if it does not report changes made on other machines.
    deaf_kind: Option<&'static str>,
    /// The first unreadable subfolder, if any. It does not prevent the other subfolders from being served.
    unreadable: Option<PathError>,
    /// Files that the folder does not take.
    not_taken: NotTaken,
}

impl FolderPreview {
    /// Lists the hot folder of `folder`. Fails when its disk does not respond.
    pub(super) fn of(folder: &Arc<Folder>) -> Result<Self, PathError> {
        let asked = Arc::clone(folder);
        let look = disk::ask(&folder.input, move |pulse| Self::look(&asked, pulse));
        look.answer().flatten()
    }

    fn look(folder: &Arc<Folder>, pulse: &Pulse) -> Result<Self, PathError> {
        let root = Root::open(&folder.input, None)?;
        let filter = FileFilter::new(Arc::clone(folder));
        let (mut photos, mut bytes) = (0, 0);
        let walk = Walk {
            root: &root,
            filter: &filter,
            pulse,
        };
        let listing = walk.below(Path::new(""), &mut |seen| {
            for observation in seen {
                if let Found::File(stamp) = observation.found
                    && stamp.len > 0
                {
                    photos += 1;
                    bytes += stamp.len;
                }
            }
            Ok::<_, PathError>(())
        })?;
        let Listing {
            unreadable,
            not_taken,
            empty: _,
        } = listing;
        Ok(Self {
            photos,
            bytes,
            deaf_kind: mount::deaf_kind(&folder.input)?,
            unreadable,
            not_taken,
        })
    }

    /// Sentences about the files that the folder does not take.
    pub(super) fn not_taken(&self) -> Vec<String> {
        sentences(&self.not_taken, Remedy::Include)
    }
}

impl fmt::Display for FolderPreview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.deaf_kind {
            None => f.write_str("it is watched")?,
            Some(kind) => write!(
                f,
                "it is listed every `rescan`, since {kind} does not tell what others write"
            )?,
        }
        let size = ByteSize(self.bytes);
        match self.photos {
            0 => f.write_str("; no photo lies in it now")?,
            1 => write!(f, "; 1 photo lies in it now ({size})")?,
            photos => write!(f, "; {photos} photos lie in it now ({size})")?,
        }
        match &self.unreadable {
            Some(error) => write!(f, "; what lies in a subfolder is out of reach: {error}"),
            None => Ok(()),
        }
    }
}

/// What happens to the photos of a folder.
pub(super) struct SourcePlan<'a>(pub(super) &'a Folder);

impl fmt::Display for SourcePlan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(folder) = self;
        match &folder.source {
            SourcePolicy::Keep => f.write_str("photos stay where they are")?,
            SourcePolicy::Move(done) => {
                write!(f, "photos that are done are moved to {}", done.display())?;
            }
            SourcePolicy::Delete => f.write_str("photos that are done are DELETED")?,
        }
        if folder.tidy {
            f.write_str(", and subfolders that this empties are removed")?;
        }
        match folder.on_same_name {
            OnSameName::Number => f.write_str("; another photo of the same name gets a number")?,
            OnSameName::Replace => {
                f.write_str("; another photo of the same name replaces the earlier cutout")?;
            }
        }
        match &folder.failed {
            FailedPolicy::Note => {
                f.write_str("; one that cannot be cut out stays, with a note beside it")
            }
            FailedPolicy::Move(failed) => write!(
                f,
                "; one that cannot be cut out is moved to {}, with a note",
                failed.display()
            ),
            FailedPolicy::Leave => f.write_str("; one that cannot be cut out stays"),
        }
    }
}
