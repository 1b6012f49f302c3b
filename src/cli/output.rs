//! Where commands print.

use std::io::{self, BufWriter, IsTerminal, Write};

/// Standard output and standard error, or what stands for them in a test.
pub struct Output {
    stdout: Box<dyn Write>,
    stderr: Box<dyn Write>,
    /// Whether standard output takes colours.
    pub stdout_colour: bool,
    /// Whether standard error takes colours.
    pub stderr_colour: bool,
    /// Whether somebody is watching standard error: progress is shown only then.
    pub stderr_terminal: bool,
}

impl Output {
    /// The streams of this process. Colours are for terminals, unless `NO_COLOR` is set (<https://no-color.org>).
    pub fn standard() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|value| value != "dumb");
        let stderr_terminal = io::stderr().is_terminal();
        Self {
            stdout_colour: wanted && io::stdout().is_terminal(),
            stderr_colour: wanted && stderr_terminal,
            stderr_terminal,
            stdout: Box::new(BufWriter::new(io::stdout())),
            stderr: Box::new(io::stderr()),
        }
    }

    /// Streams that go elsewhere: no terminal, no colours.
    pub fn to(stdout: impl Write + 'static, stderr: impl Write + 'static) -> Self {
        Self {
            stdout: Box::new(stdout),
            stderr: Box::new(stderr),
            stdout_colour: false,
            stderr_colour: false,
            stderr_terminal: false,
        }
    }

    /// Prints a result, as it is.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn print(&mut self, text: &str) -> io::Result<()> {
        self.stdout.write_all(text.as_bytes())
    }

    /// Standard output, for what is written piece by piece.
    pub fn stdout(&mut self) -> &mut dyn Write {
        &mut *self.stdout
    }

    /// Prints a remark to standard error, as it is, behind the results so far. That nobody can read it is no error.
    pub fn remark(&mut self, text: &str) {
        let _ = self.stdout.flush();
        let _ = self.stderr.write_all(text.as_bytes());
    }

    /// Writes out what is held back.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }
}
