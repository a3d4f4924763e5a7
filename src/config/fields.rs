//! Reads the values of a TOML table key by key and records every fault instead of stopping at the first.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use toml::Value;

use super::error::{FaultKind, FaultList};
use super::located::{LocatedContent, LocatedTable};

/// A table that is being read. Each key is taken once; keys left at the end are unknown.
pub(super) struct Fields<'a> {
    table: String,
    values: LocatedTable,
    known: Vec<&'static str>,
    places: KeyPlaces,
    faults: &'a mut FaultList,
}

/// The value of `output` in a folder.
pub(super) enum OutputValue {
    /// The path of one output.
    Path(PathBuf),
    /// The tables of one or more outputs.
    Tables(Vec<LocatedTable>),
}

/// The byte offsets of a table and its values in the text.
#[derive(Debug, Default)]
pub(super) struct KeyPlaces {
    table: Option<usize>,
    values: BTreeMap<&'static str, usize>,
}

impl KeyPlaces {
    /// The places of a table at the offset `table` without keys of its own.
    pub(super) fn at(table: Option<usize>) -> Self {
        let values = BTreeMap::new();
        Self { table, values }
    }

    /// The offset of the value of `key`, or of the table if the key is absent.
    pub(super) fn of(&self, key: &str) -> Option<usize> {
        self.given(key).or(self.table)
    }

    /// The offset of the value of `key`; `None` if the table does not have the key.
    pub(super) fn given(&self, key: &str) -> Option<usize> {
        self.values.get(key).copied()
    }
}

impl<'a> Fields<'a> {
    /// Starts reading `values`; messages call the table `table`.
    pub(super) fn new(table: &str, values: LocatedTable, faults: &'a mut FaultList) -> Self {
        Self {
            table: table.to_owned(),
            places: KeyPlaces {
                table: values.at,
                values: BTreeMap::new(),
            },
            values,
            known: Vec::new(),
            faults,
        }
    }

    /// Whether `key` is present, with any value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.get(key).is_some()
    }

    /// Takes the value that `parse` returns; `None` if it is absent or wrong. Records a wrong value as a fault.
    pub(super) fn take<T>(
        &mut self,
        key: &'static str,
        expected: &'static str,
        parse: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        self.take_located(key, expected, |content| match content {
            LocatedContent::Value(value) => parse(&value),
            LocatedContent::Table(_) | LocatedContent::Tables(_) | LocatedContent::TooLarge => None,
        })
    }

    fn take_located<T>(
        &mut self,
        key: &'static str,
        expected: &'static str,
        parse: impl FnOnce(LocatedContent) -> Option<T>,
    ) -> Option<T> {
        self.known.push(key);
        let found = self.values.remove(key)?;
        self.places.values.insert(key, found.value_at);
        let parsed = parse(found.content);
        if parsed.is_none() {
            let written: Vec<&str> = found.text.split_whitespace().collect();
            self.fault(key, |table| FaultKind::Value {
                table,
                key,
                expected,
                found: written.join(" "),
            });
        }
        parsed
    }

    /// Records that `key` is missing, unless it is present with a right or wrong value.
    pub(super) fn require<T>(&mut self, key: &'static str, value: Option<T>) -> Option<T> {
        let is_told = self.faults.as_slice().iter().any(|fault| {
            matches!(&fault.kind, FaultKind::Value { table, key: at, .. } if *table == self.table && *at == key)
        });
        if value.is_none() && !is_told {
            self.fault(key, |table| FaultKind::Missing { table, key });
        }
        value
    }

    /// Takes a string.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.take(key, "a text in quotes", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    /// Takes an absolute path.
    pub(super) fn path(&mut self, key: &'static str) -> Option<PathBuf> {
        self.take(key, "an absolute path, as in \"/srv/hot\"", absolute_path)
    }

    /// Takes `output`: an absolute path, or a list of tables.
    pub(super) fn output(&mut self) -> Option<OutputValue> {
        let expected =
            "an absolute path, as in \"/srv/cutouts\", or tables, written [[folder.output]]";
        self.take_located("output", expected, |content| match content {
            LocatedContent::Tables(tables) => Some(OutputValue::Tables(tables)),
            LocatedContent::Value(value) => absolute_path(&value).map(OutputValue::Path),
            LocatedContent::Table(_) | LocatedContent::TooLarge => None,
        })
    }

    /// Takes a duration of at least `least`, written as in `"2s"`.
    pub(super) fn duration(&mut self, key: &'static str, least: Duration) -> Option<Duration> {
        self.take(
            key,
            "a time like \"2s\" or \"500ms\", above zero",
            |value| {
                humantime::parse_duration(value.as_str()?)
                    .ok()
                    .filter(|time| *time >= least)
            },
        )
    }

    /// Takes a whole number of at least one.
    pub(super) fn count(&mut self, key: &'static str) -> Option<u32> {
        self.take(key, "a whole number of at least 1", |value| {
            u32::try_from(value.as_integer()?)
                .ok()
                .filter(|number| *number >= 1)
        })
    }

    /// Takes a boolean.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.take(key, "true or false", Value::as_bool)
    }

    /// Takes a size in bytes, written as in `"2 GiB"`.
    pub(super) fn size(&mut self, key: &'static str) -> Option<u64> {
        self.take(key, "a size like \"2 GiB\"", |value| {
            let size: bytesize::ByteSize = value.as_str()?.parse().ok()?;
            Some(size.as_u64()).filter(|bytes| *bytes > 0)
        })
    }

    /// Takes a list of strings.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.take(key, "a list of texts, as in [\"*.jpg\"]", |value| {
            let texts = value.as_array()?.iter();
            texts.map(|text| text.as_str().map(str::to_owned)).collect()
        })
    }

    /// Takes a table.
    pub(super) fn table(&mut self, key: &'static str) -> Option<LocatedTable> {
        self.take_located(key, "a table", |content| match content {
            LocatedContent::Table(table) => Some(table),
            LocatedContent::Tables(_) | LocatedContent::Value(_) | LocatedContent::TooLarge => None,
        })
    }

    /// Takes a list of tables.
    pub(super) fn tables(&mut self, key: &'static str) -> Option<Vec<LocatedTable>> {
        let expected = "a list of tables, written [[folder]]";
        self.take_located(key, expected, |content| match content {
            LocatedContent::Tables(tables) => Some(tables),
            LocatedContent::Value(value) => value.as_array()?.is_empty().then(Vec::new),
            LocatedContent::Table(_) | LocatedContent::TooLarge => None,
        })
    }

    /// The offset of the value of `key`, or of the table if the key is absent.
    pub(super) fn place_of(&self, key: &str) -> Option<usize> {
        self.places.of(key)
    }

    /// Records a fault of this table at the value of `key`, or at the table if the key is absent.
    pub(super) fn fault(&mut self, key: &str, fault: impl FnOnce(String) -> FaultKind) {
        self.faults
            .add(self.places.of(key), fault(self.table.clone()));
    }

    /// Ends the reading. Records every remaining key as unknown; returns the offsets of the others.
    pub(super) fn finish(self) -> KeyPlaces {
        for (key, at) in self.values.keys() {
            let fault = FaultKind::UnknownKey {
                table: self.table.clone(),
                key: key.clone(),
                known: self.known.join(", "),
            };
            self.faults.add(Some(at), fault);
        }
        self.places
    }
}

fn absolute_path(value: &Value) -> Option<PathBuf> {
    let path: PathBuf = value.as_str()?.into();
    path.is_absolute().then(|| path.components().collect())
}
