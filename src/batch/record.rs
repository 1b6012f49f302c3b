//! What is kept of each run: a few bytes of fixed length, so that any run of any cell can be found at once.

use crate::engine::RunState;

/// The outcome byte of a run that was stopped at the cap on events.
const CAPPED: u8 = 254;
/// The outcome byte of a run that could not be made.
const FAILED: u8 = 255;

/// How a record is laid out: a byte for the outcome, four for the number of events, a bit for each flag, eight bytes for each
/// metric; little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    flags: usize,
    metrics: usize,
}

/// Where the flags begin.
const FLAGS: usize = 5;

impl Layout {
    /// The layout for so many flags and metrics.
    pub fn new(flags: usize, metrics: usize) -> Self {
        Self { flags, metrics }
    }

    /// Length of a record in bytes.
    pub fn bytes(self) -> usize {
        self.first_metric() + 8 * self.metrics
    }

    fn first_metric(self) -> usize {
        FLAGS + self.flags.div_ceil(8)
    }

    /// Writes a finished run, of which the metrics with these indices are kept.
    pub(super) fn write(self, record: &mut [u8], state: &RunState, metrics: &[usize]) {
        record[0] = state.endgame().map_or(CAPPED, |endgame| endgame as u8);
        let events = u32::try_from(state.events()).unwrap_or(u32::MAX);
        record[1..FLAGS].copy_from_slice(&events.to_le_bytes());
        record[FLAGS..self.first_metric()].fill(0);
        for (flag, &holds) in state.flags().iter().enumerate() {
            record[FLAGS + flag / 8] |= u8::from(holds) << (flag % 8);
        }
        let values = state.metrics();
        let slots = record[self.first_metric()..].chunks_exact_mut(8);
        for (slot, &metric) in slots.zip(metrics) {
            slot.copy_from_slice(&values[metric].to_le_bytes());
        }
    }

    /// Writes a run that could not be made.
    pub(super) fn write_failure(self, record: &mut [u8]) {
        record.fill(0);
        record[0] = FAILED;
    }

    /// Reads a record of this layout.
    pub fn read(self, bytes: &[u8]) -> Record<'_> {
        Record {
            layout: self,
            bytes,
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// In the endgame with this index.
    Endgame(usize),
    /// At the cap on events.
    Capped,
    /// With an error.
    Failed,
}

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    layout: Layout,
    bytes: &'a [u8],
}

impl Record<'_> {
    /// How the run ended.
    pub fn ending(&self) -> Ending {
        match self.bytes[0] {
            CAPPED => Ending::Capped,
            FAILED => Ending::Failed,
            endgame => Ending::Endgame(usize::from(endgame)),
        }
    }

    /// Whether the run was stopped at the cap on events.
    pub fn is_capped(&self) -> bool {
        self.ending() == Ending::Capped
    }

    /// Number of events.
    pub fn events(&self) -> u32 {
        u32::from_le_bytes([self.bytes[1], self.bytes[2], self.bytes[3], self.bytes[4]])
    }

    /// Whether the flag with this index held.
    pub fn flag(&self, index: usize) -> bool {
        self.bytes[FLAGS + index / 8] >> (index % 8) & 1 == 1
    }

    /// The recorded metric with this index; infinite for a day that never came.
    pub fn metric(&self, index: usize) -> f64 {
        let start = self.layout.first_metric() + 8 * index;
        let mut value = [0; 8];
        value.copy_from_slice(&self.bytes[start..start + 8]);
        f64::from_le_bytes(value)
    }
}
