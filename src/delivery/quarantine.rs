//! Writes a note for the photographer about a source that cannot succeed, beside it or in the `failed` folder.

use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::io::Write as _;

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::destination::Destination;
use super::names;
use super::place::{PlaceError, Replace, Temp};
use crate::fs::path_error::{AtPath as _, PathError};
use crate::percent;

/// The name of the note on `name`.
fn note_name(name: &OsStr) -> OsString {
    names::fitted(name, ".hotcut.txt")
}

/// Writes the reason into `folder` as the note on `name`. Uses `temp`, a hidden name that only this job uses.
pub fn write_note(
    folder: Destination,
    name: &OsStr,
    temp: OsString,
    reason: &dyn Display,
) -> Result<(), PlaceError> {
    let note = note_name(name);
    let text = format!(
        "hotcut could not cut out {}: {reason}\n",
        percent::display(name.as_ref())
    );
    let path = folder.path().join(&note);
    let temp = Temp::create(folder, temp)?;
    temp.writer()?.write_all(text.as_bytes()).at(&path)?;
    temp.place(&note, Replace::Any, text.len() as u64)
}

/// Removes the note on a source that has succeeded, if it exists.
pub fn remove_note(folder: &Destination, name: &OsStr) -> Result<(), PathError> {
    let note = note_name(name);
    match rustix::fs::unlinkat(folder.directory(), &note, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(errno) => Err(errno).at(&folder.path().join(note)),
    }
}
