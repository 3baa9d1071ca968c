//! The consent registry, row by row from its table.

use datafusion::prelude::SessionContext;
use tamis_consent::{ConsentRegistry, ConsentRegistryBuilder, ConsentRow};
use tamis_resource::Result;

use crate::table::{Column, Kind, Row, read_rows};

/// In the order of their indexes below.
const COLUMNS: &[Column] = &[
    Column::required("subject_id", Kind::Text),
    Column::required("purpose", Kind::Text),
    Column::required("kind", Kind::Text),
    Column::required("status", Kind::Text),
    Column::required("granted_at", Kind::Time),
    Column::required("expires_at", Kind::Time),
    Column::required("withdrawn_at", Kind::Time),
    Column::required("record_id", Kind::Text),
    Column::optional("evidence_uri", Kind::Text),
    Column::optional("subject_age_band", Kind::Text),
];
const SUBJECT_ID: usize = 0;
const PURPOSE: usize = 1;
const KIND: usize = 2;
const STATUS: usize = 3;
const GRANTED_AT: usize = 4;
const EXPIRES_AT: usize = 5;
const WITHDRAWN_AT: usize = 6;
const RECORD_ID: usize = 7;
const EVIDENCE_URI: usize = 8;
const SUBJECT_AGE_BAND: usize = 9;

pub(super) async fn load(
    ctx: &SessionContext,
    uri: &str,
    warnings: &mut Vec<String>,
) -> Result<ConsentRegistry> {
    let mut builder = ConsentRegistryBuilder::new(uri);
    let mut each = |row: &Row<'_>| {
        // A required text that is NULL is for the registry to refuse, as an empty one.
        let text = |column: usize| row.text(column).unwrap_or_default();
        let consent = ConsentRow {
            subject_id: text(SUBJECT_ID),
            purpose: text(PURPOSE),
            kind: text(KIND),
            status: text(STATUS),
            granted_at: row.time(GRANTED_AT),
            expires_at: row.time(EXPIRES_AT),
            withdrawn_at: row.time(WITHDRAWN_AT),
            record_id: text(RECORD_ID),
            evidence_uri: row.text(EVIDENCE_URI),
            subject_age_band: row.text(SUBJECT_AGE_BAND),
        };
        builder.push(|| row.location(), consent)
    };
    let summary = read_rows(ctx, "consent", uri, COLUMNS, &mut each).await?;
    warnings.extend(summary.warnings);
    builder.finish("", &summary.sha256)
}
