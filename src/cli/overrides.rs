//! `--set name=value`.

use std::str::FromStr;

use super::CliError;
use crate::scenario::raw::RawScenario;
use crate::scenario::wording::closest;

/// A parameter held at a value of the user's.
#[derive(Clone, Debug, PartialEq)]
pub struct Override {
    /// The parameter.
    pub name: String,
    /// Its value; finite.
    pub value: f64,
}

impl FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((name, value)) = text.split_once('=') else {
            return Err("write NAME=VALUE, for example plot_rate=0.5".to_owned());
        };
        let (name, value) = (name.trim(), value.trim());
        match value.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Self {
                name: name.to_owned(),
                value: number,
            }),
            _ => Err(format!("`{value}` is not a finite number")),
        }
    }
}

/// Sets the parameters' values and drops their priors. Of several overrides of one parameter the last one counts.
///
/// # Errors
/// A usage error that names the first parameter that the scenario does not have, with the closest one that it has.
pub fn apply(overrides: &[Override], scenario: &mut RawScenario) -> Result<(), CliError> {
    for Override { name, value } in overrides {
        match scenario.parameter.get_mut(name) {
            Some(parameter) => {
                parameter.value = *value;
                parameter.prior = None;
            }
            None => return Err(unknown(name, scenario)),
        }
    }
    Ok(())
}

fn unknown(name: &str, scenario: &RawScenario) -> CliError {
    let error = CliError::usage(format!("the scenario has no parameter `{name}`"));
    let known = scenario.parameter.keys().map(String::as_str);
    match closest(name, known) {
        Some(closest) => error.with_help(format!("did you mean `{closest}`?")),
        None if scenario.parameter.is_empty() => error.with_help("it has no parameters at all"),
        None => error.with_help("`flashpoint describe` lists the parameters of a scenario"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario() -> RawScenario {
        let text = r#"{"parameter": {
            "plot_rate": {"value": 0.6, "basis": "assumption", "prior": {"dist": "exponential", "mean": 1}},
            "resolve": {"value": 1, "basis": "assumption"}
        }}"#;
        serde_json::from_str(text).unwrap()
    }

    fn set(texts: &[&str], scenario: &mut RawScenario) -> Result<(), CliError> {
        let overrides: Vec<Override> = texts.iter().map(|text| text.parse().unwrap()).collect();
        apply(&overrides, scenario)
    }

    #[test]
    fn an_override_replaces_value_and_prior() {
        let mut scenario = scenario();
        set(&["plot_rate=1", " plot_rate = -2.5e-1 "], &mut scenario).unwrap();
        assert_eq!(scenario.parameter["plot_rate"].value, -0.25);
        assert_eq!(scenario.parameter["plot_rate"].prior, None);
        assert_eq!(scenario.parameter["resolve"].value, 1.0);
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "plot_rate",
            "plot_rate=",
            "plot_rate=x",
            "plot_rate=inf",
            "plot_rate=nan",
        ] {
            assert!(text.parse::<Override>().is_err(), "{text}");
        }
    }

    #[test]
    fn unknown_parameters_are_refused_with_the_closest_name() {
        let report = |text: &str| set(&[text], &mut scenario()).unwrap_err().report(false);
        assert_eq!(
            report("plotrate=1"),
            "error: the scenario has no parameter `plotrate`\n  help: did you mean `plot_rate`?\n"
        );
        assert!(!report("zzzzzzzz=1").contains("did you mean"));
    }
}
