//! Converts the sidecars of a photo that is being moved (`a.xmp`, `a.jpg.xmp`) to the same beside its new name. Must not touch the
//! photo.

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
use super::retire::Retiree;
use crate::fs::rename::{self, Entry, RenameError};
use crate::path_error::{AtPath as _, PathError};
use crate::stamp::Stamp;

/// The endings of a sidecar, as programs write them.
const ENDINGS: [&str; 2] = [".xmp", ".XMP"];

/// Moves the sidecars of `photo` into `target`, where the photo will be `moved_name`. Nothing there is replaced: a sidecar whose
/// name is taken gets a number behind it.
pub(super) fn move_along(
    photo: &Retiree,
    target: &Destination,
    moved_name: &OsStr,
) -> Result<(), PlaceError> {
    let stem = Path::new(&photo.name).file_stem().unwrap_or_default();
    let moved_stem = Path::new(moved_name).file_stem().unwrap_or_default();
    for ending in ENDINGS {
        let sidecar = Sidecar {
            photo,
            name: with(&photo.name, ending),
        };
        sidecar.move_to(target, &with(moved_name, ending))?;
        let sidecar = Sidecar {
            photo,
            name: with(stem, ending),
        };
        // One stem may be that of several files, as of a raw picture and its JPEG: the last one takes it along.
        if sidecar.exists()? && !has_sibling(photo, stem)? {
            sidecar.move_to(target, &with(moved_stem, ending))?;
        }
    }
    Ok(())
}

/// Returns `a.xmp`, `a.xmp-2`, `a.xmp-3`, …: with its number before the ending it would be the sidecar of another photo. Never ends.
fn sidecar_names(wanted: &OsStr) -> impl Iterator<Item = OsString> {
    let numbered = |number| names::fitted(wanted, &format!("-{number}"));
    std::iter::once(names::fitted(wanted, "")).chain((2_u32..).map(numbered))
}

fn with(name: &OsStr, ending: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(ending);
    name
}

/// Tells whether another file than sidecars has the stem of `photo`, which is under its hidden name.
fn has_sibling(photo: &Retiree, stem: &OsStr) -> Result<bool, PathError> {
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

/// A file beside a photo, which describes it.
struct Sidecar<'a> {
    photo: &'a Retiree,
    name: OsString,
}

impl Sidecar<'_> {
    fn exists(&self) -> Result<bool, PathError> {
        match Stamp::read(self.photo.folder.directory(), &self.name) {
            Ok((_, kind)) => Ok(kind == FileType::RegularFile),
            // The photo's own name may leave no room for another ending.
            Err(Errno::NOENT | Errno::NAMETOOLONG) => Ok(false),
            Err(errno) => Err(errno).at(&self.photo.folder.path().join(&self.name)),
        }
    }

    fn move_to(&self, target: &Destination, wanted: &OsStr) -> Result<(), PlaceError> {
        if !self.exists()? {
            return Ok(());
        }
        let from = Entry {
            directory: self.photo.folder.directory(),
            name: &self.name,
        };
        for name in sidecar_names(wanted) {
            let to = Entry {
                directory: target.directory(),
                name: &name,
            };
            match rename::to_free(from, to) {
                // Its program has just replaced or removed it.
                Ok(()) | Err(RenameError::Failed(Errno::NOENT)) => return Ok(()),
                Err(RenameError::Taken | RenameError::Failed(Errno::NAMETOOLONG)) => {}
                Err(RenameError::Failed(Errno::XDEV)) => return self.copy_to(target, wanted),
                Err(error @ (RenameError::Unsafe { .. } | RenameError::Failed(_))) => {
                    return Ok(Err(error).at(&target.path().join(name))?);
                }
            }
        }
        Ok(())
    }

    /// The target is on another file system: the copy is durable before the sidecar goes.
    fn copy_to(&self, target: &Destination, wanted: &OsStr) -> Result<(), PlaceError> {
        let folder = &self.photo.folder;
        let path = folder.path().join(&self.name);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(folder.directory(), &self.name, flags, Mode::empty());
        let mut file = File::from(file.at(&path)?);
        let (stamp, _) = Stamp::read(&file, OsStr::new("")).at(&path)?;
        for name in sidecar_names(wanted) {
            io::Seek::rewind(&mut file).at(&path)?;
            let temp = Temp::create(target.try_clone()?, self.photo.aside.clone())?;
            let mut writer = temp.writer()?;
            let length = io::copy(&mut file, &mut writer).at(&target.path().join(&name))?;
            keep_mode_and_times(&file, &writer).at(&path)?;
            match temp.place(&name, Replace::Never, length) {
                Ok(()) => {}
                // A crash came between copy and removal of an earlier try.
                Err(PlaceError::Taken(copy)) if is_copy(&file, &copy)? => {}
                Err(PlaceError::Taken(_)) => continue,
                Err(error) => return Err(error),
            }
            // Somebody who has saved it meanwhile keeps what was saved.
            let found = Stamp::read(folder.directory(), &self.name);
            if found.is_ok_and(|(found, _)| found.same_version(&stamp)) {
                rustix::fs::unlinkat(folder.directory(), &self.name, AtFlags::empty()).at(&path)?;
            }
            return Ok(());
        }
        Ok(())
    }
}
