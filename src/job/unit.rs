//! Units: the pieces a job is made of, each a row-group range of one input file.

use tamis_resource::sha256_hex;

use super::inputs::Inputs;
use super::spec::Layout;

/// One row group of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRowGroup {
    /// Index in the file.
    pub index: usize,
    /// Index of its first row in the file.
    pub first_row: u64,
    /// Rows to read, from the first (fewer than there are only under a limit).
    pub rows: u64,
    /// Uncompressed bytes of the whole row group.
    pub bytes: u64,
    /// Rows of the whole row group.
    pub all_rows: u64,
}

/// A row-group range of one file, cleared in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Position in the job.
    pub index: usize,
    /// Hash of spec identity, input path, etag and range.
    pub id: String,
    /// Index into [`Inputs::files`].
    pub file: usize,
    /// What to read.
    pub row_groups: Vec<UnitRowGroup>,
}

impl Unit {
    /// Rows to read.
    pub fn rows(&self) -> u64 {
        self.row_groups.iter().map(|group| group.rows).sum()
    }

    /// The stem of every file written for this unit.
    pub fn name(&self) -> String {
        format!("{:06}-{}", self.index, &self.id[..16])
    }
}

/// Cuts the readable files of a corpus into units, the first `limit` rows only if one is given.
pub fn plan_units(inputs: &Inputs, layout: &Layout, limit: Option<u64>, job: &str) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut left = limit.unwrap_or(u64::MAX);
    for (file_index, file) in inputs.files.iter().enumerate() {
        let mut first_row = 0;
        let mut current: Vec<UnitRowGroup> = Vec::new();
        let mut close = |groups: &mut Vec<UnitRowGroup>| {
            if groups.is_empty() {
                return;
            }
            let range = (
                groups[0].index,
                groups[groups.len() - 1].index,
                groups.iter().map(|g| g.rows).sum::<u64>(),
            );
            let identity = format!("{job}\n{}\n{}\n{range:?}", file.relative, file.etag);
            units.push(Unit {
                index: units.len(),
                id: sha256_hex(identity.as_bytes()),
                file: file_index,
                row_groups: std::mem::take(groups),
            });
        };
        for (index, group) in file.row_groups.iter().enumerate() {
            let rows = group.rows.min(left);
            left -= rows;
            if rows > 0 {
                let (bytes, count) = current.iter().fold((0, 0), |(bytes, rows), group| {
                    (bytes + group.bytes, rows + group.rows)
                });
                if bytes + group.bytes > layout.unit_bytes || count + rows > layout.unit_rows {
                    close(&mut current);
                }
                current.push(UnitRowGroup {
                    index,
                    first_row,
                    rows,
                    bytes: group.bytes,
                    all_rows: group.rows,
                });
            }
            first_row += group.rows;
        }
        close(&mut current);
    }
    units
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::inputs::{InputFile, RowGroup};
    use std::sync::Arc;

    fn inputs(groups: &[&[(u64, u64)]]) -> Inputs {
        let stores = crate::session::stores::Stores::new(Default::default());
        let files = groups
            .iter()
            .enumerate()
            .map(|(index, groups)| InputFile {
                relative: format!("{index}.parquet"),
                uri: String::new(),
                path: object_store::path::Path::from("x"),
                size: 0,
                etag: String::new(),
                partitions: vec![],
                schema: Arc::new(datafusion::arrow::datatypes::Schema::empty()),
                row_groups: groups
                    .iter()
                    .map(|(rows, bytes)| RowGroup {
                        rows: *rows,
                        bytes: *bytes,
                    })
                    .collect(),
                unreadable: None,
            })
            .collect();
        Inputs {
            location: stores.locate("/tmp").unwrap(),
            files,
            schema: Arc::new(datafusion::arrow::datatypes::Schema::empty()),
            partition_columns: vec![],
            ignored: 0,
        }
    }

    #[test]
    fn units_hold_every_row_once() {
        let inputs = inputs(&[&[(10, 60), (10, 60), (5, 10)], &[(3, 200)]]);
        let layout = Layout {
            unit_bytes: 100,
            ..Layout::default()
        };
        let units = plan_units(&inputs, &layout, None, "job");
        let shape: Vec<_> = units
            .iter()
            .map(|u| (u.file, u.row_groups.len(), u.rows()))
            .collect();
        assert_eq!(shape, vec![(0, 1, 10), (0, 2, 15), (1, 1, 3)]);
        assert_eq!(units[1].row_groups[1].first_row, 20);
        let ids: std::collections::BTreeSet<_> = units.iter().map(|u| &u.id).collect();
        assert_eq!(ids.len(), 3);
    }

    #[test]
    fn a_limit_takes_the_first_rows() {
        let inputs = inputs(&[&[(10, 1), (10, 1)], &[(3, 1)]]);
        let units = plan_units(&inputs, &Layout::default(), Some(13), "job");
        assert_eq!(units.len(), 1);
        assert_eq!(units[0].rows(), 13);
        assert_eq!(units[0].row_groups[1].rows, 3);
    }
}
