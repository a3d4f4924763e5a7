//! Converts the names of models to their manifests, names those that there are, and finds the folder that ships. Must not open a model.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::DEFAULT_MODEL;
use super::error::Fault;
use super::manifest::ModelManifest;
use crate::disk;

/// Reads the manifest of each model in `names`, which come with the table that names them.
pub(super) fn read(
    models_dir: &Path,
    names: Vec<(String, String)>,
    faults: &mut Vec<Fault>,
) -> BTreeMap<String, ModelManifest> {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (model, table) in names {
        tables.entry(model).or_default().push(table);
    }
    let dir = models_dir.to_owned();
    let loaded = disk::ask(models_dir, move |pulse| {
        let load = |(model, tables): (String, Vec<String>)| {
            pulse.step();
            let manifest = ModelManifest::load(&dir, &model);
            (model, tables, manifest)
        };
        tables.into_iter().map(load).collect::<Vec<_>>()
    });
    let mut manifests = BTreeMap::new();
    let loaded = loaded.answer().unwrap_or_else(|source| {
        faults.push(Fault::ModelsDir(source));
        Vec::new()
    });
    for (model, tables, manifest) in loaded {
        match manifest {
            Ok(manifest) => {
                manifests.insert(model, manifest);
            }
            Err(source) => faults.push(Fault::Model {
                model,
                tables,
                source,
            }),
        }
    }
    manifests
}

/// The names of the manifests in `models_dir`, sorted; none if it cannot be read.
pub(super) fn models_in(models_dir: &Path) -> Vec<String> {
    let files = fs::read_dir(models_dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = files
        .filter_map(|file| Some(file.file_name().to_str()?.strip_suffix(".toml")?.to_owned()))
        .collect();
    names.sort();
    names
}

/// Says which models there are.
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
