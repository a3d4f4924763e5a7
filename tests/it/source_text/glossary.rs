//! Checks the source text for replaced names and for type names that occur twice. Runs nothing.

use std::collections::BTreeMap;

use super::architecture::{Source, production, words};

/// Former names of types.
const OLD_TYPES: [&str; 43] = [
    "Access",
    "Announcer",
    "Book",
    "Chapter",
    "Courier",
    "Desk",
    "Entrance",
    "Errand",
    "Fate",
    "FrontDesk",
    "Guests",
    "Hands",
    "Herald",
    "Live",
    "Mark",
    "ModelCard",
    "News",
    "Original",
    "Outlook",
    "Patrol",
    "Reception",
    "Retiree",
    "Return",
    "RoomError",
    "Scout",
    "Scribe",
    "Seal",
    "Seat",
    "Sluice",
    "Standing",
    "Story",
    "Tally",
    "Told",
    "Trouble",
    "Troubles",
    "Turns",
    "Upkeep",
    "Verdict",
    "View",
    "Wish",
    "Card",
    "Chapters",
    "Verdicts",
];

/// Former names of files and modules.
const OLD_MODULES: [&str; 24] = [
    "announce", "book", "card", "desk", "entrance", "errand", "halfway", "hands", "herald", "live",
    "mark", "news", "original", "outlook", "room", "scout", "seal", "seat", "sluice", "story",
    "tally", "telling", "turns", "upkeep",
];

/// Words that must not occur any more, alone or as a part of a name.
const OLD_WORDS: [&str; 12] = [
    "bury", "buried", "courier", "errand", "halfway", "herald", "outlook", "patrol", "retiree",
    "scout", "scribe", "sluice",
];

/// Fails when a type or a module gets a name that the glossary replaced.
#[test]
fn names_that_were_given_up_do_not_come_back() {
    for source in production() {
        for (name, line) in types(&source) {
            assert!(!OLD_TYPES.contains(&name), "{}: {line}", source.path);
        }
        let mut parts = source.path.trim_end_matches(".rs").split('/');
        let module = parts.rfind(|part| *part != "mod");
        let is_old = module.is_some_and(|module| OLD_MODULES.contains(&module));
        assert!(!is_old, "{}", source.path);
    }
}

/// Fails when a word that the glossary replaced is in a name, a text or a comment.
#[test]
fn words_that_were_given_up_do_not_come_back() {
    for source in production() {
        let text = source.text.to_ascii_lowercase();
        for word in words(&text) {
            let mut parts = word.split('_').map(|part| part.trim_end_matches('s'));
            let is_old = parts.any(|part| OLD_WORDS.contains(&part));
            assert!(!is_old, "{} says {word}", source.path);
        }
    }
}

/// Fails when two types have the same name.
#[test]
fn no_type_name_stands_twice() {
    let mut places = BTreeMap::<String, Vec<String>>::new();
    for source in production() {
        for (name, _) in types(&source) {
            let place = places.entry(name.to_owned()).or_default();
            place.push(source.path.clone());
        }
    }
    assert!(places.len() > 200, "the types were not found");
    places.retain(|_, paths| paths.len() > 1);
    assert!(places.is_empty(), "{places:#?}");
}

/// The types that a file defines outside functions and tests, each with its line.
fn types(source: &Source) -> Vec<(&str, &str)> {
    let lines = source.code.lines();
    let defined = lines.filter_map(|line| {
        let rest = line.strip_prefix("pub").map_or(line, |rest| {
            rest.strip_prefix('(')
                .and_then(|rest| rest.split_once(')'))
                .map_or(rest, |(_, rest)| rest)
                .trim_start()
        });
        let (kind, rest) = rest.split_once(' ')?;
        let is_type = ["struct", "enum", "trait", "type", "union"].contains(&kind);
        let name = rest.split(|char: char| !char.is_alphanumeric()).next()?;
        is_type.then_some((name, line))
    });
    defined.collect()
}
