//! Checks the invariants of the architecture in the source text. Runs nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::support::binary::{CHECKOUT, files_below};

/// The most lines that a source file may have: a longer file probably has two purposes.
const LINES_MAX: usize = 400;

/// A Rust file: its path in the checkout, its text, and its code without comments and without unit tests.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) code: String,
}

impl Source {
    /// Whether the code names the crate `name`: as the first part of a path, or in a `use` of no module of ours.
    fn names_crate(&self, name: &str) -> bool {
        let words = words(&self.code);
        let is_crate = |at: usize| words[at] == name && (at == 0 || words[at - 1] != "::");
        let in_path = (1..words.len()).any(|at| words[at] == "::" && is_crate(at - 1));
        let ours = ["crate", "self", "super"];
        in_path
            || use_statements(&self.code).any(|line| {
                let mut words = words_of(line).into_iter();
                let first = words.by_ref().skip_while(|word| *word != "use").nth(1);
                first == Some(name)
                    || !first.is_some_and(|first| ours.contains(&first))
                        && words.any(|word| word == name)
            })
    }

    /// The module of the crate that it belongs to; `None` for the crate's own files.
    fn module(&self) -> Option<&str> {
        let path = self.path.strip_prefix("src/")?;
        let first = path.split('/').next()?.trim_end_matches(".rs");
        (!["lib", "main"].contains(&first)).then_some(first)
    }

    /// Whether the code names the crate's module `name`, as `crate::name` or in `use crate::{...}`.
    fn names_module(&self, name: &str) -> bool {
        let words = words(&self.code);
        let in_path = words.windows(3).any(|three| three == ["crate", "::", name]);
        let in_list = use_statements(&self.code).any(|line| {
            let words = words_of(line);
            words.iter().skip_while(|word| **word != "use").nth(1) == Some(&"crate")
                && line.replace(' ', "").contains("crate::{")
                && words.contains(&name)
        });
        in_path || in_list
    }

    /// Whether the code names the crate or module `name`, in a path or in a `use`.
    fn names(&self, name: &str) -> bool {
        let words = words(&self.code);
        let in_path = words
            .windows(2)
            .any(|pair| pair[0] == name && pair[1] == "::");
        in_path || use_statements(&self.code).any(|line| words_of(line).contains(&name))
    }
}

/// Fails when a second file uses a crate that must be used by one file only.
#[test]
fn each_crate_is_named_in_one_place_only() {
    assert_named_only_in("ort", &["src/inference/session.rs"]);
    assert_named_only_in("notify", &["src/intake/watch.rs"]);
    assert_named_only_in("toml", &["src/config/", "src/model/"]);
    assert_named_only_in("signal_hook", &["src/shutdown.rs"]);
    assert_named_only_in("rusqlite", &["src/ledger/sqlite/"]);
    assert_named_only_in("nix", &["src/accounts.rs"]);
    assert_named_only_in("hmac", &["src/notifications/signature.rs"]);
    assert_named_only_in(
        "ureq",
        &["src/notifications/post.rs", "src/config/notify.rs"],
    );
    assert_named_only_in("landlock", &["src/worker/sandbox.rs"]);
    assert_named_only_in("seccompiler", &["src/worker/sandbox.rs"]);
}

/// Fails when modules depend on each other in a cycle, directly or through others.
#[test]
fn modules_depend_on_each_other_in_one_direction() {
    let sources = production();
    let modules: BTreeSet<&str> = sources.iter().filter_map(Source::module).collect();
    let mut needs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in &sources {
        let Some(module) = source.module() else {
            continue;
        };
        let named = modules
            .iter()
            .filter(|other| **other != module && source.names_module(other));
        needs.entry(module).or_default().extend(named.copied());
    }
    assert!(needs["job"].contains("ledger"), "{needs:?}");
    // Modules without remaining dependencies are removed; what remains is a cycle.
    while let Some(module) = needs
        .iter()
        .find(|(_, others)| others.iter().all(|other| !needs.contains_key(other)))
        .map(|(module, _)| *module)
    {
        needs.remove(module);
    }
    assert!(needs.is_empty(), "these depend on each other: {needs:?}");
}

/// Fails when a signal number is used outside the module that turns signals into one future.
#[test]
fn signal_numbers_are_known_to_shutdown_alone() {
    let numbers = [
        "SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGKILL", "SIGSTOP", "SIGCONT", "SIGCHLD",
        "SIGPIPE", "SIGIO", "SIGUSR1", "SIGUSR2",
    ];
    for source in production()
        .iter()
        .filter(|source| source.path != "src/shutdown.rs")
    {
        let mut found = words(&source.code);
        found.retain(|word| numbers.contains(word));
        assert!(found.is_empty(), "{} names {found:?}", source.path);
    }
}

/// Fails when a step between photo bytes and PNG bytes uses files or an executor.
#[test]
fn pixels_know_no_files_and_no_async() {
    for source in production()
        .iter()
        .filter(|source| source.path.starts_with("src/imaging/"))
    {
        assert!(!source.names("tokio"), "{} names tokio", source.path);
        let touches_files = source.code.contains("std::fs") || source.names("fs");
        assert!(!touches_files, "{} touches files", source.path);
    }
}

/// Fails when `intake`, `imaging` and `delivery` use each other.
#[test]
fn intake_imaging_and_delivery_do_not_know_each_other() {
    let banned: [(&str, &[&str]); 4] = [
        ("intake", &["imaging", "inference", "delivery"]),
        ("imaging", &["intake", "delivery"]),
        ("inference", &["intake", "imaging", "delivery", "tokio"]),
        ("delivery", &["intake", "imaging", "inference"]),
    ];
    for (module, others) in banned {
        let inside = format!("src/{module}/");
        for source in production()
            .iter()
            .filter(|source| source.path.starts_with(&inside))
        {
            for other in others {
                assert!(!source.names(other), "{} names {other}", source.path);
            }
        }
    }
}

/// Fails when the loop uses `notifications` or `http`, or when `notifications` uses the modules that do the work.
#[test]
fn notifications_and_loop_do_not_know_each_other() {
    for source in production() {
        let others: &[&str] = match source.path.split('/').nth(1) {
            Some("daemon") => &["notifications", "http"],
            Some("notifications") => &[
                "intake",
                "job",
                "worker",
                "imaging",
                "inference",
                "delivery",
            ],
            _ => &[],
        };
        for other in others {
            assert!(!source.names(other), "{} names {other}", source.path);
        }
    }
}

/// Fails when a file has no `//!`, or is so long that it should be split.
#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    for source in sources("src").iter().chain(&sources("tests")) {
        assert!(
            source.text.starts_with("//! "),
            "{} does not open with //!",
            source.path
        );
        let lines = source.text.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines", source.path);
    }
}

/// Fails when a lint is silenced without a reason, work is left unfinished, or state is shared behind a lock.
#[test]
fn nothing_is_allowed_left_to_do_or_shared_behind_a_lock() {
    let banned = [
        concat!("#[all", "ow("),
        concat!("#![all", "ow("),
        concat!("to", "do!("),
        concat!("unimplem", "ented!("),
        concat!("Arc<Mu", "tex"),
        concat!("#[ign", "ore"),
    ];
    for source in sources("src").iter().chain(&sources("tests")) {
        for text in banned {
            assert!(
                !source.text.contains(text),
                "{} contains {text}",
                source.path
            );
        }
    }
}

/// Fails when a configuration key exists that the documentation does not explain.
#[test]
fn every_key_of_the_example_is_explained() {
    let example = read("config/hotcut.toml");
    let page = read("docs/configuration.md");
    let mut keys = BTreeSet::new();
    for line in example.lines() {
        let line = line.trim_start_matches(['#', ' ']);
        let Some((key, _)) = line.split_once('=') else {
            continue;
        };
        let key = key.trim();
        if !key.is_empty()
            && key
                .bytes()
                .all(|byte| byte == b'_' || byte.is_ascii_lowercase())
        {
            keys.insert(key.to_owned());
        }
    }
    assert!(keys.len() >= 15, "{keys:?}");
    for key in keys {
        assert!(
            page.contains(&format!("`{key}`")),
            "docs/configuration.md does not explain `{key}`"
        );
    }
}

#[track_caller]
fn assert_named_only_in(name: &str, places: &[&str]) {
    let sources = production();
    let naming: Vec<&Source> = sources
        .iter()
        .filter(|source| source.names_crate(name))
        .collect();
    assert!(
        !naming.is_empty(),
        "nothing names {name}: is the check still right?"
    );
    for source in naming {
        let known = places.iter().any(|place| source.path.starts_with(place));
        assert!(
            known,
            "{} names {name}, which belongs to {places:?}",
            source.path
        );
    }
}

/// The sources without files that contain only unit tests.
pub(crate) fn production() -> Vec<Source> {
    let mut sources = sources("src");
    sources
        .retain(|source| !source.path.contains("/tests/") && !source.path.ends_with("/tests.rs"));
    assert!(sources.len() > 10, "the sources were not found");
    sources
}

pub(crate) fn sources(folder: &str) -> Vec<Source> {
    let paths = files_below(&Path::new(CHECKOUT).join(folder)).into_iter();
    let paths = paths.filter(|path| path.extension().is_some_and(|kind| kind == "rs"));
    paths
        .map(|path| {
            let path = format!("{folder}/{}", path.display());
            let text = read(&path);
            let code = without_tests_and_comments(&text);
            Source { path, text, code }
        })
        .collect()
}

pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(Path::new(CHECKOUT).join(path)).expect(path)
}

fn without_tests_and_comments(text: &str) -> String {
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .expect("split yields one");
    let mut stripped = String::new();
    for line in code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
    {
        stripped.push_str(line.split(" // ").next().expect("split yields one"));
        stripped.push('\n');
    }
    stripped
}

fn use_statements(code: &str) -> impl Iterator<Item = &str> {
    let is_use = |statement: &&str| {
        words_of(statement)
            .into_iter()
            .find(|word| !["pub", "crate"].contains(word))
            == Some("use")
    };
    code.split_inclusive([';', '}']).filter(is_use)
}

/// Identifiers and `::` in their order.
pub(crate) fn words(code: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = code;
    while let Some(start) = rest.find(|char: char| char == ':' || is_word(char)) {
        rest = rest.split_at(start).1;
        let end = rest
            .find(|char: char| !is_word(char))
            .unwrap_or(rest.len())
            .max(1);
        let end = if rest.starts_with("::") { 2 } else { end };
        let (word, after) = rest.split_at(end);
        words.push(word);
        rest = after;
    }
    words
}

fn words_of(statement: &str) -> Vec<&str> {
    words(statement)
        .into_iter()
        .filter(|word| !word.starts_with(':'))
        .collect()
}

fn is_word(char: char) -> bool {
    char == '_' || char.is_alphanumeric()
}
