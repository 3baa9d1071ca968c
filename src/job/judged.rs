//! The view `judged` a policy speaks of: the mapped corpus and one struct per question, each asked once.

use datafusion::arrow::datatypes::{DataType, Schema};
use tamis_resource::nearest;

use super::error::{JobError, Result};
use super::file::Columns;
use super::inputs::is_string;
use super::reader::{ROW_GROUP, ROW_INDEX, corpus_column};

/// Columns of `judged` the job itself reads; a `clear.sql` must pass them on.
pub const NEEDED: &[&str] = &[
    "row_index",
    "row_group",
    "input",
    "id",
    "text",
    "source_id",
    "url",
    "has_subject",
    "subject_ref",
    "harm",
    "license",
    "source",
    "consent",
    "consent_required",
    "opt_out",
    "pii",
];

/// Registries the job has besides that of the sources.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// A consent registry.
    pub consent: bool,
    /// Snapshots of opt-out signals.
    pub opt_out: bool,
    /// A block list.
    pub blocked: bool,
}

const NO_INSTANT: &str = "arrow_cast(NULL, 'Timestamp(Microsecond, Some(\"UTC\"))')";

/// Checks that mapped columns exist and have a type their part can take.
pub fn check_columns(columns: &Columns, schema: &Schema) -> Result<()> {
    for (part, column) in columns.mapped() {
        let Ok(field) = schema.field_with_name(column) else {
            let names = || schema.fields().iter().map(|field| field.name().as_str());
            let hint = nearest(column, names()).map_or_else(
                || {
                    format!(
                        " The columns are {}",
                        names().collect::<Vec<_>>().join(", ")
                    )
                },
                |near| format!(" Did you mean `{near}`?"),
            );
            return Err(JobError::usage(format!(
                "corpus.columns.{part}: the corpus has no column `{column}`.{hint}"
            )));
        };
        let data_type = field.data_type();
        let (fits, wanted) = match part {
            "text" | "license" | "url" => (is_string(data_type), "a string"),
            "collected_at" => (
                is_string(data_type) || data_type.is_temporal(),
                "a timestamp, a date or a string",
            ),
            _ => (
                is_string(data_type) || data_type.is_integer(),
                "a string or an integer",
            ),
        };
        if !fits && *data_type != DataType::Null {
            return Err(JobError::usage(format!(
                "corpus.columns.{part}: column `{column}` is {data_type}, it must be {wanted}"
            )));
        }
    }
    Ok(())
}

/// The query behind `judged`.
///
/// `input` carries every column of the corpus unchanged. `license` is the check of what the row
/// states, or of what the registry states for its source where the row states nothing;
/// `source_license` that of the registry alone. Questions whose resource no setting
/// names get the answer that counts against the row (`missing`, `unknown`); only without a block
/// list is nothing blocked (`missing`).
pub fn judged_sql(columns: &Columns, schema: &Schema, asked: &Asked) -> String {
    let input = schema
        .fields()
        .iter()
        .map(|field| format!("{}, {}", literal(field.name()), input_column(field.name())))
        .collect::<Vec<_>>()
        .join(", ");
    let is_text = |name: &str| {
        schema
            .field_with_name(name)
            .is_ok_and(|field| is_string(field.data_type()))
    };
    let text_of = |column: &Option<String>| match column {
        Some(name) if is_text(name) => input_column(name),
        Some(name) => format!("CAST({} AS VARCHAR)", input_column(name)),
        None => "CAST(NULL AS VARCHAR)".to_owned(),
    };
    let text = text_of(&columns.text);
    let source = text_of(&columns.source);
    let license = text_of(&columns.license);
    let url = text_of(&columns.url);
    let subject = text_of(&columns.subject);
    let subject_ref = match columns.subject {
        Some(_) => format!("subject_ref({subject})"),
        None => "CAST(NULL AS VARCHAR)".to_owned(),
    };
    // A time nobody can read is an unknown one.
    let collected_at = match &columns.collected_at {
        Some(name) if is_text(name) => format!("TRY_CAST({} AS TIMESTAMP)", input_column(name)),
        Some(name) => input_column(name),
        None => NO_INSTANT.to_owned(),
    };
    // What held at a time nobody knows is unknown: `missing`.
    let source_at_collection = match &columns.collected_at {
        Some(_) => format!("source_check({source}, {collected_at})"),
        None => format!("source_check({source})"),
    };
    let consent = match (&columns.subject, asked.consent) {
        (Some(_), true) => format!("consent_record({subject})"),
        _ => format!(
            "named_struct('status', 'missing', 'record_id', CAST(NULL AS VARCHAR), 'kind', CAST(NULL AS VARCHAR), \
             'granted_at', {NO_INSTANT}, 'expires_at', {NO_INSTANT}, 'withdrawn_at', {NO_INSTANT}, \
             'evidence_uri', CAST(NULL AS VARCHAR))"
        ),
    };
    let opt_out = if asked.opt_out {
        // Text as it is, if it can be read: a date stands for its day.
        let collected_in = match &columns.collected_at {
            Some(name) if is_text(name) => {
                let text = input_column(name);
                format!("CASE WHEN {collected_at} IS NOT NULL THEN {text} END")
            }
            _ => collected_at.clone(),
        };
        format!("opt_out({url}, {collected_in})")
    } else {
        format!(
            "named_struct('verdict', 'unknown', 'signals', make_array(named_struct(\
             'signal', CAST(NULL AS VARCHAR), 'value', CAST(NULL AS VARCHAR), \
             'fetched_at', {NO_INSTANT}, 'sha256', CAST(NULL AS VARCHAR))))"
        )
    };
    let blocked = if asked.blocked {
        format!("blocked({url}, {text})")
    } else {
        format!(
            "named_struct('verdict', 'missing', 'kind', CAST(NULL AS VARCHAR), 'entry', CAST(NULL AS VARCHAR), \
             'listed_at', {NO_INSTANT})"
        )
    };
    format!(
        "SELECT mapped.*, license_check(coalesce(license_raw, source['license'])) AS license, \
         license_check(source['license']) AS source_license, (source['acquisition_mode'] IS NOT DISTINCT FROM 'user_input') OR has_subject \
         OR coalesce(pii['personal'], false) AS consent_required, \
         license_conflict(coalesce(license_raw, source['license']), license_found['spdx']) AS license_conflict \
         FROM (SELECT {row_index} AS row_index, {row_group} AS row_group, named_struct({input}) AS input, \
         {id} AS id, {text} AS text, {source} AS source_id, {license} AS license_raw, {url} AS url, \
         {collected_at} AS collected_at, {subject} IS NOT NULL AS has_subject, {subject_ref} AS subject_ref, \
         harm({text}) AS harm, license_detect({text}) AS license_found, \
         source_check({source}) AS source, {source_at_collection} AS source_at_collection, \
         {consent} AS consent, {opt_out} AS opt_out, {blocked} AS blocked, pii_check({text}) AS pii \
         FROM corpus) AS mapped",
        row_index = identifier(ROW_INDEX),
        row_group = identifier(ROW_GROUP),
        id = text_of(&columns.id),
    )
}

fn input_column(name: &str) -> String {
    identifier(&corpus_column(name))
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::Field;

    fn columns() -> Columns {
        Columns {
            text: Some("body".into()),
            source: Some("src".into()),
            ..Columns::default()
        }
    }

    #[test]
    fn missing_and_mistyped_columns_are_named() {
        let schema = Schema::new(vec![
            Field::new("bod", DataType::Utf8, true),
            Field::new("src", DataType::Utf8, true),
        ]);
        let message = check_columns(&columns(), &schema).unwrap_err().to_string();
        assert_eq!(
            message,
            "corpus.columns.text: the corpus has no column `body`. Did you mean `bod`?"
        );
        let schema = Schema::new(vec![
            Field::new("body", DataType::Int64, true),
            Field::new("src", DataType::Utf8, true),
        ]);
        let message = check_columns(&columns(), &schema).unwrap_err().to_string();
        assert_eq!(
            message,
            "corpus.columns.text: column `body` is Int64, it must be a string"
        );
    }

    #[test]
    fn names_are_quoted() {
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(literal("it's"), "'it''s'");
    }
}
