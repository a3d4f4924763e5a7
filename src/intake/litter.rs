//! Decides from a name whether the file belongs to an operating system or another program. Must not access the disk or know the
//! configuration.
//!
//! Names are bytes in lower case. The names below never belong to a photo that a user has dropped. They belong to bins and
//! snapshots, from which hotcut must not take or remove anything, to caches of small pictures, and to files that are still being
//! transferred.

/// Endings of files and folders that editors, browsers, sync and transfer tools write, and of other programs' packages.
const ENDINGS: &[&str] = &[
    "~",
    ".tmp",
    ".temp",
    ".part",
    ".partial",
    ".incomplete",
    ".uploading",
    ".crdownload",
    ".opdownload",
    ".download",
    ".filepart",
    ".aria2",
    ".lftp-pget-status",
    ".!qb",
    ".!ut",
    ".!sync",
    ".bc!",
    ".xltd",
    ".bak",
    ".swp",
    ".swo",
    ".lock",
    ".hotcut.txt",
    // Synology's file attributes, stored beside the file.
    "@synoeastream",
    "@synoresource",
    // Previews of Lightroom; libraries of Apple's programs, Lightroom and Capture One.
    ".lrdata",
    ".lrlibrary",
    ".photoslibrary",
    ".photolibrary",
    ".migratedphotolibrary",
    ".aplibrary",
    ".cocatalog",
];

/// Beginnings. A dot hides a file. A tilde starts temporary files of Office, Syncthing and scanners, and snapshots of some NAS.
const BEGINNINGS: &[&str] = &[
    ".",
    "~",
    // Snapshots as Samba and Windows show them.
    "@gmt-",
    "photoshop temp",
    "(a document being saved by",
];

/// Whole names, sorted.
const NAMES: &[&str] = &[
    "#recycle",
    "#snapshot",
    "$recycle.bin",
    "@__thumb",
    "@eadir",
    "@recently-snapshot",
    "@recycle",
    "@sharebin",
    "@snapshot",
    "@tmp",
    "@transcode",
    "[originals]",
    "__macosx",
    "_vti_cnf",
    "_vti_pvt",
    "adobe bridge cache",
    "bridge cache",
    "desktop db",
    "desktop df",
    "desktop.ini",
    "dfsrprivate",
    "do_not_remove_ntfrs_preinstall_directory",
    "ehthumbs.db",
    "ehthumbs_vista.db",
    "files_trashbin",
    "files_versions",
    "found.000",
    "icon\r",
    "iphoto library",
    "lost+found",
    "network trash folder",
    "picasa.ini",
    "recycle bin",
    "recycler",
    "system volume information",
    "temporary items",
    "thefindbycontentfolder",
    "thevolumesettingsfolder",
    "thumbnails",
    "thumbs.db",
    "trash",
    "trashbox",
    "zbthumbnail.info",
];

/// Folders (second) that are caches only inside a certain folder (first).
const INNER_CACHES: &[(&str, &str)] = &[("captureone", "cache")];

/// Texts that sync programs put into the name of a copy that they keep because two people changed one file.
const CONFLICTS: &[&str] = &[
    ".sync-conflict-",
    "conflicted copy",
    "(sfconflict ",
    "_conflict-20",
];

/// Endings of files that describe a photo beside them, and of lists and logs that programs leave in a folder.
const SIDECARS: &[&str] = &[
    "aae", "acr", "comask", "cop", "cos", "cot", "ctg", "db", "dop", "ini", "log", "md5", "nksc",
    "on1", "pp3", "sfv", "sha1", "sha256", "thm", "txt", "vrd", "xmp",
];

/// Returns whether `name`, in lower case, belongs to an operating system or another program.
pub(super) fn is_litter(name: &[u8]) -> bool {
    BEGINNINGS
        .iter()
        .any(|beginning| name.starts_with(beginning.as_bytes()))
        || NAMES
            .binary_search_by(|litter| litter.as_bytes().cmp(name))
            .is_ok()
        || ENDINGS
            .iter()
            .any(|ending| name.ends_with(ending.as_bytes()))
        || is_autosave(name)
        || is_safe_save(name)
}

/// Returns whether the folder `name` is a cache because it lies in `parent`; both in lower case.
pub(super) fn is_inner_cache(parent: &[u8], name: &[u8]) -> bool {
    INNER_CACHES
        .iter()
        .any(|(outer, inner)| outer.as_bytes() == parent && inner.as_bytes() == name)
}

/// Returns whether `name` is a hidden name that hotcut gives to a photo while it moves or deletes it.
pub(super) fn is_hidden_photo(name: &[u8]) -> bool {
    name.starts_with(b".hotcut-") && name.ends_with(b".source")
}

/// Returns whether `name`, in lower case, is that of a copy that a sync program made because of a conflict.
pub(super) fn is_conflict(name: &[u8]) -> bool {
    CONFLICTS.iter().any(|part| contains(name, part.as_bytes()))
}

/// Returns whether a file with this ending, in lower case, only describes others.
pub(super) fn is_sidecar(ending: &[u8]) -> bool {
    SIDECARS.iter().any(|one| one.as_bytes() == ending)
}

/// Returns whether `name` is an autosave file of Emacs, like `#a.jpg#`.
fn is_autosave(name: &[u8]) -> bool {
    name.len() > 2 && name.starts_with(b"#") && name.ends_with(b"#")
}

/// Returns whether `name` is a temporary folder like `a.jpg.sb-1a2b3c4d-AbCdEf`, through which macOS programs save `a.jpg` on a
/// share.
fn is_safe_save(name: &[u8]) -> bool {
    let mark = b".sb-";
    name.windows(mark.len() + 9).any(|part| {
        part.strip_prefix(mark.as_slice()).is_some_and(|rest| {
            rest.split_last()
                .is_some_and(|(dash, hex)| *dash == b'-' && hex.iter().all(u8::is_ascii_hexdigit))
        })
    })
}

fn contains(name: &[u8], part: &[u8]) -> bool {
    name.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a name is added out of order, so that the binary search misses it.
    #[test]
    fn every_name_of_the_list_is_found() {
        assert!(NAMES.is_sorted());
        for name in NAMES {
            assert!(is_litter(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn names_that_only_resemble_litter_are_photos() {
        for name in [
            "snapshot.jpg",
            "recycle",
            "recycled bags",
            "trash can.jpg",
            "cache",
            "a.sb-1.jpg",
            "#1.jpg",
            "@home.jpg",
            "conflict.jpg",
            "template.jpg",
        ] {
            assert!(!is_litter(name.as_bytes()), "{name}");
            assert!(!is_conflict(name.as_bytes()), "{name}");
        }
    }
}
