//! Reads configurations with several outputs and checks the result and every fault.

use std::path::Path;

use super::super::Config;
use super::super::tests::{MODELS, assert_fault, load};

/// A folder with the input /hot whose outputs are `outputs`, as TOML.
fn load_outputs(outputs: &str) -> Result<Config, Vec<String>> {
    load(&format!(
        "[daemon]\nmodels_dir = {MODELS:?}\nstate_dir = \"/state\"\n\
         [[folder]]\nname = \"a\"\ninput = \"/hot\"\nmodel = \"luma\"\n{outputs}"
    ))
}

#[test]
fn a_folder_may_have_several_outputs() {
    let two = "[[folder.output]]\npath = \"/out\"\n[[folder.output]]\npath = \"/shop/\"\nformat = \"png\"\n";
    let inline = "output = [{ path = \"/out\" }, { path = \"/shop\" }]";
    for outputs in [two, inline] {
        let config = load_outputs(outputs).unwrap();
        let paths: Vec<_> = config.folders[0].output_paths().collect();
        assert_eq!(paths, [Path::new("/out"), Path::new("/shop")]);
    }
    let one = load_outputs("[[folder.output]]\npath = \"/out\"").unwrap();
    let short = load_outputs("output = \"/out\"").unwrap();
    assert_eq!(one, short);
}

#[test]
fn every_fault_of_an_output_names_it() {
    let cases: &[(&str, &[&str])] = &[
        ("", &["[[folder]] \"a\"", "needs `output`"]),
        ("output = []", &["`output`", "[[folder.output]]", "[]"]),
        ("output = \"out\"", &["`output`", "absolute path", "out"]),
        (
            "output = { path = \"/out\" }",
            &["`output`", "[[folder.output]]"],
        ),
        (
            "[[folder.output]]\nformat = \"png\"",
            &["[[folder.output]] number 1 of [[folder]] \"a\"", "`path`"],
        ),
        (
            "[[folder.output]]\npath = \"/out\"\n[[folder.output]]\npath = \"/b\"\nformat = \"gif\"",
            &["number 2", "`format`", "\"png\"", "gif"],
        ),
        (
            "[[folder.output]]\npath = \"/out\"\nname = \"x\"",
            &["unknown key `name`", "path, format"],
        ),
        (
            "output = [{ path = \"/out\" }, { path = \"/out\" }]",
            &["`output`", "lies inside"],
        ),
        (
            "output = [{ path = \"/out\" }, { path = \"/out/shop\" }]",
            &["/out/shop", "lies inside"],
        ),
        (
            "output = [{ path = \"/out\" }, { path = \"/hot/shop\" }]",
            &["/hot/shop", "lies inside `input`"],
        ),
        (
            "output = \"/out\"\n[[folder.output]]\npath = \"/shop\"",
            &["not valid TOML", "output"],
        ),
    ];
    for (outputs, words) in cases {
        assert_fault(load_outputs(outputs), words);
    }
}

/// Fails when a second output that is the input of another folder is not noticed.
#[test]
fn a_cycle_through_any_output_is_refused() {
    let folder = |name: &str, input: &str, outputs: &str| {
        format!(
            "[[folder]]\nname = {name:?}\ninput = {input:?}\noutput = {outputs}\nmodel = \"luma\"\n"
        )
    };
    let text = format!(
        "[daemon]\nmodels_dir = {MODELS:?}\nstate_dir = \"/state\"\n{}{}",
        folder("a", "/a", "[{ path = \"/out\" }, { path = \"/b\" }]"),
        folder("b", "/b", "\"/a\"")
    );
    assert_fault(load(&text), &["cycle", "a -> b -> a"]);
}
