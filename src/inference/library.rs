//! Finds the ONNX Runtime library of this hotcut. Must not load it.

use std::path::{Path, PathBuf};

/// File name of the library that `make setup` fetches.
const LIBRARY: &str = "libonnxruntime.so.1.32.0";

/// No library was found.
#[derive(Debug, thiserror::Error)]
#[error(
    "ONNX Runtime ({LIBRARY}) was not found; run `make setup`, or set ORT_DYLIB_PATH to its path"
)]
pub struct NotFound;

/// Finds the library: `ORT_DYLIB_PATH`, beside the executable, `../lib/hotcut`, or the checkout's `.onnxruntime`.
pub fn find() -> Result<PathBuf, NotFound> {
    if let Some(path) = std::env::var_os("ORT_DYLIB_PATH").filter(|path| !path.is_empty()) {
        return Ok(path.into());
    }
    let exe = std::env::current_exe().map_err(|_| NotFound)?;
    candidates(&exe).find(|path| path.is_file()).ok_or(NotFound)
}

fn candidates(exe: &Path) -> impl Iterator<Item = PathBuf> {
    let beside = exe.parent().map(|dir| dir.join(LIBRARY));
    let installed = exe
        .parent()
        .and_then(Path::parent)
        .map(|root| root.join("lib/hotcut").join(LIBRARY));
    let checkout = exe
        .ancestors()
        .skip(1)
        .map(|dir| dir.join(".onnxruntime").join(LIBRARY));
    beside.into_iter().chain(installed).chain(checkout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_installed_library_comes_before_a_checkout() {
        let found: Vec<_> = candidates(Path::new("/opt/hotcut/bin/hotcut"))
            .take(3)
            .collect();
        let expected = ["bin", "lib/hotcut", "bin/.onnxruntime"];
        let expected = expected.map(|dir| Path::new("/opt/hotcut").join(dir).join(LIBRARY));
        assert_eq!(found, expected);
    }
}
