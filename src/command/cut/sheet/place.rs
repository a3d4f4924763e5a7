//! Checks the name given with `--sheet FILE.png` and writes the sheet atomically. Must not replace another program's file.

use std::ffi::{OsStr, OsString};
use std::io::{BufWriter, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Weak;

use super::SheetError;
use super::panels::PanelRow;
use super::picture;
use crate::delivery::{Destination, Occupant, Replace, Temp};
use crate::fs::path_error::{AtPath as _, PathError};
use crate::job::hidden_name;

/// The number in the hidden name of a sheet. Each run writes one sheet, and no job has this number.
const NUMBER: i64 = 0;

/// The folder and name of a sheet.
#[derive(Clone, Debug)]
pub(in crate::command::cut) struct SheetPlace {
    folder: PathBuf,
    name: OsString,
}

impl SheetPlace {
    /// The place for a sheet at `path`.
    pub(in crate::command::cut) fn of(path: &Path) -> Result<Self, PathError> {
        let path = std::path::absolute(path).at(path)?;
        Ok(Self {
            folder: path.parent().unwrap_or(Path::new("/")).to_owned(),
            name: path.file_name().unwrap_or_default().to_owned(),
        })
    }

    /// The folder and the name in it.
    pub(in crate::command::cut) fn parts(&self) -> (&Path, &OsStr) {
        (&self.folder, &self.name)
    }

    /// Checks in advance, as far as possible, that a sheet can be written. Creates nothing.
    pub(in crate::command::cut) fn check(&self) -> Result<(), SheetError> {
        let mut existing = self.folder.ancestors().filter(|path| path.exists());
        let existing = existing.next().unwrap_or(Path::new("/"));
        let folder = Destination::open(existing, None)?;
        if !folder.is_writable() {
            return Err(SheetError::Closed(existing.to_owned()));
        }
        // Missing folders are created when the sheet is written.
        if existing != self.folder {
            return Ok(());
        }
        match folder.occupant(&self.name)? {
            Occupant::Free | Occupant::Sheet => Ok(()),
            Occupant::Ours(_) | Occupant::Foreign => {
                Err(SheetError::Taken(self.folder.join(&self.name)))
            }
        }
    }

    /// Writes a sheet of `rows`; stops when the caller no longer waits. Blocks on the disk.
    pub(super) fn write(
        &self,
        rows: &[PanelRow],
        ledger_id: &str,
        is_waited_for: &Weak<()>,
    ) -> Result<(), SheetError> {
        let folder = Destination::open(&self.folder, None)?;
        let hidden = hidden_name(ledger_id, NUMBER, "sheet.tmp");
        let temp = Temp::create(folder, hidden.into())?;
        let mut file = BufWriter::new(temp.writer()?);
        picture::encode(rows, &mut file, || is_waited_for.strong_count() > 0)?;
        file.flush()?;
        let len = file.stream_position()?;
        Ok(temp.place(&self.name, Replace::Sheet, len)?)
    }
}
