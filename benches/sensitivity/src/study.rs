//! The studies that all contenders analyse, and how each is handed its data.

use std::f64::consts::PI;

use flashpoint::sensitivity::discovery::{PrimSettings, prim};
use flashpoint::sensitivity::given::{Table, TableColumn};
use flashpoint::sensitivity::{
    Design, Factor, Factors, Intervals, Outcome, SobolDesign, SobolIndices, SobolOptions, SobolPlan,
    run, sobol_indices,
};

pub const SCRAMBLES: usize = 8;

/// A function without chance, of numbers between 0 and 1 times a range.
pub struct Function {
    pub name: &'static str,
    pub dimensions: usize,
    pub low: f64,
    pub high: f64,
    pub value: fn(&[f64]) -> f64,
}

pub const FUNCTIONS: [Function; 3] = [
    Function {
        name: "ishigami",
        dimensions: 3,
        low: -PI,
        high: PI,
        value: |x| x[0].sin() * (1.0 + 0.1 * x[2].powi(4)) + 7.0 * x[1].sin().powi(2),
    },
    Function {
        name: "sobol_g",
        dimensions: 8,
        low: 0.0,
        high: 1.0,
        value: |x| g(x, &[0.0, 1.0, 4.5, 9.0, 99.0, 99.0, 99.0, 99.0]),
    },
    Function {
        name: "linear",
        dimensions: 5,
        low: 0.0,
        high: 1.0,
        value: |x| x.iter().enumerate().map(|(i, x)| (5 - i) as f64 * x).sum(),
    },
];

/// The function of the timings: Sobol's G of 20 factors.
pub const LARGE: Function = Function {
    name: "sobol_g_20",
    dimensions: 20,
    low: 0.0,
    high: 1.0,
    value: |x| {
        let a: Vec<f64> = (0..20).map(|i| 0.5 * i as f64).collect();
        g(x, &a)
    },
};

fn g(x: &[f64], a: &[f64]) -> f64 {
    x.iter()
        .zip(a)
        .map(|(x, a)| ((4.0 * x - 2.0).abs() + a) / (1.0 + a))
        .product()
}

pub struct Study {
    pub design: SobolDesign,
    pub outcomes: Vec<Outcome>,
}

impl Study {
    /// `points` base points in 8 scrambles; without chance the third run of each point repeats the first.
    pub fn new(function: &Function, points: usize, second_order: bool) -> Self {
        let factor = |i: usize| Factor::uniform(format!("x{}", i + 1), function.low, function.high);
        let factors = Factors::new((0..function.dimensions).map(factor).collect()).unwrap();
        let plan = SobolPlan {
            scrambles: SCRAMBLES,
            points: points / SCRAMBLES,
            second_order,
            mean_total: false,
            seed: 1,
        };
        let design = SobolDesign::new(factors, plan).unwrap();
        let model = |x: &[f64], _: u64| -> Outcome { Ok((function.value)(x)) };
        let outcomes = run(&design, 0..design.rows(), &model);
        Study { design, outcomes }
    }

    pub fn by_scrambles(&self) -> SobolIndices {
        sobol_indices(&self.design, &self.outcomes, &SobolOptions::default()).unwrap()
    }

    pub fn by_bootstrap(&self, resamples: usize) -> SobolIndices {
        let intervals = Intervals::Bootstrap { resamples, seed: 1 };
        let options = SobolOptions {
            level: 0.95,
            intervals,
        };
        sobol_indices(&self.design, &self.outcomes, &options).unwrap()
    }

    /// Outputs at A, B, AB_i and BA_i, each in the order of the points, as the crate `salib` wants them.
    pub fn outputs(&self) -> Outputs {
        let d = self.design.factors().len();
        let runs = self.design.runs_per_point();
        let column = |place: usize| -> Vec<f64> {
            let rows = self.outcomes.iter().skip(place).step_by(runs);
            rows.map(|outcome| *outcome.as_ref().unwrap()).collect()
        };
        let second = self.design.plan().second_order;
        Outputs {
            a: column(0),
            b: column(1),
            ab: (0..d).map(|i| column(3 + i)).collect(),
            ba: if second {
                (0..d).map(|i| column(3 + d + i)).collect()
            } else {
                Vec::new()
            },
        }
    }

    /// The rows as SALib (Python) orders them: for each point A, AB_1 to AB_D, BA_1 to BA_D, B; factor values and output.
    pub fn rows_for_salib(&self) -> Vec<(Vec<f64>, f64)> {
        let d = self.design.factors().len();
        let runs = self.design.runs_per_point();
        let mut places: Vec<usize> = vec![0];
        places.extend(3..runs);
        places.push(1);
        let mut rows = Vec::new();
        for point in 0..self.outcomes.len() / runs {
            for place in &places {
                let row = point * runs + place;
                let mut values = vec![0.0; d];
                self.design.row(row, &mut values);
                rows.push((values, *self.outcomes[row].as_ref().unwrap()));
            }
        }
        rows
    }
}

pub struct Outputs {
    pub a: Vec<f64>,
    pub b: Vec<f64>,
    pub ab: Vec<Vec<f64>>,
    pub ba: Vec<Vec<f64>>,
}

/// Worlds of 20 parameters with probabilities of an outcome.
pub fn worlds(rows: usize) -> Table {
    let columns: Vec<TableColumn> = (0..20)
        .map(|i| TableColumn::number(format!("x{i}")))
        .collect();
    let mut state = 1u64;
    let mut uniform = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let x: Vec<f64> = (0..rows * 20).map(|_| uniform()).collect();
    let target = |row: &[f64]| 0.1 + 0.6 * f64::from(u8::from(row[0] > 0.6 && row[1] < 0.5)) + 0.3 * row[2];
    let y: Vec<Outcome> = x.chunks(20).map(|row| Ok(target(row))).collect();
    Table::new(columns, &x, &y).unwrap()
}

pub fn boxes(table: &Table) -> usize {
    prim(table, &PrimSettings::default()).unwrap().trajectory.len()
}
