//! Compares the whole pipeline with U²-Net to rembg's result for the same photo.

use std::io::Write as _;

use sha2::{Digest as _, Sha256};

use super::super::{CutRequest, SelfTestError, ZeroEnd, self_test};
use super::{cut, open, read, repository, runtime};
use crate::config::Edges;
use crate::inference::Session;
use crate::model::DEFAULT_MODEL;
use crate::model::ModelManifest;

/// The pixels with a certain matte: within two steps of the network's own grid (400 / 320) the reference is fully opaque or fully
/// transparent, so that ringing from its resampling does not reach them.
fn settled(matte: &[u8], width: usize) -> impl Fn(usize) -> bool {
    const RING: usize = 4;
    move |at| {
        let (x, y) = (at % width, at / width);
        let height = matte.len() / width;
        let rows = y.saturating_sub(RING)..(y + RING + 1).min(height);
        let columns = x.saturating_sub(RING)..(x + RING + 1).min(width);
        let mut around = rows.flat_map(|y| &matte[y * width..][columns.clone()]);
        let first = *around.next().expect("the pixel itself is there");
        around.all(|v| v.abs_diff(first) <= 16)
    }
}

/// Fails when a shipped manifest has no golden picture, or when a model with damaged weights passes the self-test.
fn refuses_damaged_weights(model: &str) {
    let manifest = ModelManifest::load(&repository("models"), model).unwrap();
    self_test(&mut Session::load(runtime(), &manifest, 1).unwrap()).unwrap();
    // The weights of a layer are adjacent: either position lies within one layer.
    for part in [3, 2] {
        refuses_damage_behind(part, &manifest);
    }
}

/// The damage begins after the first `1 / part` of the file.
fn refuses_damage_behind(part: usize, manifest: &ModelManifest) {
    let mut file = std::fs::read(&manifest.file).unwrap();
    let (start, damage) = (file.len() / part, file.len() / 440);
    file[start..start + damage].fill(0x3d);
    let folder = tempfile::tempdir().unwrap();
    let damaged = ModelManifest {
        file: folder.path().join("damaged.onnx"),
        sha256: Sha256::digest(&file).into(),
        ..manifest.clone()
    };
    let mut written = std::fs::File::create_new(&damaged.file).unwrap();
    written.write_all(&file).unwrap();
    let mut session = Session::load(runtime(), &damaged, 1).unwrap();
    let error = self_test(&mut session).unwrap_err();
    assert!(
        matches!(error, SelfTestError::Golden { .. }),
        "1/{part}: {error}"
    );
}

#[test]
fn damaged_weights_of_the_teacher_are_told_from_sound_ones() {
    refuses_damaged_weights("u2net");
}

#[test]
fn damaged_weights_of_the_student_are_told_from_sound_ones() {
    refuses_damaged_weights(DEFAULT_MODEL);
}

#[test]
fn damaged_weights_of_the_fast_student_are_told_from_sound_ones() {
    refuses_damaged_weights("student-fast");
}

#[test]
fn matte_is_that_of_rembg_but_for_its_rings() {
    let manifest = ModelManifest::load(&repository("models"), "u2net").unwrap();
    let mut session = Session::load(runtime(), &manifest, 1)
        .unwrap_or_else(|error| panic!("`make teacher` fetches the model: {error}"));
    self_test(&mut session).unwrap();
    let photo = read("tests/data/photos/astronaut.jpg");
    let request = CutRequest {
        photo: &photo,
        source: "a.jpg",
        megapixels_max: 1,
        zeros: ZeroEnd::Refuse,
        edges: Edges::Off,
    };
    let (ours, _) = open(&cut(&request, &mut session).unwrap());

    let reference = read("tests/data/photos/astronaut.u2net.png");
    let reference = image::load_from_memory(&reference).unwrap().to_luma8();
    let theirs = reference.as_raw();
    assert_eq!(ours.len(), theirs.len());
    let settled = settled(theirs, reference.width() as usize);
    let difference = |at: usize| f64::from(ours[at][3].abs_diff(theirs[at]));
    let mean = |at: &[usize]| {
        let sum: f64 = at.iter().map(|&at| difference(at)).sum();
        sum / f64::from(u32::try_from(at.len()).unwrap())
    };
    let everywhere: Vec<usize> = (0..ours.len()).collect();
    let calm: Vec<usize> = everywhere
        .iter()
        .copied()
        .filter(|&at| settled(at))
        .collect();
    assert!(
        calm.len() > ours.len() / 2,
        "{} pixels are settled",
        calm.len()
    );
    assert!(mean(&calm) <= 1.0, "{} away from the edges", mean(&calm));
    assert!(mean(&everywhere) <= 2.0, "{} everywhere", mean(&everywhere));
}
