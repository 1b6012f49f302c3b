//! The commands of the chapter on what-ifs run, and what the chapter shows is laid out as what they print.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::examples::{BASE, tutorial};
use crate::markdown::guide;

/// What the command prints in a folder with the tutorial's last scenario.
pub fn printed(folder: &Path, command: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_flashpoint"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = vec![program.parent().unwrap().to_owned()];
    folders.extend(std::env::split_paths(&path));
    let output = Command::new("sh")
        .args(["-e", "-c", command])
        .env("PATH", std::env::join_paths(folders).unwrap())
        .current_dir(folder)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}\n{errors}");
    assert_eq!(errors, "", "{command}");
    String::from_utf8(output.stdout).unwrap()
}

/// The lines without a number: titles, headers, notes. Numbers change with every change of the tutorial or of the draws.
pub fn layout(text: &str) -> Vec<String> {
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let plain = |line: &&str| !line.contains(|c: char| c.is_ascii_digit());
    let ruled = |line: &String| !line.is_empty() && !line.contains('─');
    text.lines()
        .filter(plain)
        .map(words)
        .filter(ruled)
        .collect()
}

#[test]
fn commands_run_and_print_what_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(BASE), tutorial()).unwrap();
    let blocks = guide("what-if.md").blocks();
    let (mut run, mut shown) = (0, 0);
    for (at, block) in blocks.iter().enumerate() {
        if block.info != "sh" {
            continue;
        }
        run += 1;
        let command = block.text.trim_end();
        let next = blocks.get(at + 1).filter(|next| next.info == "text");
        // What is not shown needs few runs.
        let few = if next.is_some() { "" } else { " --runs 100" };
        let said = printed(folder.path(), &format!("{command}{few}"));
        if let Some(next) = next {
            shown += 1;
            assert_eq!(layout(&said), layout(&next.text), "{}", block.place);
        }
    }
    assert!(run >= 3 && shown >= 2, "{run} {shown}");
}

#[test]
fn another_layout_is_found() {
    let line = "Difference: variant less baseline\n";
    assert_eq!(
        layout(&format!("Raids 3.1\n{line}")),
        layout(&format!("Raids 4\n{line}"))
    );
    assert_ne!(layout(line), layout(""));
}
