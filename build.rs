//! Embeds the scenarios under `scenarios/` into the crate, and apart from them the files in folders named `experiments` and
//! `hindcast`: files of batches, and hindcasts with what belongs to them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Name of the folders of files of batches.
const EXPERIMENTS: &str = "experiments";
/// Name of the folders of hindcasts.
const HINDCASTS: &str = "hindcast";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=scenarios");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let mut found = Vec::new();
    let folder = root.join("scenarios");
    if folder.is_dir() {
        collect(&folder, "", &mut found)?;
    }
    found.sort();
    let lies_in =
        |name: &str, folder: &str| name.split('/').rev().skip(1).any(|part| part == folder);
    let (experiments, others): (Vec<_>, Vec<_>) =
        (found.into_iter()).partition(|(name, _)| lies_in(name, EXPERIMENTS));
    let (hindcasts, scenarios): (Vec<_>, Vec<_>) =
        (others.into_iter()).partition(|(name, _)| lies_in(name, HINDCASTS));
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("builtin_scenarios.rs"), list(&scenarios))?;
    fs::write(out.join("builtin_experiments.rs"), list(&experiments))?;
    fs::write(out.join("builtin_hindcasts.rs"), list(&hindcasts))
}

/// A slice of names and texts, as Rust code.
fn list(files: &[(String, PathBuf)]) -> String {
    let mut code = String::from("&[\n");
    for (name, path) in files {
        // Debug formatting of a string is a valid string literal.
        let _ = writeln!(
            code,
            "    ({name:?}, include_str!({:?})),",
            path.display().to_string()
        );
    }
    code.push_str("]\n");
    code
}

/// Adds the TOML files below `folder`, named by their path from `scenarios/` without the extension.
fn collect(folder: &Path, prefix: &str, found: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(file_name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if path.is_dir() {
            collect(&path, &format!("{prefix}{file_name}/"), found)?;
        } else if let Some(stem) = file_name.strip_suffix(".toml") {
            found.push((format!("{prefix}{stem}"), path));
        }
    }
    Ok(())
}
