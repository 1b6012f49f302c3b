//! Kernel (MMD) sensitivity indices from the runs of a [`SobolDesign`]: how much a factor moves the
//! whole distribution of the output, or which category is reached, and not only its variance.
//!
//! With k a kernel on outputs and D = E k(Y, Y) - E k(Y, Y') for independent Y and Y':
//!
//! * first order: (E k(Y_B, Y_ABi) - E k(Y_B, Y_A)) / D,
//! * joint total: (E \[k(Y_A, Y_A) + k(Y_ABi, Y_ABi)\] / 2 - E k(Y_A, Y_ABi)) / D, with common keys,
//! * noise share: the same between f(A, wa) and f(A, wb).
//!
//! k(y, y') = y y' gives the Sobol indices (with Jansen's total). Source: Da Veiga (2021),
//! "Kernel-based ANOVA decomposition and Shapley effects", arXiv:2101.05487, sections 3 and 4. E k(Y, Y')
//! is the mean over all pairs of one scramble, one of each pair from A and one from B.
//!
//! As with Sobol indices, a factor that changed nothing at any point is not certainly without effect: with q the
//! largest share of points that goes unseen and d the largest half squared distance
//! (k(y, y) + k(y', y')) / 2 - k(y, y') of two outputs, the intervals of its total, and of its first order, which
//! is no larger, reach up to q d / D; likewise that of the noise share.

use super::blocks::{Completeness, ScrambledBlocks};
use super::design::Design;
use super::error::{Error, Outcome};
use super::replicate::{Dummy, Estimate, check_level};
use super::sobol::{SobolDesign, blocks_of};

/// A kernel on outputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// y y': the variance, as Sobol indices.
    Product,
    /// -|y - y'|: the energy distance, which sees the whole distribution of a number.
    Energy,
    /// 1 if y = y', else 0: for the numbers of categories. D is then the probability that two
    /// runs differ (Gini's index), and the joint total is the probability that a change of the
    /// factor changes the category, over D.
    Category,
}

impl Kernel {
    fn of(self, x: f64, y: f64) -> f64 {
        match self {
            Kernel::Product => x * y,
            Kernel::Energy => -(x - y).abs(),
            Kernel::Category => f64::from(u8::from(x == y)),
        }
    }

    /// Half of k(x, x) + k(y, y) - 2 k(x, y): half the squared distance in the kernel's space.
    fn half_distance(self, x: f64, y: f64) -> f64 {
        match self {
            Kernel::Product => 0.5 * (x - y) * (x - y),
            Kernel::Energy => (x - y).abs(),
            Kernel::Category => f64::from(u8::from(x != y)),
        }
    }

    /// Mean of k over all pairs of one of `xs` and one of `ys`, in O(n log n).
    fn mean_of_pairs(self, xs: &mut [f64], ys: &mut [f64]) -> f64 {
        let pairs = xs.len() as f64 * ys.len() as f64;
        xs.sort_by(f64::total_cmp);
        ys.sort_by(f64::total_cmp);
        match self {
            Kernel::Product => xs.iter().sum::<f64>() * ys.iter().sum::<f64>() / pairs,
            Kernel::Energy => {
                let total: f64 = ys.iter().sum();
                let (mut below, mut sum_below, mut distance) = (0, 0.0, 0.0);
                for &x in xs.iter() {
                    while below < ys.len() && ys[below] <= x {
                        sum_below += ys[below];
                        below += 1;
                    }
                    let above = (ys.len() - below) as f64;
                    distance += x * below as f64 - sum_below + (total - sum_below) - x * above;
                }
                -distance / pairs
            }
            Kernel::Category => {
                let (mut start, mut equal) = (0, 0.0);
                for &x in xs.iter() {
                    while start < ys.len() && ys[start] < x {
                        start += 1;
                    }
                    let run = ys[start..].partition_point(|&y| y <= x);
                    equal += run as f64;
                }
                equal / pairs
            }
        }
    }
}

/// Kernel indices of one factor or group, shares without unit.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnKernelIndices {
    /// Name of the factor or group.
    pub name: String,
    /// What the factor explains alone.
    pub first: Estimate,
    /// What the factor takes part in, with other factors or with chance.
    pub joint_total: Estimate,
}

/// The result of [`kernel_indices`].
#[derive(Debug, Clone, PartialEq)]
pub struct KernelIndices {
    /// Kernel they belong to.
    pub kernel: Kernel,
    /// One for each column.
    pub columns: Vec<ColumnKernelIndices>,
    /// D = E k(Y, Y) - E k(Y, Y'): variance, half the mean difference of energy distance, or the
    /// probability that two runs reach different categories.
    pub spread: Estimate,
    /// Share of the spread that is chance at fixed factors.
    pub noise_share: Estimate,
    /// First-order index of a factor that the model does not see.
    pub dummy_first: Estimate,
    /// As [`super::SobolIndices::rank_instability`], of the joint totals.
    pub rank_instability: f64,
    /// Failed runs and the points left.
    pub completeness: Completeness,
}

const SELF: usize = 0;
const A_WITH_B: usize = 1;
const NOISE: usize = 2;
const PAIRS: usize = 3;
const COMMON: usize = 4;

/// Kernel indices from the outcomes of the first rows of a design (see
/// [`super::sobol::sobol_indices`] for `outcomes`). Intervals come from the scrambles.
///
/// # Errors
/// As [`super::sobol::sobol_indices`].
pub fn kernel_indices(
    design: &SobolDesign,
    outcomes: &[Outcome],
    kernel: Kernel,
    level: f64,
) -> Result<KernelIndices, Error> {
    check_level(level)?;
    let data = blocks_of(design, outcomes)?;
    // Categories must keep their numbers: equality would not survive a shift.
    let shift = if kernel == Kernel::Product {
        data.shift()
    } else {
        0.0
    };
    let columns = design.factors().columns();
    let d = columns.len();
    let mut sums = data.replicate_sums(COMMON + 2 * d, |_, block, out| {
        let (a, b, c) = (block[0] - shift, block[1] - shift, block[2] - shift);
        out[SELF] = 0.5 * (kernel.of(a, a) + kernel.of(b, b));
        out[A_WITH_B] = kernel.of(a, b);
        out[NOISE] = kernel.half_distance(a, c);
        for (i, ab) in block[3..3 + d].iter().enumerate() {
            let ab = ab - shift;
            out[COMMON + i] = kernel.of(b, ab) - kernel.of(b, a);
            out[COMMON + d + i] = kernel.half_distance(a, ab);
        }
    });
    for r in 0..sums.counts.len() {
        let count = sums.counts[r] as f64;
        if count > 0.0 {
            let (mut a, mut b) = outputs_of_scramble(&data, r, shift);
            sums.of(r)[PAIRS] = count * kernel.mean_of_pairs(&mut a, &mut b);
        }
    }
    let statistics = |m: &[f64]| {
        let spread = m[SELF] - m[PAIRS];
        let mut all = vec![spread, m[NOISE] / spread, (m[A_WITH_B] - m[PAIRS]) / spread];
        all.extend(m[COMMON..].iter().map(|numerator| numerator / spread));
        all
    };
    let jackknife = sums.jackknife(statistics);
    let scale = data
        .blocks
        .values
        .iter()
        .fold(0.0, |m: f64, v| m.max(v.abs()));
    let varies = |v: &Vec<f64>| v[0] > 1e-12 * kernel.half_distance(0.0, scale).max(1e-300);
    if !varies(&jackknife.full) || !jackknife.leave_one_out.iter().all(varies) {
        return Err(Error::ConstantOutput);
    }
    let estimate = |i, dummy| jackknife.estimate(i, level, dummy);
    // The ends of the range are farthest apart in each of the kernels.
    let largest = kernel.half_distance(0.0, data.range()) / jackknife.full[0];
    let points = data.blocks.completeness.complete;
    let unseen = |e: Estimate| e.or_unseen(points, largest, level);
    let of_column = |i: usize| ColumnKernelIndices {
        name: columns[i].name.clone(),
        first: unseen(estimate(3 + i, Dummy::Statistic(2))),
        joint_total: unseen(estimate(3 + d + i, Dummy::Zero)),
    };
    Ok(KernelIndices {
        kernel,
        columns: (0..d).map(of_column).collect(),
        spread: estimate(0, Dummy::None),
        noise_share: unseen(estimate(1, Dummy::None)),
        dummy_first: estimate(2, Dummy::None),
        rank_instability: jackknife.rank_instability(&(3 + d..3 + 2 * d).collect::<Vec<_>>()),
        completeness: data.blocks.completeness,
    })
}

/// Outputs f(A, wa) and f(B, wb) of the complete points of one scramble.
fn outputs_of_scramble(data: &ScrambledBlocks, r: usize, shift: f64) -> (Vec<f64>, Vec<f64>) {
    let blocks = (r..data.blocks.complete.len()).step_by(data.scrambles);
    let complete = blocks.filter(|&b| data.blocks.complete[b]);
    complete
        .map(|b| (data.block(b)[0] - shift, data.block(b)[1] - shift))
        .unzip()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensitivity::design::{Model, run};
    use crate::sensitivity::sobol::SobolPlan;
    use crate::sensitivity::testbed::*;

    fn study(d: usize, model: &dyn Model, kernel: Kernel) -> KernelIndices {
        let plan = SobolPlan {
            points: 4096,
            seed: 5,
            mean_total: false,
            ..SobolPlan::default()
        };
        let factors = if d == 3 {
            ishigami_factors()
        } else {
            uniform(d, 0.0, 1.0)
        };
        let design = SobolDesign::new(factors, plan).unwrap();
        let outcomes = run(&design, 0..design.rows(), model);
        kernel_indices(&design, &outcomes, kernel, 0.95).unwrap()
    }

    fn firsts(k: &KernelIndices) -> Vec<f64> {
        k.columns.iter().map(|c| c.first.value).collect()
    }

    fn totals(k: &KernelIndices) -> Vec<f64> {
        k.columns.iter().map(|c| c.joint_total.value).collect()
    }

    #[test]
    fn product_kernel_gives_sobol_indices() {
        let k = study(3, &ishigami_model, Kernel::Product);
        assert_eq!(mismatch(&firsts(&k), &ISHIGAMI_FIRST, 5e-3), None);
        assert_eq!(mismatch(&totals(&k), &ISHIGAMI_TOTAL, 5e-3), None);
        let k = study(3, &noisy_ishigami, Kernel::Product);
        assert_eq!(mismatch(&totals(&k), &[0.3379, 0.2681, 0.1477], 5e-3), None);
        assert_eq!(mismatch(&[k.noise_share.value], &[0.3940], 5e-3), None);
    }

    /// Y = 1 if x1 < 1/2 and x2 < 1/4, else 0. P(Y = 1) = p = 1/8, D = 2 p (1 - p) = 7/32.
    /// E k(Y_B, Y_AB1) - E k(Y_A, Y_B) = 2 Var(E[Y | x1]) = 2 (1/4 1/16) = 1/32: S1 = 1/7.
    /// S2 = 2 Var(E[Y | x2]) / D = 2 (3/16 1/4) / D = (3/32) / (7/32) = 3/7.
    /// T1 = P(change) / D = 1/4 1/2 / D = 4/7, T2 = 1/2 2 (1/4 3/4) / D = 6/7.
    #[test]
    fn category_kernel_on_a_closed_form() {
        let model = |x: &[f64], _: u64| Ok(if x[0] < 0.5 && x[1] < 0.25 { 3.0 } else { 7.0 });
        let k = study(2, &model, Kernel::Category);
        assert_eq!(mismatch(&firsts(&k), &[1.0 / 7.0, 3.0 / 7.0], 2e-3), None);
        assert_eq!(mismatch(&totals(&k), &[4.0 / 7.0, 6.0 / 7.0], 2e-3), None);
        assert_eq!(mismatch(&[k.spread.value], &[7.0 / 32.0], 1e-3), None);
        assert_eq!(k.noise_share.value, 0.0);
    }

    /// Y = x1, uniform: D = E|Y - Y'| = 1/3; S1 = T1 = 1. An idle x2 has 0. With Y = x1 + x2,
    /// E|Y - Y'| = 7/15 and E|Y_A - Y_AB1| = 1/3: T = (1/3) / (7/15) = 5/7 for both.
    #[test]
    fn energy_kernel_on_closed_forms() {
        let one = |x: &[f64], _: u64| Ok(x[0]);
        let k = study(2, &one, Kernel::Energy);
        assert_eq!(mismatch(&[k.spread.value], &[1.0 / 3.0], 1e-3), None);
        assert_eq!(mismatch(&firsts(&k), &[1.0, 0.0], 2e-3), None);
        assert_eq!(mismatch(&totals(&k), &[1.0, 0.0], 2e-3), None);
        let both = |x: &[f64], _: u64| Ok(x[0] + x[1]);
        let k = study(2, &both, Kernel::Energy);
        assert_eq!(mismatch(&[k.spread.value], &[7.0 / 15.0], 1e-3), None);
        assert_eq!(mismatch(&totals(&k), &[5.0 / 7.0, 5.0 / 7.0], 2e-3), None);
        assert!(k.dummy_first.low < 0.0 && 0.0 < k.dummy_first.high);
    }

    #[test]
    fn pairs_in_one_pass_are_pairs_in_two_loops() {
        let xs = [3.0, 1.0, 2.0, 2.0, -1.0];
        let ys = [2.0, 2.0, 0.5, 3.0];
        for kernel in [Kernel::Product, Kernel::Energy, Kernel::Category] {
            let slow: f64 = xs
                .iter()
                .map(|&x| ys.iter().map(|&y| kernel.of(x, y)).sum::<f64>())
                .sum();
            let fast = kernel.mean_of_pairs(&mut xs.clone(), &mut ys.clone());
            assert!((fast - slow / 20.0).abs() < 1e-14);
        }
    }

    /// x2 changes nothing at any of 8 x 256 points: unseen may be a share q = 1 - 0.025^(1/2048) = 0.0018 of changes,
    /// each of them as large as any two outputs are apart.
    #[test]
    fn effects_that_never_showed_are_not_certainly_zero() {
        let model = |x: &[f64], _: u64| Ok(f64::from(u8::from(x[0] < 0.5)) * 3.0);
        let plan = SobolPlan {
            points: 256,
            mean_total: false,
            ..SobolPlan::default()
        };
        let design = SobolDesign::new(uniform(2, 0.0, 1.0), plan).unwrap();
        let outcomes = run(&design, 0..design.rows(), &model);
        let q = crate::sensitivity::replicate::unseen_share(2048, 0.95);
        assert!((q - 0.0018).abs() < 1e-5);
        // Half squared distances 9/2, 3 and 1 over spreads of 9/4, 3/2 and 1/2.
        for kernel in [Kernel::Product, Kernel::Energy, Kernel::Category] {
            let k = kernel_indices(&design, &outcomes, kernel, 0.95).unwrap();
            let idle = &k.columns[1];
            for e in [idle.first, idle.joint_total, k.noise_share] {
                assert_eq!((e.value, e.low), (0.0, 0.0), "{kernel:?}");
                assert!((e.high - 2.0 * q).abs() < 1e-3 * q, "{kernel:?} {e:?}");
            }
            assert!(k.columns[0].first.value > 0.9);
        }
    }

    #[test]
    fn one_category_is_an_error() {
        let plan = SobolPlan::default();
        let design = SobolDesign::new(uniform(2, 0.0, 1.0), plan).unwrap();
        let outcomes = vec![Ok(4.0); design.rows()];
        for kernel in [Kernel::Product, Kernel::Energy, Kernel::Category] {
            let error = kernel_indices(&design, &outcomes, kernel, 0.95).unwrap_err();
            assert_eq!(error, Error::ConstantOutput);
        }
    }
}
