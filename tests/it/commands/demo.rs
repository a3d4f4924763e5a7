//! Tests `hotcut demo`, the first command of a new user, with the model that ships.

use std::path::Path;

use crate::support::binary::{finish, hotcut, said};
use crate::support::setup::Setup;

/// Fails when the demo fails, prints no existing path, or its cutouts are wrong.
#[test]
fn demo_prints_where_each_cutout_lies() {
    let tree = Setup::new();
    let run = finish(hotcut().arg("demo").arg(tree.path("demo")));
    assert_eq!(run.status.code(), Some(0), "{run:?}");
    let printed = said(&run);
    let outputs: Vec<&Path> = printed
        .split_whitespace()
        .map(|word| Path::new(word.trim_matches(['"', '\'', ',', ':'])))
        .filter(|path| path.extension().is_some_and(|kind| kind == "png") && path.is_file())
        .collect();
    assert!(outputs.len() >= 3, "{printed}");
    for output in outputs {
        let picture = image::open(output).unwrap();
        assert_eq!(
            picture.color(),
            image::ColorType::Rgba8,
            "{}",
            output.display()
        );
        let cutout = picture.into_rgba8();
        let alphas = || cutout.pixels().map(|pixel| pixel.0[3]);
        assert!(
            alphas().any(|alpha| alpha == 0),
            "{} has a background",
            output.display()
        );
        assert!(
            alphas().any(|alpha| alpha > 250),
            "{} has no subject",
            output.display()
        );
    }
}
