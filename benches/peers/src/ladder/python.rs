//! Python packages: one process each, which runs on request and times itself.

use crate::compare::{Batch, Contender};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

struct Worker {
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    fn start(python: &Path, module: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/worker.py");
        let mut process = Command::new(python)
            .arg(script)
            .arg(module)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a Python interpreter");
        let requests = process.stdin.take().expect("its input");
        let answers = BufReader::new(process.stdout.take().expect("its output"));
        Self {
            process,
            requests,
            answers,
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("an answer");
        line.trim().to_owned()
    }

    fn batch(&mut self, first: u64, runs: u64) -> Batch {
        writeln!(self.requests, "{first} {runs}").expect("a listener");
        let answer = self.line();
        let mut fields = answer.split(' ');
        let seconds = fields.next().and_then(|f| f.parse().ok()).expect("seconds");
        let counts = fields.map(|f| f.parse().expect("a count")).collect();
        Batch { seconds, counts }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It waits for input and has nothing to lose; one that has ended already needs no ending.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The peer in `python/<module>_ladder.py`.
pub fn contender(python: &Path, name: &str, module: &str) -> Contender {
    let mut worker = Worker::start(python, module);
    Contender {
        name: name.to_owned(),
        version: worker.line(),
        checked_runs: 1_500,
        batch: Box::new(move |first, runs| worker.batch(first, runs)),
    }
}
