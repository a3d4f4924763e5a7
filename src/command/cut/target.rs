//! Determines the destination of the cutouts from inputs and output, or reports contradictory arguments. Must not change the
//! destination.

use std::ffi::OsString;
use std::io::{IsTerminal as _, stdout};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use super::super::CommandError;
use super::private_folder::PrivateFolder;
use super::sheet::SheetPlace;
use crate::fs::path_error::AtPath as _;
use crate::percent;

/// Stands for stdin as an input, and for stdout as the output.
const DASH: &str = "-";

/// Where the cutouts go.
#[derive(Debug)]
pub(super) enum CutTarget {
    /// Into this folder.
    Folder(PathBuf),
    /// The only cutout gets this name.
    File {
        /// The folder of the file.
        folder: PathBuf,
        /// The name of the file.
        name: OsString,
    },
    /// The only cutout goes to stdout, by way of this folder.
    Stdout(PrivateFolder),
}

/// What is wrong with the arguments.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// The output is one file, but there are several photos.
    #[error("`-o {0}` takes one cutout: name one photo, or give a folder with -o")]
    ManyForOne(String),
    /// The output is one file, but the input is a folder.
    #[error(
        "`-o {output}` takes one cutout, and {input} is a folder: name one photo, or give a folder with -o"
    )]
    FolderForOne {
        /// The input.
        input: String,
        /// The output.
        output: String,
    },
    /// Stdin is not the only input.
    #[error(
        "`-` reads one photo from stdin: give no other input with it, and ./- for a file of that name"
    )]
    StdinAmongOthers,
    /// A photo from stdin gives no name for its cutout.
    #[error(
        "a photo from stdin has no name: say with `-o FILE.png` where its cutout goes, or `-o -` for stdout"
    )]
    StdinIntoFolder,
    /// A PNG is not written to a terminal.
    #[error(
        "`-o -` writes a PNG, and stdout is a terminal: send it to a file or a program, or give `-o FILE.png`"
    )]
    Terminal,
    /// The name of the sheet does not end in `.png`.
    #[error("`--sheet {0}`: the name of a sheet ends in .png")]
    SheetName(String),
    /// The cutout and the sheet have the same name.
    #[error("`--sheet {0}` is where the cutout goes: give the sheet another name")]
    SheetIsOutput(String),
}

impl CutTarget {
    /// The place of a sheet at `path`.
    pub(super) fn sheet(&self, path: &Path) -> Result<SheetPlace, CommandError> {
        let told = || percent::display(path);
        if !is_png(path) {
            return Err(UsageError::SheetName(told()).into());
        }
        let place = SheetPlace::of(path)?;
        if matches!(self, Self::File { folder, name } if place.parts() == (folder, name)) {
            return Err(UsageError::SheetIsOutput(told()).into());
        }
        place.check()?;
        Ok(place)
    }

    /// Interprets `output` for `inputs`.
    pub(super) fn of(inputs: &[PathBuf], output: &Path) -> Result<Self, CommandError> {
        let is_stdin = is_stdin(inputs);
        if !is_stdin && inputs.iter().any(|input| input == Path::new(DASH)) {
            return Err(UsageError::StdinAmongOthers.into());
        }
        let is_stdout = output == Path::new(DASH);
        if !is_stdout && !names_file(output) {
            if is_stdin {
                return Err(UsageError::StdinIntoFolder.into());
            }
            return Ok(Self::Folder(std::path::absolute(output).at(output)?));
        }
        check_only(inputs, output)?;
        if is_stdout {
            if stdout().is_terminal() {
                return Err(UsageError::Terminal.into());
            }
            return Ok(Self::Stdout(PrivateFolder::new()?));
        }
        let path = std::path::absolute(output).at(output)?;
        let (folder, name) = (path.parent(), path.file_name());
        Ok(Self::File {
            folder: folder.unwrap_or(Path::new("/")).to_owned(),
            name: name.unwrap_or_default().to_owned(),
        })
    }
}

/// Whether the only input is stdin.
pub(super) fn is_stdin(inputs: &[PathBuf]) -> bool {
    matches!(inputs, [only] if only == Path::new(DASH))
}

/// Whether `output` is the name of a PNG and not a folder.
fn names_file(output: &Path) -> bool {
    is_png(output) && !output.is_dir()
}

fn is_png(path: &Path) -> bool {
    let name = path.as_os_str().as_bytes().to_ascii_lowercase();
    name.ends_with(b".png")
}

fn check_only(inputs: &[PathBuf], output: &Path) -> Result<(), UsageError> {
    let output = percent::display(output);
    match inputs {
        [only] if only.is_dir() && !is_stdin(inputs) => Err(UsageError::FolderForOne {
            input: percent::display(only),
            output,
        }),
        [_] => Ok(()),
        _ => Err(UsageError::ManyForOne(output)),
    }
}
