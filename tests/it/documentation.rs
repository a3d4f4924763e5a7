//! README and `docs/` -> what holds of them: links lead somewhere, configurations are valid, and the README is short.

use std::fs;
use std::path::{Path, PathBuf};

use crate::binary::{CHECKOUT, hotcut};

const README_LINES_MAX: usize = 150;

/// Path in the checkout and text of each page.
fn pages() -> Vec<(PathBuf, String)> {
    let below = fs::read_dir(Path::new(CHECKOUT).join("docs")).unwrap();
    let docs = below.map(|entry| Path::new("docs").join(entry.unwrap().file_name()));
    let docs = docs.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    let all = docs.chain([PathBuf::from("README.md")]);
    all.map(|path| (path.clone(), read(&path))).collect()
}

fn read(path: &Path) -> String {
    let whole = Path::new(CHECKOUT).join(path);
    fs::read_to_string(&whole).unwrap_or_else(|error| panic!("{}: {error}", whole.display()))
}

/// The targets of a page's links and pictures.
fn links(page: &str) -> Vec<&str> {
    let after = page.split("](").skip(1);
    after.filter_map(|rest| rest.split(')').next()).collect()
}

/// The names by which the headings of a page are linked to.
fn anchors(page: &str) -> Vec<String> {
    let headings = page.lines().filter(|line| line.starts_with('#'));
    let named = headings.map(|line| line.trim_start_matches('#').trim().to_lowercase());
    let of_words = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_');
    named
        .map(|heading| heading.chars().filter(of_words).collect::<String>())
        .map(|heading| heading.replace(' ', "-"))
        .collect()
}

/// The configurations that a page shows.
fn configurations(page: &str) -> Vec<&str> {
    let after = page.split("```toml\n").skip(1);
    after.filter_map(|rest| rest.split("```").next()).collect()
}

/// Fails when a page or heading is renamed and a link keeps the old name.
#[test]
fn every_link_leads_somewhere() {
    let mut count = 0;
    for (path, page) in pages() {
        let outward = ["https://", "http://"];
        let inward = |link: &&str| !outward.iter().any(|start| link.starts_with(start));
        for link in links(&page).into_iter().filter(inward) {
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                path.clone()
            } else {
                path.parent().unwrap().join(file)
            };
            let there = Path::new(CHECKOUT).join(&target).exists();
            assert!(there, "{}: there is no {file}", path.display());
            if !anchor.is_empty() {
                let anchors = anchors(&read(&target));
                let there = anchors.iter().any(|there| there == anchor);
                assert!(there, "{}: {link} is none of {anchors:?}", path.display());
            }
            count += 1;
        }
    }
    assert!(count > 40, "{count}");
}

/// Fails when a page shows a configuration that hotcut refuses.
#[test]
fn every_configuration_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    for (path, page) in pages() {
        for block in configurations(&page) {
            let config = folder.path().join("hotcut.toml");
            fs::write(&config, block).unwrap();
            let arguments = ["check", "--configuration-only", "--config"];
            let told = hotcut().args(arguments).arg(&config).output().unwrap();
            assert!(told.status.success(), "{}: {told:?}", path.display());
            count += 1;
        }
    }
    assert!(count >= 1, "no page shows a configuration");
}

/// Fails when the README grows into a manual again.
#[test]
fn readme_is_short_and_names_every_page() {
    let readme = read(Path::new("README.md"));
    let lines = readme.lines().count();
    assert!(lines <= README_LINES_MAX, "README.md has {lines} lines");
    for (path, _) in pages() {
        let path = path.display().to_string();
        assert!(
            path == "README.md" || readme.contains(&format!("]({path})")),
            "{path}"
        );
    }
}
