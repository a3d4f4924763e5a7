//! Reads `output` of a folder: a path, or `[[folder.output]]` tables. Must not check relations between folders.

use std::fmt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::FaultList;
use super::fields::{Fields, KeyPlaces, OutputValue};
use super::located::LocatedTable;

/// One place that a folder's results go to, and what is made for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderOutput {
    /// The folder, with the same subfolders as the hot folder.
    pub path: PathBuf,
    /// What is made.
    pub spec: OutputSpec,
}

/// What is made of a photo for one output: a transparent picture of the photo's size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutputSpec {
    /// The file format.
    pub format: OutputFormat,
}

/// A file format of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputFormat {
    /// PNG, 8 bits a sample.
    #[default]
    Png,
}

impl OutputFormat {
    /// Finds the format for `word`; `None` if there is none.
    fn named(word: &str) -> Option<Self> {
        (word == "png").then_some(Self::Png)
    }
}

/// The spec as the ledger records it.
impl fmt::Display for OutputSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.format {
            OutputFormat::Png => "png",
        })
    }
}

impl FolderOutput {
    /// A transparent PNG of the photo's size in `path`.
    pub fn plain(path: PathBuf) -> Self {
        let spec = OutputSpec::default();
        Self { path, spec }
    }
}

/// The outputs of one folder, and the offsets of their keys in the same order.
pub(super) type LocatedOutputs = (Vec<FolderOutput>, Vec<KeyPlaces>);

/// Converts the value of `output`, at offset `at` in the folder called `title`. `None` if an output is faulty; its faults are
/// recorded.
pub(super) fn read(
    value: OutputValue,
    at: Option<usize>,
    title: &str,
    faults: &mut FaultList,
) -> Option<LocatedOutputs> {
    let tables = match value {
        OutputValue::Path(path) => {
            return Some((vec![FolderOutput::plain(path)], vec![KeyPlaces::at(at)]));
        }
        OutputValue::Tables(tables) => tables,
    };
    // Every table is read before the first faulty one ends the reading, so that all faults are recorded.
    let read: Vec<_> = tables
        .into_iter()
        .enumerate()
        .map(|(index, table)| output(index, table, title, faults))
        .collect();
    read.into_iter().collect()
}

fn output(
    index: usize,
    table: LocatedTable,
    title: &str,
    faults: &mut FaultList,
) -> Option<(FolderOutput, KeyPlaces)> {
    let title = format!("[[folder.output]] number {} of {title}", index + 1);
    let mut fields = Fields::new(&title, table, faults);
    let path = fields.path("path");
    let path = fields.require("path", path);
    let format = fields.take("format", "\"png\"", |value| {
        OutputFormat::named(value.as_str()?)
    });
    let spec = OutputSpec {
        format: format.unwrap_or_default(),
    };
    let places = fields.finish();
    Some((FolderOutput { path: path?, spec }, places))
}

#[cfg(test)]
mod tests;
