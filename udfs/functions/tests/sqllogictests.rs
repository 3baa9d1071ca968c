//! The SQL tests (tests/sqllogictests/*.slt, once for each Arrow string type) and the examples of
//! the function pages (docs/functions/*.md).
//!
//! With `TAMIS_COMPLETE=1` in the environment the expected results are written instead of compared:
//! read the difference before believing it.

use std::fs;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::error::DataFusionError;
use datafusion::prelude::{SessionConfig, SessionContext};
use sqllogictest::{
    AsyncDB, DBOutput, DefaultColumnType, Runner, default_normalizer, default_validator,
    strict_column_validator,
};
use tamis_functions::{Resources, TamisSettings, register_all};

/// The word in a test file that stands for the string type of the run.
const STRING_TYPE: &str = "STRING_TYPE";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn completing() -> bool {
    std::env::var_os("TAMIS_COMPLETE").is_some()
}

/// The files of a folder with an extension, in order.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no .{extension} files in {folder}");
    files
}

/// A session with the registries, key and lexicon in tests/sqllogictests/data, for a file of tests or
/// a page; that of `harm_class` has the classifier too.
async fn session(file: &std::path::Path) -> SessionContext {
    let is_about_model = file.file_stem().is_some_and(|stem| stem == "harm_class");
    let data = |name: &str| {
        let path = root().join("tests/sqllogictests/data").join(name);
        Some(path.to_str().unwrap().to_owned())
    };
    let settings = TamisSettings {
        lexicon: data("lexicon.csv"),
        model: is_about_model.then(|| data("model.bin")).flatten(),
        consent: data("consent.csv"),
        sources: data("sources.csv"),
        opt_out: data("opt_out.csv"),
        blocked: data("blocked.csv"),
        subject_key: data("subject.key"),
        as_of: Some("2026-06-01T00:00:00Z".to_owned()),
        ..TamisSettings::default()
    };
    let ctx = SessionContext::new_with_config(
        // Several partitions and small batches, so that states are merged and rows split.
        SessionConfig::new()
            .with_target_partitions(3)
            .with_batch_size(7)
            .with_information_schema(true),
    );
    let resources = Resources::load(&ctx, &settings).await.unwrap();
    assert_eq!(resources.warnings, Vec::<String>::new());
    register_all(&ctx, &resources).unwrap();
    ctx
}

/// One connection of the SQL tests.
struct Database {
    ctx: SessionContext,
    string_type: &'static str,
}

#[async_trait]
impl AsyncDB for Database {
    type Error = DataFusionError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, DataFusionError> {
        let sql = sql.replace(STRING_TYPE, self.string_type);
        let frame = self.ctx.sql(&sql).await?;
        let types: Vec<DefaultColumnType> = frame
            .schema()
            .fields()
            .iter()
            .map(|field| column_type(field.data_type()))
            .collect();
        let batches = frame.collect().await?;
        if types.is_empty() {
            return Ok(DBOutput::StatementComplete(0));
        }
        let mut rows = Vec::new();
        for batch in &batches {
            rows.extend(cells(batch)?);
        }
        Ok(DBOutput::Rows { types, rows })
    }

    fn engine_name(&self) -> &str {
        "tamis"
    }

    async fn shutdown(&mut self) {}
}

fn column_type(data_type: &DataType) -> DefaultColumnType {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => DefaultColumnType::Text,
        DataType::Dictionary(_, values) => column_type(values),
        other if other.is_integer() => DefaultColumnType::Integer,
        other if other.is_floating() => DefaultColumnType::FloatingPoint,
        _ => DefaultColumnType::Any,
    }
}

fn cells(batch: &RecordBatch) -> Result<Vec<Vec<String>>, DataFusionError> {
    let options = FormatOptions::default().with_null("NULL");
    let columns = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options))
        .collect::<Result<Vec<_>, _>>()?;
    Ok((0..batch.num_rows())
        .map(|row| {
            let cell = |column: &ArrayFormatter<'_>| match column.value(row).to_string() {
                empty if empty.is_empty() => "(empty)".to_owned(),
                cell => cell,
            };
            columns.iter().map(cell).collect()
        })
        .collect())
}

async fn run_sql_tests(string_type: &'static str) {
    for file in files("tests/sqllogictests", "slt") {
        let mut runner = Runner::new(|| async {
            Ok(Database {
                ctx: session(&file).await,
                string_type,
            })
        });
        runner.with_column_validator(strict_column_validator);
        if completing() {
            runner
                .update_test_file(
                    &file,
                    "\t",
                    default_validator,
                    default_normalizer,
                    strict_column_validator,
                )
                .await
                .unwrap();
        } else if let Err(error) = runner.run_file_async(&file).await {
            panic!("{string_type}: {error}");
        }
    }
}

#[tokio::test]
async fn sql_with_utf8() {
    run_sql_tests("Utf8").await;
}

#[tokio::test]
async fn sql_with_large_utf8() {
    if !completing() {
        run_sql_tests("LargeUtf8").await;
    }
}

#[tokio::test]
async fn sql_with_utf8_view() {
    if !completing() {
        run_sql_tests("Utf8View").await;
    }
}

#[tokio::test]
async fn sql_with_dictionary() {
    if !completing() {
        run_sql_tests("Dictionary(Int32, Utf8)").await;
    }
}

/// Every function has a test file and a page, and every page stands in the index.
#[tokio::test]
async fn every_function_has_tests_and_a_page() {
    let ctx = session(std::path::Path::new("")).await;
    let plain = SessionContext::new();
    let (state, plain) = (ctx.state(), plain.state());
    let mut names: Vec<String> = state
        .scalar_functions()
        .keys()
        .filter(|name| !plain.scalar_functions().contains_key(*name))
        .filter(|name| *name != "tamis_get_field")
        .chain(
            state
                .aggregate_functions()
                .keys()
                .filter(|name| !plain.aggregate_functions().contains_key(*name)),
        )
        .cloned()
        .collect();
    names.sort();
    let index = fs::read_to_string(root().join("docs/functions/README.md")).unwrap();
    for name in &names {
        assert!(
            index.contains(&format!("]({name}.md)")),
            "docs/functions/README.md: {name}"
        );
    }
    let stems = |folder: &str, extension: &str| -> Vec<String> {
        let stem = |path: &PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        files(folder, extension)
            .iter()
            .map(stem)
            .filter(|stem| stem != "README")
            .collect()
    };
    assert_eq!(stems("docs/functions", "md"), names);
    let tested = stems("tests/sqllogictests", "slt");
    for name in names {
        assert!(tested.contains(&name), "tests/sqllogictests/{name}.slt");
    }
}

#[tokio::test]
async fn examples_of_the_pages_run() {
    let mut examples = 0;
    for file in files("docs/functions", "md") {
        let page = fs::read_to_string(&file).unwrap();
        let ctx = session(&file).await;
        let mut written = String::new();
        let mut rest = page.as_str();
        while let Some((before, sql, after)) = next_block(rest, "sql") {
            let output = output(&ctx, sql).await;
            written += &rest[..before.len() + sql.len() + "```sql\n```\n".len()];
            rest = after;
            if let Some((between, expected, after)) = next_block(rest, "text")
                && between.trim().is_empty()
            {
                examples += 1;
                if !completing() {
                    assert_eq!(output, expected, "{}:\n{sql}", file.display());
                }
                written += &format!("{between}```text\n{output}```\n");
                rest = after;
            }
        }
        if completing() {
            fs::write(&file, written + rest).unwrap();
        }
    }
    assert!(examples >= 14, "{examples} examples");
}

/// The text before the next block of a language, its content and the text after it.
fn next_block<'a>(text: &'a str, language: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let (before, rest) = text.split_once(&format!("```{language}\n"))?;
    let (content, after) = rest.split_once("```\n")?;
    Some((before, content, after))
}

/// What the last statement of an example prints, or the error.
async fn output(ctx: &SessionContext, sql: &str) -> String {
    let mut output = String::new();
    for statement in sql
        .split(';')
        .filter(|statement| !statement.trim().is_empty())
    {
        let result = async {
            let frame = ctx.sql(statement).await?;
            let schema = std::sync::Arc::clone(frame.schema().inner());
            let mut batches = frame.collect().await?;
            batches.push(RecordBatch::new_empty(schema));
            Ok::<_, DataFusionError>(batches)
        };
        output = match result.await {
            Ok(batches) => format!("{}\n", pretty_format_batches(&batches).unwrap()),
            Err(error) => format!("{}\n", error.strip_backtrace()),
        };
    }
    output
}
