//! `hotcut init`: proposes a configuration for hot folders, with a comment on every key. Must not write any other file.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::io::{Write as _, stdout};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::CommandError;
use super::config_file::{self, Former};
use super::folder_preview::FolderPreview;
use crate::accounts::{Account, LISTED_BY_OTHERS, LookupError};
use crate::config::{self, Config, Folder};
use crate::fs::disk;
use crate::fs::path_error::AtPath as _;

/// The example configuration, which explains every key.
const EXAMPLE: &str = include_str!("../../config/hotcut.toml");

/// Where the example's folder begins, and the line after it.
const FOLDER: &str = "[[folder]]\n";
const REST: &str = "# The web page, the API";

/// The user of the service.
const SERVICE: &str = "hotcut";

/// Prints a configuration for `inputs`, or writes it to `file`. Without inputs, the user must fill in the folder.
pub fn run(inputs: &[PathBuf], file: Option<&Path>) -> Result<ExitCode, CommandError> {
    // Builds the whole text before it prints or writes, so that a misspelt folder changes nothing.
    let text = proposal(inputs)?;
    let mut out = stdout().lock();
    let Some(file) = file else {
        write!(out, "{text}")?;
        return Ok(ExitCode::SUCCESS);
    };
    Config::parse(file, &text)?;
    let shown = file.display();
    match config_file::replace(file, &text)? {
        Former::Nothing => writeln!(out, "{shown} is written")?,
        Former::Same => writeln!(out, "{shown} says this already; nothing is changed")?,
        Former::Kept(former) => {
            let former = former.display();
            writeln!(out, "{shown} is written; what was there is in {former}")?;
        }
    }
    writeln!(out, "next: hotcut check, then systemctl restart hotcut")?;
    Ok(ExitCode::SUCCESS)
}

fn proposal(inputs: &[PathBuf]) -> Result<String, CommandError> {
    let (begin, rest) = EXAMPLE.split_once(FOLDER).unwrap_or_default();
    let (folder, rest) = rest.split_once(REST).unwrap_or_default();
    let mut out = String::from(begin);
    if inputs.is_empty() {
        write_commented(&mut out, folder);
    }
    let mut names = BTreeSet::new();
    // Once for all folders: a name service may be slow.
    let service = LazyCell::new(|| Account::find(SERVICE));
    for (number, input) in inputs.iter().enumerate() {
        let sketch = Sketch::of(input, &mut names, &service)?;
        sketch.write(&mut out, if number == 0 { folder } else { "" });
    }
    out += REST;
    out += rest;
    Ok(out)
}

/// Writes the example's folder commented out.
fn write_commented(out: &mut String, folder: &str) {
    for line in std::iter::once(FOLDER.trim_end()).chain(folder.lines()) {
        let mark = if line.is_empty() || line.starts_with('#') {
            ""
        } else {
            "# "
        };
        out.extend([mark, line, "\n"]);
    }
}

/// A proposed hot folder.
struct Sketch {
    name: String,
    input: String,
    output: String,
    remarks: Vec<String>,
}

impl Sketch {
    fn of(
        input: &Path,
        names: &mut BTreeSet<String>,
        service: &Result<Option<Account>, LookupError>,
    ) -> Result<Self, CommandError> {
        let asked = input.to_owned();
        let real = disk::ask(input, move |_| std::fs::canonicalize(&asked).at(&asked));
        let input = real.answer().flatten()?;
        let name = name_for(&input, names);
        let output = cutouts_beside(&input);
        let folder = Arc::new(Folder::plain(name, input, output.clone())?);
        let preview = FolderPreview::of(&folder)?;
        let mut remarks = vec![preview.to_string()];
        remarks.extend(preview.not_taken());
        remarks.extend(closed(&folder.input, service)?);
        Ok(Self {
            name: config::quoted(&folder.name),
            input: quoted(&folder.input)?,
            output: quoted(&output)?,
            remarks,
        })
    }

    /// Writes the folder's table: the example's table with this folder's values, or only the values.
    fn write(&self, out: &mut String, example: &str) {
        for remark in &self.remarks {
            out.extend(["# ", &self.input, ": ", remark, ".\n"]);
        }
        let own = [
            ("name", &self.name),
            ("input", &self.input),
            ("output", &self.output),
        ];
        if example.is_empty() {
            *out += &table(own);
            *out += "\n";
            return;
        }
        *out += FOLDER;
        for line in example.lines() {
            let key = line.split_once(" = ").map(|(key, _)| key);
            match own.iter().find(|(own, _)| Some(*own) == key) {
                Some((key, value)) => out.extend([key, " = ", value, "\n"]),
                None => out.extend([line, "\n"]),
            }
        }
    }
}

/// A name for the hot folder `input` that is not in `names`; adds it to `names`.
pub(super) fn name_for(input: &Path, names: &mut BTreeSet<String>) -> String {
    let folder_name = input.file_name().unwrap_or_default().to_string_lossy();
    // Leaves space for a number.
    let name = config::folder_name_of(&folder_name, 60);
    let name = if name.is_empty() { "photos" } else { &name };
    let numbered = (2..).map(|number| format!("{name}-{number}"));
    let mut free = std::iter::once(name.to_owned()).chain(numbered);
    free.find(|name| names.insert(name.clone()))
        .unwrap_or_default()
}

/// The default output folder of a hot folder.
pub(super) fn cutouts_beside(input: &Path) -> PathBuf {
    let mut output = input.as_os_str().to_owned();
    output.push("-cutouts");
    PathBuf::from(output)
}

/// A folder's table in the configuration, with these keys.
pub(super) fn table(keys: [(&str, &String); 3]) -> String {
    let mut text = FOLDER.to_owned();
    for (key, value) in keys {
        text.extend([key, " = ", value, "\n"]);
    }
    text
}

/// What to do when the service, whose user is `service`, may not read the folder, as far as this can be determined.
fn closed(
    input: &Path,
    service: &Result<Option<Account>, LookupError>,
) -> Result<Option<String>, CommandError> {
    let asked = input.to_owned();
    let metadata = disk::ask(input, move |_| asked.metadata().at(&asked));
    let metadata = metadata.answer().flatten()?;
    let (mode, owner, group) = (metadata.mode(), metadata.uid(), metadata.gid());
    let is_open = match service {
        Ok(Some(service)) => service.may_list(mode, owner, group),
        Ok(None) | Err(_) => mode & LISTED_BY_OTHERS == LISTED_BY_OTHERS,
    };
    Ok((!is_open).then(|| {
        match service {
            Ok(Some(service)) if service.is_owner_or_member(owner, group) => {
                format!("its mode ({:o}) does not let the user hotcut look into it", mode & 0o7777)
            }
            Ok(_) => format!(
                "only its owner and its group ({group}) may look into it, so the user hotcut must be in that group"
            ),
            Err(error) => format!(
                "only its owner and its group ({group}) may look into it; whether the user hotcut is in that group is unknown: {error}"
            ),
        }
    }))
}

/// `path` as a quoted value of the configuration.
pub(super) fn quoted(path: &Path) -> Result<String, CommandError> {
    let text = path.to_str().map(config::quoted);
    text.ok_or_else(|| CommandError::Unwritable(path.to_owned()))
}
