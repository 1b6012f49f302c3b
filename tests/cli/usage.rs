use std::path::Path;
use std::process::{Command, Stdio};

use crate::{flashpoint, folder, succeed};

const COMMANDS: [&str; 16] = [
    "batch",
    "status",
    "compare",
    "rank",
    "sensitivity",
    "discover",
    "hindcast",
    "calibrate",
    "trace",
    "check",
    "describe",
    "scenarios",
    "new",
    "schema",
    "completions",
    "man",
];

#[test]
fn help_names_every_command_and_exit_code() {
    let help = succeed(Path::new("."), &["--help"]);
    for word in COMMANDS {
        assert!(help.contains(&format!("\n  {word} ")), "{word}\n{help}");
        let own = succeed(Path::new("."), &[word, "--help"]);
        assert!(own.contains(&format!("Usage: flashpoint {word}")), "{own}");
    }
    for code in [
        "  0  done",
        "  1  failure",
        "  2  bad usage",
        "  3  some cells of a batch failed",
        "130  interrupted",
    ] {
        assert!(help.contains(code), "{code}\n{help}");
    }
}

#[test]
fn bad_usage_ends_with_2_and_says_so_on_standard_error() {
    let cases: [(&[&str], &str); 7] = [
        (&[], "Usage: flashpoint"),
        (&["descibe"], "'describe'"),
        (&["check"], "<FILE>..."),
        (&["trace", "x"], "--run <K>"),
        (&["trace", "x", "--run", "-1"], "-1"),
        (
            &["trace", "x", "--run", "0", "--set", "a=b"],
            "`b` is not a finite number",
        ),
        (
            &["scenarios", "--show", "no/such"],
            "there is no built-in scenario `no/such`",
        ),
    ];
    for (arguments, message) in cases {
        let done = flashpoint(Path::new("."), arguments);
        assert_eq!((done.code, done.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(done.stderr.contains(message), "{}", done.stderr);
        assert!(!done.stderr.contains('\x1b'), "no colours in a pipe");
    }
}

#[test]
fn completions_and_manual_pages_name_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = succeed(Path::new("."), &["completions", shell]);
        assert!(COMMANDS.iter().all(|word| script.contains(word)), "{shell}");
    }
    let page = succeed(Path::new("."), &["man"]);
    assert!(page.contains(".TH flashpoint 1"));
    assert!(
        COMMANDS
            .iter()
            .all(|word| page.contains(&format!("flashpoint\\-{word}(1)")))
    );
    let page = succeed(Path::new("."), &["man", "trace"]);
    assert!(page.contains(".TH flashpoint-trace 1") && page.contains("\\-\\-run"));
    assert_eq!(flashpoint(Path::new("."), &["man", "nothing"]).code, 2);
}

#[test]
fn the_schema_in_the_repository_is_up_to_date() {
    for (kind, title) in [
        ("scenario", "Flashpoint scenario"),
        ("experiment", "Flashpoint experiment"),
        ("hindcast", "Flashpoint hindcast"),
        ("base-rates", "Flashpoint base rates"),
        ("calibration", "Flashpoint calibration"),
    ] {
        let schema = succeed(Path::new("."), &["schema", kind]);
        let parsed: serde_json::Value = serde_json::from_str(&schema).unwrap();
        assert_eq!(parsed["title"], title);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let path = folder.join(format!("{kind}.schema.json"));
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            schema == committed,
            "run: flashpoint schema {kind} > scenarios/{kind}.schema.json"
        );
    }
    let plain = succeed(Path::new("."), &["schema"]);
    assert_eq!(plain, succeed(Path::new("."), &["schema", "scenario"]));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_flashpoint"))
        .arg("schema")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_flashpoint"))
        .arg("schema")
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(
        message.starts_with("error: cannot write the output: "),
        "{message}"
    );
}

#[test]
fn a_new_scenario_is_sound_described_and_traced() {
    let folder = folder(&[]);
    let told = succeed(folder.path(), &["new", "crisis"]);
    assert!(told.contains("flashpoint check crisis.toml"), "{told}");
    let checked = succeed(folder.path(), &["check", "crisis.toml"]);
    assert_eq!(
        checked,
        "crisis.toml: ok: 3 actors, 2 places, 1 stock, 4 actions, 1 process, 2 rules, 4 parameters, 5 metrics, \
         3 endgames\n"
    );
    let described = succeed(folder.path(), &["describe", "crisis.toml"]);
    assert!(described.starts_with("# An armed group between two states\n"));
    let traced = succeed(folder.path(), &["trace", "crisis.toml", "--run", "0"]);
    assert!(traced.contains("\nEndgame: "), "{traced}");
}

#[test]
fn a_new_scenario_overwrites_nothing() {
    let folder = folder(&[("mine.toml", "precious")]);
    let path = folder.path().join("mine.toml");
    for name in ["mine", "mine.toml"] {
        let done = flashpoint(folder.path(), &["new", name]);
        assert_eq!(done.code, 2);
        assert!(
            done.stderr.contains("`mine.toml` exists already"),
            "{}",
            done.stderr
        );
    }
    assert_eq!(std::fs::read_to_string(path).unwrap(), "precious");
    for name in ["", ".", "../up", "a/b"] {
        assert_eq!(flashpoint(folder.path(), &["new", name]).code, 2, "{name}");
    }
    let told = succeed(folder.path(), &["new", "mine", "--dir", "sub"]);
    assert!(told.starts_with("Wrote sub"), "{told}");
    assert!(folder.path().join("sub/mine.toml").exists());
}
