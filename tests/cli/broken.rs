//! Broken scenarios: what `flashpoint check` says about each, and where.

use std::fs::{self, File};

use serde_json::Value;

use crate::{flashpoint, folder, succeed};

/// A sound scenario, which the edits below break.
pub const BASE: &str = include_str!("broken/base.toml");

/// What is replaced in the base (once), by what, and all problems that this must bring: `line:column: message | help`.
type Case = (&'static str, &'static str, &'static [&'static str]);

const NAMES: &[Case] = &[
    ("raid_rate / 365", "raid_rat / 365", &[]),
    ("who = \"army\"", "who = \"navy\"", &[]),
    ("place = \"hills\"", "place = \"hils\"", &[]),
    ("host = \"north\"", "host = \"nort\"", &[]),
    ("rivals = [\"south\"]", "rivals = [\"suoth\"]", &[]),
    (
        "actors = [\"north\", \"south\"]",
        "actors = [\"north\", \"hills\"]",
        &[],
    ),
    ("score = \"self.anger\"", "score = \"self.angr\"", &[]),
    ("target.anger +=", "target.angr +=", &[]),
    ("\"north.anger -= 0.1\"", "\"army.anger -= 0.1\"", &[]),
    (">= rungs.war", ">= rungs.wra", &[]),
    ("at_least = \"war\"", "at_least = \"peace\"", &[]),
    ("on = \"raid\"", "on = \"riad\"", &[]),
    ("count = \"raid\"", "count = \"rade\"", &[]),
    ("target = \"blamed\"", "target = \"blame\"", &[]),
    (
        "when = \"event.killed > 2\"",
        "when = \"event.kiled > 2\"",
        &[],
    ),
    ("0.1 * event.killed", "log(event.killed)", &[]),
    ("when = \"deaths > 20\"", "when = \"death > 20\"", &[]),
    ("{ north = \"anger_0\"", "{ nroth = \"anger_0\"", &[]),
    ("dist = \"exponential\"", "dist = \"exponentail\"", &[]),
    ("anger = \"north.anger\"", "anger = \"nort.anger\"", &[]),
];

const SCOPES: &[Case] = &[
    (
        "when = \"event.killed > 2\"",
        "when = \"perpetrator == army\"",
        &[],
    ),
    (
        "when = \"event.killed > 2\"",
        "when = \"sponsor == south\"",
        &[],
    ),
    ("raid_rate / 365", "raid_rate * event.killed", &[]),
    ("half_life = 60", "half_life = \"60 * north.anger\"", &[]),
    ("probability = 0.5", "probability = \"north.anger\"", &[]),
    ("score = \"self.anger\"", "score = \"candidate.anger\"", &[]),
    ("score = \"self.anger\"", "score = \"deaths\"", &[]),
    (
        "count = \"raid\"",
        "count = \"raid\"\nwhere = \"deaths > 3\"",
        &[],
    ),
];

const TYPES: &[Case] = &[
    ("when = \"deaths > 20\"", "when = \"deaths\"", &[]),
    ("raid_rate / 365", "raid_rate > 365", &[]),
    ("score = \"self.anger\"", "score = \"self\"", &[]),
    ("target = \"north\"", "target = \"hills\"", &[]),
    ("place = \"hills\"", "place = \"north\"", &[]),
    (
        "when = \"event.killed > 2\"",
        "when = \"event.foiled > 2\"",
        &[],
    ),
    (
        "when = \"event.killed > 2\"",
        "when = \"north == hills\"",
        &[],
    ),
    (
        "when = \"event.killed > 2\"",
        "when = \"self in places\"",
        &[],
    ),
    ("0.1 * event.killed", "north", &[]),
    ("[north, army]", "[north, hills]", &[]),
    ("[north, army]", "[north]", &[]),
    ("north.anger -= 0.1", "anger_0 -= 0.1", &[]),
    ("score = \"self.anger\"", "score = \"max(self.anger)\"", &[]),
    ("score = \"self.anger\"", "score = \"world.anger\"", &[]),
    ("horizon = 365", "horizon = \"a year\"", &[]),
    ("kind = \"proxy\"", "kind = \"militia\"", &[]),
];

const SYNTAX: &[Case] = &[
    ("0.1 * event.killed", "0.1 * (event.killed", &[]),
    ("target.anger += 0.1 * event.killed", "target.anger", &[]),
    (
        "target.anger += 0.1 * event.killed",
        "target.anger /= 2",
        &[],
    ),
    (
        "target.anger += 0.1 * event.killed",
        "0.5 = target.anger",
        &[],
    ),
    ("raid_rate / 365", "raid_rate // 365", &[]),
    ("raid_rate / 365", "0 < raid_rate < 1", &[]),
    ("raid_rate / 365", "1 if raid_rate > 3", &[]),
    ("raid_rate / 365", "", &[]),
    ("half_life = 60", "half_life = nan", &[]),
    ("of = \"actor\"", "of = \"actor", &[]),
    ("[action.strike]", "[action.strike]\n[action.strike]", &[]),
];

const VALUES: &[Case] = &[
    ("half_life = 60", "half_life = -60", &[]),
    ("half_life = 60", "half_life = 0", &[]),
    ("horizon = 365", "horizon = -1", &[]),
    ("horizon = 365", "horizon = 0", &[]),
    ("horizon = 365", "horizon = 1e9", &[]),
    ("horizon = 365\n", "", &[]),
    ("start = 2025-01-01\n", "", &[]),
    ("start = 2025-01-01", "start = 2025-02-30", &[]),
    (
        "start = 2025-01-01",
        "start = 2025-01-01\nmax_events = 0",
        &[],
    ),
    (
        "start = 2025-01-01",
        "start = 2025-01-01\nruns_per_world = 1",
        &[],
    ),
    (
        "{ dist = \"lognormal\", median = 6, sigma = 0.3 }",
        "{ dist = \"lognormal\", median = 6, sigma = 0 }",
        &[],
    ),
    (
        "{ dist = \"lognormal\", median = 6, sigma = 0.3 }",
        "{ dist = \"lognormal\", mean = 6, sigma = 0.3 }",
        &[],
    ),
    (
        "{ dist = \"lognormal\", median = 6, sigma = 0.3 }",
        "{ dist = \"uniform\", low = 6, high = 5 }",
        &[],
    ),
    (
        "{ dist = \"lognormal\", median = 6, sigma = 0.3 }",
        "{ dist = \"uniform\", low = 6, hihg = 7 }",
        &[],
    ),
    (
        "{ dist = \"lognormal\", median = 6, sigma = 0.3 }",
        "{ dist = \"uniform\", low = \"anger_0\", high = 7 }",
        &[],
    ),
    (
        "{ dist = \"lognormal\", median = 6, sigma = 0.3 }",
        "{ dist = \"discrete\", values = [1, 2], weights = [1] }",
        &[],
    ),
    ("exponent = 2", "exponent = 1", &[]),
    ("mean = 3", "mean = -3", &[]),
    ("south = 0.1 }", "south = 2 }", &[]),
    ("max = 1\n\n[ladder]", "max = -1\n\n[ladder]", &[]),
    ("foiled = 0.1", "foiled = 1.5", &[]),
    ("hazard = \"raid_rate / 365\"", "hazard = -1", &[]),
    ("probability = 0.5", "probability = 1.5", &[]),
    ("count = 2", "count = 0", &[]),
    ("count = 2", "count = 1000000", &[]),
    ("every = 30", "every = 0", &[]),
    ("every = 30", "every = 1e-9", &[]),
    (
        "basis = \"assumption\"\nprior",
        "basis = \"data\"\nprior",
        &[],
    ),
    ("date = 2025-03-10", "date = 2024-03-10", &[]),
    (
        "date = 2025-03-10",
        "window = [2025-03-10, 2025-03-01]",
        &[],
    ),
    (
        "date = 2025-03-10",
        "window = [2024-12-01, 2025-03-01]",
        &[],
    ),
    ("date = 2025-03-10", "date = 2025-03-10\nday = 68", &[]),
    ("date = 2025-03-10\n", "", &[]),
    (
        "date = 2025-03-10",
        "date = 2025-03-10\naction = \"raid\"",
        &[],
    ),
    (
        "date = 2025-03-10",
        "date = 2025-03-10\ntarget = \"north\"",
        &[],
    ),
];

const STRUCTURE: &[Case] = &[
    ("[[endgame]]\nid = \"calm\"\n", "", &[]),
    ("when = \"rung[north, army] >= rungs.war\"\n", "", &[]),
    ("id = \"calm\"\n\n[flag", "id = \"war\"\n\n[flag", &[]),
    ("id = \"hold\"", "id = \"strike\"", &[]),
    ("id = \"hold\"", "id = \"hold\"\ntarget = \"north\"", &[]),
    (
        "score = \"self.anger\"",
        "score = 1\nprobability = 0.5",
        &[],
    ),
    ("score = \"self.anger\"\n", "", &[]),
    (
        "score = \"self.anger\"\naction = \"strike\"",
        "probability = 0.5\naction = \"strike\"\n[[rule.answers.option]]\nid = \"third\"\nscore = 1",
        &[],
    ),
    (
        "id = \"hold\"",
        "id = \"hold\"\n[[rule.answers.option]]\nid = \"rest\"\n[[rule.answers.option]]\nid = \"c\"\nprobability = 0.5",
        &[],
    ),
    ("action = \"raid\"\n", "", &[]),
    (
        "action = \"raid\"\ntarget = \"north\"\nplace = \"hills\"\n",
        "",
        &[],
    ),
    ("over = [\"raid\"]\n", "", &[]),
    (
        "count = \"raid\"",
        "peak = \"north.anger\"\nwhere = \"target == north\"",
        &[],
    ),
    ("count = \"raid\"", "peak = \"north.anger + 1\"", &[]),
    (
        "count = \"raid\"",
        "count = \"raid\"\nfirst = \"raid\"",
        &[],
    ),
    ("count = \"raid\"\n", "", &[]),
    ("count = \"raid\"", "value = \"raids + 1\"", &[]),
    (
        "count = \"raid\"",
        "value = \"twice / 2\"\n[metric.twice]\nvalue = \"raids * 2\"",
        &[],
    ),
    ("patron = \"south\"", "patron = \"army\"", &[]),
    (
        "actors = [\"north\", \"south\"]",
        "actors = [\"neighbours\"]",
        &[],
    ),
    (
        "actors = [\"north\", \"south\"]",
        "actors = [\"others\"]\n[set.others]\nactors = [\"neighbours\"]",
        &[],
    ),
    (
        "actors = [\"north\", \"south\"]",
        "actors = [\"north\"]\nplaces = [\"hills\"]",
        &[],
    ),
    (
        "[parameter.anger_0]",
        "[parameter.south]\nvalue = 1\nbasis = \"assumption\"\n[parameter.anger_0]",
        &[],
    ),
    ("[place.hills]", "[place.village_1]\n[place.hills]", &[]),
    (
        "[actor.army]",
        "[actor.village_2]\nkind = \"group\"\n[actor.army]",
        &[],
    ),
    ("[set.neighbours]", "[set.states]", &[]),
    ("[place.hills]", "[place.target]\n[place.hills]", &[]),
    ("[place.hills]", "[place.Hills]", &[]),
    (
        "[parameter.anger_0]",
        "[parameter.time]\nvalue = 1\nbasis = \"assumption\"\n[parameter.anger_0]",
        &[],
    ),
    (
        "[ladder]\n[[ladder.rung]]\nid = \"calm\"\n[[ladder.rung]]\nid = \"war\"\n",
        "",
        &[],
    ),
    ("at_least = \"war\"", "at_least = \"war\"\nstep = 1", &[]),
    (
        "foiled = 0.1",
        "foiled_effects = [\"target.anger = 0\"]",
        &[],
    ),
    (
        "target = \"blamed\"",
        "target = { among = \"states\" }",
        &[],
    ),
    (
        "target = \"blamed\"",
        "target = { among = \"places\", weight = 1 }",
        &[],
    ),
    ("of = \"actor\"", "of = \"world\"", &[]),
    ("[timeline.series]", "[timeline.seires]", &[]),
    ("when = \"deaths > 20\"\n", "", &[]),
];

/// What `check --format json` says about each of some files.
fn check(folder: &tempfile::TempDir, names: &[String]) -> Vec<Vec<String>> {
    let mut arguments = vec!["check", "--format", "json"];
    arguments.extend(names.iter().map(String::as_str));
    let done = flashpoint(folder.path(), &arguments);
    assert_eq!((done.code, done.stderr.as_str()), (2, ""));
    let found: Value = serde_json::from_str(&done.stdout).unwrap();
    let scenarios = found["scenarios"].as_array().unwrap();
    assert_eq!(scenarios.len(), names.len());
    let said = |scenario: &Value| {
        let problems = scenario["problems"].as_array().unwrap().iter();
        problems.map(line).collect()
    };
    scenarios.iter().map(said).collect()
}

fn line(problem: &Value) -> String {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let location = &problem["location"];
    let place = match location["line"].as_u64() {
        Some(line) => format!("{line}:{}: ", location["column"]),
        None => String::new(),
    };
    let advice = text(&problem["help"]).or_else(|| text(&location["label"]));
    let advice = advice.map_or(String::new(), |advice| format!(" | {advice}"));
    format!("{place}{}{advice}", problem["message"].as_str().unwrap())
}

#[track_caller]
fn each_is_refused(cases: &[Case]) {
    let folder = folder(&[]);
    let mut names = Vec::new();
    for (index, (from, to, _)) in cases.iter().enumerate() {
        assert!(BASE.contains(from), "{from}");
        let name = format!("{index:02}.toml");
        fs::write(folder.path().join(&name), BASE.replacen(from, to, 1)).unwrap();
        names.push(name);
    }
    let mut wrong = String::new();
    for ((from, to, expected), said) in cases.iter().zip(check(&folder, &names)) {
        if said != *expected {
            wrong.push_str(&format!(
                "{from:?} -> {to:?}\n  expected {expected:?}\n  but got  {said:?}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_base_is_sound() {
    let folder = folder(&[("base.toml", BASE)]);
    let text = succeed(folder.path(), &["check", "base.toml"]);
    assert!(text.starts_with("base.toml: ok: "), "{text}");
    succeed(
        folder.path(),
        &["run", "base.toml", "--runs", "100", "--no-files"],
    );
}

#[test]
fn names_that_nothing_has() {
    each_is_refused(NAMES);
}

#[test]
fn names_that_cannot_be_seen() {
    each_is_refused(SCOPES);
}

#[test]
fn values_of_another_type() {
    each_is_refused(TYPES);
}

#[test]
fn malformed_text() {
    each_is_refused(SYNTAX);
}

#[test]
fn values_out_of_range() {
    each_is_refused(VALUES);
}

#[test]
fn parts_that_do_not_fit_together() {
    each_is_refused(STRUCTURE);
}

/// Every problem of one kind or another, in the order of the file.
#[test]
fn all_problems_of_a_file_come_at_once() {
    let edits = [
        ("{ north = \"anger_0\"", "{ nroth = \"anger_0\""),
        ("at_least = \"war\"", "at_least = \"wra\""),
        ("raid_rate / 365", "raid_rat / 365"),
        ("on = \"raid\"", "on = \"riad\""),
        ("score = \"self.anger\"", "score = \"self\""),
        ("date = 2025-03-10", "date = 2024-03-10"),
        ("over = [\"raid\"]\n", ""),
        ("when = \"deaths > 20\"", "when = \"deaths\""),
    ];
    let mut text = BASE.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    let folder = folder(&[("many.toml", &text)]);
    let said = check(&folder, &["many.toml".to_owned()]);
    let expected: [&str; 0] = [];
    assert_eq!(said[0], expected, "\n{:#?}", said[0]);
}

/// Files that are no scenarios at all.
#[test]
fn files_that_cannot_be_read() {
    let nested =
        |open: &str, close: &str| format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
    let deep_formula = BASE.replacen("raid_rate / 365", &nested("(", ")")[..9_000], 1);
    let signs = BASE.replacen("raid_rate / 365", &format!("{}1", "-".repeat(9_000)), 1);
    let long_formula = BASE.replacen("raid_rate / 365", &format!("1{}", " + 1".repeat(20_000)), 1);
    let cases: &[(&str, &[u8], &str)] = &[
        ("empty.toml", b"", ""),
        ("blank.toml", b" \n\t\n# nothing\n", ""),
        ("latin.toml", b"[scenario]\ntitle = \"caf\xe9\"\n", ""),
        ("utf16.toml", b"\xff\xfe[\0s\0]\0", ""),
        ("binary.toml", &[0; 64], ""),
        ("arrays.toml", &nested("a = [", "]").into_bytes(), ""),
        (
            "nested.toml",
            format!("a = {}", nested("[", "]")).as_bytes(),
            "",
        ),
        (
            "tables.toml",
            format!("a = {}", nested("{a = ", "}")).as_bytes(),
            "",
        ),
        (
            "dotted.toml",
            format!("{}a = 1", "a.".repeat(100_000)).as_bytes(),
            "",
        ),
        ("formula.toml", deep_formula.as_bytes(), ""),
        ("signs.toml", signs.as_bytes(), ""),
        ("long.toml", long_formula.as_bytes(), ""),
        ("loop.toml", b"[scenario]\nextends = \"loop.toml\"\n", ""),
        ("ping.toml", b"[scenario]\nextends = \"pong.toml\"\n", ""),
        ("pong.toml", b"[scenario]\nextends = \"./ping.toml\"\n", ""),
        ("lost.toml", b"[scenario]\nextends = \"pang.toml\"\n", ""),
        ("up.toml", b"[scenario]\nextends = \"folder.toml\"\n", ""),
    ];
    let folder = folder(&[]);
    let mut names = Vec::new();
    let mut expected = Vec::new();
    for (name, bytes, message) in cases {
        fs::write(folder.path().join(name), bytes).unwrap();
        names.push((*name).to_owned());
        expected.push(*message);
    }
    // A hundred megabytes of which nothing is on the disk.
    let huge = File::create(folder.path().join("huge.toml")).unwrap();
    huge.set_len(100_000_000).unwrap();
    fs::create_dir(folder.path().join("folder.toml")).unwrap();
    for (name, message) in [
        ("huge.toml", ""),
        ("folder.toml", ""),
        ("gone.toml", ""),
        ("isis-iran/genuin", ""),
    ] {
        names.push(name.to_owned());
        expected.push(message);
    }
    let mut wrong = String::new();
    for ((name, expected), said) in names.iter().zip(expected).zip(check(&folder, &names)) {
        let said: Vec<String> = said
            .iter()
            .map(|line| line.chars().take(300).collect())
            .collect();
        if said != [expected] {
            wrong.push_str(&format!(
                "{name}\n  expected {expected:?}\n  but got  {said:?}\n"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_byte_order_mark_is_no_error() {
    let folder = folder(&[("bom.toml", &format!("\u{feff}{BASE}"))]);
    assert!(succeed(folder.path(), &["check", "bom.toml"]).starts_with("bom.toml: ok"));
}

/// An edit of the base (or of nothing), arguments of `run`, exit code, and what standard error must say.
type Failing = (
    &'static str,
    &'static str,
    &'static [&'static str],
    i32,
    &'static str,
);

/// What can be known only during the run, or from the command line.
const RUNS: &[Failing] = &[
    (
        "raid_rate / 365",
        "ln(anger_0 - raid_rate)",
        &["--defaults"],
        1,
        "!",
    ),
    (
        "raid_rate / 365",
        "1 / (raid_rate - 6)",
        &["--defaults"],
        1,
        "!",
    ),
    ("raid_rate / 365", "raid_rate - 7", &["--defaults"], 1, "!"),
    ("raid_rate / 365", "-time", &["--defaults"], 1, "!"),
    ("foiled = 0.1", "foiled = \"anger_0 + 1\"", &[], 1, "!"),
    (
        "probability = 0.5",
        "probability = \"anger_0 * 6\"",
        &[],
        1,
        "!",
    ),
    (
        "score = \"self.anger\"",
        "probability = \"0.9 + event.killed\"",
        &[],
        1,
        "!",
    ),
    (
        "score = \"self.anger\"",
        "score = \"1 / (event.killed - event.killed)\"",
        &[],
        1,
        "!",
    ),
    (
        "id = \"hold\"",
        "id = \"hold\"\nwhen = \"event.killed > 0\"\n[rule.x]\nwho = \"north\"\non = \"raid\"\nas = \"any\"\nrationality = \"-event.killed\"\noption = [{ id = \"a\", action = \"strike\", target = \"army\" }, { id = \"b\" }]",
        &[],
        1,
        "!",
    ),
    ("mean = 3", "mean = \"3 - event.killed\"", &[], 1, "!"),
    (
        "{ dist = \"exponential\", mean = 3 }",
        "\"0 - event.killed\"",
        &[],
        1,
        "!",
    ),
    (
        "{ dist = \"exponential\", mean = 3 }",
        "\"1 / (event.killed - event.killed)\"",
        &[],
        1,
        "!",
    ),
    ("0.1 * event.killed", "ln(0 - event.killed)", &[], 1, "!"),
    (
        "weight = 1",
        "weight = \"-event.killed\"\n[[action.raid.suspect]]\nwho = \"south\"\nweight = 1",
        &[],
        1,
        "!",
    ),
    ("north.anger -= 0.1", "north.anger /= 0.1", &[], 2, "!"),
    (
        "count = \"raid\"",
        "final = \"1 / (time - 365)\"",
        &[],
        1,
        "!",
    ),
    (
        "anger = \"north.anger\"",
        "anger = \"sqrt(north.anger - 5)\"",
        &[],
        1,
        "!",
    ),
    (
        "half_life = 60",
        "half_life = \"raid_rate - 6\"",
        &[],
        1,
        "!",
    ),
    (
        "{ north = \"anger_0\"",
        "{ north = \"raid_rate / 6\"",
        &[],
        1,
        "!",
    ),
    (
        "{ north = \"anger_0\"",
        "{ north = \"raid_rate / 5\"",
        &["--defaults"],
        1,
        "!",
    ),
    ("", "", &["--set", "anger_0=2"], 1, "!"),
    ("", "", &["--set", "angr_0=2"], 2, "!"),
    ("", "", &["--set", "anger_0=high"], 2, "!"),
    ("", "", &["--set", "anger_0=nan"], 2, "!"),
    ("", "", &["--set", "anger_0=inf"], 2, "!"),
    ("", "", &["--set", "anger_0"], 2, "!"),
    ("", "", &["--runs", "18446744073709551615"], 2, "!"),
];

#[test]
fn what_a_run_cannot_go_on_with() {
    let mut wrong = String::new();
    for (from, to, arguments, code, expected) in RUNS {
        assert!(BASE.contains(from), "{from}");
        let folder = folder(&[("a.toml", &BASE.replacen(from, to, 1))]);
        let line = ["run", "a.toml", "--runs", "200", "--out", "out"];
        let line = if arguments.contains(&"--runs") {
            &line[..2]
        } else {
            &line[..]
        };
        let done = flashpoint(folder.path(), &[line, arguments].concat());
        let left = fs::read_dir(folder.path()).unwrap().count();
        if (done.code, left) != (*code, 1)
            || !done.stdout.is_empty()
            || !done.stderr.contains(expected)
        {
            wrong.push_str(&format!(
                "{from:?} -> {to:?} {arguments:?}\n  expected {code} {expected:?}\n  but got  {}, {left} files, {:?} {:?}\n",
                done.code, done.stdout, done.stderr
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
