//! The runs one by one, in order, whatever thread made them.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::engine::RunState;

/// What consecutive runs came to, a row a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Number of the first run.
    pub first_run: u64,
    /// World of each run.
    pub worlds: Vec<u64>,
    /// Endgame of each run, by index; `None` for a capped run.
    pub endgames: Vec<Option<u32>>,
    /// Number of events of each run.
    pub events: Vec<u64>,
    /// Run by run, and within a run in the model's order.
    pub flags: Vec<bool>,
    /// Run by run, and within a run in the model's order; infinite for a day that never came.
    pub metrics: Vec<f64>,
}

impl Rows {
    /// No rows yet; the first will be run `first_run`.
    pub fn new(first_run: u64) -> Self {
        Self {
            first_run,
            ..Self::default()
        }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.worlds.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.worlds.is_empty()
    }

    /// Adds the rows that follow these.
    pub fn append(&mut self, next: &Rows) {
        debug_assert_eq!(next.first_run, self.first_run + self.len() as u64);
        self.worlds.extend_from_slice(&next.worlds);
        self.endgames.extend_from_slice(&next.endgames);
        self.events.extend_from_slice(&next.events);
        self.flags.extend_from_slice(&next.flags);
        self.metrics.extend_from_slice(&next.metrics);
    }

    pub(super) fn push(&mut self, world: u64, state: &RunState) {
        self.worlds.push(world);
        self.endgames.push(state.endgame());
        self.events.push(state.events());
        self.flags.extend_from_slice(state.flags());
        self.metrics.extend_from_slice(state.metrics());
    }
}

/// Takes the runs of an experiment in the order of their numbers.
pub trait RowSink: Send {
    /// Takes the runs that follow those taken before.
    ///
    /// # Errors
    /// They cannot be stored; the experiment then stops.
    fn take(&mut self, rows: &Rows) -> io::Result<()>;
}

/// Puts chunks of rows in order, and holds back threads that run too far ahead of the slowest.
pub(super) struct Sequencer<'s> {
    state: Mutex<State<'s>>,
    moved: Condvar,
    window: u64,
}

struct State<'s> {
    sink: &'s mut dyn RowSink,
    /// Number of the chunk that the sink takes next.
    next: u64,
    waiting: BTreeMap<u64, Rows>,
    closed: bool,
    error: Option<io::Error>,
}

impl<'s> Sequencer<'s> {
    /// At most `window` chunks are held at once.
    pub fn new(sink: &'s mut dyn RowSink, window: u64) -> Self {
        let state = State {
            sink,
            next: 0,
            waiting: BTreeMap::new(),
            closed: false,
            error: None,
        };
        Self {
            state: Mutex::new(state),
            moved: Condvar::new(),
            window,
        }
    }

    /// Hands over chunk number `chunk`; waits while it is too far ahead. Chunks must be claimed in order, so that the thread
    /// with the next chunk never waits. Gives false once the sequence is closed: rows are then no longer wanted.
    pub fn submit(&self, chunk: u64, rows: Rows) -> bool {
        let mut state = self.lock();
        while !state.closed && chunk >= state.next + self.window {
            state = (self.moved.wait(state)).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return false;
        }
        state.waiting.insert(chunk, rows);
        loop {
            let next = state.next;
            let Some(rows) = state.waiting.remove(&next) else {
                break;
            };
            if let Err(error) = state.sink.take(&rows) {
                state.error = Some(error);
                state.closed = true;
                break;
            }
            state.next += 1;
        }
        self.moved.notify_all();
        !state.closed
    }

    /// Takes no more rows and lets all waiting threads go.
    pub fn close(&self) {
        self.lock().closed = true;
        self.moved.notify_all();
    }

    /// Why the sink refused, if it did.
    pub fn into_error(self) -> Option<io::Error> {
        let state = self.state.into_inner();
        state.unwrap_or_else(PoisonError::into_inner).error
    }

    fn lock(&self) -> MutexGuard<'_, State<'s>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes a sequence when a thread unwinds, so that the others do not wait for its chunk for ever.
pub(super) struct CloseOnPanic<'a, 's>(pub Option<&'a Sequencer<'s>>);

impl Drop for CloseOnPanic<'_, '_> {
    fn drop(&mut self) {
        if let (true, Some(sequencer)) = (std::thread::panicking(), self.0) {
            sequencer.close();
        }
    }
}
