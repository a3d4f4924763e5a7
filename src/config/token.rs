//! A file with a secret -> a [`Token`], which is never shown.

use std::path::{Path, PathBuf};

use super::error::Fault;
use super::fields::Fields;
use crate::disk;
use crate::path_error::AtPath as _;

/// The fewest characters of a secret: fewer can be guessed.
const LEAST: usize = 16;

/// A secret shared with others, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    secret: String,
    file: PathBuf,
}

impl Token {
    /// The secret's bytes; whoever compares them does so in constant time.
    pub fn bytes(&self) -> &[u8] {
        self.secret.as_bytes()
    }

    /// The file that holds it.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Reads the file that `key` names, without the blanks around the secret; `None` if it is of no use, which is noted.
    pub(super) fn read(file: PathBuf, key: &'static str, fields: &mut Fields<'_>) -> Option<Self> {
        let asked = file.clone();
        let read = disk::ask(&file, move |_| std::fs::read_to_string(&asked).at(&asked));
        match read.answer().flatten() {
            Ok(text) if text.trim().len() >= LEAST => {
                let secret = text.trim().to_owned();
                Some(Self { secret, file })
            }
            Ok(_) => {
                fields.fault(|table| Fault::WeakToken {
                    table,
                    key,
                    file,
                    least: LEAST,
                });
                None
            }
            Err(source) => {
                fields.fault(|table| Fault::NoToken { table, key, source });
                None
            }
        }
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}
