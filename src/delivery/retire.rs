//! Moves or deletes a source that is done or has failed, and never another file in its place. Must not decide which.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::PathBuf;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::copy::{is_copy, keep_mode_and_times};
use super::destination::Destination;
use super::names;
use super::place::{PlaceError, Replace, Temp};
use super::sidecars::Sidecars;
use crate::fs::path_error::{AtPath as _, PathError};
use crate::fs::rename::{self, DirectoryEntry, RenameError};
use crate::fs::stamp::Stamp;

/// A source in its folder, as it was when it was processed.
#[derive(Debug)]
pub struct RetiringSource {
    /// The folder that holds it.
    pub folder: Destination,
    /// The name in the folder.
    pub name: OsString,
    /// The version that was processed.
    pub stamp: Stamp,
    /// A hidden name in the same folder, used only by this job.
    pub aside: OsString,
    /// The number of its cutout among photos of the same name, from 1. The moved source gets the same number.
    pub number: u32,
}

/// What happened to a source.
#[derive(Debug, PartialEq, Eq)]
pub enum Retired {
    /// It was moved to this path.
    Moved(PathBuf),
    /// It was deleted.
    Deleted,
    /// Another version, or no file, had its name; nothing was changed.
    Superseded,
}

impl RetiringSource {
    /// Deletes the source.
    pub fn delete(self) -> Result<Retired, PathError> {
        if !self.set_aside()? {
            return Ok(Retired::Superseded);
        }
        let path = self.folder.path().join(&self.name);
        match rustix::fs::unlinkat(self.folder.directory(), &self.aside, AtFlags::empty()) {
            // A network server had removed the file, but its reply was lost.
            Err(Errno::NOENT) | Ok(()) => {}
            Err(errno) => {
                self.put_back()?;
                return Err(errno).at(&path);
            }
        }
        self.folder.sync()?;
        Ok(Retired::Deleted)
    }

    /// Moves the source into `target` under its own name, or a numbered one if that is taken.
    pub fn move_to(self, target: Destination) -> Result<Retired, PlaceError> {
        let beside = target.try_clone()?;
        if !self.set_aside()? {
            let earlier = self.moved_before(&target).map(Retired::Moved);
            return Ok(earlier.unwrap_or(Retired::Superseded));
        }
        let mut sidecars = Sidecars::new(&self, &beside);
        let moved = self
            .bring_sidecars(&mut sidecars, &beside)
            .and_then(|()| self.move_aside_to(target, &sidecars));
        match moved {
            Ok(Retired::Superseded) => sidecars.take_back()?,
            Ok(Retired::Moved(_) | Retired::Deleted) => {}
            Err(error) => {
                // When the hidden name is gone, the source is already in the target but is not yet durable there.
                if self.folder.has(&self.aside).unwrap_or(false) {
                    // Sidecars that cannot be moved back stay in the target; the next try moves the photo there.
                    sidecars.take_back().ok();
                }
                self.put_back()?;
                return Err(error);
            }
        }
        moved
    }

    /// Finds the source in `target` after an earlier move that could not be recorded. A copy on another file system has another
    /// inode.
    fn moved_before(&self, target: &Destination) -> Option<PathBuf> {
        for name in names::moved_names(&self.name, self.number) {
            // Names are assigned in order, so the source is not behind a free name.
            let (found, _) = Stamp::read(target.directory(), &name).ok()?;
            if (found.len, found.mtime_ns) == (self.stamp.len, self.stamp.mtime_ns) {
                return Some(target.path().join(name));
            }
        }
        None
    }

    /// Renames the source to its hidden name, so that it cannot be replaced during the following checks. False if it is another
    /// version.
    fn set_aside(&self) -> Result<bool, PathError> {
        let path = self.folder.path().join(&self.name);
        let directory = self.folder.directory();
        let has_name = self.is_ours(&self.name);
        if self.is_ours(&self.aside) {
            if !has_name {
                // An earlier try crashed between two steps and left the source under its hidden name.
                return Ok(true);
            }
            // Two links to one file: an earlier try could not remove the second one.
            rustix::fs::unlinkat(directory, &self.aside, AtFlags::empty()).at(&path)?;
        }
        if !has_name {
            return Ok(false);
        }
        match rename::to_hidden(self.entry(&self.name), self.entry(&self.aside)) {
            Ok(()) => {}
            Err(RenameError::Failed(Errno::NOENT)) => return Ok(false),
            Err(error @ RenameError::Unsafe { .. }) => return Err(error).at(self.folder.path()),
            Err(error @ (RenameError::Taken | RenameError::Failed(_))) => {
                return Err(error).at(&path);
            }
        }
        if self.is_ours(&self.aside) {
            return Ok(true);
        }
        self.put_back()?;
        Ok(false)
    }

    fn is_ours(&self, name: &OsStr) -> bool {
        Stamp::read(self.folder.directory(), name)
            .is_ok_and(|(found, _)| found.same_version(&self.stamp))
    }

    fn entry<'a>(&'a self, name: &'a OsStr) -> DirectoryEntry<'a> {
        let directory = self.folder.directory();
        DirectoryEntry { directory, name }
    }

    /// Whether the source was written after it was renamed, by a program that already had it open. If so, puts it back.
    fn has_changed_aside(&self) -> Result<bool, PathError> {
        let has_changed = !self.is_ours(&self.aside);
        if has_changed {
            self.put_back()?;
        }
        Ok(has_changed)
    }

    fn put_back(&self) -> Result<(), PathError> {
        put_back_stray(&self.folder, &self.aside, &self.name)
    }

    /// Moves the sidecars first. After a crash in between, the source still has its hidden name and the whole move is repeated.
    fn bring_sidecars(
        &self,
        sidecars: &mut Sidecars<'_>,
        target: &Destination,
    ) -> Result<(), PlaceError> {
        let is_near = target.shares_disk_with(&self.folder)?;
        for name in names::moved_names(&self.name, self.number) {
            // On another disk, an earlier try may have copied the photo already.
            if !target.has(&name)?
                || !is_near && is_copy(&self.open_aside()?, &target.path().join(&name))?
            {
                return sidecars.bring(&name);
            }
        }
        Ok(())
    }

    fn open_aside(&self) -> Result<File, PathError> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let source = rustix::fs::openat(self.folder.directory(), &self.aside, flags, Mode::empty());
        Ok(File::from(source.at(&self.folder.path().join(&self.name))?))
    }

    fn move_aside_to(
        &self,
        target: Destination,
        sidecars: &Sidecars<'_>,
    ) -> Result<Retired, PlaceError> {
        for name in names::moved_names(&self.name, self.number) {
            let path = target.path().join(&name);
            let to = DirectoryEntry {
                directory: target.directory(),
                name: &name,
            };
            match rename::to_free(self.entry(&self.aside), to) {
                Ok(()) => {
                    sidecars.remove_copied()?;
                    target.sync()?;
                    self.folder.sync()?;
                    return Ok(Retired::Moved(path));
                }
                Err(RenameError::Taken) => {}
                Err(RenameError::Failed(Errno::XDEV)) => {
                    return self.copy_aside_to(target, sidecars);
                }
                Err(error @ (RenameError::Unsafe { .. } | RenameError::Failed(_))) => {
                    return Ok(Err(error).at(&path)?);
                }
            }
        }
        Ok(Retired::Superseded)
    }

    /// Copies the source to a target on another file system. The copy is durable before the source is removed.
    fn copy_aside_to(
        &self,
        target: Destination,
        sidecars: &Sidecars<'_>,
    ) -> Result<Retired, PlaceError> {
        let path = self.folder.path().join(&self.name);
        let folder = target.path().to_owned();
        let mut source = self.open_aside()?;
        let mut target = Some(target);
        for name in names::moved_names(&self.name, self.number) {
            let destination = match target.take() {
                Some(first) => first,
                None => Destination::open(&folder, None)?,
            };
            io::Seek::rewind(&mut source).at(&path)?;
            let temp = Temp::create(destination, self.aside.clone())?;
            let mut writer = temp.writer()?;
            let length = io::copy(&mut source, &mut writer).at(&folder.join(&name))?;
            keep_mode_and_times(&source, &writer).at(&path)?;
            if self.has_changed_aside()? {
                return Ok(Retired::Superseded);
            }
            match temp.place(&name, Replace::Never, length) {
                Ok(()) => {}
                // An earlier try crashed between copy and removal.
                Err(PlaceError::Taken(copy)) if is_copy(&source, &copy)? => {}
                Err(PlaceError::Taken(_)) => continue,
                Err(error) => return Err(error),
            }
            // The copy has the processed content, but the source may have changed while the copy was made durable.
            if self.has_changed_aside()? {
                return Ok(Retired::Superseded);
            }
            sidecars.remove_copied()?;
            rustix::fs::unlinkat(self.folder.directory(), &self.aside, AtFlags::empty())
                .at(&path)?;
            self.folder.sync()?;
            return Ok(Retired::Moved(folder.join(name)));
        }
        Ok(Retired::Superseded)
    }
}

/// Gives a source that a crash left under the hidden name `aside` its `name` back, or a numbered one if that is taken. Does nothing
/// if the source is gone.
pub fn put_back_stray(folder: &Destination, aside: &OsStr, name: &OsStr) -> Result<(), PathError> {
    let directory = folder.directory();
    for name in names::moved_names(name, 1) {
        let [from, to] = [aside, &name].map(|name| DirectoryEntry { directory, name });
        match rename::to_free(from, to) {
            Ok(()) | Err(RenameError::Failed(Errno::NOENT)) => return Ok(()),
            Err(RenameError::Taken) => {}
            Err(error @ (RenameError::Unsafe { .. } | RenameError::Failed(_))) => {
                return Err(error).at(&folder.path().join(&name));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
