//! Errors of the engine in the words of a person at a prompt.

use datafusion::error::DataFusionError;
use datafusion::logical_expr::sqlparser::parser::ParserError;
use datafusion::prelude::SessionContext;
use tamis_resource::nearest;

use crate::session::stores::explain;

/// The message of an error without the engine's wrappers and back traces.
pub fn describe(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::Plan(message)
        | DataFusionError::Execution(message)
        | DataFusionError::Configuration(message) => first_part(message),
        DataFusionError::SQL(error, _) => match error.as_ref() {
            ParserError::TokenizerError(message) | ParserError::ParserError(message) => {
                message.clone()
            }
            ParserError::RecursionLimitExceeded => "the statement is nested too deeply".to_owned(),
        },
        DataFusionError::SchemaError(error, _) => error.to_string(),
        DataFusionError::ObjectStore(error) => explain(error, place_of(error)),
        DataFusionError::External(error) => error.to_string(),
        DataFusionError::ResourcesExhausted(message) => format!(
            "not enough memory: {}. Raise it with SET datafusion.runtime.memory_limit = '…'",
            first_part(message)
        ),
        other => first_part(&other.to_string()),
    }
}

/// A back trace, where one is recorded, follows the message.
fn first_part(message: &str) -> String {
    let message = message.split("\n\nbacktrace:").next().unwrap_or(message);
    message.trim_end().to_owned()
}

fn place_of(error: &object_store::Error) -> &str {
    match error {
        object_store::Error::NotFound { path, .. }
        | object_store::Error::AlreadyExists { path, .. }
        | object_store::Error::Precondition { path, .. }
        | object_store::Error::NotModified { path, .. }
        | object_store::Error::PermissionDenied { path, .. }
        | object_store::Error::Unauthenticated { path, .. } => path,
        _ => "a file of the query",
    }
}

/// As [`describe`], with what a missing table may have been meant to be.
pub fn describe_in(error: &DataFusionError, context: &SessionContext) -> String {
    let message = describe(error);
    let Some(missing) = missing_table(&message) else {
        return message;
    };
    let names = table_names(context);
    let hint = match nearest(missing, names.iter().map(String::as_str)) {
        Some(near) => format!("did you mean '{near}'?"),
        None => "to read a file or a directory, give its path in quotes: \
                 FROM 'data/', FROM 's3://bucket/file.parquet'"
            .to_owned(),
    };
    format!("no table '{missing}'; {hint}")
}

/// The bare name in `table 'datafusion.public.name' not found`.
fn missing_table(message: &str) -> Option<&str> {
    let name = message
        .strip_prefix("table '")?
        .strip_suffix("' not found")?;
    Some(name.strip_prefix("datafusion.public.").unwrap_or(name))
}

/// The tables and views of the session, without the information schema.
pub fn table_names(context: &SessionContext) -> Vec<String> {
    let mut names = Vec::new();
    for catalog_name in context.catalog_names() {
        let Some(catalog) = context.catalog(&catalog_name) else {
            continue;
        };
        for schema_name in catalog.schema_names() {
            if schema_name == "information_schema" {
                continue;
            }
            let Some(schema) = catalog.schema(&schema_name) else {
                continue;
            };
            let default = catalog_name == "datafusion" && schema_name == "public";
            names.extend(schema.table_names().into_iter().map(|table| {
                if default {
                    table
                } else {
                    format!("{catalog_name}.{schema_name}.{table}")
                }
            }));
        }
    }
    names.sort();
    names
}
