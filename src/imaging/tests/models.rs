//! A model that contradicts its manifest is refused; its result decides the outcome; the output contains its provenance.

use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use super::super::{CutRequest, Cutout, SelfTestError, Stage, ZeroEnd, self_test};
use super::{CutoutError, cut, cut_by_luma, manifest, motley, open, read, runtime};
use crate::config::{Edges, OutputSpec};
use crate::inference::{Session, SessionError, Signature};
use crate::model::{GOLDEN_SIDE, Golden, ModelManifest};
use crate::provenance::{self, Provenance};

fn refusal(change: impl Fn(&mut ModelManifest)) -> SessionError {
    let mut manifest = manifest("luma");
    change(&mut manifest);
    Session::load(runtime(), &manifest, 1).unwrap_err()
}

#[test]
fn difference_between_model_and_manifest_is_named() {
    let error = refusal(|manifest| manifest.sha256[0] ^= 1);
    assert!(matches!(error, SessionError::Checksum { .. }), "{error}");
    let error = refusal(|manifest| manifest.file = PathBuf::from("/nowhere/luma.onnx"));
    assert!(matches!(error, SessionError::Read { .. }), "{error}");

    let differs = |change: fn(&mut ModelManifest)| {
        let error = refusal(change);
        let SessionError::Signature { differs, .. } = error else {
            panic!("{error}")
        };
        differs
    };
    let name = differs(|manifest| "image".clone_into(&mut manifest.input));
    assert_eq!(
        name.to_string(),
        r#"no input is named "image"; it has "photo""#
    );
    let name = differs(|manifest| "alpha".clone_into(&mut manifest.output));
    assert!(
        matches!(name, Signature::Name { side: "output", .. }),
        "{name}"
    );
    let shape = differs(|manifest| manifest.size = 64);
    let text = r#"input "photo" has the shape [1, 3, 32, 32], its manifest says [1, 3, 64, 64]"#;
    assert_eq!(shape.to_string(), text);
}

#[test]
fn file_that_is_no_model_is_refused() {
    let manifest_path = "tests/data/models/luma.toml";
    let error = refusal(|manifest| {
        manifest.file = super::repository(manifest_path);
        manifest.sha256 = Sha256::digest(read(manifest_path)).into();
    });
    assert!(matches!(error, SessionError::Model { .. }), "{error}");
}

#[test]
fn model_that_is_sure_of_nothing_finds_no_subject() {
    let mut session = Session::load(runtime(), &manifest("blank"), 1).unwrap();
    self_test(&mut session).unwrap();
    let photo = read("tests/data/photos/chart.jpg");
    let request = CutRequest {
        photo: &photo,
        source: "a.jpg",
        megapixels_max: 1,
        zeros: ZeroEnd::Refuse,
        edges: Edges::default(),
    };
    assert_eq!(cut(&request, &mut session), Err(CutoutError::NoSubject));
}

/// A golden picture for the brightness model, whose answer is known by hand.
fn golden(cells: Vec<u8>) -> Result<(), SelfTestError> {
    let mut manifest = manifest("luma");
    manifest.golden = Some(Golden {
        picture: super::repository("tests/data/photos/chart.jpg"),
        cells,
    });
    self_test(&mut Session::load(runtime(), &manifest, 1).unwrap())
}

fn cells_of_chart() -> Vec<u8> {
    let cut = cut_by_luma(&read("tests/data/photos/chart.jpg")).unwrap();
    let (pixels, _) = open(&cut);
    let cell = |at: usize| {
        let corner = at / GOLDEN_SIDE * 64 + at % GOLDEN_SIDE * 2;
        let sum = [0, 1, 32, 33].map(|near| u32::from(pixels[corner + near][3]));
        u8::try_from(sum.iter().sum::<u32>() / 4).unwrap()
    };
    (0..GOLDEN_SIDE * GOLDEN_SIDE).map(cell).collect()
}

#[test]
fn model_that_answers_its_golden_picture_wrongly_is_refused() {
    let right = cells_of_chart();
    golden(right.clone()).unwrap();
    let a_little_off = right.iter().map(|cell| cell.saturating_sub(6)).collect();
    golden(a_little_off).unwrap();
    let blank = golden(vec![0; right.len()]).unwrap_err();
    assert!(
        matches!(blank, SelfTestError::Golden { levels, .. } if levels > 40.0),
        "{blank}"
    );
    let negative = right.iter().map(|cell| 255 - cell).collect();
    let negative = golden(negative).unwrap_err();
    assert!(
        matches!(negative, SelfTestError::Golden { .. }),
        "{negative}"
    );
}

#[test]
fn output_carries_its_provenance_and_is_refused_as_an_input() {
    let photo = read("tests/data/photos/chart.jpg");
    let result = cut_by_luma(&photo).unwrap();
    let sha256: [u8; 32] = Sha256::digest(&photo).into();
    let expected = Provenance {
        source: "sub/a.jpg".to_owned(),
        sha256,
        model: "luma".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        is_doubtful: false,
        edges: Edges::Off,
    };
    assert_eq!(result.report.sha256, sha256);
    assert_eq!(
        provenance::read(&result.png[..4096.min(result.png.len())]),
        Some(expected)
    );
    assert_eq!(cut_by_luma(&result.png), Err(CutoutError::OwnOutput));
}

#[test]
fn same_photo_gives_the_same_bytes_and_every_stage_is_timed() {
    let photo = read("tests/data/photos/astronaut.jpg");
    let (first, second) = (cut_by_luma(&photo).unwrap(), cut_by_luma(&photo).unwrap());
    assert_eq!(first.png, second.png);
    let stages: Vec<Stage> = first
        .report
        .stages
        .iter()
        .map(|(stage, _)| *stage)
        .collect();
    let all = [
        Stage::Decode,
        Stage::Tensor,
        Stage::Inference,
        Stage::Matte,
        Stage::Encode,
    ];
    assert_eq!(stages, all);
}

#[test]
fn transparent_photo_has_no_subject_whatever_the_model_says() {
    let clear = motley()
        .iter()
        .flat_map(|p| [p[0], p[1], p[2], 0])
        .collect();
    let clear = image::RgbaImage::from_raw(32, 32, clear).unwrap();
    let mut file = std::io::Cursor::new(Vec::new());
    clear.write_to(&mut file, image::ImageFormat::Png).unwrap();
    assert_eq!(cut_by_luma(&file.into_inner()), Err(CutoutError::NoSubject));
    let whole = cut_by_luma(&read("tests/data/photos/chart.jpg")).unwrap();
    assert!(open(&whole).0.iter().any(|p| p[3] > 0));
}

/// P3: fails when a second output differs from the first, or when the report does not count both.
#[test]
fn every_output_of_a_photo_is_rendered_from_one_inference() {
    let mut session =
        Session::load(runtime(), &manifest("luma"), 1).unwrap_or_else(|error| panic!("{error}"));
    let photo = read("tests/data/photos/chart.jpg");
    let request = CutRequest {
        photo: &photo,
        source: "a.jpg",
        megapixels_max: 1,
        zeros: ZeroEnd::Refuse,
        edges: Edges::Off,
    };
    let mut cutout = Cutout::new(&request, &mut session).unwrap();
    let spec = OutputSpec::default();
    let (first, second) = (cutout.render(spec).unwrap(), cutout.render(spec).unwrap());
    assert_eq!(first, second);
    let report = cutout.report();
    assert_eq!(report.len, 2 * first.len() as u64);
    let stages: Vec<Stage> = report.stages.iter().map(|(stage, _)| *stage).collect();
    assert_eq!(stages.last(), Some(&Stage::Encode));
    assert_eq!(stages.len(), 5, "{stages:?}");
}
