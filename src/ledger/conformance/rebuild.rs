//! A lost ledger that is restored from cutouts.

use std::path::{Path, PathBuf};

use super::Subject;
use crate::ledger::{FoundCutout, LedgerStore, RebuildExtent};

fn cutout(source: &str, name: &str, written_at_ms: i64) -> FoundCutout {
    FoundCutout {
        folder: "products".into(),
        source: source.into(),
        output: "/out".into(),
        name: name.into(),
        folded: name.to_lowercase().into_bytes(),
        written_at_ms,
        sha256: [7; 32],
        model: "u2net".into(),
        is_source_gone: true,
    }
}

fn relearn(ledger: &mut dyn LedgerStore, found: &[FoundCutout]) -> usize {
    ledger.begin_relearning().unwrap();
    for cutout in found {
        ledger.note_found(cutout).unwrap();
    }
    ledger.end_relearning(RebuildExtent::Whole).unwrap()
}

/// P2: fails when a source gets a name other than that of its latest cutout, or loses the name of an earlier one, or when a
/// photo that is gone is not recorded as done.
pub(crate) fn a_source_owns_the_names_of_all_its_cutouts(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let found = [
        cutout("a.jpg", "a.png", 1),
        cutout("a.jpg", "a.jpg.png", 2),
        cutout("A.jpg", "A.png", 3),
    ];
    assert_eq!(
        relearn(&mut *ledger, &found),
        2,
        "a.png and A.png are one name"
    );
    let name = |ledger: &mut dyn LedgerStore, source: &str| {
        ledger
            .name_of("products", Path::new(source), Path::new("/out"))
            .unwrap()
    };
    assert_eq!(name(&mut *ledger, "a.jpg"), Some("a.jpg.png".into()));
    assert_eq!(name(&mut *ledger, "A.jpg"), Some("A.png".into()));
    assert_eq!(ledger.counts("products").unwrap().done, 3);
    assert_eq!(
        ledger
            .history("products", Path::new("a.jpg"))
            .unwrap()
            .len(),
        2
    );
    assert_eq!(relearn(&mut *ledger, &found), 0, "it knows them");
    assert_eq!(ledger.counts("products").unwrap().done, 3);
}

/// P2: fails when the cutouts of one photo in two output folders count as two versions, or when one of them is forgotten.
pub(crate) fn cutouts_of_one_name_in_two_folders_are_one_version(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let in_shop = |name: &str, written_at_ms| FoundCutout {
        output: "/shop".into(),
        ..cutout("a.jpg", name, written_at_ms)
    };
    let found = [
        cutout("a.jpg", "a.png", 1),
        in_shop("a.png", 2),
        cutout("a.jpg", "a-2.png", 3),
    ];
    assert_eq!(relearn(&mut *ledger, &found), 3);
    let history = ledger.history("products", Path::new("a.jpg")).unwrap();
    let outputs: Vec<_> = history
        .iter()
        .map(|version| version.outputs.clone())
        .collect();
    let expected = [vec!["/out/a.png", "/shop/a.png"], vec!["/out/a-2.png"]];
    let expected = expected.map(|paths| paths.into_iter().map(PathBuf::from).collect::<Vec<_>>());
    assert_eq!(outputs, expected);
    let source = ledger.source_of(Path::new("/shop/a.png")).unwrap();
    assert_eq!(source, Some(("products".to_owned(), "a.jpg".into())));
}
