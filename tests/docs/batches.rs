//! The chapter on batches: its experiments can be read, its commands run, and what it shows is laid out as what they print.

use std::fs;
use std::path::Path;

use flashpoint::batch::check::{self, Options};
use flashpoint::batch::inputs::Inputs;

use crate::examples::{BASE, tutorial};
use crate::markdown::{Block, guide};
use crate::what_if::{layout, printed};

/// The name under which the chapter's first experiment is saved.
const EXPERIMENT: &str = "peace.toml";

fn block<'a>(blocks: &'a [Block], info: &str) -> &'a Block {
    blocks.iter().find(|block| block.info == info).unwrap()
}

/// Reads an experiment as the chapter's reader has it: what is wrong with it, as users see it.
fn read(blocks: &[Block], experiment: &str) -> Result<(), String> {
    let files = [
        (EXPERIMENT, experiment.to_owned()),
        (BASE, tutorial()),
        ("innocent.toml", block(blocks, "toml,fragment").text.clone()),
    ];
    let inputs = Inputs {
        files: files.map(|(name, text)| (name.to_owned(), text)).into(),
        ..Inputs::default()
    };
    let plan = check::load(&inputs, EXPERIMENT, Options::default());
    match plan {
        Ok(plan) if plan.warnings.is_empty() => Ok(()),
        Ok(plan) => Err(plan.warnings.render(false)),
        Err(problems) => Err(problems.render(false)),
    }
}

#[test]
fn experiments_can_be_read_and_mistakes_read_as_shown() {
    let blocks = guide("batches.md").blocks();
    let mut mistakes = 0;
    for (at, block) in blocks.iter().enumerate() {
        let said = match block.info.as_str() {
            "toml,experiment" => {
                assert_eq!(read(&blocks, &block.text), Ok(()), "{}", block.place);
                continue;
            }
            "toml,experiment-error" => read(&blocks, &block.text).unwrap_err(),
            _ => continue,
        };
        mistakes += 1;
        assert_eq!(
            said.trim_end(),
            blocks[at + 1].text.trim_end(),
            "{}",
            block.place
        );
    }
    assert!(mistakes > 0);
}

#[test]
fn commands_run_and_print_what_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let blocks = guide("batches.md").blocks();
    let save = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    save(BASE, &tutorial());
    save("innocent.toml", &block(&blocks, "toml,fragment").text);
    save(EXPERIMENT, &block(&blocks, "toml,experiment").text);
    let (mut run, mut shown) = (0, 0);
    for (at, block) in blocks
        .iter()
        .enumerate()
        .filter(|(_, block)| block.info == "sh")
    {
        run += 1;
        let said = printed(folder.path(), block.text.trim_end());
        if let Some(next) = blocks.get(at + 1).filter(|next| next.info == "text") {
            shown += 1;
            assert_eq!(layout(&said), layout(&next.text), "{}", block.place);
        }
    }
    assert!(run >= 4 && shown >= 1, "{run} {shown}");
    // Every file that the chapter lists and that this batch has is there.
    for name in [
        "README.md",
        "report.txt",
        "cells.parquet",
        "comparison.csv",
        "robustness.csv",
    ] {
        assert!(
            Path::new(&folder.path().join("results/peace").join(name)).exists(),
            "{name}"
        );
    }
}
