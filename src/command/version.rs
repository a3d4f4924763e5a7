//! `hotcut --version`, and the first line of the service's log: the version and the components in use. Must not load a model.

use std::ffi::OsStr;
use std::io::{Write as _, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::CommandError;
use crate::config::Config;
use crate::model::ModelManifest;
use crate::model::shipped_models_dir;
use crate::version::{COMMIT, VERSION};
use crate::{hex, inference};

/// Prints version, commit, library, shipped models and the configuration's path. Works when any of them is missing.
pub fn run(config_file: &Path) -> Result<ExitCode, CommandError> {
    let mut out = stdout().lock();
    writeln!(out, "hotcut {VERSION}")?;
    writeln!(out, "commit: {COMMIT}")?;
    writeln!(out, "ONNX Runtime: {}", library())?;
    let manifests = shipped_models();
    if manifests.is_empty() {
        let folder = shipped_models_dir();
        writeln!(out, "models: none in {}", folder.display())?;
    }
    for manifest in &manifests {
        writeln!(out, "model: {}", model(manifest))?;
    }
    let missing = if config_file.exists() {
        ""
    } else {
        " (not there)"
    };
    writeln!(out, "configuration: {}{missing}", config_file.display())?;
    Ok(ExitCode::SUCCESS)
}

/// Logs the same when a service starts, with the configured models if the configuration could be read.
pub(super) fn log(config_file: &Path, config: Option<&Config>) {
    let models: Vec<String> = config
        .iter()
        .flat_map(|config| config.models.values().map(model))
        .collect();
    tracing::info!(
        version = VERSION,
        commit = COMMIT,
        onnxruntime = library(),
        models = models.join(", "),
        configuration = %config_file.display(),
        "hotcut starts"
    );
}

/// The path of the library. The name ends in the library's version.
fn library() -> String {
    inference::find().map_or_else(
        |error| error.to_string(),
        |path| path.canonicalize().unwrap_or(path).display().to_string(),
    )
}

fn model(manifest: &ModelManifest) -> String {
    format!("{} sha256:{}", manifest.name, hex::encode(&manifest.sha256))
}

/// The manifests, sorted by name, of the shipped models whose file exists.
fn shipped_models() -> Vec<ModelManifest> {
    let folder = shipped_models_dir();
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.sort();
    let manifests = files
        .iter()
        .filter(|file| file.extension() == Some(OsStr::new("toml")))
        .filter_map(|file| ModelManifest::load(&folder, file.file_stem()?.to_str()?).ok());
    manifests
        .filter(|manifest| manifest.file.is_file())
        .collect()
}
