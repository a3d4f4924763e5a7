//! Tests the scanner on real folders; no test receives the events of its watch.

use tokio::sync::mpsc;

use super::super::{FileFilter, FolderId, Scanner};
use super::*;

/// P1: fails when a file written into a new folder before that is watched is never seen. The test receives no events of the watch.
#[test]
fn new_folder_is_listed_once_more_without_being_asked() {
    let (input, canary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (reports, mut heard) = mpsc::channel(64);
    let assignment = Assignment {
        id: FolderId(0),
        input: input.path().to_owned(),
        filter: FileFilter::of_jpegs(input.path()),
        mount_point: None,
        canary: canary.path().to_owned(),
        reports,
        sightings: mpsc::channel(1).0,
    };
    let preparation = Preparation {
        outputs: vec![Box::new(|_| None)],
        input: Box::new(|_, _| ()),
    };
    let scanner = Scanner::start(assignment, preparation).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let mut wait = |wanted: &Path| {
        runtime.block_on(async {
            loop {
                let report = tokio::time::timeout(Duration::from_secs(30), heard.recv()).await;
                if let (_, Report::Seen(seen)) = report.expect("it is seen").unwrap()
                    && let Some(found) = seen.iter().find(|one| one.relative == wanted)
                {
                    return found.found;
                }
            }
        })
    };
    std::fs::DirBuilder::new()
        .create(input.path().join("new"))
        .unwrap();
    assert!(scanner.ask(ScanRequest::List));
    assert!(scanner.ask(ScanRequest::Look(vec!["new".into()])));
    assert_eq!(wait(Path::new("new")), Found::Nothing);
    std::fs::File::create_new(input.path().join("new/a.jpg")).unwrap();
    assert!(matches!(wait(Path::new("new/a.jpg")), Found::File(_)));
}
