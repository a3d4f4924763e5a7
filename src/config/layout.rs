//! A configuration -> the ways in which its folders would get in each other's way; reads no file's content.

use std::path::{Path, PathBuf};

use super::error::Fault;
use super::{Config, Folder, SourcePolicy};

/// Notes every name used twice, every harmful nesting and every ring of folders.
pub(super) fn check(config: &Config, faults: &mut Vec<Fault>) {
    let folders = &config.folders;
    for (index, folder) in folders.iter().enumerate() {
        if folders
            .iter()
            .take(index)
            .any(|other| other.name == folder.name)
        {
            faults.push(Fault::SameName(folder.name.clone()));
        }
        within_one(folder, &config.daemon.state_dir, faults);
        for other in folders.iter().take(index) {
            sharing_an_input(folder, other, faults);
        }
    }
    ring(config, faults);
}

/// A path with a name for messages, resolved as far as it exists so that links cannot hide a nesting.
struct Place {
    what: String,
    path: PathBuf,
    real: PathBuf,
}

impl Place {
    fn new(folder: &Folder, key: &str, path: &Path) -> Self {
        Self {
            what: format!("`{key}` of folder \"{}\"", folder.name),
            path: path.to_owned(),
            real: resolve(path),
        }
    }

    fn forbid_inside(&self, outer: &Self, faults: &mut Vec<Fault>) -> bool {
        let nested = self.real.starts_with(&outer.real);
        if nested {
            faults.push(Fault::Nested {
                inner: self.what.clone(),
                inner_path: self.path.clone(),
                outer: outer.what.clone(),
                outer_path: outer.path.clone(),
            });
        }
        nested
    }
}

fn within_one(folder: &Folder, state_dir: &Path, faults: &mut Vec<Fault>) {
    let input = Place::new(folder, "input", &folder.input);
    let output = Place::new(folder, "output", &folder.output);
    if !output.forbid_inside(&input, faults) {
        input.forbid_inside(&output, faults);
    }
    let state = Place {
        what: "`state_dir`".to_owned(),
        path: state_dir.to_owned(),
        real: resolve(state_dir),
    };
    state.forbid_inside(&input, faults);
    for own in folder.own_folders() {
        let own = Place::new(folder, "done/failed", own);
        // A `done` folder below the hot folder is usual, and skipped by the scan; one that holds it is not.
        input.forbid_inside(&own, faults);
        own.forbid_inside(&output, faults);
    }
}

/// Two folders may read one input only if neither takes the source away from the other.
fn sharing_an_input(one: &Folder, two: &Folder, faults: &mut Vec<Fault>) {
    let keeps = |folder: &Folder| {
        folder.source == SourcePolicy::Keep && folder.own_folders().next().is_none()
    };
    if keeps(one) && keeps(two) {
        return;
    }
    let one = Place::new(one, "input", &one.input);
    let two = Place::new(two, "input", &two.input);
    if !one.forbid_inside(&two, faults) {
        two.forbid_inside(&one, faults);
    }
}

fn ring(config: &Config, faults: &mut Vec<Fault>) {
    let inputs: Vec<PathBuf> = config
        .folders
        .iter()
        .map(|folder| resolve(&folder.input))
        .collect();
    let outputs: Vec<PathBuf> = config
        .folders
        .iter()
        .map(|folder| resolve(&folder.output))
        .collect();
    let feeds = |from: usize, to: usize| match (outputs.get(from), inputs.get(to)) {
        (Some(output), Some(input)) => output.starts_with(input) || input.starts_with(output),
        _ => false,
    };
    let name = |at: usize| {
        config
            .folders
            .get(at)
            .map_or("", |folder| folder.name.as_str())
    };
    for start in 0..inputs.len() {
        let mut trail = vec![start];
        if walk(start, &mut trail, inputs.len(), &feeds) {
            let names: Vec<&str> = trail.iter().map(|at| name(*at)).collect();
            faults.push(Fault::Ring(names.join(" -> ")));
            return;
        }
    }
}

/// Extends `trail` to one that ends where it starts, through at least one other folder; tells whether there is one.
fn walk(
    start: usize,
    trail: &mut Vec<usize>,
    count: usize,
    feeds: &impl Fn(usize, usize) -> bool,
) -> bool {
    let Some(&last) = trail.last() else {
        return false;
    };
    if trail.len() > 1 && feeds(last, start) {
        trail.push(start);
        return true;
    }
    for next in 0..count {
        if !trail.contains(&next) && feeds(last, next) {
            trail.push(next);
            if walk(start, trail, count, feeds) {
                return true;
            }
            trail.pop();
        }
    }
    false
}

fn resolve(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let Ok(real) = ancestor.canonicalize() {
            return match path.strip_prefix(ancestor) {
                Ok(rest) if !rest.as_os_str().is_empty() => real.join(rest),
                _ => real,
            };
        }
    }
    path.to_owned()
}
