//! A word of a configuration, a request or a command line -> how the edges of a cutout are made. Makes none.

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
    /// All of them, in the order in which they are explained.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Soft, Self::Hard, Self::Off];

    /// Finds the one that `word` names, in lower case; `None` if there is none.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|edges| edges.word() == word)
    }

    /// The word that names it.
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

/// Takes the key `edges`; the default if it is absent or wrong, the latter noted.
pub(super) fn read(fields: &mut Fields<'_>) -> Edges {
    let edges = fields.take("edges", WORDS, |value| Edges::named(value.as_str()?));
    edges.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;

    use super::*;

    /// Fails when one of them has another name in a message, on the command line or on its way to a worker, or cannot be chosen.
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
