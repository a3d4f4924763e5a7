//! Lists the models in a folder, and finds the folder that ships with hotcut. Must not open models.

use std::fs;
use std::path::{Path, PathBuf};

/// The model that a folder uses when it names none.
pub const DEFAULT_MODEL: &str = "student";

/// The names of the manifests in `models_dir`, sorted; empty if it cannot be read.
pub(super) fn models_in(models_dir: &Path) -> Vec<String> {
    let files = fs::read_dir(models_dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = files
        .filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".toml")?.to_owned()))
        .collect();
    names.sort();
    names
}

/// Lists the available models in a sentence.
pub(super) fn name_models(known: &[String]) -> String {
    match known {
        [] => "there is no model in that folder; see `models_dir`".to_owned(),
        known => format!("the models in that folder are: {}", known.join(", ")),
    }
}

/// Finds the `models` folder that ships with hotcut: `share/hotcut/models` beside `bin`, or the checkout's own.
pub fn shipped_models_dir() -> PathBuf {
    let exe = std::env::current_exe().unwrap_or_default();
    let installed = exe
        .parent()
        .and_then(Path::parent)
        .map(|root| root.join("share/hotcut/models"));
    let checkout = exe.ancestors().map(|dir| dir.join("models"));
    installed
        .into_iter()
        .chain(checkout)
        .find(|dir| dir.join(DEFAULT_MODEL).with_extension("toml").is_file())
        .unwrap_or_else(|| PathBuf::from("/usr/share/hotcut/models"))
}
