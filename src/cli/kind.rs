//! What a name that a command is given stands for.

use std::fs;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::CliError;
use crate::scenario::builtin;
use crate::scenario::extend::{DiskFiles, Files};

/// What a file, or something built in, is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Scenario,
    Experiment,
    Hindcast,
    Calibration,
    BaseRates,
}

impl Kind {
    /// What `name` stands for: a file goes before what is built in. `None` where it cannot be told, also because it can be read
    /// only once, as a pipe can; then the command takes it for what it needs, and says what is wrong with it.
    pub(super) fn of(name: &str) -> Option<Self> {
        match fs::metadata(name) {
            Ok(metadata) if metadata.is_file() => {
                let bytes = DiskFiles.read(Path::new(name)).ok()?;
                Self::of_text(&String::from_utf8(bytes).ok()?)
            }
            Ok(_) => None,
            Err(_) if builtin::experiment_text(name).is_some() => Some(Self::Experiment),
            Err(_) if builtin::text(name).is_some() => Some(Self::Scenario),
            Err(_) => {
                let mut others = builtin::hindcasts().iter();
                let (_, text) = others.find(|(other, _)| *other == name)?;
                Self::of_text(text)
            }
        }
    }

    /// The error of a command for what is `wanted` that is given something else; `None` if it is not, or cannot be told.
    pub(super) fn refuse(name: &str, wanted: Self) -> Option<CliError> {
        let found = Self::of(name).filter(|&found| found != wanted)?;
        let help = match found {
            Self::Scenario => {
                "`flashpoint run` runs it; the file of an experiment names its scenarios in tables `[scenario.NAME]`"
            }
            Self::Experiment => "`flashpoint batch` runs it",
            Self::Hindcast => "`flashpoint hindcast` runs it",
            Self::Calibration => "`flashpoint calibrate` carries it out",
            Self::BaseRates => "hindcasts name it with `base_rates`",
        };
        let message = format!("`{name}` is {}, not {}", found.noun(), wanted.noun());
        Some(CliError::usage(message).with_help(help))
    }

    fn noun(self) -> &'static str {
        match self {
            Self::Scenario => "a scenario",
            Self::Experiment => "an experiment",
            Self::Hindcast => "a hindcast",
            Self::Calibration => "a calibration",
            Self::BaseRates => "a file of base rates",
        }
    }

    /// Under `scenario` an experiment has tables alone, one for each of its scenarios; a scenario has other values, too. What is
    /// wrong elsewhere in the text does not matter.
    fn of_text(text: &str) -> Option<Self> {
        let (document, _) = DeTable::parse_recoverable(text);
        let document = document.get_ref();
        let tells = [
            ("batch", Self::Experiment),
            ("hindcast", Self::Hindcast),
            ("calibration", Self::Calibration),
            ("base_rate", Self::BaseRates),
        ];
        if let Some((_, kind)) = tells
            .into_iter()
            .find(|(key, _)| document.contains_key(*key))
        {
            return Some(kind);
        }
        match document.get("scenario")?.get_ref() {
            DeValue::Table(keys) if !keys.is_empty() => {
                let mut values = keys.values().map(|value| value.get_ref());
                Some(
                    match values.all(|value| matches!(value, DeValue::Table(_))) {
                        true => Self::Experiment,
                        false => Self::Scenario,
                    },
                )
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    #[test]
    fn kinds_are_told_from_what_the_file_means() {
        for (text, kind) in [
            ("[scenario]\ntitle = \"A\"", Some(Kind::Scenario)),
            ("scenario.title = \"A\"", Some(Kind::Scenario)),
            (
                "[scenario]\nsummary = \"\"\"\n[batch]\n[scenario.one]\n\"\"\"",
                Some(Kind::Scenario),
            ),
            ("[scenario]\ntitle = \"A\"\n[rule", Some(Kind::Scenario)),
            ("[batch]\nruns = 1", Some(Kind::Experiment)),
            ("batch.runs = 1", Some(Kind::Experiment)),
            (
                "[scenario]\ntitle = \"A\"\n[hindcast]",
                Some(Kind::Hindcast),
            ),
            ("[calibration]", Some(Kind::Calibration)),
            ("[base_rate.war]\nprobability = 1", Some(Kind::BaseRates)),
            ("[ scenario . one ]\nfile = \"a\"", Some(Kind::Experiment)),
            ("scenario.one.file = \"a\"\n[lever", Some(Kind::Experiment)),
            ("", None),
            ("[scenario]", None),
            ("scenario = 3", None),
            ("[actor.a]", None),
        ] {
            assert_eq!(Kind::of_text(text), kind, "{text}");
        }
    }

    #[test]
    fn what_is_built_in_is_known_and_what_is_missing_is_not() {
        assert_eq!(Kind::of("isis-iran/genuine"), Some(Kind::Scenario));
        let experiment = "isis-iran/experiments/variants";
        assert_eq!(Kind::of(experiment), Some(Kind::Experiment));
        for (name, kind) in [
            ("isis-iran/hindcast/january-2024", Kind::Hindcast),
            ("isis-iran/hindcast/calibration", Kind::Calibration),
            ("isis-iran/hindcast/base-rates", Kind::BaseRates),
        ] {
            assert_eq!(Kind::of(name), Some(kind));
            assert!(Kind::refuse(name, Kind::Scenario).is_some());
        }
        assert!(Kind::refuse("isis-iran/genuine", Kind::Scenario).is_none());
        assert_eq!(Kind::of("no/such/name"), None);
        assert_eq!(Kind::of("."), None);
    }
}
