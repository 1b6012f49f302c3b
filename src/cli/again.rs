//! Commands for the user to type, as a shell takes them.

use super::Override;
use super::prepare::DEFAULT_SEED;

/// An argument as a shell takes it.
pub(super) fn quoted(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@=".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', "'\\''"))
    }
}

/// What decides a run of a scenario besides its number.
#[derive(Clone, Copy)]
pub(super) struct Settings<'a> {
    pub scenario: &'a str,
    pub seed: u64,
    pub set: &'a [Override],
    pub defaults: bool,
    /// If not the scenario's own.
    pub runs_per_world: Option<u32>,
}

impl Settings<'_> {
    /// The command that tells what happened in a run.
    pub fn trace(&self, run: u64) -> String {
        let mut text = format!("flashpoint trace {} --run {run}", quoted(self.scenario));
        if self.seed != DEFAULT_SEED {
            text += &format!(" --seed {}", self.seed);
        }
        for Override { name, value } in self.set {
            text += &format!(" --set {}", quoted(&format!("{name}={value}")));
        }
        if self.defaults {
            text += " --defaults";
        }
        if let Some(runs) = self.runs_per_world {
            text += &format!(" --runs-per-world {runs}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_quoted_for_the_shell() {
        let quoted: Vec<_> = ["a/b.toml", "a b", "it's", "", "x=1e-5"].map(quoted).into();
        assert_eq!(quoted, ["a/b.toml", "'a b'", "'it'\\''s'", "''", "x=1e-5"]);
    }

    #[test]
    fn a_run_is_traced_with_what_decides_it() {
        let plain = Settings {
            scenario: "a b.toml",
            seed: DEFAULT_SEED,
            set: &[],
            defaults: false,
            runs_per_world: None,
        };
        assert_eq!(plain.trace(3), "flashpoint trace 'a b.toml' --run 3");
        let more = Settings {
            seed: 9,
            set: &["x=1".parse().unwrap(), "y=-0.5".parse().unwrap()],
            defaults: true,
            runs_per_world: Some(2),
            ..plain
        };
        assert_eq!(
            more.trace(0),
            "flashpoint trace 'a b.toml' --run 0 --seed 9 --set x=1 --set y=-0.5 --defaults --runs-per-world 2"
        );
    }
}
