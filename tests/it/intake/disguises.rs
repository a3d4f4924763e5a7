//! Tests files whose names do not match their content, and files that are small only on disk, through the daemon.

use std::path::PathBuf;

use image::ImageFormat;

use crate::corpus::bombs;
use crate::support::binary::wait_for;
use crate::support::hot_folder::HotFolder;
use crate::support::photos::{HTML, Quarter, assert_cutout, encode, jpeg};
use crate::support::processes::peak_mib;
use crate::support::setup::Setup;

/// P5, P10: every extension with every content. Fails when a name decides how a file is read, so that a picture is refused or other
/// data reaches a decoder.
#[test]
fn content_decides_and_never_the_name() {
    let extensions = ["jpg", "jpeg", "png", "webp", "tif", "TIFF"];
    assert_content_decides(&HotFolder::start(), &extensions);
}

/// P5, P10: as above, for extensions that are taken only if `include` lists them.
#[test]
fn content_decides_whatever_else_is_included() {
    let hot = HotFolder::start_with(Setup::new().folder("include", "[\"*\"]"));
    let extensions = ["bmp", "gif", "heic", "svg", "pdf", "txt"];
    assert_content_decides(&hot, &extensions);
}

fn assert_content_decides(hot: &HotFolder, extensions: &[&str]) {
    // Lit at the end of the file: a TIFF or BMP whose last pixels are black may be incomplete. A BMP begins at the bottom.
    let (tiff_end, bmp_end) = (Quarter::BottomRight, Quarter::TopRight);
    let contents = [
        ("jpeg", Quarter::TopLeft, jpeg(Quarter::TopLeft)),
        (
            "png",
            Quarter::TopLeft,
            encode(Quarter::TopLeft, ImageFormat::Png),
        ),
        (
            "webp",
            Quarter::TopLeft,
            encode(Quarter::TopLeft, ImageFormat::WebP),
        ),
        ("tiff", tiff_end, encode(tiff_end, ImageFormat::Tiff)),
        ("bmp", bmp_end, encode(bmp_end, ImageFormat::Bmp)),
        (
            "gif",
            Quarter::TopLeft,
            encode(Quarter::TopLeft, ImageFormat::Gif),
        ),
    ];
    let mut outputs = Vec::new();
    for extension in extensions {
        for (content, lit, bytes) in &contents {
            hot.drop_file(format!("{content}-{extension}/a.{extension}"), bytes);
            outputs.push((PathBuf::from(format!("{content}-{extension}/a.png")), *lit));
        }
        hot.drop_file(format!("page.{extension}"), HTML);
    }
    for (output, lit) in &outputs {
        assert_cutout(&hot.wait_output(output), *lit);
    }
    for extension in extensions {
        let entry = hot.wait_quarantined(&format!("page.{extension}"));
        assert!(entry.reason.contains("HTML"), "{entry:?}");
    }
    let mut outputs: Vec<PathBuf> = outputs.into_iter().map(|(output, _)| output).collect();
    outputs.sort();
    assert_eq!(hot.outputs(), outputs);
}

/// P5, P6: fails when memory is allocated for what such a file claims or unpacks to, when it kills a worker, or when the next photo
/// is not served.
#[test]
fn bombs_of_every_format_take_little_memory() {
    let setup = Setup::new()
        .daemon("workers", "1")
        .daemon("worker_memory", "512 MiB");
    let hot = HotFolder::start_with(setup);
    let workers = hot.workers();
    // The longest sides that WebP can claim: of longer ones it would store only 14 bits, which may be allowed.
    let bombs: Vec<_> = bombs::with_sides(16_383, 16_383)
        .into_iter()
        .chain(bombs::second_sizes())
        .chain(bombs::long_streams())
        .collect();
    for (name, file) in &bombs {
        hot.drop_file(format!("{name}.jpg"), file);
    }
    wait_for("every bomb has its result", || {
        hot.status().quarantined.len() + hot.outputs().len() == bombs.len()
    });
    for entry in hot.status().quarantined {
        assert!(!entry.reason.contains("memory"), "{entry:?}");
    }
    hot.drop_file("next.jpg", &jpeg(Quarter::TopLeft));
    assert_cutout(&hot.wait_output("next.png"), Quarter::TopLeft);
    assert_eq!(hot.workers(), workers, "a worker was lost");
    for process in workers.into_iter().chain([hot.pid()]) {
        assert!(peak_mib(process) < 300, "{} MiB", peak_mib(process));
    }
}
