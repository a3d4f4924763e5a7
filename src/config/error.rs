//! The faults of a configuration, one variant each.

use std::io;
use std::path::{Path, PathBuf};

use super::located::TextPosition;
use crate::fs::disk;
use crate::fs::path_error::PathError;
use crate::model::ManifestError;

/// A configuration that cannot be used, with every fault found in it.
#[derive(Debug, thiserror::Error)]
#[error("{}", list(file, faults))]
pub struct ConfigError {
    /// The file at fault.
    pub file: PathBuf,
    /// At least one fault.
    pub faults: Vec<Fault>,
}

impl ConfigError {
    /// Whether the file may be correct: the only faults are disks that do not respond.
    pub fn is_of_silent_disks(&self) -> bool {
        self.faults
            .iter()
            .all(|fault| fault.kind.is_of_a_silent_disk())
    }
}

/// One thing that is wrong in a configuration file, and where.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct Fault {
    /// The position of the faulty key, value or table; `None` if the fault has no place in the text, such as an unreadable file.
    pub position: Option<TextPosition>,
    /// What is wrong.
    #[source]
    pub kind: FaultKind,
}

impl Fault {
    /// Formats the fault as `FILE:LINE:COLUMN: what is wrong`, without line and column if it has no position.
    pub fn in_file(&self, file: &Path) -> String {
        let (file, kind) = (file.display(), &self.kind);
        match self.position {
            Some(position) => format!("{file}:{position}: {kind}"),
            None => format!("{file}: {kind}"),
        }
    }
}

/// The possible faults of a configuration file.
#[derive(Debug, thiserror::Error)]
pub enum FaultKind {
    /// The file cannot be read.
    #[error("cannot be read: {}{}", .0.io(), advice(.0))]
    Unreadable(#[source] PathError),
    /// The file is not TOML.
    #[error("not valid TOML: {}{}", reason.message().trim_end(), at_word(word))]
    Syntax {
        /// The key or word where the syntax error begins; empty if there is none.
        word: String,
        /// What is wrong there.
        #[source]
        reason: Box<toml::de::Error>,
    },
    /// A key that hotcut does not know.
    #[error("unknown key `{key}` in {table}; known are: {known}")]
    UnknownKey {
        /// The table that holds it.
        table: String,
        /// The key as written.
        key: String,
        /// The keys that would be accepted, separated by commas.
        known: String,
    },
    /// A required key is missing.
    #[error("{table} needs `{key}`")]
    Missing {
        /// The table that lacks it.
        table: String,
        /// The key.
        key: &'static str,
    },
    /// A value of the wrong type, form or range.
    #[error("`{key}` in {table} must be {expected}, not {found}")]
    Value {
        /// The table that holds it.
        table: String,
        /// The key.
        key: &'static str,
        /// What would be accepted.
        expected: &'static str,
        /// The value as written.
        found: String,
    },
    /// A pattern that cannot be compiled.
    #[error("`{key}` in {table}: {source}")]
    Pattern {
        /// The key that holds it.
        key: &'static str,
        /// The table that holds it.
        table: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// Two folders of one name.
    #[error("two folders are named \"{0}\"; give each its own name")]
    SameName(String),
    /// One folder lies inside another, which would process results again or lose files.
    #[error("{inner} ({}) lies inside {outer} ({}); keep them apart", inner_path.display(), outer_path.display())]
    Nested {
        /// What lies inside.
        inner: String,
        /// Where it is.
        inner_path: PathBuf,
        /// What it lies in.
        outer: String,
        /// Where that is.
        outer_path: PathBuf,
    },
    /// Folders form a cycle: the output of each is the input of the next.
    #[error("the folders form a cycle: {0}")]
    Ring(String),
    /// A server that anybody on the network may call.
    #[error(
        "{table} needs `token_file`, since `listen` is not a loopback address: anybody could call it"
    )]
    OpenToAll {
        /// The table that opens it.
        table: String,
    },
    /// A secret that cannot be read.
    #[error("`{key}` in {table}: {source}; it must be a file that hotcut's user may read")]
    NoToken {
        /// The table that names it.
        table: String,
        /// The key that names it.
        key: &'static str,
        /// The error of the operating system.
        source: PathError,
    },
    /// A secret that can be guessed.
    #[error("`{key}` in {table}: {} holds fewer than {least} characters; `openssl rand -hex 32` makes a good one", file.display())]
    WeakToken {
        /// The table that names it.
        table: String,
        /// The key that names it.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// The least number of characters.
        least: usize,
    },
    /// A webhook secret that is not a valid key.
    #[error(
        "`{key}` in {table}: what follows `whsec_` in {} must be base64 of at least {least} bytes", file.display()
    )]
    BadWebhookSecret {
        /// The table that names it.
        table: String,
        /// The key that names it.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// The least number of bytes.
        least: usize,
    },
    /// An address that cannot be posted to. The message omits it, because it may contain a password.
    #[error(
        "`webhook` in {table} must be an address like \"https://example.org/told\", with http or https"
    )]
    Webhook {
        /// The table that holds it.
        table: String,
    },
    /// A `[notify]` table without a receiver.
    #[error("{table} needs `webhook` or `command`: set one of them, or remove the table")]
    NoReceiver {
        /// The table.
        table: String,
    },
    /// The folder of the models cannot be read.
    #[error("`models_dir` in [daemon]: {0}")]
    ModelsDir(#[source] PathError),
    /// A model whose manifest cannot be used.
    #[error("model \"{model}\" of {}: {source}", tables.join(", "))]
    Model {
        /// The name in the configuration.
        model: String,
        /// The tables that name it.
        tables: Vec<String>,
        /// What is wrong with its manifest.
        source: ManifestError,
    },
}

/// What to do about a file that cannot be read.
fn advice(error: &PathError) -> &'static str {
    if error.io().kind() == io::ErrorKind::NotFound {
        "; `hotcut init DIR` prints a configuration for the hot folder DIR, and --config names another file"
    } else {
        ""
    }
}

fn at_word(word: &str) -> String {
    if word.is_empty() {
        String::new()
    } else {
        format!(" at `{word}`")
    }
}

impl FaultKind {
    fn is_of_a_silent_disk(&self) -> bool {
        match self {
            Self::Unreadable(error)
            | Self::ModelsDir(error)
            | Self::NoToken { source: error, .. } => disk::is_silent(error),
            Self::Syntax { .. }
            | Self::UnknownKey { .. }
            | Self::Missing { .. }
            | Self::Value { .. }
            | Self::Pattern { .. }
            | Self::SameName(_)
            | Self::Nested { .. }
            | Self::Ring(_)
            | Self::OpenToAll { .. }
            | Self::WeakToken { .. }
            | Self::BadWebhookSecret { .. }
            | Self::Webhook { .. }
            | Self::NoReceiver { .. }
            | Self::Model { .. } => false,
        }
    }
}

fn list(file: &Path, faults: &[Fault]) -> String {
    let lines: Vec<String> = faults.iter().map(|fault| fault.in_file(file)).collect();
    match lines.as_slice() {
        [only] => only.clone(),
        many => format!(
            "{}: {} faults\n  - {}",
            file.display(),
            many.len(),
            many.join("\n  - ")
        ),
    }
}

/// The faults of one text, in the order of detection.
#[derive(Debug, Default)]
pub(super) struct FaultList {
    text: String,
    faults: Vec<Fault>,
}

impl FaultList {
    /// An empty list for a file that contains `text`.
    pub(super) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            faults: Vec::new(),
        }
    }

    /// Adds a fault at the byte `offset` of the text.
    pub(super) fn add(&mut self, offset: Option<usize>, kind: FaultKind) {
        let position = offset.map(|offset| TextPosition::of(&self.text, offset));
        self.faults.push(Fault { position, kind });
    }

    /// The faults in the order of the text; those without a position come last.
    pub(super) fn sorted(mut self) -> Vec<Fault> {
        self.faults
            .sort_by_key(|fault| (fault.position.is_none(), fault.position));
        self.faults
    }

    /// The faults found so far.
    pub(super) fn as_slice(&self) -> &[Fault] {
        &self.faults
    }
}
