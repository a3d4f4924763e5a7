//! Tests `hotcut cut --sheet`: the content of the sheet, its photos, and the files that it may replace.

use std::fs;
use std::io::{PipeReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use image::RgbImage;

use crate::support::binary::{
    MODELS, files_below, finish, hotcut, identity, is_temporary, said, wait_for,
};
use crate::support::photos::{Quarter, assert_cutout, jpeg, large_jpeg};
use crate::support::setup::Setup;

/// The gap between panels.
const NEUTRAL: [u8; 3] = [128; 3];

/// P3: fails when a panel is missing, has other content or another size, when rows change places, when a partial sheet stays, or
/// when an earlier sheet stays.
#[test]
fn sheet_shows_each_photo_beside_its_cutout() {
    let setup = Setup::new();
    let (large, small) = (setup.path("z.jpg"), setup.path("a.jpg"));
    fs::write(&large, large_jpeg(Quarter::TopLeft)).unwrap();
    fs::write(&small, jpeg(Quarter::BottomRight)).unwrap();
    let (output, folder) = (setup.path("out"), setup.path("new/docs"));
    let sheet = folder.join("sheet.PNG");
    let mut command = cut(&output, &sheet);
    let run = finish(command.arg(&large).arg(&small));
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert_eq!(String::from_utf8_lossy(&run.stdout).lines().count(), 2);
    assert_eq!(files_below(&folder), [Path::new("sheet.PNG")]);

    // 960 x 640 becomes 480 x 320, and 96 x 64 stays.
    let picture = open(&sheet);
    assert_eq!(picture.dimensions(), (8 + 5 * 488, 8 + 328 + 72));
    let first = |x, y| panels(&picture, (480, 8), (x, y));
    // In the middle of the lit quarter, then in the dark: 360 / 12 + 240 / 12 is even, one square further it is odd.
    assert_near(first(120, 80), [255, 255, 255, 255, 255]);
    assert_near(first(360, 240), [0, 0, 204, 255, 0]);
    assert_near(first(372, 240), [0, 0, 153, 255, 0]);
    let second = |x, y| panels(&picture, (96, 336), (x, y));
    assert_near(second(72, 48), [255, 255, 255, 255, 255]);
    assert_near(second(24, 12), [0, 0, 153, 255, 0]);
    assert_near(second(12, 12), [0, 0, 204, 255, 0]);
    for (x, y) in [(0, 0), (490, 100), (2447, 407), (100, 332), (528, 340)] {
        assert_eq!(picture.get_pixel(x, y).0, NEUTRAL, "{x}, {y}");
    }

    // Its cutout exists already, so one row remains.
    let run = finish(cut(&output, &sheet).arg(&small));
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert_eq!(open(&sheet).dimensions(), (8 + 5 * 104, 80));
    assert_eq!(files_below(&folder), [Path::new("sheet.PNG")]);

    let before = identity(&sheet);
    let run = finish(cut(&output, &sheet).arg(&small).arg("--skip-done"));
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert!(said(&run).contains("no sheet was written"), "{run:?}");
    assert_eq!(identity(&sheet), before);
}

/// P2: fails when a sheet is cut out like a photo.
#[test]
fn sheet_is_no_photo() {
    let setup = Setup::new();
    let shoot = setup.path("shoot");
    fs::create_dir(&shoot).unwrap();
    fs::write(shoot.join("a.jpg"), jpeg(Quarter::TopLeft)).unwrap();
    let output = setup.path("out");
    let sheet = shoot.join("sheet.png");
    let run = finish(cut(&output, &sheet).arg(&shoot));
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let run = finish(cut(&output, &sheet).arg(&shoot));
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert!(said(&run).contains("1 cut out, 1 skipped"), "{run:?}");
    assert!(said(&run).contains("a sheet of cutouts"), "{run:?}");
    assert_eq!(files_below(&output), [Path::new("a.png")]);
}

/// P4: fails when a file that is no sheet is replaced, or when photos are cut out for a sheet that cannot be written.
#[test]
fn file_of_somebody_else_is_left_alone() {
    let setup = Setup::new();
    let photo = setup.path("a.jpg");
    fs::write(&photo, jpeg(Quarter::TopLeft)).unwrap();
    let (foreign, cutout) = (setup.path("foreign.png"), setup.path("cutout.png"));
    fs::write(&foreign, b"somebody's").unwrap();
    let run = finish(cut(&cutout, &setup.path("sheet.png")).arg(&photo));
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let (output, jpg) = (setup.path("out"), setup.path("sheet.jpg"));
    let new = setup.path("new.png");
    for (output, sheet, code, words) in [
        (&output, &foreign, 1, "is not a hotcut sheet"),
        (&output, &cutout, 1, "is not a hotcut sheet"),
        (&output, &photo.join("sheet.png"), 1, "cannot be written"),
        (&output, &jpg, 2, "ends in .png"),
        (&new, &new, 2, "where the cutout goes"),
    ] {
        let before = fs::read(sheet).ok();
        let run = finish(cut(output, sheet).arg(&photo));
        assert_eq!(run.status.code(), Some(code), "{sheet:?}: {run:?}");
        assert!(said(&run).contains(words), "{sheet:?}: {run:?}");
        assert_eq!(fs::read(sheet).ok(), before);
        assert!(!output.exists(), "{sheet:?}");
    }
}

/// Fails when anything except the cutout goes to stdout, or when a photo without a file of its own is not shown.
#[test]
fn photo_from_stdin_has_its_sheet() {
    let setup = Setup::new();
    let (photo, sheet) = (setup.path("a.jpg"), setup.path("sheet.png"));
    fs::write(&photo, jpeg(Quarter::TopRight)).unwrap();
    let mut command = cut(Path::new("-"), &sheet);
    command.arg("-").stdin(fs::File::open(&photo).unwrap());
    let run = finish(&mut command);
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let piped = setup.path("piped.png");
    fs::write(&piped, &run.stdout).unwrap();
    assert_cutout(&piped, Quarter::TopRight);
    let picture = open(&sheet);
    assert_eq!(picture.dimensions(), (8 + 5 * 104, 80));
    let row = |x, y| panels(&picture, (96, 8), (x, y));
    assert_near(row(72, 16), [255, 255, 255, 255, 255]);
    assert_near(row(24, 48), [0, 0, 204, 255, 0]);
}

/// P6: fails when a sheet has no size limit, when it shows photos other than the first ones, or when that is not reported.
#[test]
fn sheet_shows_forty_photos_and_tells_of_the_others() {
    let setup = Setup::new();
    let shoot = setup.path("shoot");
    fs::create_dir(&shoot).unwrap();
    for number in 0..42 {
        let lit = if number < 39 {
            Quarter::TopLeft
        } else {
            Quarter::TopRight
        };
        fs::write(shoot.join(format!("{number:02}.jpg")), jpeg(lit)).unwrap();
    }
    let sheet = setup.path("sheet.png");
    let run = finish(cut(&setup.path("out"), &sheet).arg(&shoot));
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    assert!(said(&run).contains("2 more are not on it"), "{run:?}");
    let picture = open(&sheet);
    assert_eq!(picture.dimensions(), (8 + 5 * 104, 8 + 40 * 72));
    for row in 0..40 {
        let alpha = panels(&picture, (96, 8 + 72 * row), (24, 16))[1];
        assert_eq!(alpha > 250, row < 39, "{row}");
    }
}

/// P10: fails when a photo is left out without a message, or when the others are lost with it.
#[test]
fn photo_that_cannot_be_shown_is_named_and_the_others_are_shown() {
    let setup = Setup::new();
    let photos = ["a", "b"].map(|name| setup.path(format!("{name}.jpg")));
    for photo in &photos {
        fs::write(photo, jpeg(Quarter::TopLeft)).unwrap();
    }
    let (output, sheet) = (setup.path("out"), setup.path("sheet.png"));
    let cutouts = ["a", "b"].map(|name| output.join(format!("{name}.png")));
    let held = Held::spawn(cut(&output, &sheet).args(&photos));
    wait_for("a cutout", || cutouts.iter().any(|cutout| cutout.exists()));
    // The sheet is complete once it has its name; it is made after the last photo is reported.
    let spoilt = usize::from(!cutouts[0].exists());
    fs::write(&cutouts[spoilt], b"no picture").unwrap();
    let run = held.release();
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let words = format!("{} is not on the sheet: ", photos[spoilt].display());
    assert!(said(&run).contains(&words), "{run:?}");
    assert_eq!(open(&sheet).dimensions(), (8 + 5 * 104, 80));
}

/// P4: fails when a file is replaced that appeared while photos were cut out, or when the missing sheet is not reported.
#[test]
fn file_that_comes_meanwhile_is_left_alone() {
    let setup = Setup::new();
    let photo = setup.path("a.jpg");
    fs::write(&photo, jpeg(Quarter::TopLeft)).unwrap();
    let (output, sheet) = (setup.path("out"), setup.path("sheet.png"));
    let held = Held::spawn(cut(&output, &sheet).arg(&photo));
    wait_for("its cutout", || output.join("a.png").exists());
    fs::write(&sheet, b"somebody's").unwrap();
    let run = held.release();
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert!(said(&run).contains("is not a hotcut sheet"), "{run:?}");
    assert_eq!(fs::read(&sheet).unwrap(), b"somebody's");
    assert!(
        !files_below(&setup.path("."))
            .iter()
            .any(|path| is_temporary(path))
    );
}

/// A command that cannot write to stdout that a cutout is done.
struct Held {
    child: Child,
    stdout: PipeReader,
}

impl Held {
    fn spawn(command: &mut Command) -> Held {
        let (stdout, mut full) = std::io::pipe().unwrap();
        let room = rustix::pipe::fcntl_getpipe_size(&full).unwrap();
        full.write_all(&vec![b'\n'; room]).unwrap();
        let child = command.stdout(full).stderr(Stdio::piped()).spawn();
        Held {
            child: child.unwrap(),
            stdout,
        }
    }

    /// Lets it continue, and waits for its end.
    fn release(mut self) -> Output {
        let mut told = String::new();
        self.stdout.read_to_string(&mut told).unwrap();
        self.child.wait_with_output().unwrap()
    }
}

/// `hotcut cut` with the test model, without an input.
fn cut(output: &Path, sheet: &Path) -> Command {
    let mut command = hotcut();
    command.args(["cut", "--model", "luma", "--models-dir", MODELS]);
    command.arg("-o").arg(output).arg("--sheet").arg(sheet);
    command
}

#[track_caller]
fn open(sheet: &Path) -> RgbImage {
    let picture = image::open(sheet).unwrap();
    assert_eq!(picture.color(), image::ColorType::Rgb8);
    picture.into_rgb8()
}

/// The grey values at one position of the five panels of a row, which are `width` wide and begin at line `top`.
#[track_caller]
fn panels(sheet: &RgbImage, (width, top): (u32, u32), at: (u32, u32)) -> [u8; 5] {
    std::array::from_fn(|panel| {
        let panel = u32::try_from(panel).unwrap();
        let pixel = sheet.get_pixel(8 + panel * (width + 8) + at.0, top + at.1);
        assert_eq!(pixel.0, [pixel.0[0]; 3], "it is no grey");
        pixel.0[0]
    })
}

/// Allows for small deviations of JPEG and the network.
#[track_caller]
fn assert_near(found: [u8; 5], expected: [u8; 5]) {
    let is_near = |(found, expected): (&u8, &u8)| found.abs_diff(*expected) <= 6;
    let all = found.iter().zip(&expected).all(is_near);
    assert!(all, "{found:?} instead of {expected:?}");
}
