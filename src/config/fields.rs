//! A TOML table -> its values, one key at a time, noting every fault instead of stopping at the first.

use std::path::PathBuf;
use std::time::Duration;

use toml::{Table, Value};

use super::error::Fault;

/// A table being read. Each key is taken once; what is left at the end is unknown.
pub(super) struct Fields<'a> {
    table: String,
    values: Table,
    known: Vec<&'static str>,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Fields<'a> {
    /// Starts reading `values`, which the user knows as `table`.
    pub(super) fn new(table: &str, values: Table, faults: &'a mut Vec<Fault>) -> Self {
        Self {
            table: table.to_owned(),
            values,
            known: Vec::new(),
            faults,
        }
    }

    /// Tells whether `key` is there, in whatever form.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values.contains_key(key)
    }

    /// Takes a value that `parse` understands; `None` if it is absent or wrong, the latter noted.
    pub(super) fn take<T>(
        &mut self,
        key: &'static str,
        expected: &'static str,
        parse: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        self.known.push(key);
        let value = self.values.remove(key)?;
        let parsed = parse(&value);
        if parsed.is_none() {
            self.faults.push(Fault::Value {
                table: self.table.clone(),
                key,
                expected,
                found: value.to_string(),
            });
        }
        parsed
    }

    /// Notes that `key` is missing unless it was given, rightly or wrongly.
    pub(super) fn require<T>(&mut self, key: &'static str, value: Option<T>) -> Option<T> {
        let faulted = self.faults.iter().any(|fault| {
            matches!(fault, Fault::Value { table, key: at, .. } if *table == self.table && *at == key)
        });
        if value.is_none() && !faulted {
            self.faults.push(Fault::Missing {
                table: self.table.clone(),
                key,
            });
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
        self.take(key, "an absolute path, as in \"/srv/hot\"", |value| {
            let path: PathBuf = value.as_str()?.into();
            path.is_absolute().then(|| path.components().collect())
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

    /// Takes yes or no.
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
    pub(super) fn table(&mut self, key: &'static str) -> Option<Table> {
        self.take(key, "a table", |value| value.as_table().cloned())
    }

    /// Takes a list of tables.
    pub(super) fn tables(&mut self, key: &'static str) -> Option<Vec<Table>> {
        self.take(key, "a list of tables, written [[folder]]", |value| {
            let tables = value.as_array()?.iter();
            tables.map(|table| table.as_table().cloned()).collect()
        })
    }

    /// Records a fault that concerns this table.
    pub(super) fn fault(&mut self, fault: impl FnOnce(String) -> Fault) {
        self.faults.push(fault(self.table.clone()));
    }

    /// Ends the reading: every key that nobody took is a fault.
    pub(super) fn finish(self) {
        for key in self.values.keys() {
            self.faults.push(Fault::UnknownKey {
                table: self.table.clone(),
                key: key.clone(),
                known: self.known.join(", "),
            });
        }
    }
}
