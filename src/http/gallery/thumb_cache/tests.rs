//! The thumbnails on a real disk. Times of use are set explicitly.

use std::io::Write as _;
use std::time::Duration;

use super::*;

const LIMIT: u64 = 1_600;

fn key(version: i64) -> ThumbKey {
    ThumbKey {
        version,
        kind: ThumbKind::Cutout,
        side: 320,
        stamp: Stamp {
            len: 9,
            mtime_ns: -5,
            ctime_ns: 0,
            ino: u64::MAX,
        },
    }
}

fn write(path: &Path, bytes: &[u8]) {
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create_new(true).open(path);
    file.unwrap().write_all(bytes).unwrap();
}

fn put(thumbs: &Thumbs, key: &ThumbKey, mut bytes: &[u8]) {
    let len = bytes.len() as u64;
    thumbs.put(key, &mut bytes, len).unwrap();
}

fn get(thumbs: &Thumbs, key: &ThumbKey) -> Option<Vec<u8>> {
    let (mut file, len) = thumbs.get(key).unwrap()?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len() as u64, len);
    Some(bytes)
}

fn used_at(thumbs: &Thumbs, version: i64, seconds: u64) {
    let file = File::open(thumbs.path(&key(version))).unwrap();
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    file.set_modified(at).unwrap();
}

fn kept(thumbs: &Thumbs) -> Vec<i64> {
    let is_kept = |version: &i64| thumbs.path(&key(*version)).exists();
    (0..100).filter(is_kept).collect()
}

fn weight(thumbs: &Thumbs) -> u64 {
    let entries = entries(&thumbs.dir).unwrap();
    entries.iter().map(|entry| entry.len).sum()
}

/// Fails when a key returns the thumbnail of another version, kind or size, or of a cutout before its correction.
#[test]
fn each_key_has_its_own_thumbnail() {
    let dir = tempfile::tempdir().unwrap();
    let thumbs = Thumbs::open(dir.path(), crate::fs::disk_space::MinFree::Default).unwrap();
    let one = key(1);
    let corrected = Stamp {
        mtime_ns: -4,
        ..one.stamp
    };
    let others = [
        key(2),
        ThumbKey {
            kind: ThumbKind::Source,
            ..one
        },
        ThumbKey { side: 32, ..one },
        ThumbKey {
            stamp: corrected,
            ..one
        },
        ThumbKey {
            stamp: Stamp {
                len: 8,
                ..one.stamp
            },
            ..one
        },
        ThumbKey {
            stamp: Stamp {
                ino: 1,
                ..one.stamp
            },
            ..one
        },
    ];
    put(&thumbs, &one, b"one");
    for other in others {
        assert!(is_ours(&other.to_string()), "{other}");
        assert_eq!(get(&thumbs, &other), None, "{other}");
    }
    put(&thumbs, &others[0], b"two");
    assert_eq!(get(&thumbs, &one).as_deref(), Some(&b"one"[..]));
    assert_eq!(get(&thumbs, &others[0]).as_deref(), Some(&b"two"[..]));
}

/// Fails when the thumbnails exceed the limit, when a replaced one counts twice, or when a start ignores existing files.
#[test]
fn limit_holds() {
    let dir = tempfile::tempdir().unwrap();
    let thumbs = Thumbs::with_limit(dir.path(), LIMIT).unwrap();
    for version in 0..40 {
        put(&thumbs, &key(version), &[7; 100]);
        assert!(weight(&thumbs) <= LIMIT);
        assert!(kept(&thumbs).contains(&version), "{version} is the newest");
        if version == 12 {
            assert_eq!(kept(&thumbs).len(), 13, "there is room for all");
        }
    }
    let before = kept(&thumbs);
    assert!(before.len() >= 14, "no more goes than must: {before:?}");
    for _ in 0..30 {
        put(&thumbs, &key(39), &[8; 100]);
    }
    assert_eq!(kept(&thumbs), before);
    put(&thumbs, &key(90), &[7; 1_601]);
    assert_eq!(
        kept(&thumbs),
        before,
        "it would not fit into an empty folder"
    );
    let again = Thumbs::with_limit(dir.path(), LIMIT).unwrap();
    for version in 50..70 {
        put(&again, &key(version), &[7; 100]);
        assert!(weight(&again) <= LIMIT);
    }
    drop(again);
    let smaller = Thumbs::with_limit(dir.path(), 500).unwrap();
    assert_eq!(weight(&smaller), 500);
}

/// Fails when a thumbnail other than the least recently used one is evicted, or when reading one does not count as use.
#[test]
fn what_was_not_used_for_the_longest_time_goes_first() {
    let dir = tempfile::tempdir().unwrap();
    let thumbs = Thumbs::with_limit(dir.path(), LIMIT).unwrap();
    for version in 0..16 {
        put(&thumbs, &key(version), &[7; 100]);
        used_at(
            &thumbs,
            version,
            1_000 + u64::try_from((version * 5) % 16).unwrap(),
        );
    }
    // The order of use is 0, 13, 10, 7, 4, ...; then 0 and 10 are read.
    for version in [0, 10] {
        assert!(thumbs.get(&key(version)).unwrap().is_some());
    }
    put(&thumbs, &key(20), &[7; 100]);
    let expected: Vec<i64> = (0..16)
        .filter(|version| ![13, 7].contains(version))
        .chain([20])
        .collect();
    assert_eq!(kept(&thumbs), expected);
}

/// P3: fails when a partial thumbnail is visible, or is never removed after a crash.
#[test]
fn what_a_crash_left_is_swept() {
    let dir = tempfile::tempdir().unwrap();
    let thumbs = Thumbs::open(dir.path(), crate::fs::disk_space::MinFree::Default).unwrap();
    put(&thumbs, &key(1), b"whole");
    let half = thumbs.dir.join(format!("{}.tmp", key(2)));
    write(&half, b"ha");
    assert_eq!(get(&thumbs, &key(2)), None);
    drop(thumbs);
    let thumbs = Thumbs::open(dir.path(), crate::fs::disk_space::MinFree::Default).unwrap();
    assert!(!half.exists());
    assert_eq!(kept(&thumbs), [1]);
}

/// Fails when files or folders of other programs are removed or counted.
#[test]
fn what_others_put_there_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let thumbs = Thumbs::with_limit(dir.path(), LIMIT).unwrap();
    let names = [
        "a.png",
        "notes.tmp",
        "1-cutout-320.png",
        "1-cutout-320-9-x-1.png",
        ".hidden",
    ];
    for name in names {
        write(&thumbs.dir.join(name), &[1; 5_000]);
    }
    let folder = thumbs.dir.join(key(77).to_string());
    fs::create_dir(&folder).unwrap();
    let thumbs = Thumbs::with_limit(dir.path(), LIMIT).unwrap();
    for version in 0..30 {
        put(&thumbs, &key(version), &[7; 100]);
    }
    assert!(kept(&thumbs).len() >= 14);
    for name in names {
        assert_eq!(
            fs::read(thumbs.dir.join(name)).unwrap(),
            [1; 5_000],
            "{name}"
        );
    }
    assert!(folder.is_dir());
}

/// Fails when a folder that is removed while the daemon runs is missed until the next start.
#[test]
fn folder_that_vanished_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let thumbs = Thumbs::with_limit(dir.path(), LIMIT).unwrap();
    for version in 0..16 {
        put(&thumbs, &key(version), &[7; 100]);
    }
    fs::remove_dir_all(&thumbs.dir).unwrap();
    assert_eq!(get(&thumbs, &key(1)), None);
    for version in 0..16 {
        put(&thumbs, &key(version), &[7; 100]);
    }
    assert_eq!(kept(&thumbs).len(), 16);
}
