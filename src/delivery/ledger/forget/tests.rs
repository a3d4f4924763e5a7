//! What may be removed from a ledger, and what goes with it.

use super::super::tests::{ARRIVAL, begin, under, version};
use super::super::{Begun, Verdict};
use super::*;
use crate::config::OnSameName;

fn ended(book: &mut Book, version: &Version, verdict: &Verdict) -> Begun {
    let begun = begin(book, version);
    book.end(begun.id, verdict).unwrap();
    begun
}

/// Every version that ended before now, a page of two at a time.
fn old(book: &mut Book) -> Vec<OldVersion> {
    let (mut all, mut cursor) = (Vec::new(), OldCursor::default());
    loop {
        let (found, next) = book.old_versions("products", i64::MAX, &cursor, 2).unwrap();
        all.extend(found);
        match next {
            Some(next) => cursor = next,
            None => return all,
        }
    }
}

fn sources(old: &[OldVersion]) -> Vec<String> {
    let source = |old: &OldVersion| old.version.source.display().to_string();
    old.iter().map(source).collect()
}

fn forget(book: &mut Book, old: Vec<OldVersion>) -> usize {
    let forgotten: Vec<_> = old
        .into_iter()
        .map(|old| Forgotten {
            old,
            is_path_free: true,
        })
        .collect();
    book.forget(&forgotten).unwrap()
}

/// P1: fails when one that still has work to do is offered for removal, one is left out between two pages, or one that
/// ended lately counts as old.
#[test]
fn old_versions_are_those_that_ended_long_ago() {
    let mut book = Book::in_memory().unwrap();
    let reason = || "why".to_owned();
    let verdicts = [
        ("placed", Verdict::Placed),
        ("waiting", Verdict::Waiting),
        ("done", Verdict::Done),
        ("done too", Verdict::Done),
        ("done as well", Verdict::Done),
        ("quarantined", Verdict::Quarantined { reason: reason() }),
        ("ignored", Verdict::Ignored { reason: reason() }),
        ("superseded", Verdict::Superseded),
    ];
    for (source, verdict) in &verdicts {
        ended(&mut book, &version(source, 1), verdict);
    }
    begin(&mut book, &version("running", 1));
    let retired = ended(&mut book, &version("retired", 1), &Verdict::Done);
    book.retire(retired.id).unwrap();
    let found = old(&mut book);
    assert_eq!(
        sources(&found),
        [
            "done",
            "done too",
            "done as well",
            "retired",
            "superseded",
            "ignored",
            "quarantined",
            "waiting"
        ]
    );
    assert!(
        found
            .iter()
            .all(|old| old.is_retired == (old.id == retired.id))
    );
    let cursor = OldCursor::default();
    let (none, _) = book.old_versions("products", 1_000, &cursor, 9).unwrap();
    assert_eq!(sources(&none), [] as [&str; 0]);
}

/// P2: fails when what was forgotten stays in a table, or when a name goes that another version of the photo has.
#[test]
fn nothing_is_left_of_a_forgotten_photo() {
    let mut book = Book::in_memory().unwrap();
    for name in ["a.png", "a-2.png"] {
        assert!(
            book.reserve("products", "a.jpg".as_ref(), &under(name))
                .unwrap()
        );
    }
    let failed = begin(&mut book, &version("a.jpg", 1));
    book.fail(failed.id, &Verdict::Waiting, "crashed").unwrap();
    ended(&mut book, &version("a.jpg", 1), &Verdict::Done);
    // Corrected: the same name.
    ended(&mut book, &version("a.jpg", 2), &Verdict::Done);
    let third = book.begin(
        &version("a.jpg", 3),
        ARRIVAL,
        "u2net",
        "/out/a-2.png".as_ref(),
    );
    let third = third.unwrap().expect("nobody is at work on it");
    book.end(third.id, &Verdict::Done).unwrap();
    let mut found = old(&mut book);
    let names = |book: &mut Book| {
        let owned = book.names_of(&version("a.jpg", 9), None, "/out".as_ref());
        let names = owned.unwrap().into_iter().map(|owned| owned.name);
        names.collect::<Vec<_>>()
    };
    for expected in [vec!["a-2.png", "a.png"], vec!["a-2.png"], vec![]] {
        assert_eq!(forget(&mut book, vec![found.remove(0)]), 1);
        let expected: Vec<PathBuf> = expected.into_iter().map(PathBuf::from).collect();
        assert_eq!(names(&mut book), expected);
    }
    assert!(
        book.story("products", Path::new("a.jpg"))
            .unwrap()
            .is_empty()
    );
    let failures = "SELECT count(*) FROM failures";
    let failures = book.connection.query_row(failures, [], |row| row.get(0));
    assert_eq!(failures, Ok(0));
    assert_eq!(book.counts("products").unwrap().done, 0);
}

/// P2: fails when the name of a photo is forgotten that was corrected a moment ago and is not recorded yet.
#[test]
fn a_version_whose_path_another_photo_has_waits_for_its_record() {
    let mut book = Book::in_memory().unwrap();
    ended(&mut book, &version("a.jpg", 1), &Verdict::Done);
    let listed = old(&mut book).remove(0);
    let replaced = Forgotten {
        old: listed,
        is_path_free: false,
    };
    let replaced = std::slice::from_ref(&replaced);
    assert_eq!(book.forget(replaced).unwrap(), 0);
    ended(&mut book, &version("a.jpg", 2), &Verdict::Done);
    assert_eq!(book.forget(replaced).unwrap(), 1);
    assert_eq!(book.counts("products").unwrap().done, 1);
}

/// P1: fails when a version is forgotten that was taken up again meanwhile, or before an earlier one of its source: that one
/// would count as done if it came back.
#[test]
fn a_version_is_forgotten_only_as_it_was_listed_and_the_earliest_first() {
    let mut book = Book::in_memory().unwrap();
    let (first, second) = (version("a.jpg", 1), version("a.jpg", 2));
    ended(&mut book, &first, &Verdict::Done);
    ended(&mut book, &second, &Verdict::Done);
    let found = old(&mut book);
    assert_eq!(forget(&mut book, found[1..].to_vec()), 0);
    let unfinished = book.unfinished(std::slice::from_ref(&first), OnSameName::Replace);
    assert_eq!(unfinished.unwrap(), [true]);
    begin(&mut book, &first);
    assert_eq!(forget(&mut book, found[..1].to_vec()), 0, "it is running");
    assert_eq!(old(&mut book).len(), 1);
}
