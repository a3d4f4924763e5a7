//! Names: each belongs to one source.

use std::path::{Path, PathBuf};

use super::{ARRIVAL, Subject, begin, under, version};
use crate::ledger::{Continued, LedgerStore, OutputName};

/// P2: fails when two sources get the same name in any letter case, or when a source loses its name.
pub(crate) fn a_name_belongs_to_one_source_for_ever(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let (jpg, png) = (Path::new("a.jpg"), Path::new("A.png"));
    let reserve = |ledger: &mut dyn LedgerStore, folder, source, name| {
        ledger.reserve(folder, source, &[under(name)]).unwrap()
    };
    assert!(reserve(&mut *ledger, "products", jpg, "a.png"));
    assert!(!reserve(&mut *ledger, "products", png, "A.png"));
    assert!(!reserve(&mut *ledger, "portraits", jpg, "a.png"));
    assert!(reserve(&mut *ledger, "products", png, "A.png.png"));
    drop(ledger);
    let mut ledger = subject.open();
    let name = |ledger: &mut dyn LedgerStore, source| {
        let name = ledger.name_of("products", source, "/out".as_ref());
        name.unwrap()
    };
    assert_eq!(name(&mut *ledger, jpg), Some(PathBuf::from("a.png")));
    assert_eq!(name(&mut *ledger, png), Some(PathBuf::from("A.png.png")));
    assert!(reserve(&mut *ledger, "products", jpg, "a.jpg.png"));
    assert_eq!(name(&mut *ledger, jpg), Some(PathBuf::from("a.jpg.png")));
}

/// P2: fails when some of the names are reserved although another source owns one of them.
pub(crate) fn names_are_reserved_all_or_none(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let in_shop = |name| OutputName {
        output: "/shop".into(),
        ..under(name)
    };
    let (one, other) = (Path::new("a.jpg"), Path::new("a.tif"));
    let taken = [in_shop("a.png")];
    assert!(ledger.reserve("products", other, &taken).unwrap());
    let both = [under("a.png"), in_shop("a.png")];
    assert!(!ledger.reserve("products", one, &both).unwrap());
    let name = ledger.name_of("products", one, "/out".as_ref());
    assert_eq!(name.unwrap(), None);
    let next = [under("a.jpg.png"), in_shop("a.jpg.png")];
    assert!(ledger.reserve("products", one, &next).unwrap());
}

/// P2: fails when a photo that reuses the inode of an earlier photo of its name counts as that photo and replaces its cutout,
/// or when a photo that is written to does not count as the same.
pub(crate) fn an_inode_alone_does_not_tell_a_photo(subject: &mut dyn Subject) {
    let mut ledger = subject.open();
    let first = version("a.jpg", 1);
    assert!(
        ledger
            .reserve(&first.folder, &first.source, &[under("a.png")])
            .unwrap()
    );
    let begun = begin(&mut *ledger, &first);
    ledger.placed(begun.hold, &[7; 32]).unwrap();
    let mut next = version("a.jpg", 2);
    next.stamp.ino = first.stamp.ino;
    for (born_ns, is_same) in [(ARRIVAL.born_ns, true), (Some(8), false), (None, false)] {
        let names = ledger.names_of(&next, born_ns, Path::new("/out")).unwrap();
        let continued = is_same.then_some(Continued::Unretired);
        assert_eq!(names[0].continued, continued, "{born_ns:?}");
        assert_eq!(names.iter().any(|name| name.is_used), !is_same);
    }
}
