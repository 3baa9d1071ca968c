//! The corpus: which Parquet files there are, what their footers say, and the one schema they share.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use parquet::arrow::parquet_to_arrow_schema;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};

use crate::session::stores::{Location, Stores};

use super::error::{JobError, Result};

/// Footers read at the same time.
const CONCURRENT_FOOTERS: usize = 16;
/// Bytes read from the end of a file at first; most footers fit.
const FOOTER_GUESS: u64 = 64 * 1024;
const FOOTER_TAIL: u64 = 8;

/// What the footer says of one row group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowGroup {
    /// Rows in it.
    pub rows: u64,
    /// Uncompressed bytes of all its columns.
    pub bytes: u64,
}

/// One file of the corpus.
#[derive(Debug, Clone)]
pub struct InputFile {
    /// Path relative to the corpus root, `/`-separated.
    pub relative: String,
    /// The whole uri.
    pub uri: String,
    /// Where the store has it.
    pub path: Path,
    /// Bytes.
    pub size: u64,
    /// The store's etag; for local files size and hash of the footer.
    pub etag: String,
    /// `key=value` folders on the way, in order; `None` is Hive's null.
    pub partitions: Vec<(String, Option<String>)>,
    /// Arrow schema of the file, without partitions.
    pub schema: SchemaRef,
    /// Its row groups.
    pub row_groups: Vec<RowGroup>,
    /// Why the footer could not be read; such a file is quarantined whole.
    pub unreadable: Option<String>,
}

/// The corpus as listed.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// The store and root.
    pub location: Location,
    /// All files, by relative path.
    pub files: Vec<InputFile>,
    /// The columns all files agree on, then Hive partitions.
    pub schema: SchemaRef,
    /// Names of `schema` that come from the path.
    pub partition_columns: Vec<String>,
    /// Objects below the root that are not Parquet by name.
    pub ignored: usize,
}

impl Inputs {
    /// Lists a file, directory or glob, reads every footer, and unifies the schemas.
    pub async fn list(stores: &Stores, uri: &str) -> Result<Self> {
        let (root, pattern) = split_glob(uri);
        let location = stores
            .locate(root)
            .map_err(|error| JobError::usage(format!("corpus.uri: {error}")))?;
        let (found, ignored, root_path) = list_objects(&location, uri, root, pattern).await?;
        if found.is_empty() {
            return Err(JobError::usage(format!(
                "corpus.uri {uri}: no Parquet file there ({ignored} other objects). A corpus is a .parquet file, a directory or a glob"
            )));
        }
        let files: Vec<InputFile> = futures::stream::iter(found)
            .map(|meta| read_footer(&location, meta, &root_path))
            .buffered(CONCURRENT_FOOTERS)
            .try_collect()
            .await?;
        let (schema, partition_columns) = unify(&files)?;
        Ok(Self {
            location,
            files,
            schema,
            partition_columns,
            ignored,
        })
    }

    /// Rows in all readable files.
    pub fn rows(&self) -> u64 {
        self.files
            .iter()
            .flat_map(|file| &file.row_groups)
            .map(|group| group.rows)
            .sum()
    }

    /// Bytes in all files.
    pub fn bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size).sum()
    }

    /// Whether a column comes from the path.
    pub fn is_partition(&self, name: &str) -> bool {
        self.partition_columns.iter().any(|column| column == name)
    }
}

/// `a/b/*.parquet` is listed from `a/b` and filtered by the pattern.
fn split_glob(uri: &str) -> (&str, Option<&str>) {
    let Some(first) = uri.find(['*', '?', '[']) else {
        return (uri, None);
    };
    let cut = uri[..first].rfind('/').map_or(0, |slash| slash + 1);
    let root = if cut == 0 { "." } else { &uri[..cut] };
    (root, Some(&uri[cut..]))
}

async fn list_objects(
    location: &Location,
    uri: &str,
    root: &str,
    pattern: Option<&str>,
) -> Result<(Vec<ObjectMeta>, usize, String)> {
    let failed = |error: &object_store::Error| JobError::store(error, root);
    let root_path = location.path.as_ref().trim_end_matches('/').to_owned();
    if pattern.is_none()
        && is_parquet_name(&root_path)
        && location.local.as_ref().is_none_or(|path| path.is_file())
    {
        match location.store.head(&location.path).await {
            Ok(meta) => {
                let folder = root_path
                    .rsplit_once('/')
                    .map_or("", |(folder, _)| folder)
                    .to_owned();
                return Ok((vec![meta], 0, folder));
            }
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(failed(&error)),
        }
    }
    if let Some(path) = &location.local
        && !path.exists()
    {
        return Err(JobError::usage(format!(
            "corpus.uri {uri}: {} does not exist",
            path.display()
        )));
    }
    let pattern = pattern
        .map(glob::Pattern::new)
        .transpose()
        .map_err(|error| JobError::usage(format!("corpus.uri {uri}: {error}")))?;
    let options = glob::MatchOptions {
        require_literal_separator: true,
        ..glob::MatchOptions::default()
    };
    let mut found = Vec::new();
    let mut ignored = 0;
    let mut listing = location.store.list(Some(&location.path));
    while let Some(meta) = listing.try_next().await.map_err(|error| failed(&error))? {
        let relative = relative_to(&root_path, meta.location.as_ref());
        // Spark, Hive and Tamis keep their own files under names that start so.
        let hidden = relative.split('/').any(|part| part.starts_with(['_', '.']));
        let wanted = pattern.as_ref().map_or_else(
            || is_parquet_name(relative),
            |pattern| pattern.matches_with(relative, options),
        );
        if hidden || meta.size == 0 && !is_parquet_name(relative) {
            continue;
        }
        if wanted {
            found.push(meta)
        } else {
            ignored += 1
        }
    }
    found.sort_by(|a, b| a.location.as_ref().cmp(b.location.as_ref()));
    Ok((found, ignored, root_path))
}

fn is_parquet_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".parquet") || name.ends_with(".parq") || name.ends_with(".pq")
}

fn relative_to<'a>(root: &str, path: &'a str) -> &'a str {
    path.strip_prefix(root)
        .unwrap_or(path)
        .trim_start_matches('/')
}

async fn read_footer(location: &Location, meta: ObjectMeta, root: &str) -> Result<InputFile> {
    let path = meta.location;
    let relative = percent_decoded(relative_to(root, path.as_ref()));
    let uri = match &location.local {
        Some(_) => format!("file:///{path}"),
        None => format!(
            "{}://{}/{path}",
            location.url.scheme(),
            location.url.host_str().unwrap_or_default()
        ),
    };
    let mut file = InputFile {
        partitions: partitions_of(&relative),
        relative,
        path,
        size: meta.size,
        etag: meta.e_tag.unwrap_or_default().trim_matches('"').to_owned(),
        schema: Arc::new(Schema::empty()),
        row_groups: Vec::new(),
        unreadable: None,
        uri,
    };
    let footer = footer_bytes(&location.store, &file.path, file.size)
        .await
        .map_err(|error| JobError::store(&error, &file.uri))?;
    if location.local.is_some() {
        file.etag = local_etag(file.size, &footer);
    }
    match decode_footer(&footer) {
        Ok((metadata, schema)) => {
            file.schema = schema;
            file.row_groups = metadata
                .row_groups()
                .iter()
                .map(|group| RowGroup {
                    rows: u64::try_from(group.num_rows()).unwrap_or(0),
                    bytes: u64::try_from(group.total_byte_size()).unwrap_or(0),
                })
                .collect();
        }
        Err(reason) => file.unreadable = Some(reason),
    }
    Ok(file)
}

fn percent_decoded(path: &str) -> String {
    percent_encoding::percent_decode_str(path)
        .decode_utf8_lossy()
        .into_owned()
}

fn partitions_of(relative: &str) -> Vec<(String, Option<String>)> {
    let folders = relative.rsplit_once('/').map_or("", |(folders, _)| folders);
    folders
        .split('/')
        .filter_map(|part| part.split_once('='))
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| {
            let value = percent_decoded(value);
            (
                name.to_owned(),
                (value != "__HIVE_DEFAULT_PARTITION__").then_some(value),
            )
        })
        .collect()
}

/// The metadata and the 8-byte tail; for a file that has no sound tail, its last bytes as they are.
pub(crate) async fn footer_bytes(
    store: &Arc<dyn ObjectStore>,
    path: &Path,
    size: u64,
) -> Result<Bytes, object_store::Error> {
    if size == 0 {
        return Ok(Bytes::new());
    }
    let start = size.saturating_sub(FOOTER_GUESS);
    let tail = store.get_range(path, start..size).await?;
    let Some(length) = footer_length(&tail) else {
        return Ok(tail);
    };
    let wanted = u64::from(length) + FOOTER_TAIL;
    if wanted > size {
        return Ok(tail);
    }
    let from = size - wanted;
    if from >= start {
        return Ok(tail.slice(usize::try_from(from - start).unwrap_or(0)..));
    }
    store.get_range(path, from..size).await
}

fn footer_length(tail: &[u8]) -> Option<u32> {
    let at = tail.len().checked_sub(8)?;
    if &tail[at + 4..] != b"PAR1" {
        return None;
    }
    Some(u32::from_le_bytes(tail[at..at + 4].try_into().ok()?))
}

/// A local file's identity: size and hash of the footer.
pub(crate) fn local_etag(size: u64, footer: &[u8]) -> String {
    let hash = blake3::hash(footer).to_hex();
    format!("{size:x}-{}", &hash[..32])
}

fn decode_footer(footer: &[u8]) -> std::result::Result<(ParquetMetaData, SchemaRef), String> {
    if footer.is_empty() {
        return Err("the file is empty".to_owned());
    }
    let Some(length) = footer_length(footer) else {
        return Err(
            "no Parquet footer at the end: the file is cut short or not Parquet".to_owned(),
        );
    };
    let cut = footer.len() - usize::try_from(FOOTER_TAIL).unwrap_or(8);
    if cut != length as usize {
        return Err("the footer's length is beyond the file: the file is cut short".to_owned());
    }
    // A corrupt footer may make the decoder panic; that is one bad file, not the end of the job.
    let decoded = std::panic::catch_unwind(|| {
        let metadata =
            ParquetMetaDataReader::decode_metadata(&footer[..cut]).map_err(|e| e.to_string())?;
        let schema = parquet_to_arrow_schema(
            metadata.file_metadata().schema_descr(),
            metadata.file_metadata().key_value_metadata(),
        )
        .map_err(|e| e.to_string())?;
        Ok((metadata, Arc::new(schema)))
    });
    decoded.unwrap_or_else(|_| Err("the footer cannot be decoded".to_owned()))
}

/// One schema for all readable files: columns of the first, then what later files add, then partitions.
fn unify(files: &[InputFile]) -> Result<(SchemaRef, Vec<String>)> {
    let readable: Vec<&InputFile> = files
        .iter()
        .filter(|file| file.unreadable.is_none())
        .collect();
    let mut fields: Vec<(Field, &str)> = Vec::new();
    for (index, file) in readable.iter().enumerate() {
        let mut names = BTreeSet::new();
        for field in file.schema.fields() {
            if !names.insert(field.name()) {
                return Err(JobError::failed(format!(
                    "{}: column `{}` stands twice",
                    file.uri,
                    field.name()
                )));
            }
            match fields
                .iter_mut()
                .find(|(known, _)| known.name() == field.name())
            {
                Some((known, first)) => {
                    let merged = merge_types(known.data_type(), field.data_type()).ok_or_else(|| {
                        JobError::failed(format!(
                            "column `{}` is {} in {first} and {} in {}: these cannot be unified. Rewrite one of the files, or run them as two corpora",
                            field.name(),
                            known.data_type(),
                            field.data_type(),
                            file.uri
                        ))
                    })?;
                    let nullable = known.is_nullable() || field.is_nullable();
                    *known = Field::new(field.name(), merged, nullable);
                }
                None => {
                    let nullable = field.is_nullable() || index > 0;
                    fields.push((
                        Field::new(field.name(), field.data_type().clone(), nullable),
                        &file.uri,
                    ));
                }
            }
        }
        for (known, _) in &mut fields {
            if !names.contains(known.name()) {
                *known = known.clone().with_nullable(true);
            }
        }
    }
    let mut columns: Vec<Field> = fields.into_iter().map(|(field, _)| field).collect();
    let mut partition_columns: Vec<String> = Vec::new();
    for (name, _) in readable.iter().flat_map(|file| &file.partitions) {
        if !partition_columns.contains(name) {
            // A column inside the files wins: the path only repeats it.
            if columns.iter().any(|column| column.name() == name) {
                continue;
            }
            partition_columns.push(name.clone());
        }
    }
    columns.extend(
        partition_columns
            .iter()
            .map(|name| Field::new(name, DataType::Utf8, true)),
    );
    Ok((Arc::new(Schema::new(columns)), partition_columns))
}

/// The narrowest type that holds both without loss; `None` refuses.
fn merge_types(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::*;
    if a == b {
        return Some(a.clone());
    }
    let width = |t: &DataType| t.primitive_width();
    Some(match (a, b) {
        (Null, other) | (other, Null) => other.clone(),
        (a, b) if is_string(a) && is_string(b) => {
            if is_large(a) || is_large(b) {
                LargeUtf8
            } else {
                Utf8
            }
        }
        (Binary | LargeBinary | BinaryView, Binary | LargeBinary | BinaryView) => LargeBinary,
        (a, b)
            if a.is_signed_integer() && b.is_signed_integer()
                || a.is_unsigned_integer() && b.is_unsigned_integer() =>
        {
            if width(a) >= width(b) {
                a.clone()
            } else {
                b.clone()
            }
        }
        (a, b) if a.is_floating() && b.is_floating() => {
            if width(a) >= width(b) {
                a.clone()
            } else {
                b.clone()
            }
        }
        (Timestamp(u, x), Timestamp(v, y)) if x == y => Timestamp(*u.max(v), x.clone()),
        (List(x), List(y)) => List(merge_fields(x, y)?),
        (LargeList(x), LargeList(y)) | (List(x), LargeList(y)) | (LargeList(x), List(y)) => {
            LargeList(merge_fields(x, y)?)
        }
        (Struct(x), Struct(y)) => {
            let mut fields: Vec<Arc<Field>> = Vec::new();
            for field in x {
                fields.push(match y.iter().find(|other| other.name() == field.name()) {
                    Some(other) => merge_fields(field, other)?,
                    None => Arc::new(field.as_ref().clone().with_nullable(true)),
                });
            }
            for field in y {
                if !x.iter().any(|other| other.name() == field.name()) {
                    fields.push(Arc::new(field.as_ref().clone().with_nullable(true)));
                }
            }
            Struct(Fields::from(fields))
        }
        _ => return None,
    })
}

fn merge_fields(a: &Arc<Field>, b: &Arc<Field>) -> Option<Arc<Field>> {
    let merged = merge_types(a.data_type(), b.data_type())?;
    Some(Arc::new(Field::new(
        a.name(),
        merged,
        a.is_nullable() || b.is_nullable(),
    )))
}

/// Any string type, dictionaries of strings included.
pub(crate) fn is_string(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_string(values),
        _ => false,
    }
}

fn is_large(data_type: &DataType) -> bool {
    match data_type {
        DataType::LargeUtf8 => true,
        DataType::Dictionary(_, values) => is_large(values),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use datafusion::arrow::datatypes::TimeUnit;

    #[test]
    fn types_widen_or_are_refused() {
        use DataType::*;
        assert_eq!(merge_types(&Int32, &Int64), Some(Int64));
        assert_eq!(merge_types(&Utf8, &LargeUtf8), Some(LargeUtf8));
        assert_eq!(merge_types(&Utf8View, &Utf8), Some(Utf8));
        assert_eq!(
            merge_types(
                &Timestamp(TimeUnit::Millisecond, None),
                &Timestamp(TimeUnit::Microsecond, None)
            ),
            Some(Timestamp(TimeUnit::Microsecond, None))
        );
        assert_eq!(merge_types(&Int64, &Utf8), None);
        assert_eq!(merge_types(&Int64, &UInt64), None);
        let a = Struct(vec![Field::new("x", Int32, false)].into());
        let b = Struct(vec![Field::new("x", Int64, false), Field::new("y", Utf8, false)].into());
        let both = Struct(vec![Field::new("x", Int64, false), Field::new("y", Utf8, true)].into());
        assert_eq!(merge_types(&a, &b), Some(both));
    }

    #[test]
    fn hive_folders_become_columns() {
        let found = partitions_of("lang=zh/year=2024%20a/x=__HIVE_DEFAULT_PARTITION__/f.parquet");
        assert_eq!(
            found,
            vec![
                ("lang".into(), Some("zh".into())),
                ("year".into(), Some("2024 a".into())),
                ("x".into(), None)
            ]
        );
    }

    #[test]
    fn globs_are_listed_from_their_fixed_part() {
        assert_eq!(
            split_glob("s3://b/a/*/x.parquet"),
            ("s3://b/a/", Some("*/x.parquet"))
        );
        assert_eq!(split_glob("*.parquet"), (".", Some("*.parquet")));
        assert_eq!(split_glob("a/b"), ("a/b", None));
    }

    #[test]
    fn a_cut_file_says_so() {
        assert!(decode_footer(b"").unwrap_err().contains("empty"));
        assert!(
            decode_footer(b"PAR1....")
                .unwrap_err()
                .contains("cut short")
        );
    }
}
