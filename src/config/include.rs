//! Matches paths against the patterns of `include` or `exclude`. Must not depend on folders or on the default ignore list.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Patterns for names and paths, compared without regard to case.
#[derive(Clone, Debug, Default)]
pub struct Include {
    patterns: Vec<String>,
    names: GlobSet,
    paths: GlobSet,
}

impl PartialEq for Include {
    fn eq(&self, other: &Self) -> bool {
        self.patterns == other.patterns
    }
}

impl Include {
    /// Compiles `patterns`. A pattern with a `/` is matched with the path below the hot folder, any other with the name. A `/` at
    /// the end, which marks a folder, is ignored.
    pub fn new(patterns: Vec<String>) -> Result<Self, globset::Error> {
        let bare = patterns.iter().map(|text| text.trim_end_matches('/'));
        let (deep, flat): (Vec<_>, Vec<_>) = bare.partition(|text| text.contains('/'));
        Ok(Self {
            names: set(&flat)?,
            paths: set(&deep)?,
            patterns,
        })
    }

    /// Whether a pattern matches `relative`, a path below the hot folder.
    pub fn matches(&self, relative: &Path) -> bool {
        let name = relative.file_name().map(Path::new);
        name.is_some_and(|name| self.names.is_match(name)) || self.paths.is_match(relative)
    }

    /// The patterns as configured.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }
}

fn set(patterns: &[&str]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(
            GlobBuilder::new(pattern.trim_start_matches('/'))
                .case_insensitive(true)
                .literal_separator(true)
                .build()?,
        );
    }
    set.build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    #[test]
    fn names_match_in_any_case_and_at_any_depth() {
        let include = Include::new(vec!["*.jpg".into(), "raw/*.tif".into()]).unwrap();
        assert!(include.matches(Path::new("a/b/C.JPG")));
        assert!(include.matches(Path::new("raw/x.tif")));
        assert!(!include.matches(Path::new("other/x.tif")));
        assert!(!include.matches(Path::new("a.jpg/readme")));
    }

    #[test]
    fn a_name_that_is_not_utf8_matches_by_its_bytes() {
        let include = Include::new(vec!["*.jpg".into()]).unwrap();
        assert!(include.matches(Path::new(OsStr::from_bytes(b"bad\xff.jpg"))));
    }
}
