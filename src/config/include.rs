//! `include` patterns -> a test on a path; knows no folder and no default ignore list.

use std::path::Path;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Which names a folder takes, compared without regard to case.
#[derive(Clone, Debug)]
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
    /// Compiles `patterns`; one with a `/` is held against the path below the hot folder, any other against the name.
    pub fn new(patterns: Vec<String>) -> Result<Self, globset::Error> {
        let (deep, flat): (Vec<_>, Vec<_>) = patterns.iter().partition(|text| text.contains('/'));
        Ok(Self {
            names: set(&flat)?,
            paths: set(&deep)?,
            patterns,
        })
    }

    /// Tells whether `relative`, a path below the hot folder, is wanted.
    pub fn matches(&self, relative: &Path) -> bool {
        let name = relative.file_name().map(Path::new);
        name.is_some_and(|name| self.names.is_match(name)) || self.paths.is_match(relative)
    }

    /// The patterns as configured.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }
}

fn set(patterns: &[&String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(
            GlobBuilder::new(pattern)
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
