//! A TOML file -> a validated [`Config`], or every fault in it at once; the only folder that names `toml`.

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
pub use token::Token;
pub use webhook_secret::WebhookSecret;

use self::error::FaultList;
use self::located::LocatedTable;
use crate::fs::disk;
use crate::fs::disk_space::MinFree;
use crate::fs::path_error::AtPath as _;
use crate::model::{DEFAULT_MODEL, ManifestError, ModelManifest};

/// The largest photo that is taken if nobody says, in millions of pixels.
pub const DEFAULT_MEGAPIXELS: u32 = 160;

/// How long a file must lie unchanged in a folder that names no `settle`.
const DEFAULT_SETTLE: Duration = Duration::from_secs(2);

/// What a folder takes when it names no `include`.
const DEFAULT_INCLUDE: &[&str] = &[
    "*.jpg", "*.jpeg", "*.jpe", "*.jfif", "*.png", "*.webp", "*.tif", "*.tiff",
];

/// A configuration in which every value is in range and no two folders get in each other's way.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// What holds for the whole daemon.
    pub daemon: DaemonConfig,
    /// The hot folders, in the order of the file.
    pub folders: Vec<Arc<Folder>>,
    /// The way in for programs and browsers, if there is one.
    pub http: Option<Http>,
    /// Who is told of what happens, if anybody.
    pub notify: Option<NotifyConfig>,
    /// The manifest of every model that a folder or `[http]` names.
    pub models: BTreeMap<String, ModelManifest>,
}

/// The `[daemon]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct DaemonConfig {
    /// Where the ledger, the lock and the live status lie. One daemon a directory.
    pub state_dir: PathBuf,
    /// Where model manifests lie.
    pub models_dir: PathBuf,
    /// Photos worked on at the same time; one process each.
    pub workers: usize,
    /// Threads that one worker uses within a model.
    pub threads_per_worker: usize,
    /// The longest that one photo may take before its worker is killed.
    pub timeout: Duration,
    /// Workers that one version of a file may cost.
    pub max_attempts: u32,
    /// The largest photo taken, in millions of pixels.
    pub megapixels_max: u32,
    /// The address space of one worker, in bytes.
    pub worker_memory_bytes: u64,
    /// How much must stay free on each disk that is written to.
    pub min_free: MinFree,
    /// Time between two full listings of a hot folder.
    pub rescan: Duration,
    /// How long SIGTERM lets running photos finish.
    pub drain_timeout: Duration,
    /// How long the ledger keeps what it knows of a photo that is gone; `None` for ever.
    pub remember: Option<Duration>,
}

/// One `[[folder]]` table.
#[derive(Clone, Debug, PartialEq)]
pub struct Folder {
    /// Unique; letters and digits of any script, spaces, `-`, `_` and `.`.
    pub name: String,
    /// The hot folder.
    pub input: PathBuf,
    /// Where cutouts are placed, mirroring the subfolders of `input`.
    pub output: PathBuf,
    /// Name of a manifest in `models_dir`.
    pub model: String,
    /// How the edges of cutouts are made.
    pub edges: Edges,
    /// How long a file must lie unchanged before it is taken.
    pub settle: Duration,
    /// Which names are taken.
    pub include: Include,
    /// Which names and folders are left alone, whatever `include` says.
    pub exclude: Include,
    /// What becomes of a source whose cutout is safely placed.
    pub source: SourcePolicy,
    /// What becomes of the cutout of an earlier photo of the same name.
    pub on_same_name: OnSameName,
    /// What becomes of a source that cannot be cut out.
    pub failed: FailedPolicy,
    /// Whether subfolders that hotcut has emptied are removed.
    pub tidy: bool,
}

/// What becomes of a source after its cutout is safely on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourcePolicy {
    /// It stays where it is.
    Keep,
    /// It is moved below this folder, mirroring its subfolder.
    Move(PathBuf),
    /// It is deleted.
    Delete,
}

/// What becomes of the cutout of an earlier photo when another photo arrives under the same name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnSameName {
    /// It stays; the later photo's cutout gets a number.
    Number,
    /// The later photo's cutout replaces it.
    Replace,
}

impl SourcePolicy {
    /// The rule for a folder that names none. A photo that stays in its folder is corrected under its name; where photos are
    /// moved or deleted, the name is free for another photo.
    pub fn default_on_same_name(&self) -> OnSameName {
        match self {
            Self::Keep => OnSameName::Replace,
            Self::Move(_) | Self::Delete => OnSameName::Number,
        }
    }
}

/// What becomes of a source that cannot be cut out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailedPolicy {
    /// It stays where it is, with a note beside it.
    Note,
    /// It is moved below this folder, with a note.
    Move(PathBuf),
    /// It stays where it is; whoever asked is told.
    Leave,
}

impl Folder {
    /// A folder with the default of everything that has one.
    pub fn plain(name: String, input: PathBuf, output: PathBuf) -> io::Result<Self> {
        let include = Include::new(default_include()).map_err(io::Error::other)?;
        Ok(Self {
            name,
            input,
            output,
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

    /// The folders inside the hot folder that are hotcut's own and hold no new photos.
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

/// Writes `text` as a value of the configuration.
pub fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

impl Config {
    /// Returns the configuration of one run without a file: every default, one model, no folder.
    pub fn for_one_run(models_dir: &Path, model: &str) -> Result<Self, ManifestError> {
        let manifest = ModelManifest::load(models_dir, model)?;
        let (mut daemon, _) = read::daemon(LocatedTable::default(), &mut FaultList::default());
        models_dir.clone_into(&mut daemon.models_dir);
        // The one who waits for it knows the disk, and has no file to say so in.
        daemon.min_free = MinFree::Bytes(0);
        Ok(Self {
            daemon,
            folders: Vec::new(),
            http: None,
            notify: None,
            models: BTreeMap::from([(model.to_owned(), manifest)]),
        })
    }

    /// What is unwise in it, though it can be used: secrets that every user of the machine may read.
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

    /// Reads and validates `file`; touches no hot folder.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        let (config, faults) = Self::read(file)?;
        sound(file, config, faults)
    }

    /// Reads `file` as far as it can be read: what is wrong is left out, or has its default, and is among the faults.
    ///
    /// For commands that tell of a daemon which runs on with the settings it had. An error if nothing can be read.
    pub fn read(file: &Path) -> Result<(Self, Vec<Fault>), ConfigError> {
        let asked = file.to_owned();
        let read = disk::ask(file, move |_| std::fs::read_to_string(&asked).at(&asked));
        let text = read
            .answer()
            .flatten()
            .map_err(|source| error(file, None, FaultKind::Unreadable(source)))?;
        Self::read_text(file, &text)
    }

    /// Validates `text`, which is to be the content of `file`.
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
