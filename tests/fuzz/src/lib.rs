//! Where the fuzz targets begin: the seeds that `hotcut::fuzzing` makes, as files that libFuzzer reads.

use std::path::Path;
use std::{fs, io};

/// Writes the seeds of `target` into `target/fuzz/seeds/<target>`.
pub fn write_seeds(target: &str) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../target/fuzz/seeds")
        .join(target);
    fs::create_dir_all(&folder)?;
    for (_, name, bytes) in hotcut::fuzzing::seeds()
        .iter()
        .filter(|seed| seed.0 == target)
    {
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}
