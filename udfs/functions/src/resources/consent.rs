//! The consent registry: row by row from its table, or a snapshot.

use std::path::Path;

use datafusion::prelude::SessionContext;
use tamis_consent::{ConsentOptions, ConsentRegistry, ConsentRegistryBuilder, ConsentRow};
use tamis_resource::{ResourceError, Result};

use crate::table::{Column, Kind, Row, TableSummary, copy_to_file, read_rows};

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

/// Whether a uri names a consent snapshot (`….snapshot`) and not a table.
pub fn is_snapshot(uri: &str) -> bool {
    uri.to_ascii_lowercase().ends_with(".snapshot")
}

/// Takes a row of a consent registry, with the function that says where it stands.
pub type EachConsentRow<'a> =
    dyn FnMut(&dyn Fn() -> String, ConsentRow<'_>) -> Result<()> + Send + 'a;

/// Reads the rows of a consent registry's table, any format and place of
/// [`read_rows`], and hands each to `each` with the function that says where
/// it stands (`line 3`, `row 12`).
///
/// # Errors
/// Those of [`read_rows`] and the first of `each`.
pub async fn read_consent_rows(
    ctx: &SessionContext,
    uri: &str,
    each: &mut EachConsentRow<'_>,
) -> Result<TableSummary> {
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
        each(&|| row.location(), consent)
    };
    read_rows(ctx, "consent", uri, COLUMNS, &mut each).await
}

pub(super) async fn load(
    ctx: &SessionContext,
    uri: &str,
    options: ConsentOptions<'_>,
    warnings: &mut Vec<String>,
) -> Result<ConsentRegistry> {
    if is_snapshot(uri) {
        return open(ctx, uri, options).await;
    }
    let mut builder = ConsentRegistryBuilder::with_options(uri, options);
    let mut each = |location: &dyn Fn() -> String, row: ConsentRow<'_>| builder.push(location, row);
    let summary = read_consent_rows(ctx, uri, &mut each).await?;
    warnings.extend(summary.warnings);
    builder.finish("", &summary.sha256)
}

async fn open(
    ctx: &SessionContext,
    uri: &str,
    options: ConsentOptions<'_>,
) -> Result<ConsentRegistry> {
    let Some(key) = options.subject_key else {
        return Err(ResourceError::NotSet {
            setting: "subject_key",
            function: format!("the consent snapshot {uri}"),
        });
    };
    let path = Path::new(uri.strip_prefix("file://").unwrap_or(uri));
    let registry = if is_ours_alone(path) {
        ConsentRegistry::open_snapshot(uri, path, key)?
    } else {
        // Whoever may write to the file could change it under the mapping.
        let directory = std::env::temp_dir();
        let failed = |error: std::io::Error| ResourceError::Read {
            setting: "tamis.consent".to_owned(),
            uri: uri.to_owned(),
            message: format!("no copy could be made in {}: {error}", directory.display()),
        };
        let mut copy = tempfile::tempfile_in(&directory).map_err(failed)?;
        copy_to_file(ctx, "consent", uri, &mut copy).await?;
        std::io::Seek::rewind(&mut copy).map_err(failed)?;
        ConsentRegistry::open_snapshot_copy(uri, copy, &directory, key)?
    };
    match options.purposes {
        Some(purposes) if purposes.digest() != registry.purpose_hierarchy().digest() => {
            Err(ResourceError::Malformed {
                uri: uri.to_owned(),
                location: "purposes".to_owned(),
                message: format!(
                    "the snapshot was made with other purposes than {}: unset tamis.purposes, or make the snapshot anew with --purposes",
                    purposes.identity().uri
                ),
            })
        }
        _ => Ok(registry),
    }
}

/// Whether a file is local and can be written to by nobody.
#[cfg(unix)]
fn is_ours_alone(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o222 == 0)
}

#[cfg(not(unix))]
fn is_ours_alone(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().readonly())
}
