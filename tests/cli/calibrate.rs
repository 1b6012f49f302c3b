//! `flashpoint calibrate`, on a scenario with a closed form.
//!
//! Clashes come at a constant rate r per day, exponential with mean 0.02 beforehand: a gamma distribution of shape 1. After n
//! clashes in T days the posterior is gamma with shape 1 + n and rate 50 + T.

use std::fs;
#[cfg(unix)]
use std::process::{Command, Stdio};

use flashpoint::math::{exp, ln};
use serde_json::Value;

use super::{flashpoint, folder, succeed};

const SCENARIO: &str = r#"
[scenario]
title = "Clashes"
start = 2024-01-01
horizon = 100
runs_per_world = 50

[parameter.rate]
value = 0.02
basis = "assumption"
prior = { dist = "exponential", mean = 0.02 }

[parameter.idle]
value = 0
basis = "assumption"
prior = { dist = "normal", mean = 1, sd = 2 }

[actor.a]
kind = "state"

[action.clash]

[process.clashes]
who = "a"
hazard = "rate + 0 * idle"
action = "clash"

[metric.clashes]
count = "clash"

[[endgame]]
id = "any"
"#;

fn case(happened: u32) -> String {
    format!(
        r#"
[scenario]
title = "A hundred days"
extends = "clashes.toml"

[hindcast]

[[question]]
id = "clashes"
ask = "How many clashes?"
number = "clashes"
between = [0, 20]
happened = {happened}
source = "a count"

[[question]]
id = "any"
ask = "Any clash at all?"
when = "clashes >= 1"
happened = true
source = "a count"
"#
    )
}

const CALIBRATION: &str = r#"
[calibration]
title = "The rate of clashes"
worlds = 4000

[parameter.rate]
[parameter.idle]

[[pattern]]
hindcast = "first.toml"
question = "clashes"
use = "fit"

[[pattern]]
hindcast = "second.toml"
question = "clashes"
use = "fit"

[[pattern]]
hindcast = "third.toml"
question = "clashes"
use = "held_out"
"#;

fn desk() -> tempfile::TempDir {
    folder(&[
        ("clashes.toml", SCENARIO),
        ("first.toml", &case(2)),
        ("second.toml", &case(3)),
        ("third.toml", &case(4)),
        ("calibration.toml", CALIBRATION),
    ])
}

fn found(desk: &tempfile::TempDir, more: &[&str]) -> Value {
    let line = [&["calibrate", "calibration.toml", "--format", "json"], more].concat();
    serde_json::from_str(&succeed(desk.path(), &line)).unwrap()
}

fn power(x: f64, n: i32) -> f64 {
    (0..n).map(|_| x).product()
}

/// Mean and standard deviation of the logarithm of a gamma variable, from 200,000 equal parts of its density.
fn log_gamma_moments(shape: i32, rate: f64) -> (f64, f64) {
    let (mut total, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for i in 1..200_000 {
        let x = f64::from(i) * 1e-4 * f64::from(shape) / rate / 2.0;
        let density = power(x, shape - 1) * exp(-rate * x);
        total += density;
        sum += density * ln(x);
        squares += density * ln(x) * ln(x);
    }
    let mean = sum / total;
    (mean, (squares / total - mean * mean).sqrt())
}

/// Two fitted hindcasts with 2 and 3 clashes in 100 days each: gamma with shape 6 and rate 250. Within 4 standard errors of the
/// simulation, as are neither the posterior of one hindcast (a pattern left out) nor that of three (the held-out one used).
#[test]
fn the_posterior_is_that_of_the_closed_form() {
    let desk = desk();
    let found = found(&desk, &[]);
    let rate = &found["parameters"][0];
    let value = |key: &str| rate[key].as_f64().unwrap();
    let error = (rate["sd_interval"]["high"].as_f64().unwrap() - value("sd")) / 1.96;
    assert!(error < 0.02, "{rate}");
    let differs = |shape, days: f64| {
        let (mean, sd) = log_gamma_moments(shape, 50.0 + days);
        // The mean's error is about sqrt(2) times that of the standard deviation.
        let z = (value("mean") - mean).abs() / (1.5 * error);
        z.max((value("sd") - sd).abs() / error)
    };
    assert!(differs(6, 200.0) < 4.0, "{rate}");
    assert!(
        differs(3, 100.0) > 4.0 && differs(10, 300.0) > 4.0,
        "{rate}"
    );
    assert!(found["effective_worlds"].as_f64().unwrap() > 400.0);
    // What the fit does not see is not narrowed, and keeps its prior.
    let idle = &found["parameters"][1];
    assert_eq!(
        (&rate["informed"], &idle["informed"]),
        (&Value::from(true), &Value::from(false))
    );
    assert_eq!(idle["fitted"], Value::Null);
    assert!(
        rate["fitted"]
            .as_str()
            .unwrap()
            .starts_with("{ dist = \"lognormal\", median = 0.02")
    );
    // The fitted prior is no tighter than the posterior.
    let sigma = rate["fitted"]
        .as_str()
        .unwrap()
        .split("sigma = ")
        .nth(1)
        .unwrap();
    let sigma: f64 = sigma.trim_end_matches(" }").parse().unwrap();
    assert!(sigma >= value("sd"), "{rate}");
    // Held out: a negative binomial with shape 6 and probability 100 / 350, P(X < 4) + P(X = 4) / 2 = 0.872 for the posterior.
    let third = &found["patterns"][2];
    assert_eq!(third["use"], "held_out");
    let p = third["posterior"]["probability"].as_f64().unwrap();
    let exact: f64 = (0..=4)
        .map(|k| {
            let choose: f64 = (0..k)
                .map(|i| f64::from(6 + i) / f64::from(i + 1))
                .product();
            let mass = choose * power(250.0 / 350.0, 6) * power(100.0 / 350.0, k);
            if k == 4 { 0.5 * mass } else { mass }
        })
        .sum();
    let half = third["posterior"]["interval"]["high"].as_f64().unwrap() - p;
    assert!((p - exact).abs() < 2.0 * half && half < 0.02, "{p} {exact}");
}

/// A record that may be off by 2 narrows less than an exact one.
#[test]
fn errors_of_the_record_keep_the_posterior_wide() {
    let desk = desk();
    let sd = |text: &str| {
        fs::write(desk.path().join("calibration.toml"), text).unwrap();
        let found = found(&desk, &["--worlds", "2000"]);
        found["parameters"][0]["sd"].as_f64().unwrap()
    };
    let exact = sd(CALIBRATION);
    let vague =
        sd(&CALIBRATION.replace("use = \"fit\"", "use = \"fit\"\nerror = 2\ndiscrepancy = 1"));
    assert!(vague > 1.1 * exact, "{vague} {exact}");
}

#[test]
fn results_do_not_depend_on_threads() {
    let desk = desk();
    let made = |threads: &str| {
        let line = [
            "calibrate",
            "calibration.toml",
            "--worlds",
            "300",
            "--threads",
            threads,
            "--out",
            threads,
        ];
        let text = succeed(desk.path(), &line);
        let read = |name: &str| fs::read_to_string(desk.path().join(threads).join(name)).unwrap();
        let files = [
            "patterns.csv",
            "parameters.csv",
            "fitted-priors.toml",
            "manifest.json",
            "README.md",
        ]
        .map(read);
        (text.replace(&format!("Results: {threads}"), ""), files)
    };
    assert_eq!(made("1"), made("2"));
}

/// Few worlds fit nothing, and say so.
#[test]
fn few_effective_worlds_fit_nothing() {
    let desk = desk();
    let text = succeed(
        desk.path(),
        &["calibrate", "calibration.toml", "--worlds", "60"],
    );
    assert!(
        text.contains("effective worlds nothing is fitted"),
        "{text}"
    );
    let found = found(&desk, &["--worlds", "60"]);
    assert_eq!(found["parameters"][0]["fitted"], Value::Null);
}

/// Of a parameter that is the same in all worlds nothing can be learned.
#[test]
fn a_constant_is_not_informed() {
    let desk = desk();
    let text = CALIBRATION.replace(
        "[parameter.idle]",
        "[parameter.idle]\nprior = { dist = \"constant\", value = 0.1 }",
    );
    fs::write(desk.path().join("calibration.toml"), text).unwrap();
    let found = found(&desk, &[]);
    let idle = &found["parameters"][1];
    assert_eq!(idle["parameter"], "idle");
    assert_eq!(idle["informed"], false, "{idle}");
    for key in ["contraction", "shift_interval", "fitted"] {
        assert_eq!(idle[key], Value::Null, "{idle}");
    }
    assert_eq!(found["correlations"].as_array().unwrap().len(), 0);
    let text = succeed(desk.path(), &["calibrate", "calibration.toml"]);
    let line = text.lines().find(|line| line.starts_with("idle")).unwrap();
    let cells: Vec<&str> = line.split_whitespace().rev().take(3).collect();
    assert_eq!(cells, ["no", "–", "–"], "{line}");
}

/// Chance is keyed by the name of a hindcast: two of one name would not be independent, nor would one that counts twice.
#[test]
fn hindcasts_of_one_name_are_refused() {
    let desk = desk();
    fs::create_dir(desk.path().join("other")).unwrap();
    let other = case(1).replace("clashes.toml", "../clashes.toml");
    fs::write(desk.path().join("other/first.toml"), other).unwrap();
    for (name, message) in [
        ("other/first.toml", "two hindcasts have the name `first`"),
        (
            "./first.toml",
            "`./first.toml` is the file that was named `first.toml` before",
        ),
    ] {
        let text = CALIBRATION.replace("second.toml", name);
        fs::write(desk.path().join("calibration.toml"), text).unwrap();
        let done = flashpoint(desk.path(), &["calibrate", "calibration.toml"]);
        assert_eq!((done.code, done.stdout.as_str()), (2, ""));
        for part in [message, "calibration.toml:15:12"] {
            assert!(done.stderr.contains(part), "{part}\n{}", done.stderr);
        }
    }
}

/// What a calibration shows has the limits that its prior has, and can be run.
#[test]
fn fitted_priors_keep_the_limits_of_the_prior() {
    let desk = desk();
    let text = CALIBRATION.replace(
        "[parameter.rate]",
        "[parameter.rate]\nprior = { dist = \"uniform\", low = 0.0012, high = 0.1246 }",
    );
    fs::write(desk.path().join("calibration.toml"), text).unwrap();
    let rate = &found(&desk, &[])["parameters"][0];
    let written = rate["fitted"].as_str().unwrap();
    assert!(
        written.ends_with("low = 0.0012, high = 0.1246 }"),
        "{written}"
    );
    assert_eq!(
        rate["prior"],
        "{ dist = \"uniform\", low = 0.0012, high = 0.1246 }"
    );
}

#[cfg(unix)]
#[test]
fn an_interrupt_keeps_nothing_and_says_so() {
    let desk = desk();
    let process = Command::new(env!("CARGO_BIN_EXE_flashpoint"))
        .current_dir(desk.path())
        .args(["calibrate", "calibration.toml", "--worlds", "10000000"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(std::time::Duration::from_secs(2));
    super::run::interrupt(process.id());
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "Weighing the worlds takes the runs of all hindcasts: nothing is kept.\ninterrupted\n"
    );
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let cases: [(&str, &str, i32, &[&str]); 9] = [
        (
            "[parameter.rate]",
            "[parameter.rte]",
            2,
            &[
                "no parameter `rte`",
                "did you mean `rate`?",
                "calibration.toml:6:1",
            ],
        ),
        (
            "question = \"clashes\"",
            "question = \"clshes\"",
            2,
            &["no question `clshes`", "did you mean `clashes`?"],
        ),
        (
            "use = \"fit\"",
            "use = \"fitt\"",
            2,
            &["`fitt` is not a valid `use`", "fit"],
        ),
        (
            "use = \"fit\"",
            "use = \"fit\"\nerorr = 1",
            2,
            &["unknown key `erorr`", "did you mean `error`?"],
        ),
        (
            "use = \"fit\"",
            "use = \"fit\"\nerror = -1",
            2,
            &["`error` is -1, but must be 0 or more"],
        ),
        (
            "first.toml",
            "frst.toml",
            2,
            &["`frst.toml` cannot be read", "calibration.toml:10:12"],
        ),
        (
            "[parameter.rate]",
            "[parameter.rate]\nprior = { dist = \"normal\", mean = 0 }",
            2,
            &["`sd` is missing"],
        ),
        (
            "[parameter.rate]",
            "[parameters.rate]",
            2,
            &["unknown key `parameters`"],
        ),
        // A prior under which no world has a clash.
        (
            "[parameter.rate]",
            "[parameter.rate]\nprior = { dist = \"constant\", value = 0 }",
            1,
            &["none of the 4000 worlds is compatible"],
        ),
    ];
    for (old, new, code, messages) in cases {
        let desk = desk();
        let text = CALIBRATION.replacen(old, new, 1);
        assert_ne!(text, CALIBRATION);
        fs::write(desk.path().join("calibration.toml"), text).unwrap();
        let done = flashpoint(desk.path(), &["calibrate", "calibration.toml"]);
        assert_eq!(
            (done.code, done.stdout.as_str()),
            (code, ""),
            "{new}: {}",
            done.stderr
        );
        for message in messages {
            assert!(done.stderr.contains(message), "{message}\n{}", done.stderr);
        }
    }
    // A parameter that is another one in one of the hindcasts.
    let desk = desk();
    let other = case(2) + "[parameter.rate]\nprior = { dist = \"exponential\", mean = 1 }\n";
    fs::write(desk.path().join("first.toml"), other).unwrap();
    let done = flashpoint(desk.path(), &["calibrate", "calibration.toml"]);
    assert_eq!(done.code, 2);
    assert!(
        done.stderr
            .contains("`rate` has one prior in `first` and another in `second`"),
        "{}",
        done.stderr
    );
    let done = flashpoint(desk.path(), &["calibrate", "no-such"]);
    assert_eq!(done.code, 2);
    assert!(
        done.stderr
            .contains("`no-such` cannot be read: there is no such file"),
        "{}",
        done.stderr
    );
}

/// The calibration that ships with the program can be read and run, if only in a few worlds.
#[test]
fn the_built_in_calibration_runs() {
    let line = [
        "calibrate",
        "isis-iran/hindcast/calibration",
        "--worlds",
        "20",
        "--format",
        "json",
    ];
    let found: Value = serde_json::from_str(&succeed(std::path::Path::new("/"), &line)).unwrap();
    let patterns = found["patterns"].as_array().unwrap();
    // Whatever belongs to January 2024 is held out.
    let january = patterns
        .iter()
        .filter(|p| p["hindcast"].as_str().unwrap().contains("january-2024"));
    assert!(january.clone().count() > 3 && january.clone().all(|p| p["use"] == "held_out"));
    assert!(patterns.iter().any(|p| p["use"] == "fit"));
}
