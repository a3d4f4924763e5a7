//! Reads the manifests of the models that a configuration names. Must not open models.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::{FaultKind, FaultList};
use crate::fs::disk;
use crate::model::ModelManifest;

/// A model named in a table of the configuration.
pub(super) struct NamedModel {
    /// The name of the model.
    pub(super) model: String,
    /// The table that names it.
    pub(super) table: String,
    /// The byte offset of the name, or of the table if the name is absent.
    pub(super) at: Option<usize>,
}

/// Reads the manifest of each model in `names`. `dir_at` is the offset of `models_dir`.
pub(super) fn read(
    models_dir: &Path,
    dir_at: Option<usize>,
    names: Vec<NamedModel>,
    faults: &mut FaultList,
) -> BTreeMap<String, ModelManifest> {
    let mut places: BTreeMap<String, Option<usize>> = BTreeMap::new();
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for NamedModel { model, table, at } in names {
        places.entry(model.clone()).or_insert(at);
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
        faults.add(dir_at, FaultKind::ModelsDir(source));
        Vec::new()
    });
    for (model, tables, manifest) in loaded {
        match manifest {
            Ok(manifest) => {
                manifests.insert(model, manifest);
            }
            Err(source) => {
                let at = places.get(&model).copied().flatten();
                let fault = FaultKind::Model {
                    model,
                    tables,
                    source,
                };
                faults.add(at, fault);
            }
        }
    }
    manifests
}
