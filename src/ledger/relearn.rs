//! Restores the records of a lost ledger from the cutouts found in output folders. Must not read a file.

use std::path::PathBuf;

use rusqlite::{Connection, params};

use super::LedgerError;
use super::header::HeaderMark;
use super::sqlite_ledger::{SqliteLedger, bytes};
use crate::config::OutputSpec;

/// How many of the cutouts of a lost ledger were looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RebuildExtent {
    /// All of it: the ledger is whole from now on.
    Whole,
    /// A part: the next start looks for all of them again.
    Part,
}

/// A cutout in an output folder, recognised by its provenance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundCutout {
    /// The name of the hot folder that it comes from.
    pub folder: String,
    /// The path of its source below that.
    pub source: PathBuf,
    /// The output folder.
    pub output: PathBuf,
    /// Its path below that.
    pub name: PathBuf,
    /// The path as a case-insensitive file system compares it.
    pub folded: Vec<u8>,
    /// When it was written, in milliseconds since the epoch.
    pub written_at_ms: i64,
    /// The SHA-256 of its source.
    pub sha256: [u8; 32],
    /// The model that cut it out.
    pub model: String,
    /// Whether its source is no longer in the hot folder.
    pub is_source_gone: bool,
}

impl SqliteLedger {
    /// Makes the temporary table for found cutouts.
    pub fn begin_relearning(&mut self) -> Result<(), LedgerError> {
        self.connection.execute_batch(
            "CREATE TEMP TABLE found (folder TEXT, source BLOB, output BLOB, name BLOB, folded BLOB,
                path BLOB, written_at_ms INTEGER, sha256 BLOB, model TEXT, is_source_gone INTEGER)",
        )?;
        Ok(())
    }

    /// Stores one found cutout, on disk, so that any number fits.
    pub fn note_found(&mut self, found: &FoundCutout) -> Result<(), LedgerError> {
        self.connection
            .prepare_cached("INSERT INTO found VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")?
            .execute(params![
                found.folder,
                bytes(&found.source),
                bytes(&found.output),
                bytes(&found.name),
                found.folded,
                bytes(&found.output.join(&found.name)),
                found.written_at_ms,
                found.sha256,
                found.model,
                found.is_source_gone,
            ])?;
        Ok(())
    }

    /// Records the found cutouts and returns the number of newly known names. Existing records have priority.
    ///
    /// A source owns the names of all its cutouts; the name of the latest counts as reserved last. A version is recorded for the
    /// cutouts of one name whose source is gone, one in each output folder. An existing source is compared with its latest cutout
    /// when its folder is listed.
    pub fn end_relearning(&mut self, extent: RebuildExtent) -> Result<usize, LedgerError> {
        let transaction = self.connection.transaction()?;
        let names = transaction.execute(
            "INSERT INTO names (output, folded, folder, source, name, turn)
                SELECT output, folded, folder, source, name,
                    -row_number() OVER (PARTITION BY output, folder, source ORDER BY written_at_ms DESC, name DESC)
                FROM found WHERE true ORDER BY written_at_ms DESC
             ON CONFLICT DO NOTHING",
            [],
        )?;
        record_versions(&transaction)?;
        transaction.execute_batch("DROP TABLE found")?;
        if extent == RebuildExtent::Whole && HeaderMark::of(&transaction)? == HeaderMark::New {
            HeaderMark::InUse.write(&transaction)?;
        }
        transaction.commit()?;
        Ok(names)
    }
}

/// Records the versions whose source is gone, with their outputs.
fn record_versions(connection: &Connection) -> Result<(), LedgerError> {
    // `latest` is the row of the version's last written cutout.
    connection.execute_batch(
        "CREATE TEMP TABLE gone AS SELECT rowid AS cutout,
            first_value(rowid) OVER (PARTITION BY folder, source, name ORDER BY written_at_ms DESC, rowid) AS latest,
            row_number() OVER (PARTITION BY folder, source, name ORDER BY output) - 1 AS number
            FROM found WHERE is_source_gone",
    )?;
    let last = "SELECT coalesce(max(id), 0) FROM versions";
    let last: i64 = connection.query_row(last, [], |row| row.get(0))?;
    connection.execute(
        "INSERT INTO versions (folder, source, len, mtime_ns, ino, state, attempts, sha256, model, begun_at_ms, ended_at_ms)
            SELECT folder, source, 0, 0, -latest, 'done', 1, sha256, model, written_at_ms, written_at_ms
            FROM gone JOIN found ON found.rowid = cutout WHERE cutout = latest AND NOT EXISTS
                (SELECT 1 FROM versions WHERE versions.folder = found.folder AND versions.source = found.source)
            ORDER BY written_at_ms",
        [],
    )?;
    connection.execute(
        "INSERT INTO outputs SELECT versions.id, number, path, ?2 FROM gone JOIN found ON found.rowid = cutout
            JOIN versions ON versions.folder = found.folder AND versions.source = found.source
                AND len = 0 AND mtime_ns = 0 AND ino = -latest AND versions.id > ?1",
        params![last, OutputSpec::default().to_string()],
    )?;
    Ok(connection.execute_batch("DROP TABLE gone")?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::delivery::fold_case;

    fn cutout(source: &str, name: &str, written_at_ms: i64) -> FoundCutout {
        FoundCutout {
            folder: "products".into(),
            source: source.into(),
            output: "/out".into(),
            name: name.into(),
            folded: fold_case(Path::new(name)),
            written_at_ms,
            sha256: [7; 32],
            model: "u2net".into(),
            is_source_gone: true,
        }
    }

    fn relearn(ledger: &mut SqliteLedger, found: &[FoundCutout]) -> usize {
        ledger.begin_relearning().unwrap();
        for cutout in found {
            ledger.note_found(cutout).unwrap();
        }
        ledger.end_relearning(RebuildExtent::Whole).unwrap()
    }

    /// P2: fails when a source gets a name other than that of its latest cutout, or loses the name of an earlier one, or when a
    /// photo that is gone is not recorded as done.
    #[test]
    fn a_source_owns_the_names_of_all_its_cutouts() {
        let mut ledger = SqliteLedger::in_memory().unwrap();
        let found = [
            cutout("a.jpg", "a.png", 1),
            cutout("a.jpg", "a.jpg.png", 2),
            cutout("A.jpg", "A.png", 3),
        ];
        assert_eq!(
            relearn(&mut ledger, &found),
            2,
            "a.png and A.png are one name"
        );
        let name = |ledger: &mut SqliteLedger, source: &str| {
            ledger
                .name_of("products", Path::new(source), Path::new("/out"))
                .unwrap()
        };
        assert_eq!(name(&mut ledger, "a.jpg"), Some("a.jpg.png".into()));
        assert_eq!(name(&mut ledger, "A.jpg"), Some("A.png".into()));
        assert_eq!(ledger.counts("products").unwrap().done, 3);
        assert_eq!(
            ledger
                .history("products", Path::new("a.jpg"))
                .unwrap()
                .len(),
            2
        );
        assert_eq!(relearn(&mut ledger, &found), 0, "it knows them");
        assert_eq!(ledger.counts("products").unwrap().done, 3);
    }

    /// P2: fails when the cutouts of one photo in two output folders count as two versions, or when one of them is forgotten.
    #[test]
    fn cutouts_of_one_name_in_two_folders_are_one_version() {
        let mut ledger = SqliteLedger::in_memory().unwrap();
        let in_shop = |name: &str, written_at_ms| FoundCutout {
            output: "/shop".into(),
            sha256: [9; 32],
            ..cutout("a.jpg", name, written_at_ms)
        };
        let found = [
            cutout("a.jpg", "a.png", 1),
            in_shop("a.png", 2),
            cutout("a.jpg", "a-2.png", 3),
        ];
        assert_eq!(relearn(&mut ledger, &found), 3);
        let history = ledger.history("products", Path::new("a.jpg")).unwrap();
        let outputs: Vec<_> = history
            .iter()
            .map(|version| version.outputs.clone())
            .collect();
        let expected = [vec!["/out/a.png", "/shop/a.png"], vec!["/out/a-2.png"]];
        let expected =
            expected.map(|paths| paths.into_iter().map(PathBuf::from).collect::<Vec<_>>());
        assert_eq!(outputs, expected);
        let source = ledger.source_of(Path::new("/shop/a.png")).unwrap();
        assert_eq!(source, Some(("products".to_owned(), "a.jpg".into())));
    }
}
