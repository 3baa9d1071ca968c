//! The output location: paths below it, create-only writes, listing and leftovers.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};

use crate::session::stores::{Location, Stores};

use super::error::{JobError, Result};

/// A directory or prefix that holds one job's output.
#[derive(Debug, Clone)]
pub struct Output {
    location: Location,
}

/// How a create-only write ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created {
    /// The object is ours and new.
    New,
    /// An object with exactly these bytes was there already (or our own write, whose reply was lost).
    Same,
    /// Somebody else's object is there.
    Other(Bytes),
}

/// How the manifest is made unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitProtocol {
    /// The store honours `If-None-Match: *`: of several writers exactly one wins.
    CreateOnly,
    /// It does not: one `tamis run` at a time may write here; a check before and a read after the write.
    SingleWriter,
}

impl Output {
    /// Opens a location; nothing is written.
    pub fn open(stores: &Stores, uri: &str) -> Result<Self> {
        let location = stores
            .locate(uri)
            .map_err(|error| JobError::usage(error.to_string()))?;
        Ok(Self { location })
    }

    /// A location that is resolved already.
    #[cfg(test)]
    pub(crate) fn at(location: Location) -> Self {
        Self { location }
    }

    /// The object store path of a relative name.
    pub fn path(&self, relative: &str) -> Path {
        let prefix = self.location.path.as_ref();
        if prefix.is_empty() {
            Path::from(relative)
        } else {
            Path::from(format!("{prefix}/{relative}"))
        }
    }

    /// What a person would call a relative name.
    pub fn uri(&self, relative: &str) -> String {
        let base = match &self.location.local {
            Some(path) => path.display().to_string(),
            None => self.location.url.to_string(),
        };
        let base = base.trim_end_matches('/');
        if relative.is_empty() {
            base.to_owned()
        } else {
            format!("{base}/{relative}")
        }
    }

    /// The location itself.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The store below.
    pub fn store(&self) -> &std::sync::Arc<dyn ObjectStore> {
        &self.location.store
    }

    /// Whether the location is on this machine.
    pub fn is_local(&self) -> bool {
        self.location.local.is_some()
    }

    fn failed(&self, relative: &str, error: &object_store::Error) -> JobError {
        JobError::store(error, &self.uri(relative))
    }

    /// A small object's bytes, `None` when there is none.
    pub async fn get(&self, relative: &str) -> Result<Option<Bytes>> {
        let result = match self.store().get(&self.path(relative)).await {
            Ok(result) => result,
            Err(object_store::Error::NotFound { .. }) if !self.bucket_is_missing().await => {
                return Ok(None);
            }
            Err(error) => return Err(self.failed(relative, &error)),
        };
        result
            .bytes()
            .await
            .map(Some)
            .map_err(|error| self.failed(relative, &error))
    }

    /// A missing bucket also answers "not found"; the caller must not take it for an empty output.
    async fn bucket_is_missing(&self) -> bool {
        if self.is_local() {
            return false;
        }
        let probe = self
            .store()
            .list(Some(&self.location.path))
            .try_next()
            .await;
        probe.is_err()
    }

    /// A stream over one object.
    pub async fn stream(&self, relative: &str) -> Result<object_store::GetResult> {
        self.store()
            .get_opts(&self.path(relative), GetOptions::default())
            .await
            .map_err(|error| self.failed(relative, &error))
    }

    /// Writes an object, replacing it.
    pub async fn put(&self, relative: &str, bytes: impl Into<PutPayload>) -> Result<()> {
        self.store()
            .put(&self.path(relative), bytes.into())
            .await
            .map(drop)
            .map_err(|error| self.failed(relative, &error))
    }

    /// Removes an object; one that is gone already is fine.
    pub async fn remove(&self, relative: &str) -> Result<()> {
        match self.store().delete(&self.path(relative)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.failed(relative, &error)),
        }
    }

    /// Every object below, relative name to size. On this machine that includes hidden
    /// files and what an interrupted write left behind, which the object store would not list.
    pub async fn list(&self) -> Result<BTreeMap<String, u64>> {
        if let Some(root) = &self.location.local {
            let mut found = BTreeMap::new();
            walk(root, "", &mut found)?;
            return Ok(found);
        }
        let prefix = self.location.path.as_ref();
        self.store()
            .list(Some(&self.location.path))
            .map_ok(|meta| {
                let name = meta.location.as_ref();
                let relative = name
                    .strip_prefix(prefix)
                    .unwrap_or(name)
                    .trim_start_matches('/');
                (relative.to_owned(), meta.size)
            })
            .try_collect()
            .await
            .map_err(|error| self.failed("", &error))
    }

    /// The names of the objects below a folder of the output.
    pub async fn list_below(&self, folder: &str) -> Result<Vec<String>> {
        if let Some(root) = &self.location.local {
            let mut found = BTreeMap::new();
            walk(&root.join(folder), folder, &mut found)?;
            return Ok(found.into_keys().collect());
        }
        let prefix = self.location.path.as_ref();
        self.store()
            .list(Some(&self.path(folder)))
            .map_ok(|meta| {
                let name = meta.location.as_ref();
                let name = name.strip_prefix(prefix).unwrap_or(name);
                name.trim_start_matches('/').to_owned()
            })
            .try_collect()
            .await
            .map_err(|error| self.failed(folder, &error))
    }

    /// The size of an object, `None` when there is none.
    pub async fn size(&self, relative: &str) -> Result<Option<u64>> {
        match self.store().head(&self.path(relative)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.failed(relative, &error)),
        }
    }

    /// Copies an object inside the output, without its bytes passing through here.
    pub async fn copy(&self, from: &str, to: &str) -> Result<()> {
        self.store()
            .copy(&self.path(from), &self.path(to))
            .await
            .map_err(|error| self.failed(from, &error))
    }

    /// Removes the folders that are empty once their objects are gone; object stores have none.
    pub fn remove_empty_folder(&self, folder: &str) {
        if let Some(root) = &self.location.local {
            remove_empty(&root.join(folder));
        }
    }

    /// Creates an object that must not exist. A lost reply is resolved by reading back.
    pub async fn create(
        &self,
        relative: &str,
        bytes: &Bytes,
        protocol: CommitProtocol,
    ) -> Result<Created> {
        if protocol == CommitProtocol::SingleWriter {
            if let Some(there) = self.get(relative).await? {
                return Ok(if there == *bytes {
                    Created::Same
                } else {
                    Created::Other(there)
                });
            }
            self.put(relative, bytes.clone()).await?;
            return match self.get(relative).await? {
                Some(there) if there == *bytes => Ok(Created::New),
                Some(there) => Ok(Created::Other(there)),
                None => Err(JobError::failed(format!(
                    "{}: written, but not there when read back",
                    self.uri(relative)
                ))),
            };
        }
        let options = PutOptions {
            mode: PutMode::Create,
            ..PutOptions::default()
        };
        let written = self
            .store()
            .put_opts(&self.path(relative), bytes.clone().into(), options)
            .await;
        let Err(error) = written else {
            return Ok(Created::New);
        };
        // Either it was there before, or the store did as told and its reply was lost.
        match self.get(relative).await? {
            Some(there) if there == *bytes => Ok(Created::Same),
            Some(there) => Ok(Created::Other(there)),
            None => Err(self.failed(relative, &error)),
        }
    }

    /// Whether the location honours create-only writes: the same key is created twice,
    /// and the second attempt must be refused.
    pub async fn probe_protocol(&self) -> Result<CommitProtocol> {
        if self.is_local() {
            return Ok(CommitProtocol::CreateOnly);
        }
        let name = "_tamis/create-only-probe";
        self.remove(name).await?;
        let options = || PutOptions {
            mode: PutMode::Create,
            ..PutOptions::default()
        };
        let path = self.path(name);
        let first = self
            .store()
            .put_opts(&path, PutPayload::from_static(b"1"), options())
            .await;
        if let Err(error) = first
            && !matches!(error, object_store::Error::NotImplemented { .. })
        {
            return Err(self.failed(name, &error));
        }
        let second = self
            .store()
            .put_opts(&path, PutPayload::from_static(b"2"), options())
            .await;
        let protocol = match second {
            Err(
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. },
            ) => CommitProtocol::CreateOnly,
            Ok(_) | Err(object_store::Error::NotImplemented { .. }) => CommitProtocol::SingleWriter,
            Err(error) => return Err(self.failed(name, &error)),
        };
        self.remove(name).await?;
        Ok(protocol)
    }

    /// Removes what interrupted writes left on this machine (`name#1`) and a forgotten probe.
    pub async fn remove_leftovers(&self) -> Result<usize> {
        let mut removed = 0;
        for name in self.list().await?.keys() {
            let staged = name.rsplit_once('#').is_some_and(|(_, digits)| {
                !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
            });
            if let (true, Some(root)) = (staged, &self.location.local) {
                let path = root.join(name);
                std::fs::remove_file(&path).map_err(|error| JobError::local(&path, &error))?;
                removed += 1;
            } else if name == "_tamis/create-only-probe" {
                self.remove(name).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}

/// Best effort: a folder that stays holds nothing.
fn remove_empty(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            remove_empty(&entry.path());
        }
    }
    // Refused by the system while there is something in it.
    let _ = std::fs::remove_dir(folder);
}

fn walk(folder: &std::path::Path, prefix: &str, found: &mut BTreeMap<String, u64>) -> Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(JobError::local(folder, &error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| JobError::local(folder, &error))?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let relative = if prefix.is_empty() {
            name
        } else {
            format!("{prefix}/{name}")
        };
        let kind = entry
            .metadata()
            .map_err(|error| JobError::local(&path, &error))?;
        if kind.is_dir() {
            walk(&path, &relative, found)?;
        } else {
            found.insert(relative, kind.len());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use async_trait::async_trait;
    use futures::stream::BoxStream;
    use object_store::memory::InMemory;
    use object_store::{
        CopyOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, PutMultipartOptions,
        PutResult, Result as StoreResult,
    };

    use super::*;

    /// How a server misbehaves.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Fault {
        None,
        /// Create-only writes are done, but the reply is lost.
        LostReply,
        /// `If-None-Match` is accepted and ignored.
        IgnoresCreate,
    }

    #[derive(Debug)]
    struct Faulty {
        inner: InMemory,
        fault: Fault,
    }

    impl std::fmt::Display for Faulty {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{:?}", self.fault)
        }
    }

    #[async_trait]
    impl ObjectStore for Faulty {
        async fn put_opts(
            &self,
            path: &Path,
            payload: PutPayload,
            mut options: PutOptions,
        ) -> StoreResult<PutResult> {
            let create = options.mode == PutMode::Create;
            if self.fault == Fault::IgnoresCreate {
                options.mode = PutMode::Overwrite;
            }
            let result = self.inner.put_opts(path, payload, options).await?;
            if create && self.fault == Fault::LostReply {
                return Err(object_store::Error::Generic {
                    store: "faulty",
                    source: "connection reset".into(),
                });
            }
            Ok(result)
        }

        async fn put_multipart_opts(
            &self,
            path: &Path,
            options: PutMultipartOptions,
        ) -> StoreResult<Box<dyn MultipartUpload>> {
            self.inner.put_multipart_opts(path, options).await
        }

        async fn get_opts(&self, path: &Path, options: GetOptions) -> StoreResult<GetResult> {
            self.inner.get_opts(path, options).await
        }

        fn delete_stream(
            &self,
            paths: BoxStream<'static, StoreResult<Path>>,
        ) -> BoxStream<'static, StoreResult<Path>> {
            self.inner.delete_stream(paths)
        }

        fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
            self.inner.list(prefix)
        }

        async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
            self.inner.list_with_delimiter(prefix).await
        }

        async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
            self.inner.copy_opts(from, to, options).await
        }
    }

    fn output(fault: Fault) -> Output {
        Output {
            location: Location {
                store: Arc::new(Faulty {
                    inner: InMemory::new(),
                    fault,
                }),
                url: "s3://bucket/out".parse().unwrap(),
                path: Path::from("out"),
                local: None,
            },
        }
    }

    #[tokio::test]
    async fn a_store_that_ignores_create_is_found_out() {
        for (fault, protocol) in [
            (Fault::None, CommitProtocol::CreateOnly),
            (Fault::IgnoresCreate, CommitProtocol::SingleWriter),
        ] {
            let output = output(fault);
            assert_eq!(output.probe_protocol().await.unwrap(), protocol);
            assert!(
                output.list().await.unwrap().is_empty(),
                "the probe is removed"
            );
            let (ours, theirs) = (Bytes::from("ours"), Bytes::from("theirs"));
            assert_eq!(
                output.create("m", &theirs, protocol).await.unwrap(),
                Created::New
            );
            assert_eq!(
                output.create("m", &theirs, protocol).await.unwrap(),
                Created::Same
            );
            assert_eq!(
                output.create("m", &ours, protocol).await.unwrap(),
                Created::Other(theirs.clone())
            );
            assert_eq!(output.get("m").await.unwrap(), Some(theirs));
        }
    }

    #[tokio::test]
    async fn a_lost_reply_is_resolved_by_reading_back() {
        let output = output(Fault::LostReply);
        let (ours, theirs) = (Bytes::from("ours"), Bytes::from("theirs"));
        let create = |name: &'static str, bytes: Bytes| {
            let output = output.clone();
            async move {
                output
                    .create(name, &bytes, CommitProtocol::CreateOnly)
                    .await
                    .unwrap()
            }
        };
        assert_eq!(create("m", ours.clone()).await, Created::Same);
        output.put("n", theirs.clone()).await.unwrap();
        assert_eq!(create("n", ours).await, Created::Other(theirs));
    }
}
