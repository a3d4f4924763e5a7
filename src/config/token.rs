//! Reads a secret from a file. A [`Token`] is never displayed.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::error::FaultKind;
use super::fields::Fields;
use crate::fs::disk;
use crate::fs::path_error::AtPath as _;

/// The least number of characters of a secret; shorter ones can be guessed.
const LEAST: usize = 16;

/// The mode bit with which every user may read a file.
const READ_BY_OTHERS: u32 = 0o004;

/// A shared secret. It is never displayed.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    secret: String,
    file: PathBuf,
    is_open: bool,
}

impl Token {
    /// The secret's bytes. Compare them in constant time.
    pub fn bytes(&self) -> &[u8] {
        self.secret.as_bytes()
    }

    /// The file with the secret.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Whether every user of this machine may read the file.
    pub fn is_open(&self) -> bool {
        self.is_open
    }

    /// Reads the file that `key` names and trims the secret; `None` if it cannot be used, which is recorded as a fault.
    pub(super) fn read(file: PathBuf, key: &'static str, fields: &mut Fields<'_>) -> Option<Self> {
        let asked = file.clone();
        let read = disk::ask(&file, move |_| std::fs::read_to_string(&asked).at(&asked));
        match read.answer().flatten() {
            Ok(text) if text.trim().len() >= LEAST => {
                let secret = text.trim().to_owned();
                let mode = std::fs::metadata(&file).map(|file| file.permissions().mode());
                let is_open = mode.is_ok_and(|mode| mode & READ_BY_OTHERS != 0);
                Some(Self {
                    secret,
                    file,
                    is_open,
                })
            }
            Ok(_) => {
                fields.fault(key, |table| FaultKind::WeakToken {
                    table,
                    key,
                    file,
                    least: LEAST,
                });
                None
            }
            Err(source) => {
                fields.fault(key, |table| FaultKind::NoToken { table, key, source });
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
