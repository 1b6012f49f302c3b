//! Scenarios that are part of the program, so that it runs without any file.

/// Name and TOML text of every built-in scenario, sorted by name.
///
/// The names are paths below `scenarios/` without the extension, for example `isis-iran/genuine`.
pub fn list() -> &'static [(&'static str, &'static str)] {
    BUILTIN
}

/// TOML text of the built-in scenario of that name.
pub fn text(name: &str) -> Option<&'static str> {
    BUILTIN
        .binary_search_by(|(candidate, _)| candidate.cmp(&name))
        .ok()
        .map(|index| BUILTIN[index].1)
}

/// Name and TOML text of every built-in experiment (a file of `flashpoint batch`), sorted by name.
///
/// The names are paths below `scenarios/` without the extension, for example `isis-iran/experiments/variants`.
pub fn experiments() -> &'static [(&'static str, &'static str)] {
    EXPERIMENTS
}

/// TOML text of the built-in experiment of that name.
pub fn experiment_text(name: &str) -> Option<&'static str> {
    let found = EXPERIMENTS.iter().find(|(candidate, _)| *candidate == name);
    found.map(|(_, text)| *text)
}

static BUILTIN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin_scenarios.rs"));
static EXPERIMENTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin_experiments.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_found() {
        assert!(list().windows(2).all(|pair| pair[0].0 < pair[1].0));
        for (name, content) in list() {
            assert_eq!(text(name), Some(*content));
            assert!(!name.ends_with(".toml") && !name.contains("experiments/"));
        }
        assert_eq!(text("no/such/scenario"), None);
    }
}
