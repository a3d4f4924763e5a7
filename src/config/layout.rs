//! A configuration -> the ways in which its folders would get in each other's way; reads no file's content.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::Fault;
use super::{Config, Folder, SourcePolicy};
use crate::fs::disk;

/// Where each path leads. One whose disk does not answer has no entry, and is not judged.
type RealPaths = BTreeMap<PathBuf, PathBuf>;

/// Notes every name used twice, every harmful nesting and every ring of folders.
pub(super) fn check(config: &Config, faults: &mut Vec<Fault>) {
    let folders = &config.folders;
    let paths = folders.iter().flat_map(|folder| {
        let both = [folder.input.as_path(), folder.output.as_path()];
        both.into_iter().chain(folder.own_folders())
    });
    let real = disk::real_paths(paths.chain([config.daemon.state_dir.as_path()]));
    for (index, folder) in folders.iter().enumerate() {
        if folders
            .iter()
            .take(index)
            .any(|other| other.name == folder.name)
        {
            faults.push(Fault::SameName(folder.name.clone()));
        }
        within_one(folder, &config.daemon.state_dir, &real, faults);
        for other in folders.iter().take(index) {
            sharing_an_input(folder, other, &real, faults);
        }
    }
    ring(config, &real, faults);
}

/// A path with a name for messages, resolved as far as it exists so that links cannot hide a nesting.
struct Place {
    what: String,
    path: PathBuf,
    real: Option<PathBuf>,
}

impl Place {
    fn new(folder: &Folder, key: &str, path: &Path, real: &RealPaths) -> Self {
        Self {
            what: format!("`{key}` of folder \"{}\"", folder.name),
            path: path.to_owned(),
            real: real.get(path).cloned(),
        }
    }

    fn forbid_inside(&self, outer: &Self, faults: &mut Vec<Fault>) -> bool {
        let both = self.real.as_ref().zip(outer.real.as_ref());
        let nested = both.is_some_and(|(inner, outer)| inner.starts_with(outer));
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

fn within_one(folder: &Folder, state_dir: &Path, real: &RealPaths, faults: &mut Vec<Fault>) {
    let input = Place::new(folder, "input", &folder.input, real);
    let output = Place::new(folder, "output", &folder.output, real);
    if !output.forbid_inside(&input, faults) {
        input.forbid_inside(&output, faults);
    }
    let state = Place {
        what: "`state_dir`".to_owned(),
        path: state_dir.to_owned(),
        real: real.get(state_dir).cloned(),
    };
    state.forbid_inside(&input, faults);
    for own in folder.own_folders() {
        let own = Place::new(folder, "done/failed", own, real);
        // A `done` folder below the hot folder is usual, and skipped by the scan; one that holds it is not.
        input.forbid_inside(&own, faults);
        own.forbid_inside(&output, faults);
    }
}

/// Two folders may read one input only if neither takes the source away from the other.
fn sharing_an_input(one: &Folder, two: &Folder, real: &RealPaths, faults: &mut Vec<Fault>) {
    let keeps = |folder: &Folder| {
        folder.source == SourcePolicy::Keep && folder.own_folders().next().is_none()
    };
    if keeps(one) && keeps(two) {
        return;
    }
    let one = Place::new(one, "input", &one.input, real);
    let two = Place::new(two, "input", &two.input, real);
    if !one.forbid_inside(&two, faults) {
        two.forbid_inside(&one, faults);
    }
}

fn ring(config: &Config, real: &RealPaths, faults: &mut Vec<Fault>) {
    let folders = &config.folders;
    let feeds = |from: usize, to: usize| {
        let output = folders
            .get(from)
            .and_then(|folder| real.get(&folder.output));
        let input = folders.get(to).and_then(|folder| real.get(&folder.input));
        output
            .zip(input)
            .is_some_and(|(output, input)| output.starts_with(input) || input.starts_with(output))
    };
    let name = |at: usize| {
        config
            .folders
            .get(at)
            .map_or("", |folder| folder.name.as_str())
    };
    for start in 0..folders.len() {
        let mut trail = vec![start];
        if walk(start, &mut trail, folders.len(), &feeds) {
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
