//! Tables by path: `SELECT * FROM 's3://bucket/corpus/'`.
//!
//! DataFusion's own path tables know parquet, csv and json only. These read parquet, csv, tsv,
//! json (one array, or a value a line), ndjson, jsonl and arrow (file or stream), the text kinds
//! also compressed as `.gz` or `.zst`, from one file, a directory, or a glob, with Hive
//! partitions. The files are listed once, when the query is planned.

use std::fmt;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider, UrlTableFactory};
use datafusion::common::config::{CsvOptions, JsonOptions};
use datafusion::common::plan_err;
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::datasource::file_format::csv::CsvFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::file_format::json::JsonFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SessionState;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;
use futures::{StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use percent_encoding::percent_decode_str;

use super::files::{FilesError, FoundFiles, find_files, has_wildcard, read_start};
use super::problems::explain;
use super::samples::{csv_columns, json_columns};
use super::schema::{Widening, unify};
use super::stores::{Stores, split_scheme};

/// Bytes read to tell kinds of the same extension apart.
const LENGTH_OF_START: usize = 16 * 1024;
/// Files looked into at the same time.
const FILES_AT_A_TIME: usize = 16;
/// The value Hive writes for NULL.
const HIVE_NULL: &str = "__HIVE_DEFAULT_PARTITION__";

/// The kinds of file that can be a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FileKind {
    /// Apache Parquet.
    Parquet,
    /// Comma-separated values with a header line.
    Csv,
    /// Tab-separated values with a header line.
    Tsv,
    /// JSON: one array of objects, or one object a line.
    Json,
    /// One JSON object a line.
    JsonLines,
    /// Arrow IPC, file or stream.
    Arrow,
}

/// How the bytes of a text file are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Packing {
    /// Not at all.
    Plain,
    /// gzip, `.gz`.
    Gzip,
    /// Zstandard, `.zst`.
    Zstd,
}

/// The extensions that tables by path understand, for messages.
pub const KNOWN_EXTENSIONS: &str =
    ".parquet, .csv, .tsv, .json, .ndjson, .jsonl (the last five also .gz and .zst) and .arrow";

impl FileKind {
    /// The kind and packing that a file name says; `None` when it says none of ours. Upper and
    /// lower case are the same.
    pub fn of_name(name: &str) -> Option<(Self, Packing)> {
        let name = name.to_ascii_lowercase();
        let (stem, packing) = if let Some(stem) = name.strip_suffix(".gz") {
            (stem, Packing::Gzip)
        } else if let Some(stem) = name.strip_suffix(".zst") {
            (stem, Packing::Zstd)
        } else {
            (name.as_str(), Packing::Plain)
        };
        let kind = match stem.rsplit_once('.')?.1 {
            "parquet" => Self::Parquet,
            "csv" => Self::Csv,
            "tsv" => Self::Tsv,
            "json" => Self::Json,
            "ndjson" | "jsonl" => Self::JsonLines,
            "arrow" => Self::Arrow,
            _ => return None,
        };
        let packs_itself = matches!(kind, Self::Parquet | Self::Arrow);
        (!packs_itself || packing == Packing::Plain).then_some((kind, packing))
    }

    fn is_text(self) -> bool {
        !matches!(self, Self::Parquet | Self::Arrow)
    }
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Json => "json",
            Self::JsonLines => "ndjson",
            Self::Arrow => "arrow",
        })
    }
}

impl Packing {
    fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    fn compression(self) -> FileCompressionType {
        match self {
            Self::Plain => FileCompressionType::UNCOMPRESSED,
            Self::Gzip => FileCompressionType::GZIP,
            Self::Zstd => FileCompressionType::ZSTD,
        }
    }
}

/// Makes a table of a name that is a path.
pub(crate) struct PathTables {
    stores: Stores,
    /// The session's state at the time of the call; `None` once the session is gone.
    session: OnceLock<Box<dyn Fn() -> Option<SessionState> + Send + Sync>>,
}

impl fmt::Debug for PathTables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PathTables").finish_non_exhaustive()
    }
}

impl PathTables {
    pub(crate) fn new(stores: Stores) -> Self {
        Self {
            stores,
            session: OnceLock::new(),
        }
    }

    /// Names the session whose settings tables are read with. The first call counts.
    pub(crate) fn serve(&self, context: &SessionContext) {
        // A second session would have been built with tables of its own.
        let state = context.state_weak_ref();
        let _ = self
            .session
            .set(Box::new(move || Some(state.upgrade()?.read().clone())));
    }
}

#[async_trait]
impl UrlTableFactory for PathTables {
    async fn try_new(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if !is_path(name) {
            return Ok(None);
        }
        let state = self
            .session
            .get()
            .and_then(|session| session())
            .ok_or_else(|| DataFusionError::Internal("the session is gone".to_owned()))?;
        let table = open_table(&state, &self.stores, name).await?;
        Ok(Some(table))
    }
}

/// Whether a table name can only mean a path: it has a slash, a scheme, a wildcard, an extension
/// of ours, or names something in the working directory.
fn is_path(name: &str) -> bool {
    name.contains(['/', '\\'])
        || split_scheme(name).is_some()
        || has_wildcard(name)
        || FileKind::of_name(name).is_some()
        || (!name.is_empty() && std::path::Path::new(name).exists())
        // `notes.txt` is a path to a kind that cannot be read, not a table that is missing.
        || std::path::Path::new(name).extension().is_some()
}

/// Opens the table at a path: a file, a directory, or a glob, local or `s3://`. Files of a
/// directory are read as one table; columns some of them lack are NULL there. `name=value`
/// directories below the fixed part of the path become text columns.
///
/// # Errors
/// Nothing is there; no file of a kind that can be read; files of different kinds; files whose
/// columns do not unify; a file that does not parse. Messages name the path.
pub async fn open_table(
    state: &dyn Session,
    stores: &Stores,
    uri: &str,
) -> Result<Arc<dyn TableProvider>> {
    let found = find_files(stores, uri).await.map_err(plan_error)?;
    let (kind, packing, files) = choose_files(&found, uri)?;
    let format = format_of(state, &found, kind, packing, &files).await?;
    let (partition_names, files) = partitions(&found, files)?;
    let file_schema = schema_of_files(state, &found, kind, format.as_ref(), &files).await?;
    // What the path says goes before what a file says of itself.
    let file_fields: Vec<FieldRef> = file_schema
        .fields()
        .iter()
        .filter(|field| !partition_names.contains(field.name()))
        .cloned()
        .collect();
    if file_fields.len() < file_schema.fields().len() && kind_is_positional(kind) {
        return plan_err!(
            "{uri}: the column(s) {} are in the files and in the names of their directories",
            partition_names.join(", ")
        );
    }
    let partition_fields: Vec<FieldRef> = partition_names
        .iter()
        .map(|name| Arc::new(Field::new(name, partition_type(), true)))
        .collect();
    let store_url = ObjectStoreUrl::parse(found.store_url.as_str())?;
    Ok(Arc::new(PathTable {
        schema: TableSchema::builder(Arc::new(Schema::new(file_fields)))
            .with_table_partition_cols(partition_fields)
            .build(),
        format,
        store_url,
        files,
    }))
}

fn plan_error(error: FilesError) -> DataFusionError {
    DataFusionError::Plan(error.to_string())
}

fn kind_is_positional(kind: FileKind) -> bool {
    matches!(kind, FileKind::Csv | FileKind::Tsv)
}

/// The files that are tables, all of one kind. Others (notes, licences) are left out of a
/// directory; a file named by itself must be of a known kind.
fn choose_files(found: &FoundFiles, uri: &str) -> Result<(FileKind, Packing, Vec<ObjectMeta>)> {
    let mut kinds: Vec<(FileKind, Packing, Vec<ObjectMeta>)> = Vec::new();
    let mut others: Vec<String> = Vec::new();
    for file in &found.files {
        let name = file.location.filename().unwrap_or_default();
        let Some((kind, packing)) = FileKind::of_name(name) else {
            let extension = std::path::Path::new(name).extension();
            let extension = match extension {
                Some(extension) => format!(".{}", extension.to_string_lossy()),
                None => "no extension".to_owned(),
            };
            if !others.contains(&extension) {
                others.push(extension);
            }
            continue;
        };
        let place = kinds
            .iter_mut()
            .find(|entry| (entry.0, entry.1) == (kind, packing));
        match place {
            Some((_, _, files)) => files.push(file.clone()),
            None => kinds.push((kind, packing, vec![file.clone()])),
        }
    }
    others.sort();
    match kinds.len() {
        0 if found.single => plan_err!(
            "{uri}: a file with {} cannot be read as a table. The kinds are {KNOWN_EXTENSIONS}",
            describe_extension(&others)
        ),
        0 => plan_err!(
            "{uri}: no file there can be read as a table (found: {}). \
             The kinds are {KNOWN_EXTENSIONS}",
            others.join(", ")
        ),
        1 => Ok(kinds.remove(0)),
        _ => {
            let counts: Vec<String> = kinds
                .iter()
                .map(|(kind, packing, files)| format!("{} {kind}{}", files.len(), packing.suffix()))
                .collect();
            plan_err!(
                "{uri}: files of different kinds are not one table ({}). \
                 Choose with a glob, such as {}*.{}",
                counts.join(", "),
                if uri.ends_with('/') {
                    uri.to_owned()
                } else {
                    format!("{uri}/")
                },
                kinds[0].0
            )
        }
    }
}

fn describe_extension(others: &[String]) -> String {
    match others.first().map(String::as_str) {
        None | Some("no extension") => "no extension".to_owned(),
        Some(extension) => format!("the extension {extension}"),
    }
}

/// The reader for the files. Looks into them where the name does not say enough.
async fn format_of(
    state: &dyn Session,
    found: &FoundFiles,
    kind: FileKind,
    packing: Packing,
    files: &[ObjectMeta],
) -> Result<Arc<dyn FileFormat>> {
    let options = state.default_table_options();
    Ok(match kind {
        FileKind::Parquet => Arc::new(ParquetFormat::default().with_options(options.parquet)),
        FileKind::Csv | FileKind::Tsv => {
            let delimiter = if kind == FileKind::Tsv { b'\t' } else { b',' };
            let format = CsvFormat::default()
                .with_options(CsvOptions {
                    // Files are cut into ranges at line ends otherwise, also inside quotes.
                    newlines_in_values: Some(true),
                    ..options.csv
                })
                .with_has_header(true)
                .with_delimiter(delimiter)
                .with_file_compression_type(packing.compression());
            Arc::new(format)
        }
        FileKind::Json | FileKind::JsonLines => {
            let array = kind == FileKind::Json && {
                let holds_array =
                    |start: &[u8]| start.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
                same_for_all(found, packing, files, "one JSON array", holds_array).await?
            };
            let format = JsonFormat::default()
                .with_options(JsonOptions { ..options.json })
                .with_newline_delimited(!array)
                .with_file_compression_type(packing.compression());
            Arc::new(format)
        }
        FileKind::Arrow => {
            let is_file = |start: &[u8]| start.starts_with(b"ARROW1");
            same_for_all(found, packing, files, "the Arrow file format", is_file).await?;
            Arc::new(ArrowFormat)
        }
    })
}

/// Looks at the first bytes of every file; they must agree.
async fn same_for_all(
    found: &FoundFiles,
    packing: Packing,
    files: &[ObjectMeta],
    what: &str,
    test: impl Fn(&[u8]) -> bool,
) -> Result<bool> {
    // Collected first: the borrow checker does not follow a lazy stream through `async_trait`.
    let starts: Vec<_> = files
        .iter()
        .map(|file| first_bytes(found, packing, file))
        .collect();
    let starts: Vec<Vec<u8>> = futures::stream::iter(starts)
        .buffered(FILES_AT_A_TIME)
        .try_collect()
        .await?;
    let answers: Vec<bool> = starts.iter().map(|start| test(start)).collect();
    let first = answers.first().copied().unwrap_or_default();
    match answers.iter().position(|answer| *answer != first) {
        None => Ok(first),
        Some(other) => {
            let (with, without) = if first { (0, other) } else { (other, 0) };
            plan_err!(
                "{} is {what} and {} is not: read them separately",
                found.address(&files[with].location),
                found.address(&files[without].location)
            )
        }
    }
}

async fn first_bytes(found: &FoundFiles, packing: Packing, file: &ObjectMeta) -> Result<Vec<u8>> {
    let address = found.address(&file.location);
    let start = read_start(&found.store, &file.location, LENGTH_OF_START)
        .await
        .map_err(|error| DataFusionError::Plan(explain(&error, &address)))?;
    if packing == Packing::Plain {
        return Ok(start);
    }
    let packed = futures::stream::once(async move { Ok(bytes::Bytes::from(start)) }).boxed();
    let mut unpacked = packing.compression().convert_stream(packed)?;
    // The start is cut off anywhere: an error after the first piece is expected.
    match unpacked.next().await {
        Some(Ok(piece)) => Ok(piece.to_vec()),
        Some(Err(error)) => plan_err!("{address}: not {} data ({error})", packing.suffix()),
        None => Ok(Vec::new()),
    }
}

/// Reads the partition values of every file off its path.
fn partitions(
    found: &FoundFiles,
    files: Vec<ObjectMeta>,
) -> Result<(Vec<String>, Vec<PartitionedFile>)> {
    let mut names: Option<Vec<String>> = None;
    let mut partitioned = Vec::with_capacity(files.len());
    let mut first = String::new();
    for file in files {
        let mut own_names = Vec::new();
        let mut values = Vec::new();
        for directory in found.directories_below_root(&file.location) {
            let Some((name, value)) = directory.split_once('=') else {
                continue;
            };
            own_names.push(name.to_owned());
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            let value = (value != HIVE_NULL).then_some(value);
            values.push(ScalarValue::Dictionary(
                Box::new(DataType::UInt16),
                Box::new(ScalarValue::Utf8(value)),
            ));
        }
        match &names {
            None => {
                first = found.address(&file.location);
                names = Some(own_names);
            }
            Some(names) if *names != own_names => {
                return plan_err!(
                    "{} has the partitions [{}] and {first} has [{}]: \
                     read them separately, or choose with a glob",
                    found.address(&file.location),
                    own_names.join(", "),
                    names.join(", ")
                );
            }
            Some(_) => {}
        }
        let mut file = PartitionedFile::new_from_meta(file);
        file.partition_values = values;
        partitioned.push(file);
    }
    Ok((names.unwrap_or_default(), partitioned))
}

fn partition_type() -> DataType {
    DataType::Dictionary(Box::new(DataType::UInt16), Box::new(DataType::Utf8))
}

async fn schema_of_files(
    state: &dyn Session,
    found: &FoundFiles,
    kind: FileKind,
    format: &dyn FileFormat,
    files: &[PartitionedFile],
) -> Result<SchemaRef> {
    let concurrency = usize::from(state.config_options().execution.meta_fetch_concurrency);
    let inferred: Vec<_> = files
        .iter()
        .map(|file| schema_of_file(state, found, kind, format, file))
        .collect();
    let schemas: Vec<(String, SchemaRef)> = futures::stream::iter(inferred)
        .buffered(concurrency)
        .try_collect()
        .await?;
    if kind_is_positional(kind)
        && let Some((first, others)) = schemas.split_first()
    {
        // The reader goes by position: another order would put values under wrong names.
        for other in others {
            if column_names(&first.1) != column_names(&other.1) {
                return plan_err!(
                    "{} has the columns [{}] and {} has [{}]: {kind} files with different \
                     headers are not one table. Read them separately and combine with \
                     UNION ALL BY NAME",
                    other.0,
                    column_names(&other.1).join(", "),
                    first.0,
                    column_names(&first.1).join(", ")
                );
            }
        }
    }
    let widening = if kind.is_text() {
        Widening::Guessed
    } else {
        Widening::Lossless
    };
    let named = schemas
        .iter()
        .map(|(file, schema)| (file.as_str(), schema.as_ref()));
    let schema =
        unify(named, widening).map_err(|conflict| DataFusionError::Plan(conflict.to_string()))?;
    Ok(if kind.is_text() {
        without_null_columns(&schema)
    } else {
        schema
    })
}

/// A column without a value in the beginning of its files may have text further on.
fn without_null_columns(schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        if field.data_type().is_null() {
            Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8))
        } else {
            Arc::clone(field)
        }
    });
    Arc::new(Schema::new(fields.collect::<Vec<FieldRef>>()))
}

async fn schema_of_file(
    state: &dyn Session,
    found: &FoundFiles,
    kind: FileKind,
    format: &dyn FileFormat,
    file: &PartitionedFile,
) -> Result<(String, SchemaRef)> {
    let path = &file.object_meta.location;
    let address = found.address(path);
    let compression = format
        .compression_type()
        .unwrap_or(FileCompressionType::UNCOMPRESSED);
    let lines = is_newline_delimited(format);
    let schema = match kind {
        FileKind::Csv => csv_columns(&found.store, path, compression, b',')
            .await
            .map(Arc::new),
        FileKind::Tsv => csv_columns(&found.store, path, compression, b'\t')
            .await
            .map(Arc::new),
        FileKind::Json | FileKind::JsonLines if lines => {
            json_columns(&found.store, path, compression)
                .await
                .map(Arc::new)
        }
        _ => infer(state, found, kind, format, &file.object_meta).await,
    };
    Ok((
        address.clone(),
        schema.map_err(|error| name_file(error, &address))?,
    ))
}

fn is_newline_delimited(format: &dyn FileFormat) -> bool {
    (format as &dyn std::any::Any)
        .downcast_ref::<JsonFormat>()
        .is_some_and(JsonFormat::is_newline_delimited)
}

async fn infer(
    state: &dyn Session,
    found: &FoundFiles,
    kind: FileKind,
    format: &dyn FileFormat,
    file: &ObjectMeta,
) -> Result<SchemaRef> {
    if kind == FileKind::Parquet {
        check_parquet_end(&found.store, file).await?;
    }
    format
        .infer_schema(state, &found.store, std::slice::from_ref(file))
        .await
}

/// The reader computes where the footer begins before it looks whether there is room for one,
/// and panics on a length that is not.
async fn check_parquet_end(store: &Arc<dyn ObjectStore>, file: &ObjectMeta) -> Result<()> {
    const END: u64 = 8;
    if file.size < END + 4 {
        return plan_err!("not a Parquet file: {} bytes are too few", file.size);
    }
    let end = store
        .get_range(&file.location, file.size - END..file.size)
        .await?;
    let (length, magic) = end.split_at(4);
    if magic != b"PAR1" {
        return plan_err!("not a whole Parquet file: it does not end in PAR1");
    }
    let length = u64::from(u32::from_le_bytes([
        length[0], length[1], length[2], length[3],
    ]));
    if length + END > file.size {
        return plan_err!("not a whole Parquet file: its footer is longer than the file");
    }
    Ok(())
}

fn column_names(schema: &Schema) -> Vec<&str> {
    schema
        .fields()
        .iter()
        .map(|field| field.name().as_str())
        .collect()
}

/// Says in which file reading failed, and explains failures of the store.
fn name_file(error: DataFusionError, address: &str) -> DataFusionError {
    match error.find_root() {
        DataFusionError::ObjectStore(error) => DataFusionError::Plan(explain(error, address)),
        root => DataFusionError::Plan(format!("{address}: {}", root.strip_backtrace())),
    }
}

/// Files of one kind, read as one table.
struct PathTable {
    schema: TableSchema,
    format: Arc<dyn FileFormat>,
    store_url: ObjectStoreUrl,
    files: Vec<PartitionedFile>,
}

impl fmt::Debug for PathTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PathTable")
            .field("store_url", &self.store_url)
            .field("files", &self.files.len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for PathTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        // Filters stay above the scan; the physical planner pushes them into it, where row
        // groups, pages and partitions are skipped.
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let groups = FileGroup::new(self.files.clone())
            .split_files(state.config_options().execution.target_partitions.max(1));
        let source = self.format.file_source(self.schema.clone());
        let config = FileScanConfigBuilder::new(self.store_url.clone(), source)
            .with_file_groups(groups)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        self.format.create_physical_plan(state, config).await
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::path::Path;

    use datafusion::arrow::array::{Int64Array, RecordBatch, StringArray};
    use datafusion::arrow::datatypes::Int32Type;
    use datafusion::arrow::ipc::writer::{FileWriter, StreamWriter};
    use datafusion::arrow::util::pretty::pretty_format_batches;
    use datafusion::parquet::arrow::ArrowWriter;

    use super::super::{SessionOptions, session_context};
    use super::*;

    struct Directory {
        directory: tempfile::TempDir,
        context: SessionContext,
    }

    impl Directory {
        fn new() -> Self {
            let options = SessionOptions {
                target_partitions: Some(4),
                ..SessionOptions::default()
            };
            Self {
                directory: tempfile::tempdir().unwrap(),
                context: session_context(options).unwrap(),
            }
        }

        fn path(&self, name: &str) -> std::path::PathBuf {
            let path = self.directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            path
        }

        fn text(&self, name: &str, text: &str) {
            std::fs::write(self.path(name), text).unwrap();
        }

        /// Rows of a query in which `@` stands for the directory, a line each.
        async fn query(&self, sql: &str) -> std::result::Result<Vec<String>, String> {
            let sql = sql.replace('@', &self.directory.path().display().to_string());
            let failed = |error: DataFusionError| error.strip_backtrace();
            let frame = self.context.sql(&sql).await.map_err(failed)?;
            let batches = frame.collect().await.map_err(failed)?;
            let table = pretty_format_batches(&batches).unwrap().to_string();
            let rows = table.lines().skip(3).filter(|line| line.starts_with('|'));
            let cells = rows.map(|row| {
                let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
                cells.join(",")
            });
            Ok(cells.collect())
        }
    }

    fn batch() -> RecordBatch {
        RecordBatch::try_from_iter(vec![
            ("id", Arc::new(Int64Array::from(vec![1, 2])) as _),
            ("text", Arc::new(StringArray::from(vec!["a", "中"])) as _),
        ])
        .unwrap()
    }

    fn write_parquet(path: &Path, batch: &RecordBatch) {
        let file = std::fs::File::create(path).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(batch).unwrap();
        writer.close().unwrap();
    }

    async fn packed(packing: Packing, text: &str) -> Vec<u8> {
        let bytes = bytes::Bytes::copy_from_slice(text.as_bytes());
        let stream = futures::stream::once(async move { Ok(bytes) }).boxed();
        let packed = packing
            .compression()
            .convert_to_compress_stream(stream)
            .unwrap();
        packed
            .try_fold(Vec::new(), |mut all, piece| async move {
                all.extend_from_slice(&piece);
                Ok(all)
            })
            .await
            .unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn every_kind_is_a_table() {
        let files = Directory::new();
        write_parquet(&files.path("p.parquet"), &batch());
        files.text("c.csv", "id,text\n1,a\n2,中\n");
        files.text("t.tsv", "id\ttext\n1\ta\n2\t中\n");
        let lines = "{\"id\":1,\"text\":\"a\"}\n{\"id\":2,\"text\":\"中\"}\n";
        files.text("lines.json", lines);
        files.text("n.ndjson", lines);
        files.text("l.jsonl", lines);
        files.text(
            "array.json",
            " \n[{\"id\":1,\"text\":\"a\"},\n{\"id\":2,\"text\":\"中\"}]",
        );
        let mut writer = FileWriter::try_new(
            std::fs::File::create(files.path("f.arrow")).unwrap(),
            &batch().schema(),
        )
        .unwrap();
        writer.write(&batch()).unwrap();
        writer.finish().unwrap();
        let mut writer = StreamWriter::try_new(
            std::fs::File::create(files.path("s.arrow")).unwrap(),
            &batch().schema(),
        )
        .unwrap();
        writer.write(&batch()).unwrap();
        writer.finish().unwrap();
        for packing in [Packing::Gzip, Packing::Zstd] {
            let texts = [
                ("c.csv", "id,text\n1,a\n2,中\n"),
                ("t.tsv", "id\ttext\n1\ta\n2\t中\n"),
                ("lines.json", lines),
                (
                    "array.json",
                    "[{\"id\":1,\"text\":\"a\"},{\"id\":2,\"text\":\"中\"}]",
                ),
                ("n.ndjson", lines),
            ];
            for (name, text) in texts {
                let path = files.path(&format!("{name}{}", packing.suffix()));
                std::fs::write(path, packed(packing, text).await).unwrap();
            }
        }
        let mut names: Vec<String> = std::fs::read_dir(files.directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), 19, "{names:?}");
        for name in names {
            let rows = files
                .query(&format!("SELECT id + 0, text FROM '@/{name}' ORDER BY id"))
                .await;
            assert_eq!(
                rows.as_deref(),
                Ok(&["1,a".to_owned(), "2,中".to_owned()][..]),
                "{name}"
            );
            let rows = files
                .query(&format!("SELECT count(*) FROM '@/{name}' WHERE id > 1"))
                .await;
            assert_eq!(rows.as_deref(), Ok(&["1".to_owned()][..]), "{name}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn directories_partitions_and_drift_are_one_table() {
        let files = Directory::new();
        write_parquet(&files.path("d/lang=zh/year=2024/a.parquet"), &batch());
        let narrow = RecordBatch::try_from_iter(vec![
            (
                "text",
                Arc::new(datafusion::arrow::array::LargeStringArray::from(vec!["b"])) as _,
            ),
            (
                "id",
                Arc::new(datafusion::arrow::array::PrimitiveArray::<Int32Type>::from(
                    vec![3],
                )) as _,
            ),
            ("extra", Arc::new(StringArray::from(vec!["e"])) as _),
        ])
        .unwrap();
        let null = format!("d/lang={HIVE_NULL}/year=2025/b.parquet");
        write_parquet(&files.path(&null), &narrow);
        write_parquet(
            &files.path("d/lang=e%20n/year=2025/c.parquet"),
            &batch().slice(0, 1),
        );
        files.text("d/_SUCCESS", "");
        files.text("d/_tamis/receipt.parquet", "not parquet");
        files.text("d/README.md", "notes");
        let all = files
            .query("SELECT id, text, extra, lang, year FROM '@/d' ORDER BY year, id")
            .await
            .unwrap();
        assert_eq!(
            all,
            [
                "1,a,,zh,2024",
                "2,中,,zh,2024",
                "1,a,,e n,2025",
                "3,b,e,,2025"
            ]
        );
        let some = files
            .query("SELECT id FROM '@/d/' WHERE lang = 'zh' AND id = 2")
            .await
            .unwrap();
        assert_eq!(some, ["2"]);
        let glob = files
            .query("SELECT id, lang FROM '@/d/*/year=2024/*.parquet' ORDER BY id")
            .await;
        assert_eq!(glob.unwrap(), ["1,zh", "2,zh"]);
        let named = files
            .query("SELECT regexp_replace(input_file_name(), '.*/', ''), file_row_index() FROM '@/d' WHERE id = 2")
            .await;
        assert_eq!(named.unwrap(), ["a.parquet,1"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn quoted_line_ends_survive_parallel_reading() {
        let files = Directory::new();
        let mut file = std::fs::File::create(files.path("big.csv")).unwrap();
        writeln!(file, "id,text").unwrap();
        let filler = "x".repeat(1_000);
        // Large enough for the planner to cut into ranges, if it thought it may.
        for id in 0..12_000 {
            writeln!(file, "{id},\"{filler}\n{filler}\"").unwrap();
        }
        drop(file);
        let rows = files
            .query("SELECT count(*), max(id), min(length(text)) FROM '@/big.csv'")
            .await;
        assert_eq!(rows.unwrap(), ["12000,11999,2001"]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_cannot_be_read_says_why() {
        let files = Directory::new();
        files.text("d/a.csv", "id,text\n1,a\n");
        files.text("d/b.ndjson", "{}\n");
        files.text("headers/a.csv", "id,text\n1,a\n");
        files.text("headers/b.csv", "text,id\na,1\n");
        files.text("only/notes.txt", "x");
        files.text("data.xlsx", "x");
        files.text("broken.parquet", "PAR1 not really PAR1");
        files.text("broken.csv.gz", "id,text\n1,a\n");
        files.text("mixed/a.json", "[{\"id\":1}]");
        files.text("mixed/b.json", "{\"id\":1}\n");
        write_parquet(&files.path("clash/a.parquet"), &batch());
        let other =
            RecordBatch::try_from_iter(vec![("id", Arc::new(StringArray::from(vec!["x"])) as _)])
                .unwrap();
        write_parquet(&files.path("clash/b.parquet"), &other);
        write_parquet(&files.path("uneven/a=1/x.parquet"), &batch());
        write_parquet(&files.path("uneven/x.parquet"), &batch());
        let cases = [
            (
                "@/nothing.parquet",
                "nothing.parquet: no such file or directory",
            ),
            (
                "@/d",
                "files of different kinds are not one table (1 csv, 1 ndjson)",
            ),
            ("@/headers", "has the columns [text, id]"),
            (
                "@/only",
                "no file there can be read as a table (found: .txt)",
            ),
            (
                "@/data.xlsx",
                "a file with the extension .xlsx cannot be read as a table. The kinds are .parquet",
            ),
            ("@/broken.parquet", "broken.parquet: "),
            ("@/broken.csv.gz", "broken.csv.gz: "),
            ("@/mixed", "a.json is one JSON array and"),
            ("@/clash", "column 'id' is Int64 in"),
            ("@/uneven", "has the partitions []"),
            ("gs://bucket/x.parquet", "'gs://' is not supported"),
            (
                "no_such_table",
                "table 'datafusion.public.no_such_table' not found",
            ),
        ];
        for (table, expected) in cases {
            let error = files
                .query(&format!("SELECT * FROM '{table}'"))
                .await
                .unwrap_err();
            assert!(error.contains(expected), "{table}: {error}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_session_sees_new_files_and_keeps_views() {
        let files = Directory::new();
        files.text("d/a.csv", "id\n1\n");
        files
            .query("CREATE VIEW v AS SELECT count(*) AS n FROM '@/d/'")
            .await
            .unwrap();
        assert_eq!(
            files.query("SELECT count(*) FROM '@/d/'").await.unwrap(),
            ["1"]
        );
        files.text("d/b.csv", "id\n2\n");
        assert_eq!(
            files.query("SELECT count(*) FROM '@/d/'").await.unwrap(),
            ["2"]
        );
        assert_eq!(files.query("SELECT n FROM v").await.unwrap().len(), 1);
        files
            .query("COPY (SELECT 7 AS id) TO '@/copied/' STORED AS PARQUET")
            .await
            .unwrap();
        assert_eq!(
            files.query("SELECT id FROM '@/copied/'").await.unwrap(),
            ["7"]
        );
    }
}
