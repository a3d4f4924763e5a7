//! Tests done photos and another model: nothing happens by itself, and new cutouts are made on request. Must not know the ledger.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::binary::{MODELS, identity, said, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{Quarter, assert_cutout, jpeg, marked_model};
use crate::support::setup::Setup;
use hotcut::hex;
use rustix::process::Signal;
use sha2::{Digest as _, Sha256};

/// P2, P4: fails when a new model causes a cutout by itself, when a requested redo does not use it, when anything else is cut out,
/// or when a cutout gets a second name.
#[test]
fn other_model_cuts_out_again_what_was_asked_for_and_nothing_else() {
    let mut hot = HotFolder::start_with(two_models());
    for name in ["a", "b", "c"] {
        hot.drop_file(format!("{name}.jpg"), &jpeg(Quarter::TopLeft));
        hot.wait_output(format!("{name}.png"));
    }
    hot.wait_status("done", |status| status.done == 3);
    fs::write(hot.input("c.jpg"), jpeg(Quarter::TopRight)).unwrap();
    hot.wait_status("the corrected one", |status| status.done == 4);
    let before = ["a.png", "b.png", "c.png"].map(|name| identity(&hot.output(name)));
    hot.change_setup(|setup| setup.folder("model", "other"));
    hot.signal(Signal::HUP);
    hot.wait_log("reloaded");
    hot.drop_file("d.jpg", &jpeg(Quarter::TopLeft));
    assert_eq!(marked_model(&hot.wait_output("d.png")), "other");
    hot.stop();
    hot.restart();
    hot.wait_status("all are known", |status| {
        status.done == 5 && status.queued == 0
    });
    let after = ["a.png", "b.png", "c.png"].map(|name| identity(&hot.output(name)));
    assert_eq!(after, before, "a model is a choice");

    let one = hot.input("b.jpg");
    let output = hot.command("redo", [one.as_os_str()]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    wait_for("b", || marked_model(&hot.output("b.png")) == "other");
    assert_eq!(identity(&hot.output("a.png")), before[0]);

    let d = identity(&hot.output("d.png"));
    let output = hot.command("redo", ["--model", "luma"]);
    assert!(said(&output).contains("its folder: 2"), "{}", said(&output));
    for name in ["a.png", "c.png"] {
        wait_for(name, || marked_model(&hot.output(name)) == "other");
    }
    assert_cutout(&hot.output("a.png"), Quarter::TopLeft);
    assert_cutout(&hot.output("c.png"), Quarter::TopRight);
    hot.wait_status("done", |status| status.running == 0 && status.queued == 0);
    assert_eq!(identity(&hot.output("d.png")), d);
    let names = ["a.png", "b.png", "c.png", "d.png"].map(PathBuf::from);
    assert_eq!(hot.outputs(), names);
}

/// P2, P4: fails when a newer model under the same name causes a cutout by itself, at a reload or a start, or when it cannot be
/// requested.
#[test]
fn newer_model_under_the_same_name_cuts_out_again_only_what_was_asked_for() {
    let mut hot = HotFolder::start_with(two_models());
    for name in ["a", "b"] {
        hot.drop_file(format!("{name}.jpg"), &jpeg(Quarter::TopLeft));
        hot.wait_output(format!("{name}.png"));
    }
    hot.wait_status("done", |status| status.done == 2);
    let before = ["a.png", "b.png"].map(|name| identity(&hot.output(name)));
    let cut_before = fs::read(hot.output("a.png")).unwrap();
    make_newer(&hot.setup().path("models"), "luma");
    hot.signal(Signal::HUP);
    hot.wait_log("reloaded");
    for name in ["c", "d"] {
        hot.drop_file(format!("{name}.jpg"), &jpeg(Quarter::TopLeft));
        hot.wait_output(format!("{name}.png"));
        hot.stop();
        hot.restart();
    }
    hot.wait_status("all are known", |status| {
        status.done == 4 && status.queued == 0 && status.running == 0
    });
    let after = ["a.png", "b.png"].map(|name| identity(&hot.output(name)));
    assert_eq!(after, before, "a model is a choice");
    let output = hot.command("redo", [hot.input("a.jpg").as_os_str()]);
    assert!(said(&output).contains("its folder: 1"), "{}", said(&output));
    wait_for("a", || identity(&hot.output("a.png")) != before[0]);
    hot.wait_status("done", |status| status.running == 0 && status.queued == 0);
    // The provenance is the same, so the matte must differ.
    assert_ne!(fs::read(hot.output("a.png")).unwrap(), cut_before);
    assert_eq!(identity(&hot.output("b.png")), before[1]);
}

/// P4: fails when a retouched cutout is replaced, or when a photo that is gone is looked for.
#[test]
fn retouched_cutouts_and_photos_that_went_away_are_left_alone() {
    let hot = HotFolder::start_with(two_models());
    for name in ["a", "b"] {
        hot.drop_file(format!("{name}.jpg"), &jpeg(Quarter::TopLeft));
        hot.wait_output(format!("{name}.png"));
    }
    hot.wait_status("done", |status| status.done == 2);
    fs::write(hot.output("a.png"), b"retouched").unwrap();
    fs::remove_file(hot.input("b.jpg")).unwrap();
    let b = identity(&hot.output("b.png"));
    let output = hot.command("redo", ["--model", "luma"]);
    assert!(said(&output).contains("its folder: 1"), "{}", said(&output));
    assert!(
        said(&output).contains("cutouts stay: 1"),
        "{}",
        said(&output)
    );
    assert_cutout(&hot.wait_output("a.jpg.png"), Quarter::TopLeft);
    assert_eq!(fs::read(hot.output("a.png")).unwrap(), b"retouched");
    assert_eq!(identity(&hot.output("b.png")), b);
}

/// Fails when an empty request causes everything to be cut out again.
#[test]
fn without_a_model_or_a_photo_nothing_is_done() {
    let hot = HotFolder::start();
    let output = hot.command("redo", [""; 0]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let output = hot.command("redo", ["/nowhere/a.jpg"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
}

/// A second model that works like the first, under another name.
fn two_models() -> Setup {
    let setup = Setup::new();
    let models = setup.path("models");
    fs::create_dir(&models).unwrap();
    for (from, to) in [
        ("luma.toml", "luma.toml"),
        ("luma.onnx", "luma.onnx"),
        ("luma.toml", "other.toml"),
        ("luma.onnx", "other.onnx"),
    ] {
        fs::copy(Path::new(MODELS).join(from), models.join(to)).unwrap();
    }
    setup.daemon("models_dir", &models.display().to_string())
}

/// Replaces the model `name` by one with another checksum and another matte.
fn make_newer(models: &Path, name: &str) {
    let network = models.join(name).with_extension("onnx");
    let mut bytes = fs::read(&network).unwrap();
    // Its description, as the last field of the message.
    bytes.extend(b"\x32\x05newer");
    fs::write(&network, &bytes).unwrap();
    let manifest = models.join(name).with_extension("toml");
    let text = fs::read_to_string(&manifest).unwrap();
    let old = text.split('"').nth(3).unwrap();
    let new = hex::encode(&Sha256::digest(&bytes));
    let text = text.replace(old, &new);
    let text = text.replace("std = [1.0, 1.0, 1.0]", "std = [1.25, 1.25, 1.25]");
    fs::write(&manifest, text).unwrap();
}
