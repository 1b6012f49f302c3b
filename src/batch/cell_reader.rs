//! Reading the runs of cells out of the chunks of a batch.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use super::store::{HEADER, Store, StoreError};

/// Reads the runs of some cells out of the chunks of a batch.
pub struct CellReader<'a> {
    store: &'a Store,
    /// First unit of each chunk, in order.
    chunks: Vec<u64>,
    /// Blocks that every cell has.
    rounds: u64,
}

impl<'a> CellReader<'a> {
    /// Reads the first `rounds` blocks of cells, which must all be stored.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn new(store: &'a Store, rounds: u64) -> Result<Self, StoreError> {
        Ok(Self {
            chunks: store.stored()?,
            store,
            rounds,
        })
    }

    /// Number of blocks of each cell.
    pub fn rounds(&self) -> u64 {
        self.rounds
    }

    /// The records of the cells `cells`, cell by cell and run by run.
    ///
    /// # Errors
    /// A chunk cannot be read.
    pub fn read(&self, cells: Range<u64>) -> Result<Vec<u8>, StoreError> {
        let unit_bytes = self.store.unit_bytes;
        let count = (cells.end - cells.start) as usize;
        let cell_bytes = self.rounds as usize * unit_bytes;
        let mut records = vec![0; count * cell_bytes];
        let mut piece = vec![0; count * unit_bytes];
        for round in 0..self.rounds {
            let first = round * self.store.cells + cells.start;
            self.read_units(first, &mut piece)?;
            for (cell, unit) in piece.chunks_exact(unit_bytes).enumerate() {
                let start = cell * cell_bytes + round as usize * unit_bytes;
                records[start..start + unit_bytes].copy_from_slice(unit);
            }
        }
        Ok(records)
    }

    /// Fills `room` with the records of consecutive units.
    fn read_units(&self, first: u64, room: &mut [u8]) -> Result<(), StoreError> {
        let unit_bytes = self.store.unit_bytes as u64;
        let mut unit = first;
        let mut room = room;
        while !room.is_empty() {
            let place = self.chunks.partition_point(|&start| start <= unit);
            let start = place.checked_sub(1).map_or(0, |place| self.chunks[place]);
            let failed = |error| StoreError::io(&self.store.chunk_path(start), error);
            let wanted = (room.len() as u64 / unit_bytes)
                .min(self.chunks.get(place).map_or(u64::MAX, |next| next - unit));
            let (now, later) = room.split_at_mut((wanted * unit_bytes) as usize);
            let mut file = self.store.open_chunk(start)?;
            let offset = HEADER as u64 + (unit - start) * unit_bytes;
            file.seek(SeekFrom::Start(offset)).map_err(failed)?;
            file.read_exact(now).map_err(failed)?;
            unit += wanted;
            room = later;
        }
        Ok(())
    }
}
