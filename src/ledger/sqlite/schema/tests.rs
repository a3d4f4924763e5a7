//! Tests ledgers of earlier and later schemas.
#![expect(
    clippy::disallowed_methods,
    reason = "tests make files that no ledger made"
)]

use sha2::{Digest as _, Sha256};

use super::super::damage::open_whole;
use super::super::open::{OpenStep, open_existing};
use super::super::sqlite_ledger::SqliteLedger;
use super::*;
use crate::config::OnSameName;
use crate::hex;
use crate::ledger::conformance::{begin, version};
use crate::ledger::{
    AttemptStore as _, Counts, HistoryStore as _, MountStore as _, NameStore as _,
    RecoveryStore as _, SummaryStore as _,
};

/// The hash of each released step.
const RELEASED: &[&str] = &[
    "571706eb3d6874c656dda1229e672a8f86cf5859d4ad038b469d3f06a55c628b",
    "a08a0df71b9ba5b269e25f123c68704429ff7e9aaf871931faeb958129efbb14",
    "7f7f1092b194c0f495aae9d83dd268712747a8e713390dcab618aac29d10e027",
    "8b7780456714cc6f623416ac10a3ab117f284f1106d610f52743492bb0f6d84c",
    "38a7227906dbe17252c94df11a708245e9366953851f662ddfe0fc1debe922bc",
    "33204ab201388875e8bf5f08642d55db7494dd742cef76a2dfc7770eec129921",
    "2bf3dd1b88a16fe6ef45e3b32a8937f81396b81f47f43c98c9970184ab4235b8",
    "0088f847085c6a1d8676fcfe873593b4a2a3d093b71cf716ba26f35f031e747e",
    "7ab02a2f81b4fc110f31bc30a5be53badb1ce1f8090d759bc32a50d3ab864b1b",
    "c25359d528a3bbf181ca214bb3978030b5ac7ff477f9c897a0f69d2523231862",
    "f40be4ae5ce91df2fcdc7566147bdac853085e6002a339c3aaea40b6c56c5be9",
    "3e42b1d9f3d90102dd60d70cad14550689bcf4b103d42c407e3f83874a0ebc21",
];

/// P2: fails when a released step is edited: existing ledgers would lack what new ones have.
#[test]
fn no_released_step_is_edited() {
    let now: Vec<String> = STEPS
        .iter()
        .map(|step| hex::encode(&Sha256::digest(step)))
        .collect();
    assert_eq!(
        now, RELEASED,
        "a new step is added to both lists, and none is ever changed"
    );
}

/// P2: fails when this version uses a ledger of a later version, or sets it aside as damaged.
#[test]
fn the_ledger_of_a_later_version_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    begin(
        &mut SqliteLedger::open(dir.path()).unwrap(),
        &version("a.jpg", 1),
    );
    let later = u32::try_from(STEPS.len()).unwrap() + 1;
    let ledger = Connection::open(&path).unwrap();
    ledger.pragma_update(None, "user_version", later).unwrap();
    drop(ledger);
    let before = std::fs::read(&path).unwrap();
    for opened in [
        SqliteLedger::open(dir.path()).map(drop),
        open_existing(dir.path()).map(drop),
        open_whole(dir.path(), &mut |_| ()).map(drop),
    ] {
        let error = opened.unwrap_err();
        assert!(
            matches!(error, LedgerError::FromTheFuture { found } if found == later),
            "{error}"
        );
    }
    assert_eq!(std::fs::read(&path).unwrap(), before);
    let left: Vec<_> = dir.path().read_dir().unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

/// Makes a ledger of the first `steps` steps with one name, two mounts and three versions.
fn fill(state_dir: &Path, steps: usize, version_number: u32) {
    let ledger = Connection::open(state_dir.join("ledger.db")).unwrap();
    for step in STEPS.iter().take(steps) {
        ledger.execute_batch(step).unwrap();
    }
    ledger
        .pragma_update(None, "user_version", version_number)
        .unwrap();
    ledger
        .execute_batch(
            "INSERT INTO names (output, folded, folder, source, name) VALUES (CAST('/out' AS BLOB), CAST('a.png' AS BLOB), 'products',
                CAST('a.jpg' AS BLOB), CAST('a.png' AS BLOB));
            INSERT INTO mounts VALUES (CAST('/in' AS BLOB), CAST('/in' AS BLOB)),
                (CAST('/disk/in' AS BLOB), CAST('/disk' AS BLOB));",
        )
        .unwrap();
    let states = [
        ("a", "done", 1),
        ("b", "quarantined", 3),
        ("c", "running", 1),
    ];
    // The eleventh step moves the path to a table of its own.
    let (column, value) = if steps < 11 {
        (", output", ", CAST('/out/' || ?1 || '.png' AS BLOB)")
    } else {
        ("", "")
    };
    let insert = format!(
        "INSERT INTO versions (folder, source, len, mtime_ns, ino, state, attempts, model, begun_at_ms{column})
         VALUES ('products', CAST(?1 || '.jpg' AS BLOB), 10, 1, -1048577, ?2, ?3, 'u2net', 5{value}) RETURNING id"
    );
    for (name, state, attempts) in states {
        let id: i64 = ledger
            .query_row(&insert, (name, state, attempts), |row| row.get(0))
            .unwrap();
        if steps >= 11 {
            let path = format!("/out/{name}.png").into_bytes();
            let insert = "INSERT INTO outputs VALUES (?1, 0, ?2, 'png')";
            ledger.execute(insert, (id, path)).unwrap();
        }
    }
}

/// P1, P2: fails when an upgrade loses records of an earlier hotcut.
#[test]
fn the_ledger_of_every_earlier_version_is_taken_over() {
    for (steps, version_number) in (1..=STEPS.len()).zip(1_u32..) {
        let dir = tempfile::tempdir().unwrap();
        fill(dir.path(), steps, version_number);
        let mut ledger = SqliteLedger::open(dir.path()).unwrap();
        let left = ledger.recover().unwrap();
        let left: Vec<_> = left.iter().map(|left| left.output.as_path()).collect();
        assert_eq!(left, [Path::new("/out/c.png")], "{steps}");
        let source = ledger.source_of(Path::new("/out/a.png")).unwrap();
        assert_eq!(source, Some(("products".to_owned(), "a.jpg".into())));
        let Counts {
            done, quarantined, ..
        } = ledger.counts("products").unwrap();
        assert_eq!((done, quarantined), (1, 1), "{steps}");
        let versions = ["a.jpg", "b.jpg", "c.jpg"].map(|source| version(source, 1));
        assert_eq!(
            ledger.unfinished(&versions, OnSameName::Replace).unwrap(),
            [false, false, true]
        );
        let name = ledger.name_of("products", Path::new("a.jpg"), Path::new("/out"));
        assert_eq!(name.unwrap().as_deref(), Some(Path::new("a.png")));
        let mount = ledger.mount_of(Path::new("/in")).unwrap();
        let is_a_disk = steps > 5;
        assert_eq!(mount.is_some(), is_a_disk, "{steps}");
        let disk = ledger.mount_of(Path::new("/disk/in")).unwrap();
        assert_eq!(disk.as_deref(), Some(Path::new("/disk")), "{steps}");
        assert_eq!(begin(&mut ledger, &versions[2]).attempt, 1, "not its fault");
    }
}

/// P2: fails when the schema of a ledger is changed without a copy to go back to, or when copies accumulate.
#[test]
fn a_ledger_is_copied_before_its_schema_changes() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.db");
    let ledger = Connection::open(&path).unwrap();
    for step in STEPS.iter().take(5) {
        ledger.execute_batch(step).unwrap();
    }
    ledger.pragma_update(None, "user_version", 5).unwrap();
    drop(ledger);
    std::fs::write(dir.path().join("ledger.db.schema-3"), "of an earlier step").unwrap();
    let killed = dir.path().join(".hotcut-backup-killed.tmp");
    std::fs::write(&killed, "a copy that was cut short").unwrap();
    let mut steps = Vec::new();
    let opened = open_whole(dir.path(), &mut |step| steps.push(step));
    drop(opened.unwrap());
    let copy = dir.path().join("ledger.db.schema-5");
    let told = steps.contains(&OpenStep::Copy {
        file: copy.clone(),
        schema: 5,
    });
    assert!(told, "{steps:?}");
    let (from, to) = (5, NEWEST);
    assert_eq!(steps.last(), Some(&OpenStep::Migrate { from, to }));
    assert!(!dir.path().join("ledger.db.schema-3").exists());
    assert!(!killed.exists());
    // The hotcut that wrote it can use the copy.
    let copied = Connection::open(copy).unwrap();
    assert_eq!(version_of(&copied), 5);
    let mut steps = Vec::new();
    drop(open_whole(dir.path(), &mut |step| steps.push(step)).unwrap());
    let changes =
        |step: &OpenStep| matches!(step, OpenStep::Copy { .. } | OpenStep::Migrate { .. });
    assert!(!steps.iter().any(changes), "{steps:?}");
}

/// P2: fails when a change of the schema that was interrupted between two steps leaves no copy that the earlier hotcut can read.
#[test]
fn the_copy_outlasts_a_change_that_is_cut_short() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Connection::open(dir.path().join("ledger.db")).unwrap();
    for step in STEPS.iter().take(5) {
        ledger.execute_batch(step).unwrap();
    }
    ledger.pragma_update(None, "user_version", 5).unwrap();
    // The ninth step makes a table of this name.
    ledger.execute_batch("CREATE TABLE counts (a)").unwrap();
    let error = SqliteLedger::open(dir.path()).unwrap_err();
    assert!(error.to_string().contains("counts"), "{error}");
    ledger.execute_batch("DROP TABLE counts").unwrap();
    SqliteLedger::open(dir.path()).unwrap();
    assert_eq!(version_of(&ledger), NEWEST);
    let copied = Connection::open(dir.path().join("ledger.db.schema-5")).unwrap();
    assert_eq!(version_of(&copied), 5);
}

/// P2: fails when `status` or another command of a newly installed hotcut changes the schema while a daemon of the earlier version
/// runs.
#[test]
fn a_command_leaves_the_schema_of_an_earlier_hotcut_alone() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Connection::open(dir.path().join("ledger.db")).unwrap();
    assert!(open_existing(dir.path()).unwrap().is_none(), "no table");
    for step in STEPS.iter().take(5) {
        ledger.execute_batch(step).unwrap();
    }
    ledger.pragma_update(None, "user_version", 5).unwrap();
    let opened = open_existing(dir.path()).map(drop);
    assert!(
        matches!(opened, Err(LedgerError::FromThePast { found: 5 })),
        "{opened:?}"
    );
    assert_eq!(version_of(&ledger), 5);
}

/// Fails when a count is wrong after any change of versions.
#[test]
fn counts_follow_every_change() {
    let ledger = SqliteLedger::in_memory().unwrap();
    let changes = [
        "INSERT INTO versions (folder, source, len, mtime_ns, ino, state, model, begun_at_ms)
            VALUES ('a', 'x', 1, 1, 1, 'running', 'm', 1), ('a', 'y', 1, 1, 1, 'running', 'm', 1),
                ('b', 'x', 1, 1, 1, 'waiting', 'm', 1)",
        "UPDATE versions SET state = 'done' WHERE folder = 'a'",
        "INSERT INTO versions (folder, source, len, mtime_ns, ino, state, model, begun_at_ms)
            VALUES ('a', 'x', 1, 1, 1, 'running', 'm', 1)
            ON CONFLICT (folder, source, len, mtime_ns, ino) DO UPDATE SET state = excluded.state",
        "UPDATE versions SET attempts = 3",
        "DELETE FROM versions WHERE source = 'y'",
    ];
    for change in changes {
        ledger.connection.execute(change, []).unwrap();
        let differences: i64 = ledger
            .connection
            .query_row(
                "SELECT count(*) FROM
                    (SELECT folder, state, versions FROM counts WHERE versions <> 0
                     EXCEPT SELECT folder, state, count(*) FROM versions GROUP BY folder, state)",
                [],
                |row| row.get(0),
            )
            .unwrap();
        assert_eq!(differences, 0, "{change}");
    }
}

fn version_of(connection: &Connection) -> usize {
    super::version(connection).unwrap()
}
