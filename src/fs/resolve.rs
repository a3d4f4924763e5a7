//! Resolves the existing part of a path. Blocks on the disk.

use std::path::{Path, PathBuf};

/// `path` with all existing links resolved. The part that does not exist stays unchanged.
pub fn path(path: &Path) -> PathBuf {
    let Some((existing, below)) = split(path) else {
        return path.to_owned();
    };
    // Removes a slash at the end.
    existing.join(below).components().collect()
}

/// The part of `path` that exists, without links; empty if nothing of it can be read.
pub fn existing(path: &Path) -> PathBuf {
    split(path).map_or_else(PathBuf::new, |(existing, _)| existing)
}

/// The part that exists, without links, and the rest.
fn split(path: &Path) -> Option<(PathBuf, &Path)> {
    path.ancestors().find_map(|part| {
        let below = path.strip_prefix(part).ok()?;
        Some((part.canonicalize().ok()?, below))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when a link is not followed, or when the part that does not exist is lost or has a slash at its end.
    #[test]
    fn links_are_followed_as_far_as_there_are_any() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("real")).unwrap();
        std::os::unix::fs::symlink(root.join("real"), root.join("link")).unwrap();
        for (asked, leads, exists) in [
            ("link", "real", "real"),
            ("link/", "real", "real"),
            ("link/new/sub", "real/new/sub", "real"),
            ("new", "new", ""),
        ] {
            let asked = root.join(asked);
            assert_eq!(path(&asked).as_os_str(), root.join(leads).as_os_str());
            assert_eq!(existing(&asked), root.join(exists));
        }
        assert_eq!(existing(Path::new("no/such")), Path::new(""));
        assert_eq!(path(Path::new("no/such")), Path::new("no/such"));
    }
}
