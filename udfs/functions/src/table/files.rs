//! Finding the files of a table and reading their bytes.

use std::io::{Cursor, Read, Write};
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::listing::ListingTableUrl;
use datafusion::prelude::SessionContext;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};
use tamis_resource::{ResourceError, Result, sha256_hex};
use url::Url;

use super::parquet::RangeReader;

/// The format of a file, by its extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `.parquet`
    Parquet,
    /// `.arrow`: an IPC file or an IPC stream.
    Arrow,
    /// `.csv` or `.tsv`, with its delimiter.
    Separated(u8),
    /// `.json`: an array of objects, or one object a line.
    Json,
    /// `.ndjson` or `.jsonl`.
    JsonLines,
    /// `.toml`: one array of tables.
    Toml,
}

const KNOWN: &str = "parquet, csv, tsv, json, ndjson, jsonl, toml, arrow; all but parquet and arrow also .gz and .zst";

impl Format {
    /// The format and compression a file name states.
    fn of(name: &str) -> Option<(Self, FileCompressionType)> {
        let name = name.to_ascii_lowercase();
        let (stem, compression) = if let Some(stem) = name.strip_suffix(".gz") {
            (stem, FileCompressionType::GZIP)
        } else if let Some(stem) = name.strip_suffix(".zst") {
            (stem, FileCompressionType::ZSTD)
        } else {
            (name.as_str(), FileCompressionType::UNCOMPRESSED)
        };
        let format = match stem.rsplit_once('.')?.1 {
            "parquet" => Self::Parquet,
            "arrow" => Self::Arrow,
            "csv" => Self::Separated(b','),
            "tsv" => Self::Separated(b'\t'),
            "json" => Self::Json,
            "ndjson" | "jsonl" => Self::JsonLines,
            "toml" => Self::Toml,
            _ => return None,
        };
        let compressible = !matches!(format, Self::Parquet | Self::Arrow);
        (compressible || !compression.is_compressed()).then_some((format, compression))
    }
}

/// One file of a table.
#[derive(Debug)]
pub(super) struct TableFile {
    /// Its path below the table; of a table that is one file, the file's name.
    pub(super) name: String,
    pub(super) format: Format,
    pub(super) compression: FileCompressionType,
    meta: ObjectMeta,
}

/// The files of a table, in the order of their paths, and the store they lie in.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) files: Vec<TableFile>,
    store: Arc<dyn ObjectStore>,
    setting: String,
    uri: String,
}

impl Located {
    pub(super) async fn find(ctx: &SessionContext, setting: &str, uri: &str) -> Result<Self> {
        let unreadable = |message: String| unreadable(setting, uri, message);
        let (store, found) = list(ctx, setting, uri).await?;
        let mut files = Vec::with_capacity(found.len());
        for (name, meta) in found {
            let Some((format, compression)) = Format::of(&name) else {
                return Err(unreadable(format!(
                    "the format of {name} is not known by its name (known: {KNOWN})"
                )));
            };
            files.push(TableFile {
                name,
                format,
                compression,
                meta,
            });
        }
        Ok(Self {
            files,
            store,
            setting: setting.to_owned(),
            uri: uri.to_owned(),
        })
    }

    /// Whether places must name the file.
    pub(super) fn several(&self) -> bool {
        self.files.len() > 1
    }

    /// The digest of the table from the digests of its files.
    pub(super) fn digest(&self, digests: &[String]) -> String {
        match digests {
            [one] => one.clone(),
            several => {
                let lines: String = several
                    .iter()
                    .zip(&self.files)
                    .map(|(digest, file)| format!("{digest}  {}\n", file.name))
                    .collect();
                sha256_hex(lines.as_bytes())
            }
        }
    }

    /// The stored bytes of a file, chunk by chunk.
    pub(super) async fn stream(
        &self,
        file: &TableFile,
    ) -> Result<BoxStream<'static, Result<Bytes, String>>> {
        let got = self.store.get(&file.meta.location).await;
        let got = got.map_err(|error| self.unreadable(file, &error.to_string()))?;
        Ok(got.into_stream().map_err(|error| error.to_string()).boxed())
    }

    /// The stored bytes of a file.
    pub(super) async fn bytes(&self, file: &TableFile) -> Result<Vec<u8>> {
        bytes_of(&self.store, &file.meta.location)
            .await
            .map_err(|message| self.unreadable(file, &message))
    }

    /// The SHA-256 of the stored bytes, in one pass that keeps none of them.
    pub(super) async fn file_digest(&self, file: &TableFile) -> Result<String> {
        let mut stream = self.stream(file).await?;
        let mut hasher = Sha256::new();
        while let Some(chunk) = stream.next().await {
            hasher.update(&chunk.map_err(|message| self.unreadable(file, &message))?);
        }
        Ok(hex::encode(hasher.finalize()))
    }

    /// Reads a file by ranges.
    pub(super) fn ranges(&self, file: &TableFile) -> RangeReader {
        RangeReader {
            store: Arc::clone(&self.store),
            path: file.meta.location.clone(),
            size: file.meta.size,
        }
    }

    /// The content behind stored bytes.
    pub(super) fn uncompressed(&self, file: &TableFile, stored: Vec<u8>) -> Result<Vec<u8>> {
        if !file.compression.is_compressed() {
            return Ok(stored);
        }
        let broken = |message: String| self.unreadable(file, &message);
        let mut reader = file
            .compression
            .convert_read(Cursor::new(stored))
            .map_err(|error| broken(error.to_string()))?;
        let mut content = Vec::new();
        reader
            .read_to_end(&mut content)
            .map_err(|error| broken(error.to_string()))?;
        Ok(content)
    }

    /// A file is read in several requests, and its digest must be that of what was read.
    pub(super) async fn check_unchanged(&self, file: &TableFile) -> Result<()> {
        let now = self.store.head(&file.meta.location).await;
        let now = now.map_err(|error| self.unreadable(file, &error.to_string()))?;
        if now.size != file.meta.size
            || now.last_modified != file.meta.last_modified
            || now.e_tag != file.meta.e_tag
        {
            return Err(self.unreadable(file, "it changed while it was read"));
        }
        Ok(())
    }

    pub(super) fn unreadable(&self, file: &TableFile, message: &str) -> ResourceError {
        let message = if self.several() {
            format!("{}: {message}", file.name)
        } else {
            message.to_owned()
        };
        unreadable(&self.setting, &self.uri, message)
    }
}

/// The bytes of a resource that is one file of any name.
pub(super) async fn one_file(ctx: &SessionContext, setting: &str, uri: &str) -> Result<Vec<u8>> {
    let (store, path) = find_one(ctx, setting, uri).await?;
    bytes_of(&store, &path)
        .await
        .map_err(|message| unreadable(setting, uri, message))
}

/// Copies them into a file; none of them stay in memory.
pub(super) async fn copy_one(
    ctx: &SessionContext,
    setting: &str,
    uri: &str,
    out: &mut std::fs::File,
) -> Result<()> {
    let (store, path) = find_one(ctx, setting, uri).await?;
    let copied = async {
        let got = store.get(&path).await.map_err(|error| error.to_string())?;
        let mut chunks = got.into_stream();
        while let Some(chunk) = chunks.try_next().await.map_err(|error| error.to_string())? {
            out.write_all(&chunk).map_err(|error| error.to_string())?;
        }
        Ok(())
    };
    copied
        .await
        .map_err(|message: String| unreadable(setting, uri, message))
}

async fn find_one(
    ctx: &SessionContext,
    setting: &str,
    uri: &str,
) -> Result<(Arc<dyn ObjectStore>, Path)> {
    let (store, found) = list(ctx, setting, uri).await?;
    match found.as_slice() {
        [(_, meta)] => Ok((store, meta.location.clone())),
        several => {
            let message = format!("it must be one file, here are {}", several.len());
            Err(unreadable(setting, uri, message))
        }
    }
}

async fn bytes_of(store: &Arc<dyn ObjectStore>, path: &Path) -> Result<Vec<u8>, String> {
    let got = store.get(path).await.map_err(|error| error.to_string())?;
    let bytes = got.bytes().await.map_err(|error| error.to_string())?;
    Ok(bytes.into())
}

fn unreadable(setting: &str, uri: &str, message: String) -> ResourceError {
    let setting = format!(
        "tamis.{}",
        setting.strip_prefix("tamis.").unwrap_or(setting)
    );
    ResourceError::Read {
        setting,
        uri: uri.to_owned(),
        message,
    }
}

type Files = Vec<(String, ObjectMeta)>;

/// The files `uri` stands for, with their names below it, in the order of their paths.
///
/// DataFusion's own listing is not used: it answers from a cache, and a resource that is loaded
/// again must be read again.
async fn list(
    ctx: &SessionContext,
    setting: &str,
    uri: &str,
) -> Result<(Arc<dyn ObjectStore>, Files)> {
    let unreadable = |message: String| unreadable(setting, uri, message);
    let url = parse(uri).map_err(unreadable)?;
    let store = ctx
        .runtime_env()
        .object_store(url.object_store())
        .map_err(|error| unreadable(error.strip_backtrace()))?;
    if url.get_glob().is_none() && !url.is_collection() {
        match store.head(url.prefix()).await {
            Ok(meta) => {
                let name = meta.location.filename().unwrap_or_default().to_owned();
                return Ok((store, vec![(name, meta)]));
            }
            // It may be a prefix written without its last slash.
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(unreadable(error.to_string())),
        }
    }
    let listed: Vec<ObjectMeta> = store
        .list(Some(url.prefix()))
        .try_collect()
        .await
        .map_err(|error| unreadable(error.to_string()))?;
    let mut files: Files = listed
        .into_iter()
        .filter(|meta| url.contains(&meta.location, false))
        .map(|meta| (below(&url, &meta.location), meta))
        .filter(|(name, _)| !is_hidden(name))
        .collect();
    files.sort_by(|(left, _), (right, _)| left.cmp(right));
    if files.is_empty() {
        let message = match url.get_glob() {
            Some(glob) => format!("no file matches {glob}"),
            None => "no such file, and no files below it".to_owned(),
        };
        return Err(unreadable(message));
    }
    Ok((store, files))
}

fn below(url: &ListingTableUrl, path: &Path) -> String {
    match url.strip_prefix(path) {
        Some(segments) => segments.collect::<Vec<_>>().join("/"),
        None => path.to_string(),
    }
}

/// Files and directories that writers and tools keep for themselves.
fn is_hidden(name: &str) -> bool {
    name.split('/')
        .any(|segment| segment.starts_with(['.', '_']))
}

/// Parses a path or URL. DataFusion knows globs in paths only, and takes an existing file whose
/// name holds a bracket for one.
fn parse(uri: &str) -> Result<ListingTableUrl, String> {
    let failed = |error: datafusion::error::DataFusionError| error.strip_backtrace();
    if uri.trim().is_empty() {
        return Err("the path is empty".to_owned());
    }
    if let Ok(absolute) = FilePath::new(uri).canonicalize() {
        let url = if absolute.is_dir() {
            Url::from_directory_path(&absolute)
        } else {
            Url::from_file_path(&absolute)
        };
        let url = url.map_err(|()| "the path cannot be written as a URL".to_owned())?;
        return ListingTableUrl::try_new(url, None).map_err(failed);
    }
    let globs = |text: &str| text.contains(['*', '?', '[']);
    match uri.split_once("://") {
        Some((scheme, rest)) if globs(rest) => {
            let first = rest.find(['*', '?', '[']).unwrap_or(rest.len());
            let start = rest[..first].rfind('/').map_or(0, |slash| slash + 1);
            ListingTableUrl::parse(format!("{scheme}://{}", &rest[..start]))
                .and_then(|url| url.with_glob(&rest[start..]))
                .map_err(failed)
        }
        _ => ListingTableUrl::parse(uri).map_err(failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_go_by_name() {
        for (name, format, compressed) in [
            ("a.parquet", Format::Parquet, false),
            ("a.CSV", Format::Separated(b','), false),
            ("a.b.tsv.gz", Format::Separated(b'\t'), true),
            ("a.json", Format::Json, false),
            ("a.jsonl.zst", Format::JsonLines, true),
            ("a.arrow", Format::Arrow, false),
        ] {
            let (found, compression) = Format::of(name).unwrap();
            assert_eq!(
                (found, compression.is_compressed()),
                (format, compressed),
                "{name}"
            );
        }
        for name in ["a", "a.txt", "a.parquet.gz", "csv", ".gz"] {
            assert_eq!(Format::of(name), None, "{name}");
        }
    }

    #[test]
    fn globs_are_known_in_urls_too() {
        let url = parse("s3://bucket/registry/2026-*/part-*.parquet").unwrap();
        assert_eq!(url.prefix().as_ref(), "registry");
        assert!(url.contains(&Path::from("registry/2026-01/part-1.parquet"), false));
        assert!(!url.contains(&Path::from("registry/2025-01/part-1.parquet"), false));
        assert_eq!(
            parse("s3://bucket/a.csv").unwrap().prefix().as_ref(),
            "a.csv"
        );
    }

    #[test]
    fn hidden_files_are_not_part_of_a_table() {
        for name in ["_SUCCESS", ".a.csv.crc", "_tamis/a.parquet", "x/.b/c.csv"] {
            assert!(is_hidden(name), "{name}");
        }
        assert!(!is_hidden("2026/part_1.csv"));
    }
}
