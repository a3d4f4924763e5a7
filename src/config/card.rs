//! `models/NAME.toml` -> `ModelCard`: how a model file wants its input and what its output means.
//! Does not open the model itself.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::dust::Dust;
use super::golden::{Golden, RawGolden, parse_hex};
use super::models::{models_in, name_models};

/// Largest side of a model's input, in pixels; what is larger is a slip of the pen.
const SIZE_MAX: u32 = 4096;

/// What a network's input is divided by before `mean` and `std`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Divisor {
    /// The largest sample of the resized picture.
    #[serde(rename = "max")]
    Max,
    /// 255.
    #[serde(rename = "255")]
    Full,
}

/// What turns the network's output into opacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// The output is 0..1 already.
    None,
    /// The output is logits.
    Sigmoid,
}

/// Everything about a model that is not in its file.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelCard {
    /// Name of the card, also written into every output.
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
    /// What turns the output into opacity.
    pub activation: Activation,
    /// Whether a mask above the confidence floor is stretched to the whole range 0..1.
    pub stretch: bool,
    /// Islands of its mask that are dropped; `None` to keep all.
    pub dust: Option<Dust>,
    /// What it must answer to one picture before it is let near a photo.
    pub golden: Option<Golden>,
}

/// Why a model card is no use. All are faults of the configuration.
#[derive(Debug, Error)]
pub enum CardError {
    /// The name could leave the folder or break the mark in the outputs.
    #[error(
        "model name {0:?}: only letters, digits, `-`, `_` and `.` are allowed, not first a dot"
    )]
    Name(String),
    /// No such card.
    #[error("{} does not exist; {}", path.display(), name_models(known))]
    Missing {
        /// Where the card would be.
        path: PathBuf,
        /// The models that have a card there.
        known: Vec<String>,
    },
    /// The card cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The card.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// The card is not TOML, or a key is missing, unknown or of the wrong type.
    #[error("{}: {source}", path.display())]
    Syntax {
        /// The card.
        path: PathBuf,
        /// Line, column and reason.
        source: Box<toml::de::Error>,
    },
    /// A key has a value that cannot be meant.
    #[error("{}: {key} {rule}", path.display())]
    Value {
        /// The card.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What its value must be.
        rule: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCard {
    file: PathBuf,
    sha256: String,
    #[expect(dead_code, reason = "for the people who read the card")]
    licence: String,
    #[expect(dead_code, reason = "for the people who read the card")]
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
    #[expect(dead_code, reason = "for the people who read the card")]
    training: Option<toml::Table>,
}

impl ModelCard {
    /// Reads `models_dir/NAME.toml`.
    ///
    /// # Errors
    /// The first fault of the card, with its path.
    pub fn load(models_dir: &Path, name: &str) -> Result<ModelCard, CardError> {
        if !is_plain_name(name) {
            return Err(CardError::Name(name.to_owned()));
        }
        let path = models_dir.join(format!("{name}.toml"));
        let text = fs::read_to_string(&path).map_err(|source| {
            let path = path.clone();
            if source.kind() == io::ErrorKind::NotFound {
                let known = models_in(models_dir);
                CardError::Missing { path, known }
            } else {
                CardError::Read { path, source }
            }
        })?;
        let raw: RawCard = toml::from_str(&text).map_err(|source| CardError::Syntax {
            path: path.clone(),
            source: Box::new(source),
        })?;
        raw.validate(name, models_dir)
            .map_err(|(key, rule)| CardError::Value { path, key, rule })
    }
}

impl RawCard {
    fn validate(
        self,
        name: &str,
        models_dir: &Path,
    ) -> Result<ModelCard, (&'static str, &'static str)> {
        let sha256 = parse_hex(&self.sha256)
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or(("sha256", "must be 64 hex digits"))?;
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
        Ok(ModelCard {
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
    use super::{Activation, CardError, Divisor, ModelCard};
    use std::path::Path;

    const CARD: &str = r#"
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
        reason = "a card in a folder of the test's own"
    )]
    fn load(text: &str) -> Result<ModelCard, CardError> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("m.toml"), text).unwrap();
        ModelCard::load(dir.path(), "m")
    }

    #[test]
    fn card_is_read_whole() {
        let card = load(CARD).unwrap();
        assert_eq!(card.name, "m");
        assert!(card.file.is_absolute() && card.file.ends_with("m.onnx"));
        assert_eq!(card.sha256[..3], [0x00, 0x11, 0x22]);
        assert_eq!((card.size, card.divisor), (32, Divisor::Full));
        assert_eq!(
            (card.activation, card.stretch),
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
            let error = load(&CARD.replace(from, to)).unwrap_err();
            assert!(
                matches!(error, CardError::Value { key: k, .. } if k == key),
                "{to}: {error}"
            );
        }
    }

    #[test]
    fn unknown_and_missing_keys_are_refused() {
        for text in [format!("{CARD}\nsiez = 3"), CARD.replace("size = 32", "")] {
            let error = load(&text).unwrap_err();
            assert!(matches!(error, CardError::Syntax { .. }), "{error}");
        }
    }

    #[test]
    fn name_cannot_leave_the_folder() {
        for name in ["", "../m", "a/b", ".m", "a b"] {
            let error = ModelCard::load(Path::new("/nowhere"), name).unwrap_err();
            assert!(matches!(error, CardError::Name(_)), "{name}");
        }
        let error = ModelCard::load(Path::new("/nowhere"), "m").unwrap_err();
        assert!(matches!(error, CardError::Missing { .. }), "{error}");
    }
}
