//! `flashpoint scenarios`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::schema::Kind;
use super::{CliError, Output, files};
use crate::batch;
use crate::scenario::builtin;
use crate::scenario::extend::{Files, ReadError};
use crate::scenario::load::load_with;

/// List the built-in scenarios and experiments, print one, or write them all to a folder, with the hindcasts that ship with them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print the text of this scenario, experiment or hindcast.
    #[arg(long, value_name = "NAME", conflicts_with = "export")]
    show: Option<String>,
    /// Write all built-in scenarios, experiments and hindcasts, and the schemas that they refer to, into this folder.
    #[arg(long, value_name = "DIR")]
    export: Option<PathBuf>,
    /// Overwrite files that exist.
    #[arg(long, requires = "export")]
    force: bool,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    match (&args.show, &args.export) {
        (Some(name), _) => show(name, out),
        (None, Some(folder)) => export(folder, args.force, out),
        (None, None) => Ok(out.print(&table())?),
    }
}

/// Finds no file, so that a built-in scenario is meant whatever lies in the current folder.
struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Path) -> Result<Vec<u8>, ReadError> {
        Err(ReadError::Missing)
    }

    fn list(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }

    fn identity(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }
}

fn table() -> String {
    let scenarios = builtin::list().iter().map(|(name, _)| {
        let loaded = load_with(&NoFiles, name).ok();
        (*name, loaded.and_then(|loaded| loaded.raw.scenario.title))
    });
    let experiments = builtin::experiments().iter().map(|(name, _)| {
        let read = batch::file::read(&NoFiles, name).ok();
        (*name, read.and_then(|read| read.content.batch.title))
    });
    let (scenarios, experiments) = (rows(scenarios), rows(experiments));
    match experiments.as_str() {
        "" => scenarios,
        _ => format!("{scenarios}\nExperiments, for `flashpoint batch`:\n\n{experiments}"),
    }
}

/// A line for each name, with its title.
fn rows<'a>(named: impl Iterator<Item = (&'a str, Option<String>)>) -> String {
    let named: Vec<_> = named.collect();
    let width = named.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, title) in named {
        let line = format!("{name:width$}  {}", title.unwrap_or_default());
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

fn show(name: &str, out: &mut Output) -> Result<(), CliError> {
    let scenario = builtin::text(name).or_else(|| builtin::experiment_text(name));
    match scenario.or_else(|| builtin::hindcast_text(name)) {
        Some(text) => Ok(out.print(text)?),
        None => Err(
            CliError::usage(format!("there is no built-in scenario `{name}`"))
                .with_help("`flashpoint scenarios` lists them"),
        ),
    }
}

fn export(folder: &Path, force: bool, out: &mut Output) -> Result<(), CliError> {
    let built_in = (builtin::list().iter())
        .chain(builtin::experiments())
        .chain(builtin::hindcasts());
    let built_in = built_in.map(|(name, text)| (format!("{name}.toml"), (*text).to_owned()));
    let kinds = Kind::value_variants().iter();
    let schemas = kinds.map(|kind| (kind.file_name().to_owned(), kind.text()));
    let written: Vec<(PathBuf, String)> = (built_in.chain(schemas))
        .map(|(name, text)| (folder.join(name), text))
        .collect();
    // All or none: a second export into the same folder must not leave a mixture.
    for (path, _) in &written {
        files::refuse_existing(path, force)
            .map_err(|error| error.with_help("--force overwrites what exists"))?;
    }
    for (path, text) in &written {
        files::write(path, text.as_bytes(), force)?;
        out.print(&format!("{}\n", path.display()))?;
    }
    Ok(())
}
