//! Consent registries before a job: made into snapshots, and checked.

use std::path::Path;

use tamis_consent::{
    ConsentCheck, ConsentCheckReport, ConsentOptions, ConsentRow, ConsentSnapshot,
    ConsentSnapshotWriter, PurposeHierarchy, SubjectKey,
};
use tamis_functions::{EachConsentRow, is_snapshot, read_consent_rows};

use crate::report::progress::Progress;
use crate::session::postgres::{PostgresError, PostgresTable, is_postgres};
use crate::session::stores::Stores;

use super::context::table_session;
use super::error::{JobError, Result};

/// Records between two signs of progress.
const EVERY: u64 = 4096;

/// Where consent records are kept.
#[derive(Debug)]
pub enum ConsentSource {
    /// A table: a path or URL.
    Table(String),
    /// A relation of a database.
    Postgres(Box<PostgresTable>),
}

impl ConsentSource {
    /// The table, or the relation of a server, behind an address.
    ///
    /// # Errors
    /// For a snapshot, which is no table, for an address that cannot be read, and for a relation
    /// without a server.
    pub fn parse(from: &str, relation: Option<&str>, password: Option<&str>) -> Result<Self> {
        if is_postgres(from) {
            let relation = relation.unwrap_or("consent");
            let table = PostgresTable::new(from, relation, password).map_err(of_postgres)?;
            return Ok(Self::Postgres(Box::new(table)));
        }
        if relation.is_some() {
            return Err(JobError::usage(format!(
                "--relation is for a server: {from} is no postgresql:// address"
            )));
        }
        if is_snapshot(from) {
            return Err(JobError::usage(format!(
                "{from}: is a snapshot already; name the table it is to be made from"
            )));
        }
        Ok(Self::Table(from.to_owned()))
    }

    /// How it is named to people and in errors.
    pub fn shown(&self) -> &str {
        match self {
            Self::Table(uri) => uri,
            Self::Postgres(table) => table.shown(),
        }
    }

    /// Hands every record to `each`, with where it stands. Gives the warnings of the table.
    async fn read(
        &self,
        stores: &Stores,
        progress: &Progress,
        each: &mut EachConsentRow<'_>,
    ) -> Result<Vec<String>> {
        progress.phase("reading", 0);
        let mut count = 0;
        let mut each = |place: &dyn Fn() -> String, row: ConsentRow<'_>| {
            count += 1;
            if count % EVERY == 0 {
                progress.add(EVERY);
            }
            each(place, row)
        };
        match self {
            Self::Table(uri) => {
                let ctx = table_session(stores, [uri.as_str()])?;
                let summary = read_consent_rows(&ctx, uri, &mut each).await?;
                Ok(summary.warnings)
            }
            Self::Postgres(table) => {
                let mut each =
                    |number: u64, row: ConsentRow<'_>| each(&|| format!("row {number}"), row);
                table.read(&mut each).await.map_err(of_postgres)?;
                Ok(Vec::new())
            }
        }
    }
}

fn of_postgres(error: PostgresError) -> JobError {
    match error {
        PostgresError::Usage(message) => JobError::usage(message),
        PostgresError::Failed(message) => JobError::failed(message),
        PostgresError::Resource(error) => JobError::from(error),
    }
}

/// What goes into a snapshot besides the records.
#[derive(Debug)]
pub struct SnapshotOptions<'a> {
    /// The key of the subject references.
    pub key: &'a SubjectKey,
    /// Which purposes lie under which.
    pub purposes: &'a PurposeHierarchy,
    /// What the registry calls this state of it; may be empty.
    pub version: &'a str,
}

/// Writes the records of a source as a snapshot into a local directory, which is made if need be.
/// Gives it with the warnings of the table.
///
/// # Errors
/// When the source cannot be read, a record is malformed, two records contradict each other, or the
/// directory cannot be written to.
pub async fn snapshot(
    source: &ConsentSource,
    directory: &Path,
    options: &SnapshotOptions<'_>,
    stores: &Stores,
    progress: &Progress,
) -> Result<(ConsentSnapshot, Vec<String>)> {
    std::fs::create_dir_all(directory)
        .map_err(|error| JobError::failed(format!("{}: {error}", directory.display())))?;
    let mut writer =
        ConsentSnapshotWriter::new(source.shown(), options.key, options.purposes, directory)?;
    let mut each = |place: &dyn Fn() -> String, row: ConsentRow<'_>| writer.push(place, row);
    let warnings = source.read(stores, progress, &mut each).await?;
    progress.phase("sorting", 0);
    let snapshot = writer.finish(options.version, directory)?;
    progress.finish();
    Ok((snapshot, warnings))
}

/// Lists what is wrong or remarkable about the records of a source, at an instant (microseconds
/// UTC); at most `examples` rows of each kind. Gives it with the warnings of the table.
///
/// # Errors
/// When the source cannot be read; what is wrong with its records is no error here.
pub async fn check(
    source: &ConsentSource,
    purposes: &PurposeHierarchy,
    at: i64,
    examples: usize,
    stores: &Stores,
    progress: &Progress,
) -> Result<(ConsentCheckReport, Vec<String>)> {
    let options = ConsentOptions {
        subject_key: None,
        purposes: Some(purposes),
    };
    let directory = std::env::temp_dir();
    let mut check = ConsentCheck::new(source.shown(), options, at, examples, Some(&directory))?;
    let mut each = |place: &dyn Fn() -> String, row: ConsentRow<'_>| {
        check.push(place, row);
        Ok(())
    };
    let warnings = source.read(stores, progress, &mut each).await?;
    progress.phase("comparing", 0);
    let report = check.finish()?;
    progress.finish();
    Ok((report, warnings))
}
