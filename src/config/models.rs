//! The names of models in a configuration -> their manifests. Must not open a model.

use std::collections::BTreeMap;
use std::path::Path;

use super::error::Fault;
use crate::fs::disk;
use crate::model::ModelManifest;

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
