//! Functions of small symmetric matrices.

/// Sweeps after which the iteration is given up; it converges quadratically, in fewer than ten.
const MOST_SWEEPS: u32 = 50;

/// A square matrix, row by row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Matrix {
    pub size: usize,
    pub cells: Vec<f64>,
}

impl Matrix {
    pub fn zero(size: usize) -> Self {
        Self {
            size,
            cells: vec![0.0; size * size],
        }
    }

    pub fn identity(size: usize) -> Self {
        let mut matrix = Self::zero(size);
        for i in 0..size {
            matrix.cells[i * size + i] = 1.0;
        }
        matrix
    }

    /// Adds `factor` times the outer product of a vector with itself.
    pub fn add_outer(&mut self, vector: &[f64], factor: f64) {
        for (row, &a) in self.cells.chunks_exact_mut(self.size).zip(vector) {
            for (cell, &b) in row.iter_mut().zip(vector) {
                *cell += factor * a * b;
            }
        }
    }

    pub fn times(&self, other: &Self) -> Self {
        let n = self.size;
        let mut product = Self::zero(n);
        for i in 0..n {
            for k in 0..n {
                let a = self.cells[i * n + k];
                for j in 0..n {
                    product.cells[i * n + j] += a * other.cells[k * n + j];
                }
            }
        }
        product
    }

    pub fn apply(&self, vector: &[f64]) -> Vec<f64> {
        let rows = self.cells.chunks_exact(self.size);
        rows.map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum())
            .collect()
    }

    /// The symmetric matrix with the same eigenvectors and the eigenvalues `f(eigenvalue)`.
    ///
    /// Source: cyclic Jacobi rotations, G. H. Golub and C. F. Van Loan, "Matrix Computations", 4th edition (2013), section 8.5.
    pub fn with_eigenvalues(&self, f: impl Fn(f64) -> f64) -> Self {
        let n = self.size;
        let mut a = self.cells.clone();
        let mut vectors = Self::identity(n).cells;
        let total: f64 = a.iter().map(|x| x * x).sum();
        for _ in 0..MOST_SWEEPS {
            let off: f64 = (0..n)
                .flat_map(|p| (0..p).map(move |q| (p, q)))
                .map(|(p, q)| a[p * n + q] * a[p * n + q])
                .sum();
            if off <= total * f64::EPSILON * f64::EPSILON {
                break;
            }
            for p in 0..n {
                for q in p + 1..n {
                    rotate(&mut a, &mut vectors, n, p, q);
                }
            }
        }
        let mut result = Self::zero(n);
        for k in 0..n {
            let vector: Vec<f64> = (0..n).map(|i| vectors[i * n + k]).collect();
            result.add_outer(&vector, f(a[k * n + k]));
        }
        result
    }
}

/// Makes the cells (p, q) and (q, p) zero.
fn rotate(a: &mut [f64], vectors: &mut [f64], n: usize, p: usize, q: usize) {
    let apq = a[p * n + q];
    if apq == 0.0 {
        return;
    }
    let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * apq);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let t = if theta == 0.0 { 1.0 } else { t };
    let c = 1.0 / (t * t + 1.0).sqrt();
    let s = t * c;
    for k in 0..n {
        let (x, y) = (a[k * n + p], a[k * n + q]);
        a[k * n + p] = c * x - s * y;
        a[k * n + q] = s * x + c * y;
    }
    for k in 0..n {
        let (x, y) = (a[p * n + k], a[q * n + k]);
        a[p * n + k] = c * x - s * y;
        a[q * n + k] = s * x + c * y;
    }
    for k in 0..n {
        let (x, y) = (vectors[k * n + p], vectors[k * n + q]);
        vectors[k * n + p] = c * x - s * y;
        vectors[k * n + q] = s * x + c * y;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::test_stream;

    fn close(a: &Matrix, b: &Matrix) -> bool {
        let cells = a.cells.iter().zip(&b.cells);
        cells.into_iter().all(|(a, b)| (a - b).abs() < 1e-10)
    }

    #[test]
    fn known_square_root() {
        let matrix = Matrix {
            size: 2,
            cells: vec![5.0, 4.0, 4.0, 5.0],
        };
        // Eigenvalues 9 and 1 along the diagonals.
        let root = Matrix {
            size: 2,
            cells: vec![2.0, 1.0, 1.0, 2.0],
        };
        assert!(close(&matrix.with_eigenvalues(f64::sqrt), &root));
    }

    #[test]
    fn roots_and_inverses_of_random_matrices() {
        let mut stream = test_stream(9);
        for size in [1, 2, 5, 12] {
            let mut matrix = Matrix::zero(size);
            for _ in 0..2 * size {
                let vector: Vec<f64> = (0..size).map(|_| stream.uniform() - 0.5).collect();
                matrix.add_outer(&vector, 1.0);
            }
            let root = matrix.with_eigenvalues(f64::sqrt);
            assert!(close(&root.times(&root), &matrix));
            let inverse = matrix.with_eigenvalues(|x| 1.0 / x);
            assert!(close(&inverse.times(&matrix), &Matrix::identity(size)));
        }
    }
}
