//! `flashpoint new`.

use std::path::PathBuf;

use super::{CliError, Output, files};

/// A commented scenario that runs.
pub(super) const STARTER: &str = include_str!("starter.toml");

/// Write a commented starter scenario that runs.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Name of the scenario; the file is NAME.toml.
    name: String,
    /// Folder to write it to.
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
}

pub(super) fn run(args: &Args, out: &mut Output) -> Result<(), CliError> {
    let stem = args.name.strip_suffix(".toml").unwrap_or(&args.name);
    if stem.is_empty() || stem.starts_with(['.', '-']) || stem.contains(['/', '\\']) {
        return Err(
            CliError::usage(format!("`{}` is not a name for a scenario", args.name))
                .with_help("give a plain file name; --dir says where it goes"),
        );
    }
    let file = format!("{stem}.toml");
    let path = if args.dir.as_os_str() == "." {
        PathBuf::from(file)
    } else {
        args.dir.join(file)
    };
    files::write(&path, STARTER.as_bytes(), false)
        .map_err(|error| error.with_help("choose another name; nothing was overwritten"))?;
    let path = path.display();
    Ok(out.print(&format!(
        "Wrote {path}: two states, a group between them, and three ways in which it may end.\n\
         \n\
         flashpoint check {path}            is it sound?\n\
         flashpoint run {path}              how probable is each ending?\n\
         flashpoint trace {path} --run 0    what happened in one run?\n"
    ))?)
}
