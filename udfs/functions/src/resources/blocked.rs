//! The block list, row by row from its table.

use datafusion::prelude::SessionContext;
use tamis_consent::{BlockList, BlockListBuilder, BlockRow};
use tamis_resource::Result;

use crate::table::{Column, Kind, Row, read_rows};

/// In the order in which the row below takes them.
const COLUMNS: &[Column] = &[
    Column::required("entry", Kind::Text),
    Column::required("kind", Kind::Text),
    Column::required("listed_at", Kind::Time),
    Column::optional("removed_at", Kind::Time),
    Column::optional("reason_code", Kind::Text),
    Column::optional("source", Kind::Text),
];

pub(super) async fn load(
    ctx: &SessionContext,
    uri: &str,
    warnings: &mut Vec<String>,
) -> Result<BlockList> {
    let mut builder = BlockListBuilder::new(uri);
    let mut each = |row: &Row<'_>| {
        let entry = BlockRow {
            entry: row.text(0).unwrap_or_default(),
            kind: row.text(1).unwrap_or_default(),
            listed_at: row.time(2),
            removed_at: row.time(3),
            reason_code: row.text(4),
            source: row.text(5),
        };
        builder.push(|| row.location(), entry)
    };
    let summary = read_rows(ctx, "blocked", uri, COLUMNS, &mut each).await?;
    warnings.extend(summary.warnings);
    builder.finish("", &summary.sha256)
}
