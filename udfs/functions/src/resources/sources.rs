//! The source registry, row by row from its table.

use datafusion::prelude::SessionContext;
use tamis_consent::{SourceRegistry, SourceRegistryBuilder, SourceRow};
use tamis_resource::Result;

use crate::table::{Column, Kind, Row, read_rows};

/// In the order in which [`source`] takes them. What is absent is evidence that is missing, so
/// only the columns that say what a source is must be there.
const COLUMNS: &[Column] = &[
    Column::required("source_id", Kind::Text),
    Column::required("acquisition_mode", Kind::Text),
    Column::required("origin_region", Kind::Text),
    Column::optional("license", Kind::Text),
    Column::optional("license_evidence_uri", Kind::Text),
    Column::optional("license_evidence_sha256", Kind::Text),
    Column::optional("contract_id", Kind::Text),
    Column::optional("contract_valid_from", Kind::Time),
    Column::optional("contract_valid_to", Kind::Time),
    Column::optional("commitment_source", Kind::Boolean),
    Column::optional("commitment_quality", Kind::Boolean),
    Column::optional("commitment_security", Kind::Boolean),
    Column::optional("audit_status", Kind::Text),
    Column::optional("audit_date", Kind::Time),
    Column::optional("crawl_record_uri", Kind::Text),
    Column::optional("authorization_record_uri", Kind::Text),
    Column::required("is_link_list", Kind::Boolean),
    Column::optional("gen_model", Kind::Text),
    Column::optional("gen_model_version", Kind::Text),
    Column::optional("vertical", Kind::Text),
    Column::optional("contract_evidence_uri", Kind::Text),
    Column::optional("contract_evidence_sha256", Kind::Text),
    Column::optional("commitment_evidence_uri", Kind::Text),
    Column::optional("commitment_evidence_sha256", Kind::Text),
    Column::optional("audit_report_uri", Kind::Text),
    Column::optional("audit_report_sha256", Kind::Text),
    Column::optional("crawl_record_sha256", Kind::Text),
    Column::optional("authorization_record_sha256", Kind::Text),
    Column::optional("opt_out_snapshot_uri", Kind::Text),
    Column::optional("opt_out_snapshot_sha256", Kind::Text),
    Column::optional("gen_at", Kind::Time),
];

pub(super) async fn load(
    ctx: &SessionContext,
    uri: &str,
    warnings: &mut Vec<String>,
) -> Result<SourceRegistry> {
    let mut builder = SourceRegistryBuilder::new(uri);
    let mut each = |row: &Row<'_>| builder.push(|| row.location(), source(row));
    let summary = read_rows(ctx, "sources", uri, COLUMNS, &mut each).await?;
    warnings.extend(summary.warnings);
    builder.finish("", &summary.sha256)
}

fn source(row: &Row<'_>) -> SourceRow {
    let text = |column: usize| row.text(column).map(str::to_owned);
    SourceRow {
        source_id: text(0).unwrap_or_default(),
        acquisition_mode: text(1),
        origin_region: text(2),
        license: text(3),
        license_evidence_uri: text(4),
        license_evidence_sha256: text(5),
        contract_id: text(6),
        contract_valid_from: row.time(7),
        contract_valid_to: row.time(8),
        commitment_source: row.boolean(9),
        commitment_quality: row.boolean(10),
        commitment_security: row.boolean(11),
        audit_status: text(12),
        audit_date: row.time(13),
        crawl_record_uri: text(14),
        authorization_record_uri: text(15),
        is_link_list: row.boolean(16),
        gen_model: text(17),
        gen_model_version: text(18),
        vertical: text(19),
        contract_evidence_uri: text(20),
        contract_evidence_sha256: text(21),
        commitment_evidence_uri: text(22),
        commitment_evidence_sha256: text(23),
        audit_report_uri: text(24),
        audit_report_sha256: text(25),
        crawl_record_sha256: text(26),
        authorization_record_sha256: text(27),
        opt_out_snapshot_uri: text(28),
        opt_out_snapshot_sha256: text(29),
        gen_at: row.time(30),
    }
}
