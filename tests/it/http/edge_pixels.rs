//! Tests the edge pixels of the cutout of one photo whose mask has a soft ramp, for each way to set the `edges` word.

use std::io::Cursor;
use std::path::Path;

use image::{ImageFormat, Rgb, RgbImage, RgbaImage};
use rustix::process::Signal;

use crate::support::binary::{MODELS, finish, hotcut, wait_for};
use crate::support::hot_folder::HotFolder;
use crate::support::processes;
use crate::support::requests::post;
use crate::support::setup::Setup;

/// Fails when a folder, a request or the command line does not pass its word to the worker, or when the words make no difference
/// where they should.
#[test]
fn word_reaches_the_worker_by_every_way_in() {
    let setup = Setup::new().folder("edges", "off");
    let setup = setup.another_folder("portraits").folder("edges", "auto");
    let hot = HotFolder::start_with(setup.listens().http("edges", "off"));
    let photo = disc();
    let served = ["products", "portraits"].map(|folder| {
        let cutout = hot.setup().output_of(folder).join("a.png");
        std::fs::write(hot.setup().input_of(folder).join("a.png"), &photo).unwrap();
        wait_for(folder, || cutout.exists());
        std::fs::read(cutout).unwrap()
    });
    let [off, auto] = &served;
    let (off_edge, auto_edge) = (Edge::of(&pixels(off)), Edge::of(&pixels(auto)));
    assert!(off_edge.dark > 1_000, "the mask is coarse: {off_edge:?}");
    // The outline of the photo is sharp, and half-transparent pixels no longer contain black.
    assert!(
        2 * auto_edge.all < off_edge.all,
        "{auto_edge:?}, {off_edge:?}"
    );
    assert!(
        10 * auto_edge.dark < off_edge.dark,
        "{auto_edge:?}, {off_edge:?}"
    );

    for (query, wanted) in [("", off), ("&edges=auto", auto), ("&edges=off", off)] {
        let path = format!("/remove-background?name=a.png{query}");
        let answer = post(&hot, &path, &photo);
        assert_eq!(answer.status, 200, "{query}");
        assert!(answer.body == *wanted, "{query}: other bytes");
    }
    let input = hot.setup().path("a.png");
    std::fs::write(&input, &photo).unwrap();
    let output = hot.setup().path("cut");
    let off_words = ["--edges", "off"];
    // A cutout with other edges is made again.
    for (words, wanted) in [(&[][..], auto), (&off_words[..], off), (&[][..], auto)] {
        let mut command = hotcut();
        command.args(["cut", "--model", "luma", "--models-dir", MODELS]);
        let run = finish(command.args(words).arg(&input).arg("-o").arg(&output));
        assert_eq!(run.status.code(), Some(0), "{run:?}");
        let cut = std::fs::read(output.join("a.png")).unwrap();
        assert!(cut == *wanted, "{words:?}: other bytes");
    }
}

/// P9: a job sees one configuration. Fails when a running job gets the edges of the new one, or a later job the edges of the old
/// one.
#[test]
fn edges_of_a_reload_are_for_later_photos_only() {
    let setup = Setup::new().daemon("workers", "1").folder("edges", "off");
    let mut hot = HotFolder::start_with(setup);
    let photo = disc();
    hot.drop_file("first.png", &photo);
    let off = decoded(&hot.wait_output("first.png"));
    let worker = hot.drop_into_stopped_worker("second.png", &photo);
    hot.change_setup(|setup| setup.folder("edges", "auto"));
    hot.signal(Signal::HUP);
    hot.wait_log("reloaded");
    processes::signal(worker, Signal::CONT);
    assert!(decoded(&hot.wait_output("second.png")) == off);
    hot.drop_file("third.png", &photo);
    assert!(decoded(&hot.wait_output("third.png")) != off);
    assert!(decoded(&hot.output("first.png")) == off);
}

/// Half-transparent pixels.
#[derive(Debug)]
struct Edge {
    all: usize,
    /// The half-transparent pixels that look like the background.
    dark: usize,
}

impl Edge {
    fn of(cutout: &RgbaImage) -> Edge {
        let edge = cutout.pixels().filter(|it| (10..=245).contains(&it.0[3]));
        let dark = edge.clone().filter(|it| it.0[0] < 64);
        Edge {
            all: edge.clone().count(),
            dark: dark.count(),
        }
    }
}

/// A white disc on black of 960 by 640 pixels: each of the 32 by 32 values of the mask is the mean of 30 by 20 of them.
fn disc() -> Vec<u8> {
    let picture = RgbImage::from_fn(960, 640, |x, y| {
        let (x, y) = (i64::from(x) - 470, i64::from(y) - 310);
        let is_inside = x * x + y * y < 200 * 200;
        if is_inside {
            Rgb([255; 3])
        } else {
            Rgb([0; 3])
        }
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

#[track_caller]
fn pixels(png: &[u8]) -> RgbaImage {
    image::load_from_memory(png).unwrap().into_rgba8()
}

#[track_caller]
fn decoded(path: &Path) -> RgbaImage {
    pixels(&std::fs::read(path).unwrap())
}
