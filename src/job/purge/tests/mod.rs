//! Purges against stores that die, and against one that counts.

mod interrupted;
mod reads;

use std::collections::BTreeMap;
use std::path::Path as LocalPath;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::job::file::JobFile;
use crate::job::run::{RunOptions, run};
use crate::job::verify::{VerifyOptions, verify};
use crate::report::progress::ProgressMode;
use crate::session::stores::Location;
use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
};

/// A store that dies at the n-th change: before it is made, or after it is made and before the reply.
/// It also writes down what is read.
#[derive(Debug)]
struct Watched {
    inner: InMemory,
    changes: AtomicUsize,
    dies_at: Option<(usize, bool)>,
    reads: Mutex<Vec<(String, u64)>>,
}

impl std::fmt::Display for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("watched")
    }
}

fn dead() -> object_store::Error {
    object_store::Error::Generic {
        store: "watched",
        source: "killed here".into(),
    }
}

impl Watched {
    /// Whether a change may be made, and whether its reply arrives.
    fn change(&self) -> (bool, bool) {
        let number = self.changes.fetch_add(1, Ordering::SeqCst);
        match self.dies_at {
            Some((at, made)) if number == at => (made, false),
            Some((at, _)) => (number < at, number < at),
            None => (true, true),
        }
    }

    fn is_dead(&self) -> bool {
        self.dies_at
            .is_some_and(|(at, _)| self.changes.load(Ordering::SeqCst) > at)
    }
}

#[async_trait]
impl ObjectStore for Watched {
    async fn put_opts(
        &self,
        path: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> StoreResult<PutResult> {
        let (made, replied) = self.change();
        if !made {
            return Err(dead());
        }
        let result = self.inner.put_opts(path, payload, options).await;
        if replied { result } else { Err(dead()) }
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> StoreResult<GetResult> {
        if self.is_dead() {
            return Err(dead());
        }
        let head = options.head;
        let result = self.inner.get_opts(path, options).await?;
        if !head {
            let bytes = result.range.end - result.range.start;
            let name = path.as_ref().strip_prefix("out/").unwrap_or_default();
            self.reads.lock().unwrap().push((name.to_owned(), bytes));
        }
        Ok(result)
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, StoreResult<Path>>,
    ) -> BoxStream<'static, StoreResult<Path>> {
        let (made, replied) = self.change();
        if !made {
            return futures::stream::once(async { Err(dead()) }).boxed();
        }
        let deleted = self.inner.delete_stream(paths);
        if replied {
            deleted
        } else {
            deleted.map(|_| Err(dead())).boxed()
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        let (made, replied) = self.change();
        if !made {
            return Err(dead());
        }
        self.inner.copy_opts(from, to, options).await?;
        if replied { Ok(()) } else { Err(dead()) }
    }
}

type Objects = BTreeMap<String, Bytes>;

async fn store_of(objects: &Objects, dies_at: Option<(usize, bool)>) -> Arc<Watched> {
    let inner = InMemory::new();
    for (name, bytes) in objects {
        let path = Path::from(format!("out/{name}"));
        inner.put(&path, bytes.clone().into()).await.unwrap();
    }
    Arc::new(Watched {
        inner,
        changes: AtomicUsize::new(0),
        dies_at,
        reads: Mutex::default(),
    })
}

fn output_of(store: &Arc<Watched>) -> Output {
    Output::at(Location {
        store: Arc::clone(store) as Arc<dyn ObjectStore>,
        url: "s3://bucket/out".parse().unwrap(),
        path: Path::from("out"),
        local: None,
    })
}

async fn objects_of(store: &Watched) -> Objects {
    let metas: Vec<ObjectMeta> = store.inner.list(None).try_collect().await.unwrap();
    let mut objects = Objects::new();
    for meta in metas {
        let bytes = store.inner.get(&meta.location).await.unwrap().bytes().await;
        let name = meta.location.as_ref().strip_prefix("out/").unwrap();
        objects.insert(name.to_owned(), bytes.unwrap());
    }
    objects
}

fn read_folder(root: &LocalPath, folder: &LocalPath, into: &mut Objects) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_folder(root, &path, into);
        } else {
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            into.insert(name.to_owned(), std::fs::read(&path).unwrap().into());
        }
    }
}

fn stores() -> Stores {
    Stores::new(Default::default())
}

fn quiet() -> Progress {
    Progress::new(ProgressMode::None)
}

fn write_to(folder: &LocalPath, objects: &Objects) {
    for (name, bytes) in objects {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// What is wrong with an output, by `tamis verify`.
async fn problems(objects: &Objects) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    write_to(folder.path(), objects);
    let options = VerifyOptions {
        inputs: false,
        evidence: false,
        rejudge: false,
        overrides: Vec::new(),
        workers: 2,
        progress: quiet(),
        stop: Stop::default(),
    };
    let found = verify(folder.path().to_str().unwrap(), &stores(), &options).await;
    let checks = found.unwrap().checks;
    checks
        .into_iter()
        .flat_map(|check| check.problems)
        .collect()
}

async fn run_job(file: &JobFile, out: &LocalPath) -> Objects {
    let options = RunOptions {
        limit: None,
        workers: 2,
        stop: Stop::default(),
        progress: quiet(),
    };
    run(file, &stores(), &options).await.unwrap();
    let mut objects = Objects::new();
    read_folder(out, out, &mut objects);
    objects
}

/// The quickstart's output, and a folder for tables.
async fn quickstart() -> (tempfile::TempDir, Objects) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let overrides = [("output.uri".to_owned(), out.to_str().unwrap().to_owned())];
    let file = JobFile::read(LocalPath::new("examples/quickstart/job.toml"), &overrides).unwrap();
    let objects = run_job(&file, &out).await;
    (folder, objects)
}

fn options() -> PurgeOptions {
    PurgeOptions {
        opt_out: None,
        opt_out_agents: None,
        consent: None,
        takedown: Vec::new(),
        subject_key: Some("examples/quickstart/subject.key".to_owned()),
        as_of: Some("2026-11-20".to_owned()),
        keep_old: false,
        drop_old: false,
        dry_run: false,
        resume: false,
        workers: 1,
        progress: quiet(),
        stop: Stop::default(),
    }
}

/// A registry in which one subject of a kept row has withdrawn, and a ticket for one of the others' rows.
async fn demands_on(folder: &LocalPath, objects: &Objects) -> PurgeOptions {
    let registry = std::fs::read_to_string("examples/quickstart/consent.csv").unwrap();
    let granted: Vec<&str> = registry
        .lines()
        .filter(|line| line.contains(",granted,"))
        .collect();
    let gone = granted[0].split(',').next().unwrap();
    let newer: String = registry
        .lines()
        .filter(|line| line.split(',').next() != Some(gone))
        .map(|line| format!("{line}\n"))
        .collect();
    let consent = folder.join("consent.csv");
    std::fs::write(&consent, newer).unwrap();
    let row = row_ids(objects, "dropped/").remove(0);
    let tickets = folder.join("tickets.csv");
    std::fs::write(
        &tickets,
        format!(
            "kind,value,ticket,received_at,closed_at,reason\n\
             row,{row},T-1,2026-11-18,2026-11-19,court order\n\
             url,https://nobody.example/,T-2,2026-11-18,,asked by the owner\n"
        ),
    )
    .unwrap();
    PurgeOptions {
        consent: Some(consent.to_str().unwrap().to_owned()),
        takedown: vec![tickets.to_str().unwrap().to_owned()],
        ..options()
    }
}

/// The row ids in the files whose names begin so.
fn row_ids(objects: &Objects, prefix: &str) -> Vec<String> {
    use datafusion::arrow::array::AsArray;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let mut ids = Vec::new();
    for (_, bytes) in objects.iter().filter(|(name, _)| name.starts_with(prefix)) {
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes.clone()).unwrap();
        for batch in reader.build().unwrap() {
            let batch = batch.unwrap();
            let column = batch.column_by_name("prov_row_id").unwrap();
            ids.extend(
                column
                    .as_string::<i32>()
                    .iter()
                    .flatten()
                    .map(str::to_owned),
            );
        }
    }
    ids
}

fn all_ids(objects: &Objects) -> Vec<String> {
    let mut ids: Vec<String> = ["data/", "review/", "dropped/", "quarantine/"]
        .iter()
        .flat_map(|folder| row_ids(objects, folder))
        .collect();
    ids.sort();
    ids
}
