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
use object_store::ObjectMeta;
use percent_encoding::percent_decode_str;

use super::files::{FilesError, FoundFiles, find_files, has_wildcard, read_start};
use super::problems::explain;
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
        Self { stores, session: OnceLock::new() }
    }

    /// Names the session whose settings tables are read with. The first call counts.
    pub(crate) fn serve(&self, context: &SessionContext) {
        // A second session would have been built with tables of its own.
        let state = context.state_weak_ref();
        let _ = self.session.set(Box::new(move || Some(state.upgrade()?.read().clone())));
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
        let place = kinds.iter_mut().find(|entry| (entry.0, entry.1) == (kind, packing));
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
                if uri.ends_with('/') { uri.to_owned() } else { format!("{uri}/") },
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
    let starts: Vec<_> = files.iter().map(|file| first_bytes(found, packing, file)).collect();
    let starts: Vec<Vec<u8>> =
        futures::stream::iter(starts).buffered(FILES_AT_A_TIME).try_collect().await?;
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
            let Some((name, value)) = directory.split_once('=') else { continue };
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
    let inferred: Vec<_> =
        files.iter().map(|file| schema_of_file(state, found, format, file)).collect();
    let schemas: Vec<(String, SchemaRef)> =
        futures::stream::iter(inferred).buffered(concurrency).try_collect().await?;
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
    let widening = if kind.is_text() { Widening::Guessed } else { Widening::Lossless };
    let named = schemas.iter().map(|(file, schema)| (file.as_str(), schema.as_ref()));
    unify(named, widening).map_err(|conflict| DataFusionError::Plan(conflict.to_string()))
}

async fn schema_of_file(
    state: &dyn Session,
    found: &FoundFiles,
    format: &dyn FileFormat,
    file: &PartitionedFile,
) -> Result<(String, SchemaRef)> {
    let address = found.address(&file.object_meta.location);
    let schema = format
        .infer_schema(state, &found.store, std::slice::from_ref(&file.object_meta))
        .await
        .map_err(|error| name_file(error, &address))?;
    Ok((address, schema))
}

fn column_names(schema: &Schema) -> Vec<&str> {
    schema.fields().iter().map(|field| field.name().as_str()).collect()
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
