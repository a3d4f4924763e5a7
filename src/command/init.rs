//! `hotcut init`: hot folders -> a configuration that serves them, with a comment on every key. Writes no file.

use std::collections::BTreeSet;
use std::io::{self, Write, stdout};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::CommandError;
use super::account::{Account, LISTED_BY_OTHERS};
use super::outlook::Outlook;
use crate::config::{self, Folder};
use crate::path_error::AtPath as _;

/// The example that explains every key.
const EXAMPLE: &str = include_str!("../../config/hotcut.toml");

/// Where its folder begins, and what comes after it.
const FOLDER: &str = "[[folder]]\n";
const REST: &str = "# The web page, the API";

/// Whom the service runs as.
const SERVICE: &str = "hotcut";

/// Prints a configuration for `inputs`; if there are none, one whose folder is still to be filled in.
pub fn run(inputs: &[PathBuf]) -> Result<ExitCode, CommandError> {
    let (begin, rest) = EXAMPLE.split_once(FOLDER).unwrap_or_default();
    let (folder, rest) = rest.split_once(REST).unwrap_or_default();
    let mut out = stdout().lock();
    write!(out, "{begin}")?;
    if inputs.is_empty() {
        write_commented(&mut out, folder)?;
    }
    let mut names = BTreeSet::new();
    for (number, input) in inputs.iter().enumerate() {
        let sketch = Sketch::of(input, &mut names)?;
        sketch.write(&mut out, if number == 0 { folder } else { "" })?;
    }
    write!(out, "{REST}{rest}")?;
    Ok(ExitCode::SUCCESS)
}

/// The example's folder, as one that is not there yet.
fn write_commented(out: &mut impl Write, folder: &str) -> io::Result<()> {
    for line in std::iter::once(FOLDER.trim_end()).chain(folder.lines()) {
        let mark = if line.is_empty() || line.starts_with('#') {
            ""
        } else {
            "# "
        };
        writeln!(out, "{mark}{line}")?;
    }
    Ok(())
}

/// A hot folder and what is proposed for it.
struct Sketch {
    name: String,
    input: String,
    output: String,
    remarks: Vec<String>,
}

impl Sketch {
    fn of(input: &Path, names: &mut BTreeSet<String>) -> Result<Self, CommandError> {
        let input = std::fs::canonicalize(input).at(input)?;
        let folder_name = input.file_name().unwrap_or_default().to_string_lossy();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        let name: String = folder_name.chars().filter(|c| plain(*c)).take(60).collect();
        let name = name.trim_start_matches('.');
        let name = if name.is_empty() { "photos" } else { name };
        let numbered = (2..).map(|number| format!("{name}-{number}"));
        let mut free = std::iter::once(name.to_owned()).chain(numbered);
        let name = free.find(|name| names.insert(name.clone()));
        let mut output = input.clone().into_os_string();
        output.push("-cutouts");
        let output = PathBuf::from(output);
        let folder = Folder::plain(name.unwrap_or_default(), input, output)?;
        let folder = Arc::new(folder);
        let mut remarks = vec![Outlook::of(&folder)?.to_string()];
        remarks.extend(closed(&folder.input)?);
        Ok(Self {
            name: config::quoted(&folder.name),
            input: quoted(&folder.input)?,
            output: quoted(&folder.output)?,
            remarks,
        })
    }

    /// The folder's table: that of the example with its own values, or the values alone.
    fn write(&self, out: &mut impl Write, example: &str) -> io::Result<()> {
        for remark in &self.remarks {
            writeln!(out, "# {}: {remark}.", self.input)?;
        }
        write!(out, "{FOLDER}")?;
        let own = [
            ("name", &self.name),
            ("input", &self.input),
            ("output", &self.output),
        ];
        if example.is_empty() {
            for (key, value) in own {
                writeln!(out, "{key} = {value}")?;
            }
            return writeln!(out);
        }
        for line in example.lines() {
            let key = line.split_once(" = ").map(|(key, _)| key);
            match own.iter().find(|(own, _)| Some(*own) == key) {
                Some((key, value)) => writeln!(out, "{key} = {value}")?,
                None => writeln!(out, "{line}")?,
            }
        }
        Ok(())
    }
}

/// What to do if the service may not look into the folder, as far as that is known.
fn closed(input: &Path) -> Result<Option<String>, CommandError> {
    let metadata = input.metadata().at(input)?;
    let (mode, owner, group) = (metadata.mode(), metadata.uid(), metadata.gid());
    let (users, groups) = (std::fs::read("/etc/passwd"), std::fs::read("/etc/group"));
    let service = Account::find(
        SERVICE,
        &users.unwrap_or_default(),
        &groups.unwrap_or_default(),
    );
    let is_open = match &service {
        Some(service) => service.may_list(mode, owner, group),
        None => mode & LISTED_BY_OTHERS == LISTED_BY_OTHERS,
    };
    Ok((!is_open).then(|| {
        match service {
            Some(service) if service.is_owner_or_member(owner, group) => {
                format!("its mode ({:o}) does not let the user hotcut look into it", mode & 0o7777)
            }
            _ => format!(
                "only its owner and its group ({group}) may look into it, so the user hotcut must be in that group"
            ),
        }
    }))
}

fn quoted(path: &Path) -> Result<String, CommandError> {
    let text = path.to_str().map(config::quoted);
    text.ok_or_else(|| CommandError::Unwritable(path.to_owned()))
}
