//! The imaging module end to end: real files, the real runtime, and models small enough to compute their answer by hand.

mod bombs;
mod colours;
mod edges;
mod formats;
mod hostile;
mod models;
mod orientation;
mod private;
mod reference;
mod shrink;
mod tiffs;
mod truncation;
mod variants;

use std::fmt;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::{CutReport, CutRequest, Cutout, CutoutError, ZeroEnd};
use crate::config::{Edges, OutputSpec};
use crate::inference::{Runtime, Session};
use crate::model::ModelManifest;

const MEGAPIXELS_MAX: u32 = 20;

fn repository(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn read(path: &str) -> Vec<u8> {
    std::fs::read(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let path = std::env::var_os("ORT_DYLIB_PATH")
            .map(PathBuf::from)
            .or_else(|| {
                let entries = std::fs::read_dir(repository(".onnxruntime")).ok()?;
                entries
                    .filter_map(Result::ok)
                    .map(|entry| entry.path())
                    .max()
            });
        let path = path.expect("`make setup` fetches ONNX Runtime into .onnxruntime/");
        Runtime::load(&path).unwrap_or_else(|error| panic!("{error}"))
    })
}

fn manifest(name: &str) -> ModelManifest {
    let manifest = ModelManifest::load(&repository("tests/data/models"), name);
    manifest.unwrap_or_else(|error| panic!("{error}"))
}

/// One file and the report on it.
#[derive(Debug, PartialEq, Eq)]
struct Output {
    png: Vec<u8>,
    report: CutReport,
}

/// Cuts a photo out to one plain PNG.
fn cut(request: &CutRequest<'_>, session: &mut Session) -> Result<Output, CutoutError> {
    let mut cutout = Cutout::new(request, session)?;
    let png = cutout.render(OutputSpec::default())?;
    let report = cutout.report();
    Ok(Output { png, report })
}

/// Runs `work` and checks that it takes this thread almost no time even for a giant picture. Only the thread's own CPU time counts.
fn at_once<T>(what: impl fmt::Debug, work: impl FnOnce() -> T) -> T {
    let spent = || Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap();
    let before = spent();
    let result = work();
    let taken = spent().saturating_sub(before);
    assert!(taken < Duration::from_millis(500), "{what:?}: {taken:?}");
    result
}

/// Cuts with the model that returns brightness as opacity.
fn cut_by_luma(photo: &[u8]) -> Result<Output, CutoutError> {
    cut_with(photo, ZeroEnd::Refuse, Edges::Off)
}

/// As [`cut_by_luma`], with the given edges.
fn cut_by_luma_with(photo: &[u8], edges: Edges) -> Result<Output, CutoutError> {
    cut_with(photo, ZeroEnd::Refuse, edges)
}

/// As [`cut_by_luma`], with the given treatment of photos that end in zeros.
fn cut_with_zeros(photo: &[u8], zeros: ZeroEnd) -> Result<Output, CutoutError> {
    cut_with(photo, zeros, Edges::Off)
}

fn cut_with(photo: &[u8], zeros: ZeroEnd, edges: Edges) -> Result<Output, CutoutError> {
    static SESSION: OnceLock<Mutex<Session>> = OnceLock::new();
    let session = SESSION.get_or_init(|| {
        let session = Session::load(runtime(), &manifest("luma"), 1);
        Mutex::new(session.unwrap_or_else(|error| panic!("{error}")))
    });
    let request = CutRequest {
        photo,
        source: "sub/a.jpg",
        megapixels_max: MEGAPIXELS_MAX,
        zeros,
        edges,
    };
    let mut session = session
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    cut(&request, &mut session)
}

/// The pixels and the metadata of an output.
fn open(cut: &Output) -> (Vec<[u8; 4]>, png::Info<'static>) {
    let decoder = png::Decoder::new(std::io::Cursor::new(&cut.png));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let size = (cut.report.width, cut.report.height);
    assert_eq!((frame.width, frame.height), size);
    assert_eq!(
        (frame.color_type, frame.bit_depth),
        (png::ColorType::Rgba, png::BitDepth::Eight)
    );
    (pixels.as_chunks().0.to_vec(), reader.info().clone())
}

/// The expected result of the brightness model for 32 x 32 pixels.
fn by_hand(photo: &[[u8; 4]]) -> Vec<[u8; 4]> {
    let pixel = |&[r, g, b, a]: &[u8; 4]| {
        let mean = (f64::from(r) + f64::from(g) + f64::from(b)) / 3.0;
        let alpha = (mean.round() * f64::from(a) / 255.0).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0..=255"
        )]
        let alpha = alpha as u8;
        if alpha == 0 { [0; 4] } else { [r, g, b, alpha] }
    };
    photo.iter().map(pixel).collect()
}

/// 32 x 32 pixels without equal neighbours or symmetry, bright enough to be a subject.
fn motley() -> Vec<[u8; 4]> {
    let byte = |v: u32| u8::try_from(v % 256).unwrap();
    (0..1024)
        .map(|i| [byte(i / 4), byte(200 + i), byte(37 * i), 255])
        .collect()
}

/// The greatest difference in any sample.
fn farthest(a: &[[u8; 4]], b: &[[u8; 4]]) -> u8 {
    assert_eq!(a.len(), b.len());
    let samples = a.as_flattened().iter().zip(b.as_flattened());
    samples.map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0)
}
