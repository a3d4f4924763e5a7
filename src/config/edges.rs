//! Converts a word in a configuration, a request or on the command line to a choice of edge refinement. Must not refine.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::fields::Fields;

/// How the edges of a cutout are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lowercase")]
pub enum Edges {
    /// Edges follow the photo at its full resolution, in a wider band at hair and fur than at sharp outlines. The background's colour is
    /// removed from half-transparent pixels.
    #[default]
    Auto,
    /// As auto, but every outline is treated as hair, fur or a veil.
    Soft,
    /// As auto, but every outline is treated as sharp, with a narrow transition.
    Hard,
    /// The model's mask, enlarged, with the photo's own colours.
    Off,
}

/// The words, for messages.
const WORDS: &str = "\"auto\", \"soft\", \"hard\" or \"off\"";

impl Edges {
    /// All values, in the order of the documentation.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Soft, Self::Hard, Self::Off];

    /// Finds the value for `word`, in lower case; `None` if there is none.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|edges| edges.word() == word)
    }

    /// The word for this value.
    pub fn word(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Soft => "soft",
            Self::Hard => "hard",
            Self::Off => "off",
        }
    }
}

impl fmt::Display for Edges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Reads the key `edges`. Returns the default if the key is absent or wrong; records a wrong value as a fault.
pub(super) fn read(fields: &mut Fields<'_>) -> Edges {
    let edges = fields.take("edges", WORDS, |value| Edges::named(value.as_str()?));
    edges.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    /// Fails when a value has different words in messages, on the command line and in orders to workers, or cannot be chosen.
    #[test]
    fn each_has_one_word_everywhere() {
        assert_eq!(Edges::ALL, Edges::value_variants());
        for edges in Edges::ALL {
            let word = edges.word();
            assert_eq!(Edges::named(word), Some(edges));
            assert_eq!(edges.to_string(), word);
            assert_eq!(edges.to_possible_value().unwrap().get_name(), word);
            let sent = serde_json::to_string(&edges).unwrap();
            assert_eq!(sent, format!("\"{word}\""));
            assert_eq!(serde_json::from_str::<Edges>(&sent).unwrap(), edges);
            assert!(WORDS.contains(&sent), "{WORDS}");
        }
        for word in ["", "Auto", "auto ", "sharp"] {
            assert_eq!(Edges::named(word), None, "{word:?}");
        }
    }
}
