//! Tests seeded random drops into five folders while the daemon is killed repeatedly. An oracle that knows only the final trees
//! checks that nothing is lost, doubled, partial or of an old version.
//!
//! `make churn SECONDS=60` does the same with a new seed for longer. Add a seed that has failed to [`SEEDS`].
//! `HOTCUT_CHURN_SEED=7,240`, as it is printed, replays seed 7 with 240 changes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use sha2::{Digest as _, Sha256};

use crate::support::binary::{eventually, files_below, is_temporary};
use crate::support::dice::Dice;
use crate::support::drops::{Drops, Policy};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{marked_sha256, marked_source};
use crate::support::setup::Setup;

/// The seeds that always run, each with its number of changes.
const SEEDS: [(u64, u32); 2] = [(1, 240), (20_261_124, 240)];

/// How long the final trees are observed after they are correct: longer than two listings (`rescan`).
const QUIET: Duration = Duration::from_secs(5);

const FOLDERS: [(&str, Policy); 5] = [
    ("products", Policy::Keep),
    ("portraits", Policy::Keep),
    ("shoes", Policy::Keep),
    ("moved", Policy::Move),
    ("deleted", Policy::Delete),
];

/// P1, P2, P3, P4, P8: fails when a photo of a final tree has no cutout, two, a partial one or one of an earlier version; when an
/// original is lost or altered; when a photo that ends early has a cutout; when a temporary file stays; or when any of it comes
/// late.
#[test]
fn random_drops_and_kills_end_with_one_cutout_for_each_photo() {
    if let Ok(printed) = std::env::var("HOTCUT_CHURN_SEED") {
        let (seed, most) = printed.split_once(',').expect("SEED,CHANGES");
        let most: u32 = most.parse().unwrap();
        play(seed.parse().unwrap(), &mut |changes| changes < most);
        return;
    }
    let seconds = std::env::var("HOTCUT_CHURN_SECONDS").ok();
    match seconds.and_then(|seconds| seconds.parse().ok()) {
        Some(seconds) => {
            let now = SystemTime::UNIX_EPOCH.elapsed().unwrap();
            let until = Instant::now() + Duration::from_secs(seconds);
            play(now.as_secs(), &mut |_| Instant::now() < until);
        }
        None => {
            for (seed, most) in SEEDS {
                play(seed, &mut |changes| changes < most);
            }
        }
    }
}

fn play(seed: u64, goes_on: &mut dyn FnMut(u32) -> bool) {
    eprintln!("seed {seed}");
    let mut hot = HotFolder::start_with(setup());
    let mut dice = Dice::new(seed);
    let outside = hot.setup().path("outside");
    fs::create_dir(&outside).unwrap();
    let mut folders =
        FOLDERS.map(|(name, policy)| Drops::new(hot.setup().input_of(name), &outside, policy));
    let mut changes = 0;
    while goes_on(changes) {
        let which = dice.below(folders.len());
        folders[which].change(&mut dice);
        changes += 1;
        if dice.below(40) == 0 {
            hot.kill9();
            for _ in 0..dice.below(4) {
                let which = dice.below(folders.len());
                folders[which].change(&mut dice);
            }
            hot.restart();
        }
        std::thread::sleep(Duration::from_millis(dice.below(40) as u64));
    }
    for drops in &mut folders {
        drops.finish();
    }
    let played = format!("HOTCUT_CHURN_SEED={seed},{changes}");
    eprintln!("{played}");
    for (drops, (name, policy)) in folders.iter().zip(FOLDERS) {
        let what = format!("{played}: {name}");
        // The daemon waits for a photo that ends early for longer than a test can, so only photos with a worker count.
        let is_done =
            || hot.status_of(name).running == 0 && lacking(&hot, name, policy, drops).is_none();
        assert!(
            eventually(is_done),
            "{what}: {:?} has no cutout of its own",
            lacking(&hot, name, policy, drops)
        );
        assert_sound(&hot, name, policy, drops, &what);
    }
    let until = Instant::now() + QUIET;
    while Instant::now() < until {
        for (drops, (name, policy)) in folders.iter().zip(FOLDERS) {
            let what = format!("{played}: {name}, later");
            assert_eq!(lacking(&hot, name, policy, drops), None, "{what}");
            assert_sound(&hot, name, policy, drops, &what);
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    hot.stop();
    for (name, _) in FOLDERS {
        let left = files_below(&hot.setup().output_of(name));
        let stays = left.iter().find(|file| is_temporary(file));
        assert_eq!(stays, None, "{played}: {name}");
    }
}

fn setup() -> Setup {
    let mut setup = Setup::new().daemon("rescan", "2s");
    for (name, policy) in FOLDERS {
        if name != "products" {
            setup = setup.another_folder(name);
        }
        setup = match policy {
            Policy::Keep => setup,
            Policy::Move => setup.moves_sources(),
            Policy::Delete => setup.folder("source", "delete"),
        };
    }
    setup
}

/// A photo that does not have exactly one cutout of its current version, or that is not in its proper place.
fn lacking(hot: &HotFolder, name: &str, policy: Policy, drops: &Drops) -> Option<PathBuf> {
    let cutouts = cutouts(hot, name);
    let has_one = |source: &Path, photo: &[u8]| {
        let of_it = cutouts.get(&source.display().to_string());
        let hash: [u8; 32] = Sha256::digest(photo).into();
        of_it.is_some_and(|found| found[..] == [hash])
    };
    let input = hot.setup().input_of(name);
    let left = photos_below(&input);
    if policy == Policy::Keep {
        let mut left = left.into_iter();
        return left.find(|source| !has_one(source, &fs::read(input.join(source)).unwrap()));
    }
    let is_safe = |source: &Path, photo: &[u8]| {
        let moved = hot.setup().path("done").join(source);
        policy == Policy::Delete || fs::read(moved).is_ok_and(|bytes| bytes == photo)
    };
    let mut dropped = drops.dropped().iter();
    let lacking =
        dropped.find(|(source, photo)| !has_one(source, photo) || !is_safe(source, photo));
    left.into_iter()
        .next()
        .or(lacking.map(|(source, _)| source.clone()))
}

/// Checks that every cutout is complete and names its source, that no source has two, that no partial photo has one, and that
/// nothing else lies there. Originals that are kept must be unchanged in their places.
#[track_caller]
fn assert_sound(hot: &HotFolder, name: &str, policy: Policy, drops: &Drops, what: &str) {
    let input = hot.setup().input_of(name);
    for (source, photo) in drops.dropped().iter().filter(|_| policy == Policy::Keep) {
        let is_kept = fs::read(input.join(source)).is_ok_and(|bytes| bytes == *photo);
        assert!(is_kept, "{what}: {} is lost or altered", source.display());
    }
    let output = hot.setup().output_of(name);
    // A file that was only touched, or that is no photo, may be in work.
    let files = files_below(&output).into_iter();
    for file in files.filter(|file| !is_temporary(file)) {
        let decoded = image::open(output.join(&file));
        assert!(decoded.is_ok(), "{what}: {} is not whole", file.display());
    }
    for (source, found) in cutouts(hot, name) {
        assert!(
            !source.ends_with(".bad.jpg"),
            "{what}: {source} has a cutout"
        );
        assert_eq!(
            found.len(),
            1,
            "{what}: {source} has {} cutouts",
            found.len()
        );
    }
}

/// By source, the hashes of the sources of the cutouts.
fn cutouts(hot: &HotFolder, name: &str) -> BTreeMap<String, Vec<[u8; 32]>> {
    let output = hot.setup().output_of(name);
    let mut found: BTreeMap<String, Vec<[u8; 32]>> = BTreeMap::new();
    for file in files_below(&output)
        .iter()
        .filter(|file| !is_temporary(file))
    {
        let path = output.join(file);
        found
            .entry(marked_source(&path))
            .or_default()
            .push(marked_sha256(&path));
    }
    found
}

/// Complete photos: files dropped as invalid have the ending `.bad.jpg`.
fn photos_below(input: &Path) -> Vec<PathBuf> {
    let mut files = files_below(input);
    files.retain(|file| {
        let is_note = file.extension() == Some(OsStr::new("txt"));
        !is_note && !file.display().to_string().ends_with(".bad.jpg")
    });
    files
}
