//! Checks names of folders, and derives names from text. Must not depend on the names in use.

/// The greatest number of characters of a name.
const LENGTH_MAX: usize = 64;

/// The greatest number of bytes of a file name.
const BYTES_MAX: usize = 255;

/// The rule for names, for messages.
pub(super) const RULE: &str = "letters, digits, spaces, '-', '_' or '.'; no space or dot first, no space last; not more than 64 characters";

/// Tells whether `text` follows [`RULE`].
pub(super) fn is_folder_name(text: &str) -> bool {
    (1..=LENGTH_MAX).contains(&text.chars().count())
        // The name is also used for a folder that hotcut creates.
        && text.len() <= BYTES_MAX
        && text.chars().all(is_allowed)
        && !text.starts_with(['.', ' '])
        && !text.ends_with(' ')
}

/// Derives a name from `text`, such as a folder's name on disk, by removing characters that are not allowed. It has at most
/// `length_max` characters and may be empty.
pub fn folder_name_of(text: &str, length_max: usize) -> String {
    let kept = text.chars().filter(|c| is_allowed(*c) || c.is_whitespace());
    let kept: String = kept.collect();
    let spaced = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = spaced.trim_start_matches(['.', ' ']);
    let name: String = name.chars().take(length_max.min(LENGTH_MAX)).collect();
    name.trim_end_matches(' ').to_owned()
}

/// Allows all characters outside ASCII except blanks and invisible characters. The combining marks of Indic scripts are allowed,
/// although Unicode does not class them as letters.
fn is_allowed(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric() || "-_. ".contains(c);
    }
    !c.is_whitespace() && !c.is_control() && !is_unseen(c)
}

/// Invisible characters, which make different names look the same, and characters that change the text direction. The two joiners
/// are allowed: Indic scripts need them.
fn is_unseen(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_all_scripts_are_names() {
        for name in [
            "products",
            "Größe XL",
            "Gro\u{308}ße",
            "製品写真",
            "हिन्दी फ़ोटो",
            "Фото 2026",
            "a.b-c_d",
        ] {
            assert!(is_folder_name(name), "{name}");
            assert_eq!(folder_name_of(name, 64), name);
        }
        assert!(is_folder_name(&"ä".repeat(64)));
    }

    #[test]
    fn what_would_be_misread_is_no_name() {
        for (text, name) in [
            ("", ""),
            (".hidden", "hidden"),
            (" first", "first"),
            ("last ", "last"),
            ("a/b", "ab"),
            ("a\"b\\c", "abc"),
            ("a\nb", "a b"),
            ("a: online", "a online"),
            ("商品\u{3000}写真", "商品 写真"),
            ("a\u{202e}gpj", "agpj"),
            ("a\u{200b}b\u{feff}", "ab"),
            ("…/", "…"),
            ("a \"& b", "a b"),
            ("$$$", ""),
        ] {
            assert!(!is_folder_name(text), "{text:?}");
            assert_eq!(folder_name_of(text, 64), name, "{text:?}");
        }
        assert!(!is_folder_name(&"ä".repeat(65)));
        assert!(!is_folder_name(&"𠀀".repeat(64)));
        assert_eq!(folder_name_of("abc d", 4), "abc");
    }
}
