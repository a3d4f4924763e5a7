//! Moves the sidecars of a photo (`a.xmp`, `a.jpg.xmp`) with the photo to its new name, or back. Must not touch the photo.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags};
use rustix::io::Errno;

use super::copy::{is_copy, keep_mode_and_times};
use super::destination::Destination;
use super::names;
use super::place::{PlaceError, Replace, Temp};
use super::retire::RetiringSource;
use crate::fs::path_error::{AtPath as _, PathError};
use crate::fs::rename::{self, DirectoryEntry, RenameError};
use crate::fs::stamp::Stamp;

/// The endings of a sidecar, as programs write them.
const ENDINGS: [&str; 2] = [".xmp", ".XMP"];

/// The sidecars that move with a photo.
pub(super) struct Sidecars<'a> {
    photo: &'a RetiringSource,
    target: &'a Destination,
    brought: Vec<Brought>,
}

/// A sidecar that has been moved to the target.
struct Brought {
    /// Its name beside the photo.
    home: OsString,
    /// Its name in the target.
    name: OsString,
    way: CopyKind,
}

/// How it was moved.
enum CopyKind {
    Renamed,
    /// The target is on another file system. The original stays beside the photo until the photo is in the target.
    Copied {
        original: Stamp,
        /// `None` if an earlier try made the copy.
        copy: Option<Stamp>,
    },
}

impl Brought {
    fn is_copy_of(&self, file: &Stamp) -> bool {
        matches!(&self.way, CopyKind::Copied { original, .. } if original.same_version(file))
    }
}

impl<'a> Sidecars<'a> {
    /// The sidecars of `photo`; none is in `target` yet.
    pub(super) fn new(photo: &'a RetiringSource, target: &'a Destination) -> Self {
        Self {
            photo,
            target,
            brought: Vec::new(),
        }
    }

    /// Moves the sidecars to the target, where the photo will be `moved_name`. Replaces no file: a sidecar whose name is taken gets
    /// a number at its end.
    pub(super) fn bring(&mut self, moved_name: &OsStr) -> Result<(), PlaceError> {
        let photo = self.photo;
        // A later photo has the name now, and the sidecars belong to it.
        if photo.has_file(&photo.name)? {
            return Ok(());
        }
        let stem = Path::new(&photo.name).file_stem().unwrap_or_default();
        let moved_stem = Path::new(moved_name).file_stem().unwrap_or_default();
        for ending in ENDINGS {
            self.bring_one(with(&photo.name, ending), &with(moved_name, ending))?;
            let name = with(stem, ending);
            // Several files may share a stem, such as a raw file and its JPEG. The last one takes the sidecar along.
            if photo.has_file(&name)? && !has_sibling(photo, stem)? {
                self.bring_one(name, &with(moved_stem, ending))?;
            }
        }
        Ok(())
    }

    fn bring_one(&mut self, home: OsString, wanted: &OsStr) -> Result<(), PlaceError> {
        if !self.photo.has_file(&home)? {
            return Ok(());
        }
        let from = DirectoryEntry {
            directory: self.photo.folder.directory(),
            name: &home,
        };
        match rename_near(from, self.target, wanted) {
            Ok(Some(name)) => {
                let way = CopyKind::Renamed;
                self.brought.push(Brought { home, name, way });
                Ok(())
            }
            // Another program has just replaced or removed the sidecar.
            Ok(None) => Ok(()),
            Err(RenameError::Failed(Errno::XDEV)) => self.copy_one(home, wanted),
            Err(
                error @ (RenameError::Unsafe { .. } | RenameError::Taken | RenameError::Failed(_)),
            ) => Ok(Err(error).at(&self.target.path().join(wanted))?),
        }
    }

    pub(super) fn copy_one(&mut self, home: OsString, wanted: &OsStr) -> Result<(), PlaceError> {
        let (folder, target) = (&self.photo.folder, self.target);
        let path = folder.path().join(&home);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(folder.directory(), &home, flags, Mode::empty());
        let mut file = File::from(file.at(&path)?);
        let (original, _) = Stamp::read(&file, OsStr::new("")).at(&path)?;
        // A case-insensitive folder has the sidecar under both `a.xmp` and `a.XMP`.
        if self.brought.iter().any(|one| one.is_copy_of(&original)) {
            return Ok(());
        }
        for name in sidecar_names(wanted) {
            io::Seek::rewind(&mut file).at(&path)?;
            let temp = Temp::create(target.try_clone()?, self.photo.aside.clone())?;
            let mut writer = temp.writer()?;
            let length = io::copy(&mut file, &mut writer).at(&target.path().join(&name))?;
            keep_mode_and_times(&file, &writer).at(&path)?;
            let copy = match temp.place(&name, Replace::Never, length) {
                Ok(()) => Some(Stamp::read(&writer, OsStr::new("")).at(&path)?.0),
                // An earlier try crashed between copy and removal.
                Err(PlaceError::Taken(copy)) if is_copy(&file, &copy)? => None,
                Err(PlaceError::Taken(_)) => continue,
                Err(error) => return Err(error),
            };
            let way = CopyKind::Copied { original, copy };
            self.brought.push(Brought { home, name, way });
            return Ok(());
        }
        Ok(())
    }

    /// Removes the copied originals beside the photo. The photo is in the target and about to be removed from its folder.
    pub(super) fn remove_copied(&self) -> Result<(), PathError> {
        for brought in &self.brought {
            // Keeps an original that was saved again in the meantime.
            if let CopyKind::Copied { original, .. } = &brought.way {
                remove_version(&self.photo.folder, &brought.home, original)?;
            }
        }
        Ok(())
    }

    /// Moves the sidecars back beside the photo, which stays in its folder. Tries all, and returns the first error.
    pub(super) fn take_back(&self) -> Result<(), PathError> {
        let results = self
            .brought
            .iter()
            .map(|brought| self.take_one_back(brought));
        results.fold(Ok(()), Result::and)
    }

    fn take_one_back(&self, Brought { home, name, way }: &Brought) -> Result<(), PathError> {
        let (folder, target) = (&self.photo.folder, self.target);
        match way {
            CopyKind::Renamed => {
                let directory = target.directory();
                let from = DirectoryEntry { directory, name };
                rename_near(from, folder, home).at(&folder.path().join(home))?;
            }
            // An original that was saved in the meantime is newer than the copy.
            CopyKind::Copied { copy, .. } => {
                if let Some(copy) = copy
                    && self.photo.has_file(home)?
                {
                    remove_version(target, name, copy)?;
                }
            }
        }
        Ok(())
    }
}

/// Gives a file the name `wanted` in `to`, or a numbered one if that is taken, and returns the name. `None` if the file is gone.
fn rename_near(
    from: DirectoryEntry<'_>,
    to: &Destination,
    wanted: &OsStr,
) -> Result<Option<OsString>, RenameError> {
    for name in sidecar_names(wanted) {
        let directory = to.directory();
        let named = DirectoryEntry {
            directory,
            name: &name,
        };
        match rename::to_free(from, named) {
            Ok(()) => return Ok(Some(name)),
            Err(RenameError::Failed(Errno::NOENT)) => return Ok(None),
            Err(RenameError::Taken | RenameError::Failed(Errno::NAMETOOLONG)) => {}
            Err(error @ (RenameError::Unsafe { .. } | RenameError::Failed(_))) => {
                return Err(error);
            }
        }
    }
    Ok(None)
}

fn remove_version(folder: &Destination, name: &OsStr, stamp: &Stamp) -> Result<(), PathError> {
    let found = Stamp::read(folder.directory(), name);
    if found.is_ok_and(|(found, _)| found.same_version(stamp)) {
        let path = folder.path().join(name);
        rustix::fs::unlinkat(folder.directory(), name, AtFlags::empty()).at(&path)?;
    }
    Ok(())
}

/// Returns `a.xmp`, `a.xmp-2`, `a.xmp-3`, …. With the number before the ending it would be the sidecar of another photo. Never
/// ends.
fn sidecar_names(wanted: &OsStr) -> impl Iterator<Item = OsString> {
    let numbered = |number| names::fitted(wanted, &format!("-{number}"));
    std::iter::once(names::fitted(wanted, "")).chain((2_u32..).map(numbered))
}

fn with(name: &OsStr, ending: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(ending);
    name
}

/// Whether a file other than a sidecar has the stem of `photo`; the photo itself has its hidden name.
fn has_sibling(photo: &RetiringSource, stem: &OsStr) -> Result<bool, PathError> {
    let path = photo.folder.path();
    for entry in Dir::read_from(photo.folder.directory()).at(path)? {
        let entry = entry.at(path)?;
        let name = Path::new(OsStr::from_bytes(entry.file_name().to_bytes()));
        let is_sidecar = ENDINGS.iter().any(|ending| name == with(stem, ending));
        let is_folder = entry.file_type() == FileType::Directory;
        if name.file_stem() == Some(stem) && !is_sidecar && !is_folder {
            return Ok(true);
        }
    }
    Ok(false)
}

impl RetiringSource {
    /// Whether a regular file has `name` in the photo's folder.
    fn has_file(&self, name: &OsStr) -> Result<bool, PathError> {
        match Stamp::read(self.folder.directory(), name) {
            Ok((_, kind)) => Ok(kind == FileType::RegularFile),
            // The photo's own name may be too long for another ending.
            Err(Errno::NOENT | Errno::NAMETOOLONG) => Ok(false),
            Err(errno) => Err(errno).at(&self.folder.path().join(name)),
        }
    }
}
