//! The page on what drives the flagship shows the figures that were computed.

use std::fs;
use std::path::Path;

#[test]
fn figures_of_the_page_are_those_of_the_analyses() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/what-drives-the-flagship.md")).unwrap();
    let summary = root.join("results/isis-iran/sensitivity/summary.md");
    let summary = fs::read_to_string(summary).unwrap();
    let (_, after) = page.split_once("<!-- begin figures").unwrap();
    let (_, figures) = after.split_once('\n').unwrap();
    let (figures, _) = figures.split_once("<!-- end figures").unwrap();
    assert!(
        figures == summary,
        "run results/isis-iran/sensitivity/regenerate"
    );
    assert!(summary.matches("| factor |").count() == 8, "{summary}");
}
