//! Tests that names of sources are bytes, and that two sources never share an output.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

use crate::support::binary::wait_for;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{HTML, Quarter, assert_cutout, jpeg, marked_source, png, webp};
use crate::support::requests::{get, post_form, wait_ready};
use crate::support::setup::Setup;

/// P2, P4: fails when one of three sources of one stem replaces or skips another's output, also on a filesystem that does not
/// distinguish `a` from `A`.
#[test]
fn three_sources_of_one_stem_give_three_outputs() {
    let hot = HotFolder::start();
    hot.drop_file("a.jpg", &jpeg(Quarter::TopLeft));
    hot.drop_file("a.png", &png(Quarter::TopRight));
    hot.drop_file("A.webp", &webp(Quarter::BottomLeft));
    wait_for("three outputs", || hot.outputs().len() == 3);
    let expected = [
        ("a.jpg", Quarter::TopLeft),
        ("a.png", Quarter::TopRight),
        ("A.webp", Quarter::BottomLeft),
    ];
    let mut folded = BTreeSet::new();
    for output in hot.outputs() {
        let source = marked_source(&hot.output(&output));
        let (_, lit) = expected
            .into_iter()
            .find(|(name, _)| *name == source)
            .expect("a source");
        assert_cutout(&hot.output(&output), lit);
        folded.insert(output.display().to_string().to_lowercase());
    }
    assert_eq!(folded.len(), 3, "{folded:?}");
    assert!(folded.contains("a.png"), "{folded:?}");
}

/// P1: fails when a name is converted to a `String` on its way.
#[test]
fn names_that_are_not_text_are_kept_byte_for_byte() {
    let hot = HotFolder::start();
    let names: [&[u8]; 4] = [
        b"caf\xe9\xff",
        b"two\nlines",
        b"-rf *",
        "schön 写真".as_bytes(),
    ];
    for name in names {
        hot.drop_file(with_extension(name, b".jpg"), &jpeg(Quarter::TopLeft));
    }
    for name in names {
        assert_cutout(
            &hot.wait_output(with_extension(name, b".png")),
            Quarter::TopLeft,
        );
    }
    hot.wait_status("done", |status| status.done == 4);
}

/// P10: fails when a bad file with such a name breaks the status, the note or the log.
#[test]
fn bad_file_whose_name_is_not_text_is_reported() {
    let hot = HotFolder::start();
    hot.drop_file(with_extension(b"caf\xe9\n", b".jpg"), HTML);
    hot.wait_status("quarantined", |status| status.quarantined.len() == 1);
    let path = &hot.status().quarantined[0].path;
    assert!(path.contains("%E9"), "{path:?}");
}

/// P1: temporary and final names are longer or shorter than the source's. Fails when one exceeds the limit of 255 bytes.
#[test]
fn names_as_long_as_a_name_may_be_are_delivered() {
    let hot = HotFolder::start();
    for length in [244, 255] {
        let stem = "x".repeat(length - ".jpg".len());
        hot.drop_file(format!("{stem}.jpg"), &jpeg(Quarter::TopLeft));
        assert_cutout(&hot.wait_output(format!("{stem}.png")), Quarter::TopLeft);
    }
}

/// P2: `NAME.jpg.png` would be too long for the second source. Fails when it is lost or replaces the first.
#[test]
fn longest_names_of_one_stem_give_two_outputs() {
    let hot = HotFolder::start();
    let stem = "x".repeat(251);
    hot.drop_file(format!("{stem}.jpg"), &jpeg(Quarter::TopLeft));
    hot.drop_file(format!("{stem}.png"), &png(Quarter::TopRight));
    wait_for("two outputs", || hot.outputs().len() == 2);
    let sources: BTreeSet<String> = hot
        .outputs()
        .iter()
        .map(|output| marked_source(&hot.output(output)))
        .collect();
    assert_eq!(sources.len(), 2);
}

/// P5: the note `NAME.hotcut.txt` cannot lie beside a file whose name has the maximum length. Fails when that stops the daemon or
/// makes it try for ever.
#[test]
fn bad_file_with_the_longest_name_is_quarantined() {
    let hot = HotFolder::start();
    let name = format!("{}.jpg", "x".repeat(251));
    hot.drop_file(&name, HTML);
    let entry = hot.wait_quarantined(&name);
    assert!(entry.reason.contains("HTML"), "{entry:?}");
    hot.drop_file("next.jpg", &jpeg(Quarter::TopLeft));
    hot.wait_output("next.png");
}

fn with_extension(stem: &[u8], extension: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(&[stem, extension].concat()))
}

/// Fails when a folder whose name is not plain ASCII cannot be served, queried or counted.
#[test]
fn folder_has_a_name_with_spaces_and_letters_of_any_script() {
    let name = "Größe XL 製品";
    let hot = HotFolder::start_with(Setup::new().listens().another_folder(name));
    wait_ready(&hot);
    let photo = jpeg(Quarter::TopLeft);
    let path = "/api/folders/Gr%C3%B6%C3%9Fe%20XL%20%E8%A3%BD%E5%93%81/photos";
    let answer = post_form(&hot, path, &[("ä b.jpg", &photo)]);
    assert_eq!(answer.status, 201, "{answer:?}");
    let output = hot.setup().output_of(name).join("ä b.png");
    wait_for("the cutout", || output.exists());
    assert_cutout(&output, Quarter::TopLeft);
    wait_for("the count", || hot.status_of(name).done == 1);
    let metrics = String::from_utf8(get(&hot, "/metrics").body).unwrap();
    assert!(metrics.contains(&format!("folder=\"{name}\"")), "{metrics}");
    let why = hot.command("why", [hot.setup().input_of(name).join("ä b.jpg")]);
    assert!(
        String::from_utf8_lossy(&why.stdout).contains(&format!("{name}: ä b.jpg")),
        "{why:?}"
    );
}
