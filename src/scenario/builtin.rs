//! Scenarios that are part of the program, so that it runs without any file.

/// Name and TOML text of every built-in scenario, sorted by name.
///
/// The names are paths below `scenarios/` without the extension, for example `isis-iran/genuine`.
pub fn list() -> &'static [(&'static str, &'static str)] {
    BUILTIN
}

/// TOML text of the built-in scenario of that name.
pub fn text(name: &str) -> Option<&'static str> {
    find(BUILTIN, name)
}

/// Name and TOML text of every built-in experiment (a file of `flashpoint batch`), sorted by name.
///
/// The names are paths below `scenarios/` without the extension, for example `isis-iran/experiments/variants`.
pub fn experiments() -> &'static [(&'static str, &'static str)] {
    EXPERIMENTS
}

/// TOML text of the built-in experiment of that name.
pub fn experiment_text(name: &str) -> Option<&'static str> {
    find(EXPERIMENTS, name)
}

/// Name and TOML text of every built-in hindcast, and of the base rates and calibrations that belong to them, sorted by name.
///
/// The names are paths below `scenarios/` without the extension, for example `isis-iran/hindcast/june-2017`.
pub fn hindcasts() -> &'static [(&'static str, &'static str)] {
    HINDCASTS
}

/// TOML text of the built-in hindcast, or file that belongs to hindcasts, of that name.
pub fn hindcast_text(name: &str) -> Option<&'static str> {
    find(HINDCASTS, name)
}

fn find(files: &'static [(&'static str, &'static str)], name: &str) -> Option<&'static str> {
    let found = files.binary_search_by(|(candidate, _)| candidate.cmp(&name));
    Some(files[found.ok()?].1)
}

static BUILTIN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin_scenarios.rs"));
static EXPERIMENTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin_experiments.rs"));
static HINDCASTS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/builtin_hindcasts.rs"));

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
