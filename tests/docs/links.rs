//! Links between the pages.

use std::fs;

use crate::markdown::{Page, pages};

/// What is wrong with a relative link of a page, if anything.
fn fault(page: &Page, link: &str) -> Option<String> {
    if link.contains("://") {
        return None;
    }
    let (file, anchor) = match link.split_once('#') {
        Some((file, anchor)) => (file, Some(anchor)),
        None => (link, None),
    };
    let path = if file.is_empty() {
        page.path.clone()
    } else {
        page.path.parent().unwrap().join(file)
    };
    if !path.exists() {
        return Some(format!("{}: {link} leads nowhere", page.path.display()));
    }
    let anchor = anchor?;
    let text = fs::read_to_string(&path).unwrap();
    let there = Page { path, text }.anchors();
    (!there.iter().any(|known| known == anchor))
        .then(|| format!("{}: {link} names no heading", page.path.display()))
}

#[test]
fn every_relative_link_leads_to_a_file_and_a_heading() {
    let pages = pages();
    let faults: Vec<String> = (pages.iter())
        .flat_map(|page| {
            page.links()
                .into_iter()
                .filter_map(|link| fault(page, &link))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(pages.iter().any(|page| page.links().len() > 10));
}

#[test]
fn a_broken_link_is_found() {
    let page = crate::markdown::guide("first-scenario.md");
    assert!(fault(&page, "no-such-page.md").is_some());
    assert!(fault(&page, "#no-such-heading").is_some());
    assert!(fault(&page, "scenario-language.md#no-such-heading").is_some());
    assert!(fault(&page, "scenario-language.md#formulas").is_none());
}
