//! The examples.
//!
//! | block | what is checked |
//! |---|---|
//! | `toml` | a whole scenario: it compiles without a warning, and runs |
//! | `toml,fragment` | the same for an addition to the last scenario of the tutorial |
//! | `toml,error` | a whole scenario or an addition that fails; the `text` block that follows is what the program says |
//! | `toml,experiment` | an experiment for `flashpoint batch`: see the tests of that chapter |
//! | `toml,experiment-error` | one that fails; the `text` block that follows is what the program says |
//! | `toml,hindcast`, `toml,base-rates`, `toml,calibration` | not scenarios: see `hindcast.rs` |

use std::path::{Path, PathBuf};

use flashpoint::engine::{Simulator, Unobserved};
use flashpoint::model::{ParameterDraws, World};
use flashpoint::scenario::compile::compile;
use flashpoint::scenario::extend::{Files, ReadError};
use flashpoint::scenario::load::load_with;

use crate::markdown::{Block, guide, pages};

/// Name of the tutorial's last scenario.
pub const BASE: &str = "border.toml";
/// Name of the example.
const EXAMPLE: &str = "example.toml";

/// Two files that exist nowhere.
struct Examples {
    base: String,
    example: String,
}

impl Files for Examples {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        match path.to_str() {
            Some(BASE) => Ok(self.base.clone().into_bytes()),
            Some(EXAMPLE) => Ok(self.example.clone().into_bytes()),
            _ => Err(ReadError::Missing),
        }
    }

    fn list(&self, _: &Path) -> Vec<String> {
        vec![BASE.to_owned()]
    }

    fn identity(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }
}

/// The last whole scenario of the tutorial.
pub fn tutorial() -> String {
    let blocks = guide("first-scenario.md").blocks();
    let whole = blocks.into_iter().rfind(|block| block.info == "toml");
    whole.unwrap().text
}

/// The text of an addition as a file that extends the tutorial's scenario. Lines keep their numbers.
fn completed(fragment: &str) -> String {
    let header = "[scenario]\n";
    if fragment.contains("extends =") {
        fragment.to_owned()
    } else if fragment.contains(header) {
        let with = format!("[scenario]\nextends = \"{BASE}\"\n");
        fragment.replacen(header, &with, 1)
    } else {
        format!("{fragment}\n[scenario]\nextends = \"{BASE}\"\n")
    }
}

/// Loads, compiles and runs a scenario, with parameters drawn from their priors. The error, or the warnings, as users see them.
fn tried(base: &str, example: String, runs: u64) -> Result<(), String> {
    let files = Examples {
        base: base.to_owned(),
        example,
    };
    let loaded = load_with(&files, EXAMPLE).map_err(|problems| problems.render(false))?;
    let compiled = compile(&loaded).map_err(|problems| problems.render(false))?;
    if !compiled.warnings.is_empty() {
        return Err(loaded.diagnostics(compiled.warnings).render(false));
    }
    let model = &compiled.model;
    let draws = ParameterDraws::new(model, 1);
    let mut simulator = Simulator::new(model, 1);
    let mut state = simulator.allocate();
    for run in 0..runs {
        let world =
            World::new(model, draws.world(model, run)).map_err(|error| error.to_string())?;
        let started = simulator.start(&world, run, &mut state);
        started.map_err(|error| error.to_string())?;
        let finished = simulator.finish(&world, &mut state, &mut Unobserved);
        finished.map_err(|error| error.to_string())?;
        assert!(
            state.endgame().is_some(),
            "run {run} reached the cap on events"
        );
    }
    Ok(())
}

/// Whether a message reads as shown. What a run came to may change with every change of the tutorial or of the draws, so in
/// messages of runs any number will do.
fn alike(said: &str, shown: &str) -> bool {
    let is_of_file = said.starts_with("error") || said.starts_with("warning");
    let plain = |text: &str| {
        let text = text.trim_end();
        let part_of_number = |c: char| c.is_ascii_digit() || "-.".contains(c);
        if is_of_file {
            text.to_owned()
        } else {
            text.replace(part_of_number, "")
        }
    };
    !shown.is_empty() && plain(said) == plain(shown)
}

fn report(block: &Block, problem: &str) -> String {
    format!("{}:\n{problem}\n", block.place)
}

#[test]
fn examples_run_and_errors_read_as_shown() {
    let base = tutorial();
    let mut problems = Vec::new();
    let (mut whole, mut fragments, mut errors) = (0, 0, 0);
    for page in pages() {
        let blocks = page.blocks();
        for (at, block) in blocks.iter().enumerate() {
            match block.info.as_str() {
                "toml" => {
                    whole += 1;
                    if let Err(problem) = tried(&base, block.text.clone(), 10) {
                        problems.push(report(block, &problem));
                    }
                }
                "toml,fragment" => {
                    fragments += 1;
                    if let Err(problem) = tried(&base, completed(&block.text), 10) {
                        problems.push(report(block, &problem));
                    }
                }
                "toml,error" => {
                    errors += 1;
                    let shown = blocks.get(at + 1).filter(|next| next.info == "text");
                    let shown = shown.map_or("", |next| next.text.trim_end());
                    let whole = block.text.contains("[scenario]");
                    let example = if whole {
                        block.text.clone()
                    } else {
                        completed(&block.text)
                    };
                    match tried(&base, example, 200) {
                        Ok(()) => problems.push(report(block, "nothing is wrong with it")),
                        Err(said) if alike(&said, shown) => {}
                        Err(said) => problems.push(report(block, &said)),
                    }
                }
                info => assert!(
                    [
                        "sh",
                        "text",
                        "rust",
                        "json",
                        "csv",
                        "toml,experiment",
                        "toml,experiment-error",
                        "toml,hindcast",
                        "toml,base-rates",
                        "toml,calibration",
                        "python"
                    ]
                    .contains(&info),
                    "{}: what is `{info}`?",
                    block.place
                ),
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(
        whole >= 4 && fragments >= 10 && errors >= 10,
        "{whole} {fragments} {errors}"
    );
}

#[test]
fn a_message_that_reads_otherwise_is_found() {
    assert!(alike(
        "run 3: a.b is -0.5: too low\n",
        "run 12: a.b is -1.25: too low"
    ));
    assert!(!alike(
        "run 3: a.b is -0.5: too low",
        "run 3: a.b is -0.5: too high"
    ));
    assert!(alike(
        "error: `x`\n --> a.toml:1:2\n",
        "error: `x`\n --> a.toml:1:2"
    ));
    assert!(!alike(
        "error: `x`\n --> a.toml:1:2",
        "error: `x`\n --> a.toml:1:3"
    ));
}

#[test]
fn a_broken_example_is_found() {
    let base = tutorial();
    assert!(tried(&base, base.clone(), 1).is_ok());
    assert!(tried(&base, base.replace("hill_army\"", "hil_army\""), 1).is_err());
    assert!(
        tried(
            &base,
            completed("[parameter.x]\nvalue = 1\nbasis = \"assumption\"\n"),
            1
        )
        .is_err()
    );
}
