use super::super::bytes::{Reader, Result};
use crate::simd::prefetch;

/// Centroids of each part of a vector in a product quantiser.
const CENTROIDS: usize = 256;

/// A matrix of weights, plain or quantised.
#[derive(Debug)]
pub(super) enum Matrix {
    Dense {
        columns: usize,
        weights: Vec<f32>,
    },
    Quantised {
        columns: usize,
        codes: Vec<u8>,
        quantiser: Quantiser,
        /// Codes and quantiser of the lengths of the rows, when those are apart.
        norms: Option<(Vec<u8>, Quantiser)>,
    },
}

impl Matrix {
    /// Reads a matrix that must have `rows` rows and `columns` columns.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        quantised: bool,
        rows: usize,
        columns: usize,
        what: &str,
    ) -> Result<Self> {
        let with_norms = quantised && reader.bool("whether norms are apart")?;
        let found = (
            reader.count64("the number of rows")?,
            reader.count64("the number of columns")?,
        );
        if found != (rows, columns) {
            return reader.fail(format!(
                "{what} is {} x {}, its model needs {rows} x {columns}",
                found.0, found.1
            ));
        }
        if !quantised {
            let Some(cells) = rows.checked_mul(columns) else {
                return reader.fail(format!("{what} is larger than memory"));
            };
            return Ok(Self::Dense {
                columns,
                weights: reader.weights(cells, what)?,
            });
        }
        let length = reader.count32("the length of the codes")?;
        let codes = reader.take(length, what)?.to_vec();
        let quantiser = Quantiser::read(reader, columns)?;
        if rows.checked_mul(quantiser.parts) != Some(length) {
            return reader.fail(format!("{what} has {length} codes, not one for each part"));
        }
        let norms = if with_norms {
            let codes = reader.take(rows, "the codes of the norms")?.to_vec();
            Some((codes, Quantiser::read(reader, 1)?))
        } else {
            None
        };
        Ok(Self::Quantised {
            columns,
            codes,
            quantiser,
            norms,
        })
    }

    /// Asks for a row that is to be added soon: most rows of a large matrix lie in no cache.
    #[inline]
    pub(super) fn prefetch_row(&self, row: usize) {
        /// Weights in a cache line.
        const LINE: usize = 16;
        match self {
            Self::Dense { columns, weights } => {
                for column in (0..*columns).step_by(LINE) {
                    prefetch(weights, row * columns + column);
                }
                // A row may begin inside a line.
                prefetch(weights, (row + 1) * columns - 1);
            }
            Self::Quantised {
                codes, quantiser, ..
            } => prefetch(codes, row * quantiser.parts),
        }
    }

    /// Adds a row to `sum`, which has as many cells as the matrix has columns.
    pub(super) fn add_row(&self, row: usize, sum: &mut [f32]) {
        match self {
            Self::Dense { columns, weights } => {
                let row = &weights[row * columns..(row + 1) * columns];
                for (sum, weight) in sum.iter_mut().zip(row) {
                    *sum += weight;
                }
            }
            Self::Quantised { .. } => self.each_quantised(row, |column, weight| {
                sum[column] += weight;
            }),
        }
    }

    /// The product of a row with `vector`.
    pub(super) fn dot_row(&self, row: usize, vector: &[f32]) -> f32 {
        match self {
            Self::Dense { columns, weights } => {
                let row = &weights[row * columns..(row + 1) * columns];
                row.iter()
                    .zip(vector)
                    .map(|(left, right)| left * right)
                    .sum()
            }
            Self::Quantised { .. } => {
                let mut product = 0.0;
                self.each_quantised(row, |column, weight| product += weight * vector[column]);
                product
            }
        }
    }

    fn each_quantised(&self, row: usize, mut each: impl FnMut(usize, f32)) {
        let Self::Quantised {
            columns,
            codes,
            quantiser,
            norms,
        } = self
        else {
            return;
        };
        let norm = norms.as_ref().map_or(1.0, |(codes, quantiser)| {
            quantiser.centroid(0, codes[row])[0]
        });
        let codes = &codes[row * quantiser.parts..(row + 1) * quantiser.parts];
        for (part, code) in codes.iter().enumerate() {
            let start = part * quantiser.part_columns;
            for (offset, weight) in quantiser.centroid(part, *code).iter().enumerate() {
                debug_assert!(start + offset < *columns);
                each(start + offset, norm * weight);
            }
        }
    }
}

/// A product quantiser: every part of a vector is one of 256 centroids.
#[derive(Debug)]
pub(super) struct Quantiser {
    columns: usize,
    parts: usize,
    part_columns: usize,
    centroids: Vec<f32>,
}

impl Quantiser {
    fn read(reader: &mut Reader<'_>, columns: usize) -> Result<Self> {
        let found = reader.count32("the columns of a quantiser")?;
        let parts = reader.count32("the parts of a quantiser")?;
        let part_columns = reader.count32("the columns of a part")?;
        let last = reader.count32("the columns of the last part")?;
        // The last part may be shorter, never empty.
        let fits = found == columns
            && parts > 0
            && (1..=part_columns).contains(&last)
            && (parts - 1).checked_mul(part_columns) == columns.checked_sub(last);
        if !fits {
            return reader.fail(format!(
                "a quantiser of {found} columns in {parts} parts of {part_columns} and {last} \
                 does not fit {columns} columns"
            ));
        }
        let Some(cells) = columns.checked_mul(CENTROIDS) else {
            return reader.fail("a quantiser is larger than memory");
        };
        Ok(Self {
            columns,
            parts,
            part_columns,
            centroids: reader.weights(cells, "the centroids of a quantiser")?,
        })
    }

    fn centroid(&self, part: usize, code: u8) -> &[f32] {
        let start = part * self.part_columns;
        let width = self.part_columns.min(self.columns - start);
        let first = start * CENTROIDS + usize::from(code) * width;
        &self.centroids[first..first + width]
    }
}
