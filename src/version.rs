//! What the build was told of its source -> the version and the commit that hotcut names as its own; reads no file.

/// `X.Y.Z` for a release, `X.Y.Z+COMMITS.COMMIT` for a build between two. A build without `make build` has the release's.
pub const VERSION: &str = match option_env!("HOTCUT_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

/// The commit that was built; `unknown` for a build without `make build` or without git.
pub const COMMIT: &str = match option_env!("HOTCUT_COMMIT") {
    Some(commit) => commit,
    None => "unknown",
};
