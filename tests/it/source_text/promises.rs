//! Checks that each promise has tests, and that the table in `lib.rs` names existing tests. Runs nothing.

use super::architecture::{Source, read, sources};

/// Fails when no tests name a promise in their docs.
#[test]
fn each_promise_is_named_by_its_tests() {
    let texts = all();
    for promise in promises() {
        let names_it = |line: &&str| {
            let promises = line
                .trim_start()
                .strip_prefix("/// P")
                .and_then(|rest| rest.split_once(':'));
            promises.is_some_and(|(list, _)| {
                format!("P{list}")
                    .split([',', ' '])
                    .any(|word| word == promise)
            })
        };
        let count: usize = texts
            .iter()
            .map(|source| source.text.lines().filter(names_it).count())
            .sum();
        assert!(count >= 2, "{promise} is named by {count} tests");
    }
}

/// Fails when the table of removed code omits a promise, or names a test that does not exist.
#[test]
fn each_promise_was_seen_to_fail() {
    let texts = all();
    let map = read("src/lib.rs");
    for promise in promises() {
        let start = format!("//! | {promise} | ");
        let rows: Vec<&str> = map
            .lines()
            .filter(|line| line.starts_with(&start))
            .collect();
        assert!(!rows.is_empty(), "{promise} has no row");
        for row in rows {
            let test = row.trim_end_matches("` |").rsplit('`').next().unwrap();
            let head = format!("fn {test}(");
            let is_there = texts.iter().any(|source| source.text.contains(&head));
            assert!(is_there, "there is no test {test}");
        }
    }
}

fn promises() -> impl Iterator<Item = String> {
    (1..=10).map(|number| format!("P{number}"))
}

fn all() -> Vec<Source> {
    sources("src").into_iter().chain(sources("tests")).collect()
}
