//! Copies a cutout for a renamed source: changes the provenance, not the picture. Must not choose a name.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::destination::{Destination, Occupant, read_head};
use super::place::Temp;
use crate::fs::path_error::{AtPath as _, PathError};
use crate::provenance::{self, Provenance};

/// Copies the cutout `name` in `folder` to `temp` with the provenance `wanted`, and returns the copy's length. `None` if the file
/// is gone or has another provenance than `found`.
pub fn copy_with_provenance(
    folder: &Destination,
    name: &OsStr,
    found: &Provenance,
    wanted: &Provenance,
    temp: &Temp,
) -> Result<Option<u64>, PathError> {
    let path = folder.path().join(name);
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let mut cutout = match rustix::fs::openat(folder.directory(), name, flags, Mode::empty()) {
        Err(Errno::NOENT | Errno::LOOP) => return Ok(None),
        opened => File::from(opened.at(&path)?),
    };
    let head = read_head(&mut cutout).at(&path)?;
    let Some((_, place)) = provenance::locate(&head).filter(|(provenance, _)| provenance == found)
    else {
        return Ok(None);
    };
    let mut writer = temp.writer()?;
    let mut copy = || -> io::Result<u64> {
        writer.write_all(&head[..place.start])?;
        let chunk = provenance::chunk(wanted);
        writer.write_all(&chunk)?;
        cutout.seek(SeekFrom::Start(place.end as u64))?;
        let rest = io::copy(&mut cutout, &mut writer)?;
        Ok((place.start + chunk.len()) as u64 + rest)
    };
    copy().at(&path).map(Some)
}

/// Removes the cutout `name` if it still has the provenance `found`: it may have been retouched or replaced.
pub fn remove_cutout(
    folder: &Destination,
    name: &OsStr,
    found: &Provenance,
) -> Result<(), PathError> {
    if folder.occupant(name)? != Occupant::Ours(found.clone()) {
        return Ok(());
    }
    match rustix::fs::unlinkat(folder.directory(), name, AtFlags::empty()) {
        Ok(()) => folder.sync(),
        Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno).at(&folder.path().join(name)),
    }
}
