//! Checks a configuration for folders that interfere with each other. Must not read contents of files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::{FaultKind, FaultList};
use super::fields::KeyPlaces;
use super::read::ConfigPlaces;
use super::{Config, FailedPolicy, Folder, SourcePolicy};
use crate::fs::disk;

/// The resolved paths. A path whose disk does not respond is absent and is not checked.
type RealPaths = BTreeMap<PathBuf, PathBuf>;

/// Records every duplicate name, harmful nesting and cycle of folders.
pub(super) fn check(config: &Config, places: &ConfigPlaces, faults: &mut FaultList) {
    let paths = config.folders.iter().flat_map(|folder| {
        let input = std::iter::once(folder.input.as_path());
        input
            .chain(folder.output_paths())
            .chain(folder.own_folders())
    });
    let real = disk::real_paths(paths.chain([config.daemon.state_dir.as_path()]));
    let judged = config.folders.iter().zip(&places.folders);
    let judged: Vec<_> = judged
        .map(|(folder, places)| Judged {
            folder,
            keys: &places.keys,
            outputs: &places.outputs,
            real: &real,
        })
        .collect();
    let state_dir = Place {
        what: "`state_dir`".to_owned(),
        path: config.daemon.state_dir.clone(),
        at: places.daemon.given("state_dir"),
        real: real.get(&config.daemon.state_dir).cloned(),
    };
    for (index, one) in judged.iter().enumerate() {
        let before = judged.get(..index).unwrap_or_default();
        if before
            .iter()
            .any(|other| other.folder.name == one.folder.name)
        {
            let fault = FaultKind::SameName(one.folder.name.clone());
            faults.add(one.keys.of("name"), fault);
        }
        within_one(one, &state_dir, faults);
        for other in before {
            sharing_an_input(one, other, faults);
        }
    }
    ring(&judged, faults);
}

/// A folder with the offsets of its keys in the text, and its resolved paths.
struct Judged<'a> {
    folder: &'a Folder,
    keys: &'a KeyPlaces,
    outputs: &'a [KeyPlaces],
    real: &'a RealPaths,
}

impl Judged<'_> {
    fn place(&self, key: &str, path: &Path) -> Place {
        Place {
            what: format!("`{key}` of folder \"{}\"", self.folder.name),
            path: path.to_owned(),
            at: self.keys.of(key),
            real: self.real.get(path).cloned(),
        }
    }

    fn input(&self) -> Place {
        self.place("input", &self.folder.input)
    }

    fn outputs(&self) -> Vec<Place> {
        let outputs = self.folder.output_paths().zip(self.outputs);
        let places = outputs.map(|(path, keys)| Place {
            at: keys.of("path"),
            ..self.place("output", path)
        });
        places.collect()
    }

    fn own_folders(&self) -> impl Iterator<Item = Place> {
        let done = match &self.folder.source {
            SourcePolicy::Move(done) => Some(self.place("done", done)),
            SourcePolicy::Keep | SourcePolicy::Delete => None,
        };
        let failed = match &self.folder.failed {
            FailedPolicy::Move(failed) => Some(self.place("failed", failed)),
            FailedPolicy::Note | FailedPolicy::Leave => None,
        };
        done.into_iter().chain(failed)
    }
}

/// A path with a name for messages. It is resolved as far as it exists, so that links cannot hide a nesting.
struct Place {
    what: String,
    path: PathBuf,
    at: Option<usize>,
    real: Option<PathBuf>,
}

impl Place {
    fn forbid_inside(&self, outer: &Self, faults: &mut FaultList) -> bool {
        let both = self.real.as_ref().zip(outer.real.as_ref());
        let nested = both.is_some_and(|(inner, outer)| inner.starts_with(outer));
        if nested {
            let fault = FaultKind::Nested {
                inner: self.what.clone(),
                inner_path: self.path.clone(),
                outer: outer.what.clone(),
                outer_path: outer.path.clone(),
            };
            // A directory that the file does not name has no offset.
            faults.add(self.at.or(outer.at), fault);
        }
        nested
    }
}

fn within_one(judged: &Judged<'_>, state_dir: &Place, faults: &mut FaultList) {
    let (input, outputs) = (judged.input(), judged.outputs());
    for (index, output) in outputs.iter().enumerate() {
        if !output.forbid_inside(&input, faults) {
            input.forbid_inside(output, faults);
        }
        // Two outputs of one photo would get the same name.
        for before in outputs.iter().take(index) {
            if !output.forbid_inside(before, faults) {
                before.forbid_inside(output, faults);
            }
        }
    }
    state_dir.forbid_inside(&input, faults);
    for own in judged.own_folders() {
        // A `done` folder below the hot folder is common and skipped by the scan. A `done` folder that contains the hot folder is
        // not.
        input.forbid_inside(&own, faults);
        for output in &outputs {
            own.forbid_inside(output, faults);
        }
    }
}

/// Two folders may share an input only if neither moves or deletes its sources.
fn sharing_an_input(one: &Judged<'_>, two: &Judged<'_>, faults: &mut FaultList) {
    let keeps = |folder: &Folder| {
        folder.source == SourcePolicy::Keep && folder.own_folders().next().is_none()
    };
    if keeps(one.folder) && keeps(two.folder) {
        return;
    }
    let (one, two) = (one.input(), two.input());
    if !one.forbid_inside(&two, faults) {
        two.forbid_inside(&one, faults);
    }
}

fn ring(folders: &[Judged<'_>], faults: &mut FaultList) {
    let feeds = |from: usize, to: usize| {
        let real = |path: &Path| folders.first().and_then(|judged| judged.real.get(path));
        let Some(input) = folders.get(to).and_then(|it| real(&it.folder.input)) else {
            return false;
        };
        let outputs = folders.get(from).into_iter();
        let mut outputs = outputs
            .flat_map(|it| it.folder.output_paths())
            .filter_map(real);
        outputs.any(|output| output.starts_with(input) || input.starts_with(output))
    };
    for start in 0..folders.len() {
        let mut trail = vec![start];
        if walk(start, &mut trail, folders.len(), &feeds) {
            let round: Vec<_> = trail.iter().filter_map(|at| folders.get(*at)).collect();
            let names: Vec<&str> = round.iter().map(|it| it.folder.name.as_str()).collect();
            let at = round.first().and_then(|it| it.keys.of("output"));
            faults.add(at, FaultKind::Ring(names.join(" -> ")));
            return;
        }
    }
}

/// Extends `trail` to a cycle through at least one other folder; returns whether there is one.
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
