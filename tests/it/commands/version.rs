//! Tests the version information: for people, in the log, and for package managers.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::source_text::architecture::read;
use crate::support::binary::{CHECKOUT, finish, hotcut, said};
use crate::support::hot_folder::HotFolder;
use crate::support::launch::log_file;

/// Fails when information that a fault report needs is missing, or when a model is shown with a hash other than the one in its
/// manifest.
#[test]
fn version_names_what_hotcut_works_with() {
    let run = finish(hotcut().arg("--version"));
    let told = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{told}");
    let first = format!("hotcut {}", env!("CARGO_PKG_VERSION"));
    assert!(told.lines().next().unwrap().starts_with(&first), "{told}");
    for model in ["student", "student-fast"] {
        let manifest = read(&format!("models/{model}.toml"));
        let line = manifest.lines().find(|line| line.starts_with("sha256 = "));
        let hash = line.unwrap().split('"').nth(1).unwrap();
        let wanted = format!("model: {model} sha256:{hash}");
        assert!(told.lines().any(|line| line == wanted), "{told}");
    }
    for words in [
        "\ncommit: ",
        "\nONNX Runtime: /",
        "libonnxruntime.so.",
        "\nconfiguration: /etc/hotcut/hotcut.toml",
    ] {
        assert!(told.contains(words), "no {words:?} in {told}");
    }
    let nowhere = finish(hotcut().env("ORT_DYLIB_PATH", "/nowhere/lib.so").arg("-V"));
    assert!(nowhere.status.success());
    assert!(said(&nowhere).contains("/nowhere/lib.so"));
}

/// P10: fails when the log does not begin with the version, also if the configuration is refused.
#[test]
fn log_begins_with_what_wrote_it() {
    let hot = HotFolder::start();
    let file = hot.setup().config_file();
    let log = fs::read_to_string(log_file(hot.setup(), 0)).unwrap();
    let first: serde_json::Value = serde_json::from_str(log.lines().next().unwrap()).unwrap();
    let field = |key: &str| first["fields"][key].as_str().unwrap().to_owned();
    assert_eq!(field("message"), "hotcut starts");
    assert_eq!(field("version"), env!("CARGO_PKG_VERSION"));
    assert!(!field("commit").is_empty());
    assert!(field("onnxruntime").contains("libonnxruntime"), "{first}");
    let manifest = read("tests/data/models/luma.toml");
    let hash = field("models")
        .strip_prefix("luma sha256:")
        .unwrap()
        .to_owned();
    assert!(manifest.contains(&hash), "{first}");
    assert_eq!(field("configuration"), file.display().to_string());
    let setup = crate::support::setup::Setup::new();
    fs::write(setup.config_file(), "one = 1").unwrap();
    let refused = finish(hotcut().args(["run", "--config"]).arg(setup.config_file()));
    let told = said(&refused);
    assert_eq!(refused.status.code(), Some(78), "{told}");
    assert!(
        told.lines().next().unwrap().contains("hotcut starts"),
        "{told}"
    );
}

/// A checkout of two commits with the script that prints its version.
struct Checkout(TempDir);

impl Checkout {
    fn new() -> Self {
        let checkout = Self(tempfile::tempdir().unwrap());
        let place = checkout.0.path();
        fs::create_dir(place.join(".package")).unwrap();
        fs::copy(
            Path::new(CHECKOUT).join(".package/version"),
            place.join(".package/version"),
        )
        .unwrap();
        fs::write(place.join("Cargo.toml"), "version = \"1.2.3\"\n").unwrap();
        checkout
    }

    fn git(&self, arguments: &str) {
        let mut git = Command::new("git");
        git.current_dir(self.0.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null");
        git.args([
            "-c",
            "user.name=a",
            "-c",
            "user.email=a@b",
            "-c",
            "init.defaultBranch=main",
        ]);
        let run = finish(git.args(arguments.split(' ')));
        assert!(run.status.success(), "{}", said(&run));
    }

    fn commit(&self) {
        self.git("add .");
        self.git("commit -q --allow-empty -m some");
    }

    /// The version and the commit.
    fn version(&self) -> (String, String) {
        let run = finish(&mut Command::new(self.0.path().join(".package/version")));
        assert!(run.status.success(), "{}", said(&run));
        let told = String::from_utf8(run.stdout).unwrap();
        let (version, commit) = told.trim_end().split_once(' ').unwrap();
        (version.to_owned(), commit.to_owned())
    }
}

/// Fails when a newer build counts as older or equal, so that its package replaces nothing, or when a build is named after a commit
/// that it was not made from.
#[test]
fn newer_build_has_the_higher_version() {
    let checkout = Checkout::new();
    assert_eq!(checkout.version(), ("1.2.3".into(), "unknown".into()));
    checkout.git("init -q");
    checkout.commit();
    let mut versions = vec![checkout.version().0];
    for _ in 0..10 {
        checkout.commit();
    }
    versions.push(checkout.version().0);
    assert!(versions[0].starts_with("1.2.3+1."), "{versions:?}");
    assert!(versions[1].starts_with("1.2.3+11."), "{versions:?}");
    checkout.git("tag v1.2.3");
    assert_eq!(checkout.version().0, "1.2.3");
    let mut versions = vec!["1.2.3".to_owned()];
    checkout.commit();
    let (version, commit) = checkout.version();
    assert_eq!(version, format!("1.2.3+1.{}", commit.split_at(7).0));
    versions.push(version);
    let manifest = checkout.0.path().join("Cargo.toml");
    fs::write(&manifest, "version = \"1.2.3\"\n# changed\n").unwrap();
    let (version, changed) = checkout.version();
    assert_eq!(changed, format!("{commit}-changed"));
    versions.push(version);
    fs::write(&manifest, "version = \"1.3.0\"\n").unwrap();
    checkout.commit();
    let (version, commit) = checkout.version();
    assert_eq!(version, format!("1.3.0~2.{}", commit.split_at(7).0));
    versions.push(version);
    checkout.git("tag v1.3.0");
    versions.push(checkout.version().0);
    assert_eq!(versions.last().unwrap(), "1.3.0");
    for pair in versions.windows(2) {
        let mut compare = Command::new("dpkg");
        let [older, newer] = pair else { unreachable!() };
        match compare
            .args(["--compare-versions", older, "lt", newer])
            .status()
        {
            Ok(status) => assert!(status.success(), "{older} is not older than {newer}"),
            Err(error) => {
                crate::support::binary::skip("order of versions", &format!("`dpkg`: {error}"));
            }
        }
    }
}

/// Fails when a release has no entry in the changelog, or the changelog has an entry for a release that does not exist.
#[test]
fn changelog_ends_where_the_version_does() {
    let changelog = read("CHANGELOG.md");
    let mut entries = changelog
        .lines()
        .filter_map(|line| line.strip_prefix("## ["));
    let newest = entries
        .find(|entry| !entry.starts_with("Unreleased]"))
        .unwrap();
    let wanted = format!("{}]", env!("CARGO_PKG_VERSION"));
    assert!(newest.starts_with(&wanted), "{newest}");
}
