//! Reads `models/NAME.toml`: the format of a model's input and the meaning of its output. Must not open the model.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::folder::{models_in, name_models};
use super::golden::{Golden, RawGolden};
use crate::hex;

/// Largest side of a model's input, in pixels; larger values are mistakes.
const SIZE_MAX: u32 = 4096;

/// The number of cells of a mask of 288 x 288.
const CELLS_MAX: usize = 288 * 288;

/// The divisor of the network's input, applied before `mean` and `std`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Divisor {
    /// The largest sample of the resized picture.
    #[serde(rename = "max")]
    Max,
    /// 255.
    #[serde(rename = "255")]
    Full,
}

/// Converts the network's output to opacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// The output is already 0..=1.
    None,
    /// The output is logits.
    Sigmoid,
}

/// Islands of a mask that are dust, as measured for one model.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dust {
    /// The largest size in cells of a mask of 288 x 288; scaled in proportion for other masks.
    pub cells: usize,
    /// The opacity, 0..=1, that no cell of the island reaches.
    pub peak: f32,
}

impl Dust {
    /// The rule for its values, for messages.
    pub(crate) const RULE: &str = "must have `cells` up to 82944 and a `peak` of 0 to 1";

    /// Whether the values follow [`Self::RULE`].
    pub(crate) fn is_possible(self) -> bool {
        self.cells <= CELLS_MAX && (0.0..=1.0).contains(&self.peak)
    }
}

/// The properties of a model that its file does not contain.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelManifest {
    /// Name of the manifest, also written into every output.
    pub name: String,
    /// The ONNX file; absolute if the models' folder is.
    pub file: PathBuf,
    /// SHA-256 of the ONNX file.
    pub sha256: [u8; 32],
    /// Name of the input, 1 x 3 x `size` x `size`, float32.
    pub input: String,
    /// Side of the square that every photo is stretched to, pixels.
    pub size: u32,
    /// Name of the mask output, 1 x 1 x `size` x `size` or 1 x `size` x `size`, float32.
    pub output: String,
    /// What samples 0..=255 are divided by.
    pub divisor: Divisor,
    /// Subtracted after the division; red, green, blue.
    pub mean: [f32; 3],
    /// Divided by after `mean`; red, green, blue; never 0.
    pub std: [f32; 3],
    /// Converts the output to opacity.
    pub activation: Activation,
    /// Whether a mask above the confidence floor is stretched to the whole range 0..=1.
    pub stretch: bool,
    /// Islands of its mask that are removed; `None` keeps all.
    pub dust: Option<Dust>,
    /// The required answer to one picture, checked before the model is used.
    pub golden: Option<Golden>,
}

/// Why a model manifest cannot be used. All are faults of the configuration.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// The name could leave the folder or break the provenance in outputs.
    #[error(
        "model name {0:?}: only letters, digits, `-`, `_` and `.` are allowed, not first a dot"
    )]
    Name(String),
    /// No such manifest.
    #[error("{} does not exist; {}", path.display(), name_models(known))]
    Missing {
        /// Where the manifest would be.
        path: PathBuf,
        /// The models that have a manifest there.
        known: Vec<String>,
    },
    /// The manifest cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The manifest.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The manifest is not TOML, or a key is missing, unknown or of the wrong type.
    #[error("{}: {source}", path.display())]
    Syntax {
        /// The manifest.
        path: PathBuf,
        /// Line, column and reason.
        source: Box<toml::de::Error>,
    },
    /// A key has an invalid value.
    #[error("{}: {key} {rule}", path.display())]
    Value {
        /// The manifest.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What its value must be.
        rule: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawManifest {
    file: PathBuf,
    sha256: String,
    #[expect(dead_code, reason = "for the people who read the manifest")]
    licence: String,
    #[expect(dead_code, reason = "for the people who read the manifest")]
    source: String,
    input: String,
    size: u32,
    output: String,
    divisor: Divisor,
    mean: [f32; 3],
    std: [f32; 3],
    activation: Activation,
    stretch: bool,
    dust: Option<Dust>,
    golden: Option<RawGolden>,
    #[expect(dead_code, reason = "for the people who read the manifest")]
    training: Option<toml::Table>,
}

impl ModelManifest {
    /// Reads `models_dir/NAME.toml`.
    ///
    /// # Errors
    /// The first fault of the manifest, with its path.
    pub fn load(models_dir: &Path, name: &str) -> Result<ModelManifest, ManifestError> {
        if !is_plain_name(name) {
            return Err(ManifestError::Name(name.to_owned()));
        }
        let path = models_dir.join(format!("{name}.toml"));
        let text = fs::read_to_string(&path).map_err(|source| {
            let path = path.clone();
            if source.kind() == io::ErrorKind::NotFound {
                let known = models_in(models_dir);
                ManifestError::Missing { path, known }
            } else {
                ManifestError::Read { path, source }
            }
        })?;
        let raw: RawManifest = toml::from_str(&text).map_err(|source| ManifestError::Syntax {
            path: path.clone(),
            source: Box::new(source),
        })?;
        raw.validate(name, models_dir)
            .map_err(|(key, rule)| ManifestError::Value { path, key, rule })
    }
}

impl RawManifest {
    fn validate(
        self,
        name: &str,
        models_dir: &Path,
    ) -> Result<ModelManifest, (&'static str, &'static str)> {
        let sha256 = hex::decode(&self.sha256).ok_or(("sha256", "must be 64 hex digits"))?;
        if !(1..=SIZE_MAX).contains(&self.size) {
            return Err(("size", "must be 1 to 4096"));
        }
        if !self.mean.iter().all(|v| v.is_finite()) {
            return Err(("mean", "must be three finite numbers"));
        }
        if !self.std.iter().all(|v| v.is_finite() && *v > 0.0) {
            return Err(("std", "must be three numbers above 0"));
        }
        if self.dust.is_some_and(|dust| !dust.is_possible()) {
            return Err(("dust", Dust::RULE));
        }
        Ok(ModelManifest {
            name: name.to_owned(),
            file: models_dir.join(self.file),
            sha256,
            input: self.input,
            size: self.size,
            output: self.output,
            divisor: self.divisor,
            mean: self.mean,
            std: self.std,
            activation: self.activation,
            stretch: self.stretch,
            dust: self.dust,
            golden: self
                .golden
                .map(|golden| golden.validate(models_dir))
                .transpose()?,
        })
    }
}

fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && !name.starts_with('.') && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::{Activation, Divisor, ManifestError, ModelManifest};
    use std::path::Path;

    const MANIFEST: &str = r#"
        file = "m.onnx"
        sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
        licence = "CC0"
        source = "made here"
        input = "in"
        size = 32
        output = "out"
        divisor = "255"
        mean = [0.5, 0.5, 0.5]
        std = [1.0, 1.0, 1.0]
        activation = "sigmoid"
        stretch = false
    "#;

    #[expect(
        clippy::disallowed_methods,
        reason = "a manifest in a folder of the test's own"
    )]
    fn load(text: &str) -> Result<ModelManifest, ManifestError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("m.toml"), text).unwrap();
        ModelManifest::load(dir.path(), "m")
    }

    #[test]
    fn manifest_is_read_whole() {
        let manifest = load(MANIFEST).unwrap();
        assert_eq!(manifest.name, "m");
        assert!(manifest.file.is_absolute() && manifest.file.ends_with("m.onnx"));
        assert_eq!(manifest.sha256[..3], [0x00, 0x11, 0x22]);
        assert_eq!((manifest.size, manifest.divisor), (32, Divisor::Full));
        assert_eq!(
            (manifest.activation, manifest.stretch),
            (Activation::Sigmoid, false)
        );
    }

    #[test]
    fn values_that_cannot_be_meant_are_named() {
        for (from, to, key) in [
            ("size = 32", "size = 0", "size"),
            ("size = 32", "size = 100000", "size"),
            ("std = [1.0, 1.0, 1.0]", "std = [1.0, 0.0, 1.0]", "std"),
            ("mean = [0.5, 0.5, 0.5]", "mean = [0.5, nan, 0.5]", "mean"),
            (
                "stretch = false",
                "stretch = false\n[dust]\ncells = 64\npeak = 1.5",
                "dust",
            ),
            ("00112233", "0011223", "sha256"),
            ("00112233", "+0112233", "sha256"),
            (
                "stretch = false",
                "stretch = false\n[golden]\npicture = 'g.jpg'\ncells = '00ff'",
                "golden.cells",
            ),
        ] {
            let error = load(&MANIFEST.replace(from, to)).unwrap_err();
            assert!(
                matches!(error, ManifestError::Value { key: k, .. } if k == key),
                "{to}: {error}"
            );
        }
    }

    #[test]
    fn unknown_and_missing_keys_are_refused() {
        for text in [
            format!("{MANIFEST}\nsiez = 3"),
            MANIFEST.replace("size = 32", ""),
        ] {
            let error = load(&text).unwrap_err();
            assert!(matches!(error, ManifestError::Syntax { .. }), "{error}");
        }
    }

    #[test]
    fn name_cannot_leave_the_folder() {
        for name in ["", "../m", "a/b", ".m", "a b"] {
            let error = ModelManifest::load(Path::new("/nowhere"), name).unwrap_err();
            assert!(matches!(error, ManifestError::Name(_)), "{name}");
        }
        let error = ModelManifest::load(Path::new("/nowhere"), "m").unwrap_err();
        assert!(matches!(error, ManifestError::Missing { .. }), "{error}");
    }
}
