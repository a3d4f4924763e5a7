//! The version and the commit of this build. Must not read files.

/// `X.Y.Z` for a release, `X.Y.Z+COMMITS.COMMIT` for a build between two releases. A build without `make build` has the version of
/// the last release.
pub const VERSION: &str = match option_env!("HOTCUT_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

/// The commit that was built; `unknown` for a build without `make build` or without git.
pub const COMMIT: &str = match option_env!("HOTCUT_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};
