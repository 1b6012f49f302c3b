//! Row bootstrap of the means of row moments.

use rayon::prelude::*;

use super::moments::Moments;
use crate::sensitivity::hash::{child, resample_counts};

/// Resamples that one task makes: its sums and counts stay in the second-level cache.
const RESAMPLES_PER_TASK: usize = 32;
/// Rows whose moments are held at once by a task.
const ROWS_AT_ONCE: usize = 64;
const UNROLL: usize = 4;

/// Mean moments of each resample of `rows` (numbers of complete blocks), `resamples x count`.
///
/// Each resample draws its rows from its own key and adds them in the order of the rows, so the
/// result is the same for any number of threads. Moments are recomputed by every task instead of
/// being stored: memory is that of the rows.
pub(crate) fn resampled_means(
    moments: Moments,
    values: &[f64],
    rows: &[usize],
    shift: f64,
    resamples: usize,
    seed: u64,
) -> Vec<Vec<f64>> {
    let tasks = resamples.div_ceil(RESAMPLES_PER_TASK);
    let task = |t: usize| {
        let first = t * RESAMPLES_PER_TASK;
        let count = RESAMPLES_PER_TASK.min(resamples - first);
        let weights: Vec<Vec<u16>> = (first..first + count)
            .map(|r| resample_counts(rows.len(), child(seed, r as u64)))
            .collect();
        sums(moments, values, rows, shift, &weights)
    };
    let means: Vec<Vec<Vec<f64>>> = (0..tasks).into_par_iter().map(task).collect();
    means.into_iter().flatten().collect()
}

fn sums(
    moments: Moments,
    values: &[f64],
    rows: &[usize],
    shift: f64,
    weights: &[Vec<u16>],
) -> Vec<Vec<f64>> {
    let width = moments.count();
    let runs = moments.layout.runs();
    let mut sums = vec![vec![0.0; width]; weights.len()];
    let mut table = vec![0.0; ROWS_AT_ONCE * width];
    for (chunk, part) in rows.chunks(ROWS_AT_ONCE).enumerate() {
        // Rows that are not there have weight zero below; their old moments do no harm.
        for (row, out) in part.iter().zip(table.chunks_mut(width)) {
            moments.write(&values[row * runs..(row + 1) * runs], shift, out);
        }
        let start = chunk * ROWS_AT_ONCE;
        for (sum, counts) in sums.iter_mut().zip(weights) {
            let counts = &counts[start..start + part.len()];
            for (group, rows) in counts.chunks(UNROLL).zip(table.chunks(UNROLL * width)) {
                let mut weight = [0.0; UNROLL];
                for (w, &count) in weight.iter_mut().zip(group) {
                    *w = f64::from(count);
                }
                add_four(sum, rows, weight);
            }
        }
    }
    for sum in &mut sums {
        for s in sum {
            *s /= rows.len() as f64;
        }
    }
    sums
}

/// Adds four weighted rows at once: each sum is read and written once instead of four times.
fn add_four(sum: &mut [f64], rows: &[f64], w: [f64; UNROLL]) {
    let width = sum.len();
    let (r0, rest) = rows.split_at(width);
    let (r1, rest) = rest.split_at(width);
    let (r2, r3) = rest.split_at(width);
    let rows = r0.iter().zip(r1).zip(r2).zip(r3);
    for (s, (((a, b), c), d)) in sum.iter_mut().zip(rows) {
        *s += w[0] * a + w[1] * b + w[2] * c + w[3] * d;
    }
}
