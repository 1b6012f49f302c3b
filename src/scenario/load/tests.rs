//! Broken and good scenarios, from files that exist only in memory.

use std::collections::BTreeMap;
use std::path::{Path as FilePath, PathBuf};

use super::*;
use crate::scenario::extend::ReadError;
use crate::scenario::raw::{Expression, OneOrMany, RawQuantity};

const SAMPLE: &str = include_str!("../testdata/sample.toml");

/// Files and built-in scenarios in memory.
#[derive(Default)]
struct Memory {
    files: BTreeMap<PathBuf, Vec<u8>>,
    builtins: BTreeMap<String, String>,
}

impl Memory {
    fn file(mut self, path: &str, bytes: impl AsRef<[u8]>) -> Self {
        self.files
            .insert(PathBuf::from(path), bytes.as_ref().to_vec());
        self
    }

    fn with_builtin(mut self, name: &str, text: &str) -> Self {
        self.builtins.insert(name.to_owned(), text.to_owned());
        self
    }
}

impl Files for Memory {
    fn read(&self, path: &FilePath) -> Result<Vec<u8>, ReadError> {
        let bytes = self.files.get(&self.identity(path));
        bytes.cloned().ok_or(ReadError::Missing)
    }

    fn list(&self, folder: &FilePath) -> Vec<String> {
        let inside = self
            .files
            .keys()
            .filter(|path| path.parent() == Some(folder));
        inside
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .collect()
    }

    fn identity(&self, path: &FilePath) -> PathBuf {
        crate::scenario::extend::normalize(path)
    }

    fn builtin(&self, name: &str) -> Option<String> {
        self.builtins.get(name).cloned()
    }

    fn builtin_names(&self) -> Vec<String> {
        self.builtins.keys().cloned().collect()
    }
}

fn good(text: &str) -> LoadedScenario {
    load_text("a.toml", text).unwrap_or_else(|problems| panic!("{problems}"))
}

/// One line a problem: line:column: message | label | help | notes.
fn lines(problems: &Diagnostics) -> Vec<String> {
    let describe = |item: &Diagnostic| {
        let mut parts = Vec::new();
        let place = item.location.map_or(String::new(), |span| {
            let position = problems.sources().position(span).unwrap();
            format!("{}:{}: ", position.line, position.column)
        });
        parts.push(format!("{place}{}", item.message));
        parts.extend(item.label.clone());
        parts.extend(item.help.clone());
        parts.extend(item.notes.clone());
        parts.join(" | ")
    };
    problems.iter().map(describe).collect()
}

fn bad(text: &str) -> Vec<String> {
    match load_text("a.toml", text) {
        Ok(_) => panic!("accepted:\n{text}"),
        Err(problems) => lines(&problems),
    }
}

#[test]
fn the_sample_has_every_kind_of_value() {
    let sample = good(SAMPLE);
    let raw = &sample.raw;
    assert_eq!(sample.name, "a");
    assert_eq!(raw.scenario.start.as_deref(), Some("2023-12-15"));
    assert_eq!(raw.scenario.max_events, Some(1000));
    assert_eq!(
        raw.actor.keys().collect::<Vec<_>>(),
        ["iran", "pakistan", "isis"]
    );
    assert_eq!(
        raw.actor["isis"].label.as_deref(),
        Some("Islamic \"State\" é")
    );
    let rule = &raw.rule["iran_answers"];
    assert_eq!(
        rule.rationality,
        Some(Expression::Formula("inf".to_owned()))
    );
    assert_eq!(rule.on, OneOrMany::One("attack".to_owned()));
    assert!(matches!(rule.option[0].delay, Some(RawQuantity::Drawn(_))));
    assert_eq!(
        raw.calendar[1].window,
        Some(["2024-02-01".to_owned(), "2024-02-29".to_owned()])
    );
}

#[test]
fn resolved_text_is_a_fixed_point() {
    let sample = good(SAMPLE);
    let text = sample.resolved_text();
    let again = good(&text);
    assert_eq!(again.raw, sample.raw);
    assert_eq!(again.resolved_text(), text);
    // Layout and comments leave no trace; a value does.
    let loose = SAMPLE
        .replace("horizon = 365", "horizon   =   365 # days")
        .replace("\n[", "\n# x\n\n[")
        .replace("0.4", "0.40");
    assert_eq!(good(&loose).resolved_text(), text);
    let changed = SAMPLE.replace("horizon = 365", "horizon = 366");
    assert_ne!(good(&changed).resolved_text(), text);
}

#[test]
fn syntax_errors() {
    let cases: &[(&str, &[&str])] = &[
        (
            "a = 1979-13-99\nb = 1_\nc = 1\nc = 2\nd = state",
            &[
                "1:5: invalid TOML: invalid date | expected month between 01 and 12",
                "2:6: invalid TOML: `_` may only go between digits",
                "4:1: `c` is defined twice | second definition | remove one of the two, or merge them into one table",
                "5:5: text must be in quotes | write \"state\"",
            ],
        ),
        (
            "[a]\nx\ny = 1\nz\nw = 5x",
            &[
                "2:2: invalid TOML: key with no value | expected `=`",
                "4:2: invalid TOML: key with no value | expected `=`",
                "5:5: text must be in quotes | write \"5x\"",
            ],
        ),
        (
            "a = [1, 2\nb = 3\nc = 4\n",
            &[
                "2:1: invalid TOML: missing comma between array elements | expected `,`",
                "3:6: invalid TOML: unclosed array | expected `]`",
            ],
        ),
        (
            "a = \"é",
            &["1:7: this string is not closed | a string ends with the quotes that it began with"],
        ),
        (
            "a = 99999999999999999999\nb = 1e999",
            &[
                "1:5: this number is too large",
                "2:5: this number is too large",
            ],
        ),
        (
            "[a.b]\n[a.b]\n[[a.b]]",
            &[
                "2:4: `b` is defined twice | second definition | remove one of the two, or merge them into one table",
                "3:5: `b` is defined twice | second definition | remove one of the two, or merge them into one table",
            ],
        ),
        (
            "# nothing\n",
            &[
                "1:1: the file is empty | a scenario begins with the table [scenario], an experiment with [batch]; `flashpoint scenarios` lists examples",
            ],
        ),
        (
            "",
            &[
                "1:1: the file is empty | a scenario begins with the table [scenario], an experiment with [batch]; `flashpoint scenarios` lists examples",
            ],
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(bad(text), *expected, "{text}");
    }
}

#[test]
fn nesting_is_limited() {
    for depth in [65, 80, 1_000, 100_000] {
        let text = format!("a = {}{}", "[".repeat(depth), "]".repeat(depth));
        let problems = bad(&text);
        assert_eq!(problems.len(), 1);
        assert!(problems[0].ends_with("tables and arrays are nested more than 64 deep"));
        let dotted = vec!["a"; depth].join(".");
        assert!(load_text("a.toml", &format!("{dotted} = 1")).is_err());
    }
}

#[test]
fn many_syntax_errors_are_counted() {
    let problems = bad(&"x = y\n".repeat(1000));
    assert_eq!(problems.len(), 20);
    assert!(
        problems[19].ends_with("980 more lines of this file have syntax errors"),
        "{}",
        problems[19]
    );
}

/// Edits of the sample, and the problems that each must bring (and no others).
#[test]
fn structural_errors() {
    let hazard = "`hazard`: Expected number per day at this moment.";
    let cases: &[(&str, &str, &[&str])] = &[
        (
            "hazard = ",
            "hazrd = ",
            &[
                &format!("77:1: missing key `hazard` in `process.plots` | {hazard}"),
                "79:1: unknown key `hazrd` in `process.plots` | did you mean `hazard`?",
            ],
        ),
        (
            "hazard = \"plot_rate / 365\"",
            "hazard = [1]",
            &[&format!(
                "79:10: `hazard` must be a number or a formula in quotes, not an array | {hazard}"
            )],
        ),
        (
            "hazard = \"plot_rate / 365\"",
            "hazard = -nan",
            &["79:10: `hazard` is not a number"],
        ),
        (
            "horizon = 365",
            "horizon = inf",
            &["7:11: `horizon` must be a finite number"],
        ),
        (
            "horizon = 365",
            "horizon = \"365\"",
            &[
                "7:11: `horizon` must be a number, not a string | remove the quotes | `horizon`: Length of a run in days.",
            ],
        ),
        (
            "start = 2023-12-15",
            "start = 2023-12-15T10:00:00Z",
            &[
                "6:9: `start` must be a date such as 2024-01-03, not a time | `start`: First day of every run, for example 2023-12-15.",
            ],
        ),
        (
            "start = 2023-12-15",
            "start = \"2023-02-29\"",
            &[
                "6:9: `start` must be a date such as 2024-01-03, not `2023-02-29` | `start`: First day of every run, for example 2023-12-15.",
            ],
        ),
        (
            "start = 2023-12-15",
            "start = 10:00:00",
            &[
                "6:9: `start` must be a date such as 2024-01-03, not a time | `start`: First day of every run, for example 2023-12-15.",
            ],
        ),
        (
            "max_events = 1_000",
            "max_events = -1",
            &["8:14: `max_events` must not be negative"],
        ),
        (
            "max_events = 1_000",
            "max_events = 10.0",
            &[
                "8:14: `max_events` must be a whole number, not a fraction | `max_events`: Cap on the events of one run (default 100000). A run that reaches it is stopped and counted apart.",
            ],
        ),
        (
            "runs_per_world = 10",
            "runs_per_world = 5000000000",
            &["9:18: `runs_per_world` must be between 0 and 4294967295"],
        ),
        (
            "kind = \"group\"",
            "kind = \"grup\"",
            &[
                "30:8: `grup` is not a valid `kind` | did you mean \"group\"? | `kind` is one of `state`, `agency`, `group`, `proxy`, `public` or `organization`",
            ],
        ),
        (
            "kind = \"group\"",
            "kind = true",
            &[
                "30:8: `kind` must be one of `state`, `agency`, `group`, `proxy`, `public` or `organization`, not `true`",
            ],
        ),
        (
            "as = [\"target\", \"host\"]",
            "as = [\"target\", \"hoost\"]",
            &[
                "87:17: `hoost` is not a valid `as` | did you mean \"host\"? | `as` is one of `target`, `host`, `patron`, `ally`, `rival`, `perpetrator`, `claimant`, `onlooker` or `any`",
            ],
        ),
        (
            "id = \"hold\"",
            "id = \"strike\"",
            &[
                "97:6: `rule.iran_answers.option` has two elements with the id `strike` | used again here",
            ],
        ),
        (
            "[process.plots]",
            "[process.iskp-plots]",
            &[
                "77:10: `iskp-plots` is not a valid id | write `iskp_plots` | ids are made of lower-case letters, digits and `_`, and begin with a letter",
            ],
        ),
        (
            "id = \"later\"",
            "id = \"2 Later\"",
            &[
                "109:6: `2 Later` is not a valid id | ids are made of lower-case letters, digits and `_`, and begin with a letter",
            ],
        ),
        (
            "[[action.attack.rung]]",
            "[action.attack.rung]",
            &[
                "67:1: `rung` must be an array of tables, not a table | write [[action.attack.rung]], with double brackets | `rung`: Moves on the ladder. A foiled event moves nothing.",
            ],
        ),
        (
            "[flag.any]",
            "[[flag.any]]",
            &[
                "123:1: `any` must be a table, not an array | write [flag.any], with single brackets",
            ],
        ),
        (
            "between = [\"self\", \"host\"]",
            "between = [\"self\"]",
            &["68:11: `between` must have exactly 2 elements, not 1"],
        ),
        (
            "[flag.any]",
            "[flags.any]",
            &["123:2: unknown key `flags` | did you mean `flag`?"],
        ),
        (
            "[scenario]",
            "extends = \"other\"\n[scenario]",
            &["1:1: unknown key `extends` | `extends` belongs in the table `[scenario]`"],
        ),
        (
            "host = \"iran\"",
            "host = 3\ntags = []",
            &[
                "34:8: `host` must be text in quotes, not a number | put it in quotes | `host`: The actor whose territory it is.",
                "35:1: unknown key `tags` in `place.kerman` | the keys here are `label`, `host` and `note`",
            ],
        ),
        (
            "place = { among = \"places\", weight = \"1\" }",
            "place = { weight = \"1\" }",
            &[
                "82:9: missing key `among` in `process.plots.place` | `among`: A set, or rivals(x), allies(x), clients(x).",
            ],
        ),
        (
            "place = { among = \"places\", weight = \"1\" }",
            "place = 1",
            &["82:9: `place` must be a name, a role, or a choice among a set, not a number"],
        ),
        (
            "initial.isis.kerman = 0.8",
            "initial.isis.kerman = true",
            &[
                "48:23: `kerman` must be one value for all or a table of values by actor, not `true`",
            ],
        ),
    ];
    for (from, to, expected) in cases {
        assert!(SAMPLE.contains(from), "{from}");
        assert_eq!(bad(&SAMPLE.replacen(from, to, 1)), *expected, "{to}");
    }
}

#[test]
fn all_problems_come_at_once_in_order() {
    let text = SAMPLE
        .replace("hazard = ", "hazrd = ")
        .replace("horizon = 365", "horizon = []")
        .replace("id = \"quiet\"", "id = \"war\"");
    let problems = bad(&text);
    assert_eq!(problems.len(), 4);
    let starts: Vec<&str> = problems.iter().map(|line| &line[..4]).collect();
    assert_eq!(starts, ["7:11", "77:1", "79:1", "121:"]);
}

#[test]
fn unreadable_files() {
    let files = Memory::default()
        .file("dir/base.toml", SAMPLE)
        .file("dir/latin.toml", b"a = 1\nb = \"caf\xe9\"\n")
        .file("bom.toml", format!("\u{feff}{SAMPLE}"))
        .file("bom_bad.toml", "\u{feff}x = y")
        .with_builtin("isis-iran/genuine", SAMPLE);
    let message = |name: &str| lines(&load_with(&files, name).unwrap_err()).join("\n");
    assert_eq!(
        message("dir/bse.toml"),
        "there is no scenario file `dir/bse.toml`, nor a built-in scenario of that name | did you mean `dir/base.toml`?"
    );
    assert_eq!(
        message("isis-iran/genuin"),
        "there is no scenario file `isis-iran/genuin`, nor a built-in scenario of that name \
         | did you mean the built-in scenario `isis-iran/genuine`?"
    );
    assert_eq!(
        message("something_else_altogether"),
        "there is no scenario file `something_else_altogether`, nor a built-in scenario of that name \
         | built-in scenarios: isis-iran/genuine"
    );
    assert_eq!(
        message("dir/latin.toml"),
        "`dir/latin.toml` is not UTF-8 text: byte 0xe9 at offset 14, line 2 | save the file as UTF-8"
    );
    assert_eq!(load_with(&files, "bom.toml").unwrap().name, "bom");
    assert_eq!(
        message("bom_bad.toml"),
        "1:5: text must be in quotes | write \"y\""
    );
    assert_eq!(
        load_with(&files, "isis-iran/genuine").unwrap().name,
        "isis-iran/genuine"
    );
}

#[test]
fn files_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("base.toml"), SAMPLE).unwrap();
    std::fs::write(
        path("child.toml"),
        "[scenario]\nextends = \"base.toml\"\nhorizon = 10\n",
    )
    .unwrap();
    std::fs::write(
        path("loop.toml"),
        "[scenario]\nextends = \"../x/loop.toml\"\n",
    )
    .unwrap();
    std::fs::File::create(path("huge.toml"))
        .unwrap()
        .set_len(11 << 20)
        .unwrap();
    assert_eq!(
        load(&path("child.toml")).unwrap().raw.scenario.horizon,
        Some(10.0)
    );
    let huge = load(&path("huge.toml")).unwrap_err().to_string();
    assert!(huge.contains("larger than 10 MiB"), "{huge}");
    let directory = load(&path("")).unwrap_err().to_string();
    assert!(
        directory.contains("this is a folder, not a file"),
        "{directory}"
    );
    assert!(directory.contains("the folder holds base.toml, child.toml, huge.toml, loop.toml"));
    let missing = load(&path("chil.toml")).unwrap_err().to_string();
    assert!(
        missing.contains("did you mean `") && missing.contains("child.toml"),
        "{missing}"
    );
}

#[test]
fn extending() {
    let child = r#"
[scenario]
extends = "../base.toml"
title = "Child"
[parameter.plot_rate]
prior = { dist = "uniform", low = 0, high = 1 }
[actor.isis]
rivals = ["iran"]
[stock.unrest]
initial.pakistan = 0.1
half_life = { iran = 10 }
[action.attack]
effects = []
[[action.attack.suspect]]
who = "pakistan"
weight = 2
[[action.attack.suspect]]
who = "claimant"
weight = 9
[[action.attack.rung]]
between = ["target", "host"]
step = 1
[process.plots]
enabled = false
place = { among = "places", most = "1" }
[[rule.iran_answers.option]]
id = "hold"
score = 5
[[rule.iran_answers.option]]
id = "talk"
score = 1
[[endgame]]
id = "new"
when = "attacks > 1"
[[endgame]]
id = "newer"
when = "attacks > 2"
[[endgame]]
id = "quiet"
label = "Quiet"
"#;
    let files = Memory::default()
        .file("base.toml", SAMPLE)
        .file("sub/child.toml", child);
    let loaded =
        load_with(&files, "sub/child.toml").unwrap_or_else(|problems| panic!("{problems}"));
    let raw = &loaded.raw;
    assert_eq!(raw.scenario.title.as_deref(), Some("Child"));
    assert_eq!(raw.scenario.horizon, Some(365.0));
    assert_eq!(raw.scenario.extends, None);
    // A distribution and a choice are one value each.
    let prior = raw.parameter["plot_rate"].prior.as_ref().unwrap();
    assert_eq!(
        (&prior.median, &prior.low),
        (&None, &Some(Expression::Number(0.0)))
    );
    assert_eq!(raw.parameter["plot_rate"].value, 0.6);
    let text = loaded.resolved_text();
    assert!(
        text.contains(r#"place = { among = "places", most = "1" }"#),
        "{text}"
    );
    // Tables merge by key; a number gives way to a table.
    assert!(text.contains("initial = { iran = 0.4, pakistan = 0.1, default = 0.0 }"));
    assert!(text.contains("half_life = { iran = 10 }"));
    assert_eq!(raw.actor["isis"].count, Some(2));
    // Arrays: by id or who, otherwise replaced.
    let action = &raw.action["attack"];
    assert!(action.effects.is_empty());
    assert_eq!(action.rung.len(), 1);
    assert_eq!(action.rung[0].step, Some(1));
    assert_eq!(action.rung[0].at_least, None);
    let suspects: Vec<_> = action
        .suspect
        .iter()
        .map(|s| (s.who.as_str(), s.weight.clone()))
        .collect();
    assert_eq!(
        suspects,
        [
            ("claimant", Expression::Number(9.0)),
            ("iran", Expression::Formula("resolve".to_owned())),
            ("pakistan", Expression::Number(2.0)),
        ]
    );
    let options: Vec<_> = raw.rule["iran_answers"]
        .option
        .iter()
        .map(|option| option.id.as_str())
        .collect();
    assert_eq!(options, ["strike", "hold", "talk"]);
    assert_eq!(
        raw.rule["iran_answers"].option[1].score,
        Some(Expression::Number(5.0))
    );
    let endgames: Vec<_> = raw
        .endgame
        .iter()
        .map(|endgame| endgame.id.as_str())
        .collect();
    assert_eq!(endgames, ["war", "new", "newer", "quiet"]);
    assert_eq!(raw.endgame[3].label.as_deref(), Some("Quiet"));
    assert!(!raw.process["plots"].enabled);
    // Every value is found in the file that it came from.
    let file_of = |path: &Path| {
        let span = loaded.locate(path).unwrap();
        loaded.sources.get(span.file).unwrap().name().to_owned()
    };
    assert_eq!(
        file_of(&Path::keys(["scenario", "title"])),
        "sub/child.toml"
    );
    assert_eq!(
        file_of(&Path::keys(["scenario", "horizon"])),
        "sub/../base.toml"
    );
    let option = Path::keys(["rule", "iran_answers", "option"]).index(1);
    assert_eq!(file_of(&option.key("score")), "sub/child.toml");
    assert_eq!(file_of(&option.key("stance")), "sub/../base.toml");
}

#[test]
fn extends_errors() {
    let extends = |target: &str| format!("[scenario]\nextends = \"{target}\"\n");
    let files = Memory::default()
        .file("a.toml", extends("sub/b.toml"))
        .file("sub/b.toml", extends("./c.toml"))
        .file("sub/c.toml", extends("../a.toml"))
        .file("self.toml", extends("self.toml"))
        .file(
            "lost.toml",
            extends("bas.toml") + "[process.plots]\nenabled = false\nhazrd = 1\n",
        )
        .file("base.toml", SAMPLE)
        .file(
            "typo.toml",
            extends("base.toml") + "[process.plot]\nenabled = false\n",
        )
        .file("broken.toml", extends("syntax.toml"))
        .file("syntax.toml", "x = y\n")
        .file("number.toml", "[scenario]\nextends = 5\n")
        .file("from_builtin.toml", extends("world/base"))
        .with_builtin("world/base", SAMPLE)
        .with_builtin("world/child", &extends("base.toml"))
        .with_builtin("world/other", &extends("world/base"))
        .with_builtin("world/lost", &extends("world/bse"))
        .with_builtin("world/round", &extends("round"));
    let cases = [
        (
            "a.toml",
            "2:11: scenarios extend each other in a circle: a.toml -> sub/b.toml -> sub/./c.toml -> a.toml",
        ),
        (
            "self.toml",
            "2:11: scenarios extend each other in a circle: self.toml -> self.toml",
        ),
        (
            "lost.toml",
            "2:11: there is no scenario file `bas.toml`, nor a built-in scenario `bas` | did you mean `base.toml`?\n\
             5:1: unknown key `hazrd` in `process.plots` | did you mean `hazard`?",
        ),
        (
            "typo.toml",
            "3:1: missing keys `who` and `hazard` in `process.plot` \
             | the scenario that this one extends has `plots`: use that name to change it \
             | `who`: An actor, or a set of actors with one independent clock each. \
             | `hazard`: Expected number per day at this moment.",
        ),
        ("broken.toml", "1:5: text must be in quotes | write \"y\""),
        (
            "number.toml",
            "2:11: `extends` must be text in quotes, not a number | put it in quotes \
             | `extends`: The scenario that this one builds on: a relative path, or a built-in name such as \"isis-iran/base\".",
        ),
        (
            "world/lost",
            "2:11: there is no built-in scenario `world/bse` | did you mean the built-in scenario `world/base`?",
        ),
        (
            "world/round",
            "2:11: scenarios extend each other in a circle: world/round -> world/round",
        ),
    ];
    for (name, expected) in cases {
        let problems = load_with(&files, name).unwrap_err();
        assert_eq!(lines(&problems).join("\n"), expected, "{name}");
    }
    for name in ["from_builtin.toml", "world/child", "world/other"] {
        assert!(load_with(&files, name).is_ok(), "{name}");
    }
}

#[test]
fn places_in_files() {
    let sample = good(SAMPLE);
    let slice = |span: Option<Span>| sample.sources.slice(span.unwrap()).unwrap();
    let option = Path::keys(["rule", "iran_answers", "option"]).index(0);
    assert_eq!(
        option.key("score").to_string(),
        "rule.iran_answers.option[0].score"
    );
    assert_eq!(slice(sample.locate(&option.key("score"))), "\"resolve\"");
    assert_eq!(slice(sample.locate_key(&option.key("score"))), "score");
    assert_eq!(
        slice(sample.locate(&option)),
        "[[rule.iran_answers.option]]"
    );
    assert_eq!(
        slice(Some(sample.locate_nearest(&option.key("nothing").key("x")))),
        "[[rule.iran_answers.option]]"
    );
    let effect = Path::keys(["action", "attack", "effects"]).index(1);
    assert_eq!(
        slice(sample.locate_in_formula(&effect, 0..13)),
        "target.unrest"
    );
    let hazard = Path::keys(["process", "plots", "hazard"]);
    assert_eq!(slice(sample.locate_in_formula(&hazard, 12..15)), "365");
    assert_eq!(
        slice(sample.locate_in_formula(&Path::keys(["scenario", "horizon"]), 0..1)),
        "365"
    );
    assert_eq!(sample.locate(&Path::keys(["rule", "nobody"])), None);
}

/// A change at a random place of the sample: cut, repeat, replace.
fn mutate(text: &str, edits: &[(usize, usize, String)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (at, len, insert) in edits {
        let start = at % (chars.len() + 1);
        let end = (start + len).min(chars.len());
        chars.splice(start..end, insert.chars());
    }
    chars.into_iter().collect()
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 300,
        failure_persistence: None,
        rng_seed: proptest::test_runner::RngSeed::Fixed(1),
        ..Default::default()
    })]

    /// Whatever is in the file, the answer is a scenario or a list of problems that can be shown.
    #[test]
    fn mutated_files_never_panic(
        edits in proptest::collection::vec(
            (
                proptest::prelude::any::<usize>(),
                0..40_usize,
                "([\\[\\]{}=.\"'#\n,é\u{0}\\\\]|[a-z_0-9 -]|\\[\\[|\"\"\"|extends = \"x\"|inf|nan|1e400){0,6}",
            ),
            1..6,
        )
    ) {
        let text = mutate(SAMPLE, &edits);
        match load_with(&Memory::default().file("a.toml", &text), "a.toml") {
            Ok(loaded) => {
                let again = load_text("a.toml", &loaded.resolved_text());
                proptest::prop_assert_eq!(again.map(|again| again.raw).ok(), Some(loaded.raw));
            }
            Err(problems) => {
                proptest::prop_assert!(problems.has_errors());
                proptest::prop_assert!(!problems.render(true).is_empty());
                proptest::prop_assert!(serde_json::to_string(&problems).is_ok());
            }
        }
    }
}

#[test]
fn rendering() {
    let text = SAMPLE
        .replace("hazard = \"plot_rate / 365\"", "hazrd = \"é\" # é")
        .replace("id = \"hold\"", "id = \"strike\"");
    let problems = load_text("dir/bad.toml", &text).unwrap_err();
    let expected = r#"error: missing key `hazard` in `process.plots`
  --> dir/bad.toml:77:1
   |
77 | [process.plots]
   | ^^^^^^^^^^^^^^^
   |
   = note: `hazard`: Expected number per day at this moment.

error: unknown key `hazrd` in `process.plots`
  --> dir/bad.toml:79:1
   |
79 | hazrd = "é" # é
   | ^^^^^ did you mean `hazard`?

error: `rule.iran_answers.option` has two elements with the id `strike`
  --> dir/bad.toml:97:6
   |
97 | id = "strike"
   |      ^^^^^^^^ used again here
   |
  ::: dir/bad.toml:90:6
   |
90 | id = "strike"
   |      -------- first used here"#;
    assert_eq!(problems.to_string(), expected);
    assert!(problems.render(true).contains("\u{1b}["));
}

#[test]
fn long_lines_are_cut() {
    let long = format!("host = [\"{}\"]", "é".repeat(5000));
    let text = SAMPLE.replacen("host = \"iran\"", &long, 1);
    let shown = load_text("a.toml", &text).unwrap_err().to_string();
    assert!(
        shown.lines().all(|line| line.chars().count() < 130),
        "{shown}"
    );
    let late = format!(
        "[scenario]\nsummary = {{ a = \"{}\", b = state }}",
        "é".repeat(5000)
    );
    let shown = load_text("a.toml", &late).unwrap_err().to_string();
    assert!(shown.contains("--> a.toml:2:5025"), "{shown}");
    assert!(
        shown.lines().all(|line| line.chars().count() < 130),
        "{shown}"
    );
}

#[test]
fn json() {
    let text = SAMPLE.replace("label = \"War\"", "label = \"Wär\"\nlabl = 1");
    let problems = load_text("a.toml", &text).unwrap_err();
    assert_eq!(
        serde_json::to_value(&problems).unwrap(),
        serde_json::json!([{
            "severity": "error",
            "message": "unknown key `labl` in `ladder.rung[1]`",
            "location": {
                "file": "a.toml", "line": 57, "column": 1, "end_line": 57, "end_column": 5,
                "label": null
            },
            "related": [],
            "help": "the keys here are `id`, `label` and `note`",
            "notes": [],
        }])
    );
}

#[test]
fn adding_to_what_is_inherited() {
    let child = r#"
[scenario]
extends = "base.toml"
[parameter.plot_rate]
value = 2
[actor.isis]
add = { rivals = ["pakistan"] }
[action.attack]
foiled_effects = []
[action.attack.add]
effects = ["target.unrest += 1"]
foiled_effects = ["target.unrest += 2"]
[[action.attack.add.rung]]
between = ["target", "host"]
step = 1
[rule.iran_answers]
add = { on = "strike" }
"#;
    let files = Memory::default()
        .file("base.toml", SAMPLE)
        .file("child.toml", child);
    let loaded = load_with(&files, "child.toml").unwrap_or_else(|problems| panic!("{problems}"));
    let (raw, base) = (&loaded.raw, &good(SAMPLE).raw);
    let longer = |old: &[String], new: &str| -> Vec<String> {
        old.iter().cloned().chain([new.to_owned()]).collect()
    };
    let (old, new) = (&base.action["attack"], &raw.action["attack"]);
    assert!(!old.effects.is_empty() && !old.rung.is_empty());
    assert_eq!(new.effects, longer(&old.effects, "target.unrest += 1"));
    // First what the file says of the list itself, then what it adds.
    assert_eq!(new.foiled_effects, ["target.unrest += 2"]);
    assert_eq!(new.rung[..old.rung.len()], old.rung[..]);
    assert_eq!(new.rung.last().unwrap().step, Some(1));
    let rivals = longer(&base.actor["isis"].rivals, "pakistan");
    assert_eq!(raw.actor["isis"].rivals, rivals);
    let on = longer(base.rule["iran_answers"].on.names(), "strike");
    assert_eq!(raw.rule["iran_answers"].on.names(), on);
    assert!(raw.action["attack"].add.is_none());
    // A value without a prior is certain.
    assert!(base.parameter["plot_rate"].prior.is_some());
    assert_eq!(raw.parameter["plot_rate"].prior, None);
    assert_eq!(raw.parameter["plot_rate"].value, 2.0);
    // What is added is found where it was written.
    let path = Path::keys(["action", "attack", "effects"]).index(new.effects.len() - 1);
    let span = loaded.locate(&path).unwrap();
    assert_eq!(loaded.sources.get(span.file).unwrap().name(), "child.toml");
}

#[test]
fn only_lists_are_added() {
    let files = Memory::default().file("base.toml", SAMPLE).file(
        "child.toml",
        "[scenario]\nextends = \"base.toml\"\n[action.attack]\nadd = { efects = [\"target.unrest = 0\"] }\n[parameter.plot_rate]\nadd = { effects = [] }\n",
    );
    let problems = load_with(&files, "child.toml").unwrap_err();
    let said = lines(&problems);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said.iter().any(|line| line.starts_with(
            "4:9: unknown key `efects` in `action.attack.add` | did you mean `effects`?"
        )),
        "{said:?}"
    );
    assert!(
        said.iter()
            .any(|line| line.starts_with("6:1: unknown key `add` in `parameter.plot_rate`")),
        "{said:?}"
    );
}
