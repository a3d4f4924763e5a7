//! Converts TOML tables to configuration structs and fills in defaults. Must not check relations between folders.

use std::sync::Arc;
use std::time::Duration;

use super::error::{FaultKind, FaultList};
use super::fields::{Fields, KeyPlaces};
use super::folder_name::{self, is_folder_name};
use super::located::{LocatedTable, LocatedValue};
use super::models::NamedModel;
use super::{
    Config, DEFAULT_MEGAPIXELS, DEFAULT_SETTLE, DaemonConfig, FailedPolicy, Folder, Include,
    OnSameName, SourcePolicy, default_include, edges, http, models, output,
};

use crate::fs::disk_space::MinFree;
use crate::model::{DEFAULT_MODEL, shipped_models_dir};

/// How long the ledger remembers photos that are gone, by default.
const DEFAULT_REMEMBER: Duration = Duration::from_hours(365 * 24);
const MS: Duration = Duration::from_millis(1);

/// The offsets of the keys that checks of the whole configuration need.
pub(super) struct ConfigPlaces {
    /// The keys of `[daemon]`.
    pub(super) daemon: KeyPlaces,
    /// The keys of each folder, in the order of [`Config::folders`].
    pub(super) folders: Vec<FolderPlaces>,
}

/// The offsets of the keys of one folder.
pub(super) struct FolderPlaces {
    /// The keys of the folder itself.
    pub(super) keys: KeyPlaces,
    /// The keys of its outputs, in the order of [`Folder::outputs`].
    pub(super) outputs: Vec<KeyPlaces>,
}

/// Reads the whole file. Unreadable parts are omitted or replaced by defaults, and recorded in `faults`.
pub(super) fn config(table: LocatedTable, faults: &mut FaultList) -> (Config, ConfigPlaces) {
    let mut root = Fields::new("the file", table, faults);
    let daemon_table = root.table("daemon").unwrap_or_default();
    let folder_tables = root.tables("folder").unwrap_or_default();
    let http_table = root.table("http");
    let notify_table = root.table("notify");
    root.finish();

    let (daemon, daemon_places) = daemon(daemon_table, faults);
    let mut names = Vec::new();
    let (folders, folder_places) = folder_tables
        .into_iter()
        .enumerate()
        .filter_map(|(index, table)| folder(index, table, &mut names, faults))
        .map(|(folder, places)| (Arc::new(folder), places))
        .unzip();
    let http = http_table.and_then(|table| http::read(table, &mut names, faults));
    let notify = notify_table.and_then(|table| super::notify::read(table, faults));
    let dir_at = daemon_places.of("models_dir");
    let models = models::read(&daemon.models_dir, dir_at, names, faults);
    let config = Config {
        daemon,
        folders,
        http,
        notify,
        models,
    };
    let places = ConfigPlaces {
        daemon: daemon_places,
        folders: folder_places,
    };
    (config, places)
}

/// Reads `[daemon]`, with the default for every absent key.
pub(super) fn daemon(table: LocatedTable, faults: &mut FaultList) -> (DaemonConfig, KeyPlaces) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut fields = Fields::new("[daemon]", table, faults);
    let daemon = DaemonConfig {
        state_dir: fields
            .path("state_dir")
            .unwrap_or_else(|| "/var/lib/hotcut".into()),
        models_dir: fields.path("models_dir").unwrap_or_else(shipped_models_dir),
        workers: fields
            .count("workers")
            .map_or(cores, |count| count as usize),
        threads_per_worker: fields
            .count("threads_per_worker")
            .map_or(1, |count| count as usize),
        timeout: fields
            .duration("timeout", MS)
            .unwrap_or(Duration::from_mins(1)),
        max_attempts: fields.count("max_attempts").unwrap_or(3),
        megapixels_max: fields.count("max_megapixels").unwrap_or(DEFAULT_MEGAPIXELS),
        worker_memory_bytes: fields.size("worker_memory").unwrap_or(2 << 30),
        min_free: fields
            .size("min_free")
            .map_or(MinFree::Default, MinFree::Bytes),
        rescan: fields
            .duration("rescan", MS)
            .unwrap_or(Duration::from_mins(1)),
        drain_timeout: fields
            .duration("drain_timeout", MS)
            .unwrap_or(Duration::from_secs(30)),
        remember: remember(&mut fields),
    };
    (daemon, fields.finish())
}

/// How long the ledger remembers photos that are gone; `None` means forever.
fn remember(fields: &mut Fields<'_>) -> Option<Duration> {
    let expected = "a time like \"365d\", or \"forever\"";
    let value = fields.take("remember", expected, |value| {
        let text = value.as_str()?;
        if text == "forever" {
            return Some(None);
        }
        let time = humantime::parse_duration(text).ok()?;
        (time >= MS).then_some(Some(time))
    });
    value.unwrap_or(Some(DEFAULT_REMEMBER))
}

/// Reads one folder and adds its model to `models` even if other keys are wrong.
fn folder(
    index: usize,
    table: LocatedTable,
    models: &mut Vec<NamedModel>,
    faults: &mut FaultList,
) -> Option<(Folder, FolderPlaces)> {
    let name = table.get("name").and_then(LocatedValue::value);
    let title = match name.and_then(toml::Value::as_str) {
        Some(name) => format!("[[folder]] \"{name}\""),
        None => format!("[[folder]] number {}", index + 1),
    };
    let mut fields = Fields::new(&title, table, faults);
    let name = fields.take("name", folder_name::RULE, |value| {
        let name = value.as_str()?;
        is_folder_name(name).then(|| name.to_owned())
    });
    let name = fields.require("name", name);
    let input = fields.path("input");
    let input = fields.require("input", input);
    let output = fields.output();
    let output = fields.require("output", output);
    let output_at = fields.place_of("output");
    let model = fields
        .text("model")
        .unwrap_or_else(|| DEFAULT_MODEL.to_owned());
    models.push(NamedModel {
        model: model.clone(),
        table: title.clone(),
        at: fields.place_of("model"),
    });
    let edges = edges::read(&mut fields);
    let settle = fields.duration("settle", MS).unwrap_or(DEFAULT_SETTLE);
    let include = patterns(&mut fields, "include", default_include);
    let exclude = patterns(&mut fields, "exclude", Vec::new);
    let source = source(&mut fields);
    let on_same_name = on_same_name(&mut fields);
    let failed = fields
        .path("failed")
        .map_or(FailedPolicy::Note, FailedPolicy::Move);
    let tidy = tidy(&mut fields, source.as_ref());
    let keys = fields.finish();
    let outputs = output.and_then(|value| output::read(value, output_at, &title, faults));
    let (outputs, output_places) = outputs?;
    let source = source?;
    let folder = Folder {
        name: name?,
        input: input?,
        outputs,
        model,
        edges,
        settle,
        include: include?,
        exclude: exclude?,
        on_same_name: on_same_name.unwrap_or_else(|| source.default_on_same_name()),
        source,
        failed,
        tidy,
    };
    let places = FolderPlaces {
        keys,
        outputs: output_places,
    };
    Some((folder, places))
}

fn patterns(
    fields: &mut Fields<'_>,
    key: &'static str,
    default: fn() -> Vec<String>,
) -> Option<Include> {
    let patterns = fields.texts(key).unwrap_or_else(default);
    match Include::new(patterns) {
        Ok(include) => Some(include),
        Err(source) => {
            fields.fault(key, |table| FaultKind::Pattern { key, table, source });
            None
        }
    }
}

fn source(fields: &mut Fields<'_>) -> Option<SourcePolicy> {
    let words = "\"keep\", \"move\" or \"delete\"";
    let is_given = fields.has("source");
    let word = fields.take("source", words, |value| {
        let word = value.as_str()?;
        ["keep", "move", "delete"]
            .contains(&word)
            .then(|| word.to_owned())
    });
    let done = fields.path("done");
    match (word.as_deref(), done) {
        (Some("move"), done) => fields.require("done", done).map(SourcePolicy::Move),
        // `source` itself is wrong, and its fault is already recorded.
        (None, _) if is_given => None,
        (_, Some(done)) => {
            fields.fault("done", |table| FaultKind::Value {
                table,
                key: "done",
                expected: "left out unless source = \"move\"",
                found: format!("{:?}", done.display().to_string()),
            });
            None
        }
        (Some("delete"), None) => Some(SourcePolicy::Delete),
        (_, None) => Some(SourcePolicy::Keep),
    }
}

fn tidy(fields: &mut Fields<'_>, source: Option<&SourcePolicy>) -> bool {
    let tidy = fields.flag("tidy").unwrap_or(false);
    if tidy && source == Some(&SourcePolicy::Keep) {
        fields.fault("tidy", |table| FaultKind::Value {
            table,
            key: "tidy",
            expected: "left out unless source = \"move\" or \"delete\"",
            found: "true".to_owned(),
        });
    }
    tidy
}

fn on_same_name(fields: &mut Fields<'_>) -> Option<OnSameName> {
    fields.take(
        "on_same_name",
        "\"number\" or \"replace\"",
        |value| match value.as_str()? {
            "number" => Some(OnSameName::Number),
            "replace" => Some(OnSameName::Replace),
            _ => None,
        },
    )
}
