//! Converts a TOML file to a validated [`Config`], or reports all its faults at once. The only folder that uses `toml`.

mod edges;
mod error;
mod fields;
mod folder_name;
mod http;
mod include;
mod layout;
mod located;
mod models;
mod notify;
mod output;
mod read;
mod token;
mod webhook_secret;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use self::notify::{NotifyCommand, NotifyConfig, Webhook};
pub use edges::Edges;
pub use error::{ConfigError, Fault, FaultKind};
pub use folder_name::folder_name_of;
pub use http::Http;
pub use include::Include;
pub use located::TextPosition;
pub use output::{FolderOutput, OutputFormat, OutputSpec};
pub use token::Token;
pub use webhook_secret::WebhookSecret;

use self::error::FaultList;
use self::located::LocatedTable;
use crate::fs::disk;
use crate::fs::disk_space::MinFree;
use crate::fs::path_error::AtPath as _;
use crate::model::{DEFAULT_MODEL, ManifestError, ModelManifest};

/// The default limit on photos, in millions of pixels.
pub const DEFAULT_MEGAPIXELS: u32 = 160;

/// The default of `settle`: how long a file must be unchanged.
const DEFAULT_SETTLE: Duration = Duration::from_secs(2);

/// The default of `include`.
const DEFAULT_INCLUDE: &[&str] = &[
    "*.jpg", "*.jpeg", "*.jpe", "*.jfif", "*.png", "*.webp", "*.tif", "*.tiff",
];

/// A configuration whose values are in range and whose folders do not interfere with each other.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The settings of the whole daemon.
    pub daemon: DaemonConfig,
    /// The hot folders, in the order of the file.
    pub folders: Vec<Arc<Folder>>,
    /// Access for programs and browsers, if configured.
    pub http: Option<Http>,
    /// Where notifications are sent, if anywhere.
    pub notify: Option<NotifyConfig>,
    /// The manifest of every model that a folder or `[http]` names.
    pub models: BTreeMap<String, ModelManifest>,
}

/// The `[daemon]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct DaemonConfig {
    /// The folder of the ledger, the lock and the live status. Only one daemon may use it.
    pub state_dir: PathBuf,
    /// The folder of the model manifests.
    pub models_dir: PathBuf,
    /// The number of photos processed in parallel, with one process each.
    pub workers: usize,
    /// Threads that one worker uses for a model.
    pub threads_per_worker: usize,
    /// The time limit for one photo; its worker is then killed.
    pub timeout: Duration,
    /// The number of workers that may be lost to one version of a file.
    pub max_attempts: u32,
    /// The limit on photos, in millions of pixels.
    pub megapixels_max: u32,
    /// The address space of one worker, in bytes.
    pub worker_memory_bytes: u64,
    /// Space that must stay free on each disk that hotcut writes to.
    pub min_free: MinFree,
    /// The interval between two full listings of a hot folder.
    pub rescan: Duration,
    /// How long running photos may take to finish after SIGTERM.
    pub drain_timeout: Duration,
    /// How long the ledger remembers a photo that is gone; `None` means forever.
    pub remember: Option<Duration>,
}

/// One `[[folder]]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct Folder {
    /// Unique; letters and digits of any script, spaces, `-`, `_` and `.`.
    pub name: String,
    /// The hot folder.
    pub input: PathBuf,
    /// Where its results go; at least one output.
    pub outputs: Vec<FolderOutput>,
    /// Name of a manifest in `models_dir`.
    pub model: String,
    /// How the edges of cutouts are refined.
    pub edges: Edges,
    /// How long a file must be unchanged before it is taken.
    pub settle: Duration,
    /// Names that are taken.
    pub include: Include,
    /// Names and folders that are never taken, whatever `include` contains.
    pub exclude: Include,
    /// What happens to a source after its cutout is safely placed.
    pub source: SourcePolicy,
    /// What happens to the cutout of an earlier photo of the same name.
    pub on_same_name: OnSameName,
    /// What happens to a source that cannot be cut.
    pub failed: FailedPolicy,
    /// Whether subfolders that hotcut has emptied are removed.
    pub tidy: bool,
}

/// What happens to a source after its cutout is safely on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourcePolicy {
    /// It stays where it is.
    Keep,
    /// It is moved below this folder, mirroring its subfolder.
    Move(PathBuf),
    /// It is deleted.
    Delete,
}

/// What happens to the cutout of an earlier photo when another photo arrives under the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnSameName {
    /// It stays; the later photo's cutout gets a number.
    Number,
    /// The later photo's cutout replaces it.
    Replace,
}

impl SourcePolicy {
    /// The default. Where photos stay in their folder, a new file under the same name is a correction. Where photos are moved or
    /// deleted, the name is free for another photo.
    pub fn default_on_same_name(&self) -> OnSameName {
        match self {
            Self::Keep => OnSameName::Replace,
            Self::Move(_) | Self::Delete => OnSameName::Number,
        }
    }
}

/// What happens to a source that cannot be cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailedPolicy {
    /// It stays where it is, with a note beside it.
    Note,
    /// It is moved below this folder, with a note.
    Move(PathBuf),
    /// It stays where it is; the caller gets the error.
    Leave,
}

impl Folder {
    /// A folder with the default for every optional key.
    pub fn plain(name: String, input: PathBuf, output: PathBuf) -> io::Result<Self> {
        let include = Include::new(default_include()).map_err(io::Error::other)?;
        Ok(Self {
            name,
            input,
            outputs: vec![FolderOutput::plain(output)],
            model: DEFAULT_MODEL.to_owned(),
            edges: Edges::default(),
            settle: DEFAULT_SETTLE,
            include,
            exclude: Include::default(),
            source: SourcePolicy::Keep,
            on_same_name: SourcePolicy::Keep.default_on_same_name(),
            failed: FailedPolicy::Note,
            tidy: false,
        })
    }

    /// The paths of its outputs, in the order of the configuration.
    pub fn output_paths(&self) -> impl Iterator<Item = &Path> + Clone {
        self.outputs.iter().map(|output| output.path.as_path())
    }

    /// The folders inside the hot folder that belong to hotcut and contain no new photos.
    pub fn own_folders(&self) -> impl Iterator<Item = &Path> {
        let done = match &self.source {
            SourcePolicy::Move(done) => Some(done.as_path()),
            SourcePolicy::Keep | SourcePolicy::Delete => None,
        };
        let failed = match &self.failed {
            FailedPolicy::Move(failed) => Some(failed.as_path()),
            FailedPolicy::Note | FailedPolicy::Leave => None,
        };
        done.into_iter().chain(failed)
    }
}

fn default_include() -> Vec<String> {
    DEFAULT_INCLUDE.iter().map(ToString::to_string).collect()
}

/// Formats `text` as a value of the configuration.
pub fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

impl Config {
    /// The configuration of a run without a file: all defaults, one model, no folder.
    pub fn for_one_run(models_dir: &Path, model: &str) -> Result<Self, ManifestError> {
        let manifest = ModelManifest::load(models_dir, model)?;
        let (mut daemon, _) = read::daemon(LocatedTable::default(), &mut FaultList::default());
        models_dir.clone_into(&mut daemon.models_dir);
        // The user of a single run has no file to set this limit, and can judge the disk.
        daemon.min_free = MinFree::Bytes(0);
        Ok(Self {
            daemon,
            folders: Vec::new(),
            http: None,
            notify: None,
            models: BTreeMap::from([(model.to_owned(), manifest)]),
        })
    }

    /// Warnings about a valid configuration: secrets that every user of the machine may read.
    pub fn warnings(&self) -> Vec<String> {
        let token = self.http.iter().filter_map(|http| http.token.as_ref());
        let secret = self.notify.iter().filter_map(|it| it.secret.as_ref());
        let secret = secret.map(WebhookSecret::token);
        let named = token
            .map(|token| ("`token_file` in [http]", token))
            .chain(secret.map(|secret| ("`secret_file` in [notify]", secret)));
        let open = named.filter(|(_, secret)| secret.is_open());
        open.map(|(key, secret)| {
            let file = secret.file().display();
            format!(
                "{key}: every user of this machine may read {file}; `chmod o-r {file}` ends that"
            )
        })
        .collect()
    }

    /// Reads and validates `file`. Must not access hot folders.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let (config, faults) = Self::read(file)?;
        sound(file, config, faults)
    }

    /// Reads as much of `file` as possible. Faulty parts are omitted or replaced by defaults, and are among the faults.
    ///
    /// For commands that describe a daemon which may still run with earlier settings. Fails when nothing can be read.
    pub fn read(file: &Path) -> Result<(Self, Vec<Fault>), ConfigError> {
        let asked = file.to_owned();
        let read = disk::ask(file, move |_| std::fs::read_to_string(&asked).at(&asked));
        let text = read
            .answer()
            .flatten()
            .map_err(|source| error(file, None, FaultKind::Unreadable(source)))?;
        Self::read_text(file, &text)
    }

    /// Validates `text` as the content of `file`.
    pub fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        let (config, faults) = Self::read_text(file, text)?;
        sound(file, config, faults)
    }

    fn read_text(file: &Path, text: &str) -> Result<(Self, Vec<Fault>), ConfigError> {
        let table = LocatedTable::parse(text).map_err(|reason| syntax(file, text, reason))?;
        let mut faults = FaultList::new(text);
        let (config, places) = read::config(table, &mut faults);
        layout::check(&config, &places, &mut faults);
        Ok((config, faults.sorted()))
    }
}

fn sound(file: &Path, config: Config, faults: Vec<Fault>) -> Result<Config, ConfigError> {
    if faults.is_empty() {
        return Ok(config);
    }
    let file = file.to_owned();
    Err(ConfigError { file, faults })
}

fn syntax(file: &Path, text: &str, reason: toml::de::Error) -> ConfigError {
    let span = reason.span();
    let position = span.as_ref().map(|span| TextPosition::of(text, span.start));
    let word = span.and_then(|span| text.get(span));
    let is_word = |word: &&str| {
        word.chars()
            .all(|c| c.is_alphanumeric() || "-_.".contains(c))
    };
    let kind = FaultKind::Syntax {
        word: word.filter(is_word).unwrap_or_default().to_owned(),
        reason: Box::new(reason),
    };
    error(file, position, kind)
}

fn error(file: &Path, position: Option<TextPosition>, kind: FaultKind) -> ConfigError {
    let (file, faults) = (file.to_owned(), vec![Fault { position, kind }]);
    ConfigError { file, faults }
}

#[cfg(test)]
mod tests;
