//! Matrices of `nalgebra` as tables.

use crate::{Format, Table};
use nalgebra::{Dim, Matrix, RawStorage};

impl Table {
    /// A matrix as a table: a row for each of its rows, numbered from 1, and so its columns.
    ///
    /// ```
    /// use moments_lab::prelude::*;
    /// use nalgebra::Matrix2;
    /// let hessian = Matrix2::new(1.0, 0.0, 0.0, 100.0);
    /// assert!(Table::matrix("Hessian", &hessian, Format::Fixed(1)).csv().contains("2,0,100"));
    /// ```
    pub fn matrix<R: Dim, C: Dim, S: RawStorage<f64, R, C>>(
        caption: impl Into<String>,
        matrix: &Matrix<f64, R, C, S>,
        format: Format,
    ) -> Self {
        let mut table = Self::new(caption).column(
            "row",
            (1..=matrix.nrows()).map(|row| row as f64),
            Format::Integer,
        );
        for column in 0..matrix.ncols() {
            let entries: Vec<f64> = (0..matrix.nrows())
                .map(|row| matrix[(row, column)])
                .collect();
            table = table.column((column + 1).to_string(), entries, format);
        }
        table
    }
}
