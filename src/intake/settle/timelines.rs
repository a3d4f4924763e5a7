//! Tests random timelines of a folder, a scanner and a ledger: which files must settle, and which must not.

use proptest::prelude::*;

use super::tests::QUIET;
use super::world::{Action, AttemptEnd, World};
use super::*;

fn action() -> impl Strategy<Value = Action> {
    let file = || 0..4_usize;
    let ending = prop_oneof![
        Just(AttemptEnd::Done),
        Just(AttemptEnd::Failed),
        Just(AttemptEnd::EndsEarly)
    ];
    prop_oneof![
        6 => (file(), any::<bool>(), any::<bool>())
            .prop_map(|(file, is_touch, is_reported)| Action::Write { file, is_touch, is_reported }),
        2 => (file(), file(), any::<bool>()).prop_map(|(from, to, is_reported)| Action::Rename { from, to, is_reported }),
        2 => (file(), any::<bool>()).prop_map(|(file, is_open)| Action::Hold { file, is_open }),
        3 => file().prop_map(|file| Action::Remove { file }),
        8 => (1..3_000_u64).prop_map(|ms| Action::Wait { ms }),
        1 => (1..900_000_u64).prop_map(|ms| Action::Wait { ms }),
        3 => Just(Action::List),
        4 => Just(Action::Look),
        4 => ending.prop_map(Action::End),
    ]
}

proptest! {
    /// P1, P2 and the settle rule: fails when a file is emitted within its quiet time, under a writer or before patience is over,
    /// or a second time without another quiet time; when an unchanging file is not emitted after its event without any listing, or
    /// after a listing without any event; or when an entry is never forgotten.
    #[test]
    fn whatever_events_are_lost_every_file_settles_once(actions in proptest::collection::vec(action(), 1..80)) {
        let mut world = World::new();
        for action in actions {
            world.act(action);
        }
        world.open.clear();
        world.pass(PATIENCE + QUIET * 3);
        prop_assert_eq!(world.left(|file| file.is_reported), Vec::<&String>::new());
        world.act(Action::List);
        world.pass(PATIENCE + QUIET * 3);
        prop_assert_eq!(world.left(|_| true), Vec::<&String>::new());
        prop_assert!(world.settle.is_empty());
    }
}
