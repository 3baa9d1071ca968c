//! The snapshots of opt-out signals, row by row from their table.

use std::borrow::Cow;

use datafusion::prelude::SessionContext;
use tamis_consent::opt_out::{OptOutRegistry, OptOutRegistryBuilder, SnapshotRow};
use tamis_resource::{ResourceError, Result};

use crate::table::{Column, Kind, Row, read_rows};

/// In the order of their indexes below.
const COLUMNS: &[Column] = &[
    Column::required("url", Kind::Text),
    Column::required("fetched_at", Kind::Time),
    Column::required("kind", Kind::Text),
    Column::required("body", Kind::Text),
    Column::optional("status", Kind::Number),
    Column::optional("sha256", Kind::Text),
    Column::optional("encoding", Kind::Text),
];

pub(super) async fn load(
    ctx: &SessionContext,
    uri: &str,
    warnings: &mut Vec<String>,
) -> Result<OptOutRegistry> {
    let mut builder = OptOutRegistryBuilder::new(uri);
    let mut each = |row: &Row<'_>| {
        let malformed = |message: &str| ResourceError::Malformed {
            uri: uri.to_owned(),
            location: row.location(),
            message: message.to_owned(),
        };
        let fetched_at = row
            .time(1)
            .ok_or_else(|| malformed("fetched_at is NULL: nobody can say when this was so"))?;
        let status = match row.number(4) {
            None => None,
            Some(status) if (100.0..1000.0).contains(&status) && status.fract() == 0.0 => {
                Some(status as u16)
            }
            Some(_) => return Err(malformed("status is not an HTTP status code")),
        };
        let text = row.text(3).unwrap_or_default();
        let body = match row.text(6).unwrap_or_default() {
            "" | "utf-8" => Cow::Borrowed(text.as_bytes()),
            "hex" => Cow::Owned(hex::decode(text).map_err(|_| malformed("body is not hex"))?),
            _ => return Err(malformed("encoding is neither utf-8 nor hex")),
        };
        let snapshot = SnapshotRow {
            url: row.text(0).unwrap_or_default(),
            fetched_at,
            kind: row.text(2).unwrap_or_default(),
            status,
            body: &body,
            sha256: row.text(5),
        };
        builder.push(|| row.location(), snapshot)
    };
    let summary = read_rows(ctx, "opt_out", uri, COLUMNS, &mut each).await?;
    warnings.extend(summary.warnings);
    builder.finish("", &summary.sha256)
}
