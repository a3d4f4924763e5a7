//! Converts TOML text to tables that store the offset of each key and value. Must not validate values.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use serde::Deserialize as _;
use toml::de::{DeTable, DeValue, ValueDeserializer};
use toml::{Spanned, Value};

/// A table that stores the offset of each key and value.
#[derive(Debug, Default)]
pub(super) struct LocatedTable {
    /// The offset of the header or brace; `None` for a table that is not in the text.
    pub(super) at: Option<usize>,
    entries: BTreeMap<String, LocatedValue>,
}

/// One key of a table with its value. Offsets are bytes from the start of the text.
#[derive(Debug)]
pub(super) struct LocatedValue {
    /// The offset of the key.
    pub(super) key_at: usize,
    /// The offset of the value.
    pub(super) value_at: usize,
    /// The value as written.
    pub(super) text: String,
    /// The parsed value.
    pub(super) content: LocatedContent,
}

/// The kinds of values.
#[derive(Debug)]
pub(super) enum LocatedContent {
    /// A table.
    Table(LocatedTable),
    /// A list of tables; at least one.
    Tables(Vec<LocatedTable>),
    /// Anything else.
    Value(Value),
    /// A number that no type can hold, or a list with one.
    TooLarge,
}

/// A position in a text, for people and editors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextPosition {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
}

impl fmt::Display for TextPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

impl TextPosition {
    /// Converts the byte `offset` in `text` to a position. An offset beyond the end counts as the end.
    pub(super) fn of(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before.get(start..).unwrap_or("").chars().count() + 1,
        }
    }
}

impl LocatedTable {
    /// Reads `text`.
    ///
    /// # Errors
    /// The first syntax error.
    pub(super) fn parse(text: &str) -> Result<Self, toml::de::Error> {
        let table = DeTable::parse(text)?;
        let mut root = Self::new(text, None, table.get_ref());
        root.at = None;
        Ok(root)
    }

    fn new(text: &str, at: Option<usize>, table: &DeTable<'_>) -> Self {
        let entries = table.iter().map(|(key, value)| {
            let entry = LocatedValue::new(text, key.span(), value);
            (key.get_ref().to_string(), entry)
        });
        Self {
            at,
            entries: entries.collect(),
        }
    }

    /// Finds the value of `key`.
    pub(super) fn get(&self, key: &str) -> Option<&LocatedValue> {
        self.entries.get(key)
    }

    /// Removes and returns the value of `key`.
    pub(super) fn remove(&mut self, key: &str) -> Option<LocatedValue> {
        self.entries.remove(key)
    }

    /// The remaining keys, with their offsets.
    pub(super) fn keys(&self) -> impl Iterator<Item = (&String, usize)> {
        self.entries.iter().map(|(key, entry)| (key, entry.key_at))
    }
}

impl LocatedValue {
    fn new(text: &str, key: Range<usize>, value: &Spanned<DeValue<'_>>) -> Self {
        Self {
            key_at: key.start,
            value_at: value.span().start,
            text: text.get(value.span()).unwrap_or_default().to_owned(),
            content: LocatedContent::new(text, value),
        }
    }

    /// The value, if it is neither a table nor a list of tables.
    pub(super) fn value(&self) -> Option<&Value> {
        match &self.content {
            LocatedContent::Value(value) => Some(value),
            LocatedContent::Table(_) | LocatedContent::Tables(_) | LocatedContent::TooLarge => None,
        }
    }
}

impl LocatedContent {
    fn new(text: &str, value: &Spanned<DeValue<'_>>) -> Self {
        let table = |value: &Spanned<DeValue<'_>>| {
            let table = value.get_ref().as_table()?;
            Some(LocatedTable::new(text, Some(value.span().start), table))
        };
        if let Some(table) = table(value) {
            return Self::Table(table);
        }
        let list = value.get_ref().as_array();
        let tables = list.and_then(|list| list.iter().map(table).collect::<Option<Vec<_>>>());
        match tables {
            Some(tables) if !tables.is_empty() => Self::Tables(tables),
            _ => Value::deserialize(ValueDeserializer::from(value.clone()))
                .map_or(Self::TooLarge, Self::Value),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str, offset: usize) -> (usize, usize) {
        let position = TextPosition::of(text, offset);
        (position.line, position.column)
    }

    #[test]
    fn places_are_lines_and_characters_from_one() {
        assert_eq!(place("", 0), (1, 1));
        assert_eq!(place("ab\ncd", 4), (2, 2));
        assert_eq!(place("é = 1\n", 5), (1, 5));
        assert_eq!(place("a\n", 2), (2, 1));
        assert_eq!(place("a", 9), (1, 2));
    }

    /// Fails when a header, key or value has a wrong offset in any form of table.
    #[test]
    fn keys_values_and_headers_know_their_places() {
        let text = "top = 1\n[one]\n  key = [1,\n 2]\n\n[[many]]\na = 1\n[[many]]\nb = 99999999999999999999\n[dotted.x]\ny = 1\n";
        let root = LocatedTable::parse(text).unwrap();
        let at = |offset: Option<usize>| offset.map(|offset| place(text, offset));
        assert_eq!(root.at, None);
        let top = root.get("top").unwrap();
        assert_eq!(at(Some(top.key_at)), Some((1, 1)));
        assert_eq!(at(Some(top.value_at)), Some((1, 7)));
        let Some(LocatedContent::Table(one)) = root.get("one").map(|it| &it.content) else {
            panic!("{root:?}");
        };
        assert_eq!(at(one.at), Some((2, 1)));
        let key = one.get("key").unwrap();
        assert_eq!(
            (at(Some(key.value_at)), key.text.as_str()),
            (Some((3, 9)), "[1,\n 2]")
        );
        let Some(LocatedContent::Tables(many)) = root.get("many").map(|it| &it.content) else {
            panic!("{root:?}");
        };
        let headers: Vec<_> = many.iter().map(|table| at(table.at)).collect();
        assert_eq!(headers, [Some((6, 1)), Some((8, 1))]);
        let large = many[1].get("b").unwrap();
        assert!(
            matches!(large.content, LocatedContent::TooLarge),
            "{large:?}"
        );
        assert_eq!(large.text, "99999999999999999999");
        assert_eq!(
            many[1].keys().collect::<Vec<_>>(),
            [(&"b".to_owned(), large.key_at)]
        );
    }
}
