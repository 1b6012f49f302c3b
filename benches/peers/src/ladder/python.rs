//! Python packages: processes that run on request and time themselves.

use crate::contender::{Contender, Runner, shares};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

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

    /// Asks for runs; [`Worker::answer`] waits for them.
    fn ask(&mut self, first: u64, runs: u64) {
        writeln!(self.requests, "{first} {runs}").expect("a listener");
    }

    /// CPU seconds that the runs took, and how many came out in each cell.
    fn answer(&mut self) -> (f64, Vec<u64>) {
        let answer = self.line();
        let mut fields = answer.split(' ');
        let seconds = fields.next().and_then(|f| f.parse().ok()).expect("seconds");
        let counts = fields.map(|f| f.parse().expect("a count")).collect();
        (seconds, counts)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It waits for input and has nothing to lose; one that has ended already needs no ending.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A package, and as many processes that run it as cores were ever asked for.
struct Package {
    python: PathBuf,
    module: &'static str,
    workers: Vec<Worker>,
}

impl Package {
    fn start(&mut self, workers: usize) -> String {
        let mut version = String::new();
        while self.workers.len() < workers {
            let mut worker = Worker::start(&self.python, self.module);
            version = worker.line();
            self.workers.push(worker);
        }
        version
    }

    fn batch(&mut self, first: u64, runs: u64) -> (f64, Vec<u64>) {
        self.workers[0].ask(first, runs);
        self.workers[0].answer()
    }
}

impl Runner for Package {
    fn outcomes(&mut self, first: u64, runs: u64) -> Vec<u64> {
        self.batch(first, runs).1
    }

    fn cpu_seconds(&mut self, first: u64, runs: u64) -> f64 {
        self.batch(first, runs).0
    }

    fn wall_seconds(&mut self, first: u64, runs: u64, cores: usize) -> f64 {
        self.start(cores);
        let start = Instant::now();
        for (worker, (from, until)) in self.workers.iter_mut().zip(shares(first, runs, cores)) {
            worker.ask(from, until - from);
        }
        for worker in &mut self.workers {
            worker.answer();
        }
        start.elapsed().as_secs_f64()
    }
}

/// The peer in `python/<module>_ladder.py`.
pub fn contender(python: &Path, name: &str, module: &'static str) -> Contender {
    let mut package = Package {
        python: python.to_owned(),
        module,
        workers: Vec::new(),
    };
    Contender {
        name: name.to_owned(),
        version: package.start(1),
        checked_runs: 1_500,
        runner: Box::new(package),
    }
}
