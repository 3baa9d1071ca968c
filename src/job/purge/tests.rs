//! Purges against stores that die, and against one that counts.

use std::collections::BTreeMap;
use std::path::Path as LocalPath;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as StoreResult,
};
use parquet::arrow::ArrowWriter;

use super::*;
use crate::job::file::JobFile;
use crate::job::run::{RunOptions, run};
use crate::job::verify::{VerifyOptions, verify};
use crate::report::progress::ProgressMode;
use crate::session::stores::Location;

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

/// What is wrong with an output, by `tamis verify`.
async fn problems(objects: &Objects) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in objects {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let options = VerifyOptions {
        inputs: false,
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

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_that_dies_at_any_change_completes_on_rerun() {
    let (folder, before) = quickstart().await;
    for keep_old in [false, true] {
        let asked = PurgeOptions {
            keep_old,
            ..demands_on(folder.path(), &before).await
        };
        let calm = store_of(&before, None).await;
        let outcome = purge_in(&output_of(&calm), &stores(), &asked)
            .await
            .unwrap();
        assert!(outcome.record.rows > 1, "{:?}", outcome.record);
        assert!(outcome.files.len() > 1);
        let changes = calm.changes.load(Ordering::SeqCst);
        let after = objects_of(&calm).await;
        assert_eq!(problems(&after).await, Vec::<String>::new());
        let left = all_ids(&before).len() - all_ids(&after).len();
        assert_eq!(left as u64, outcome.record.rows);
        assert!(changes > 20, "{changes}");
        for at in 0..changes {
            for made in [false, true] {
                let dying = store_of(&before, Some((at, made))).await;
                let result = purge_in(&output_of(&dying), &stores(), &asked).await;
                // A lost reply to a create-only write is resolved by reading back; this store is dead by then.
                assert!(result.is_err(), "change {at} of {changes}");
                let between = objects_of(&dying).await;
                let revived = store_of(&between, None).await;
                let resume = PurgeOptions {
                    resume: true,
                    ..options()
                };
                // By turns the same command and `--resume`, which needs a plan to go by.
                let planned = between
                    .keys()
                    .any(|name| name.starts_with("_tamis/purges/0"));
                let again = if (at + usize::from(made)) % 2 == 0 || !planned {
                    &asked
                } else {
                    &resume
                };
                purge_in(&output_of(&revived), &stores(), again)
                    .await
                    .unwrap_or_else(|error| panic!("change {at}, made {made}: {error}"));
                let completed = objects_of(&revived).await;
                let names = |objects: &Objects| objects.keys().cloned().collect::<Vec<_>>();
                assert_eq!(names(&completed), names(&after), "change {at}, made {made}");
                assert!(completed == after, "change {at}, made {made}: other bytes");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_interruption_leaves_is_named_by_verify_and_run_does_not_go_on() {
    let (folder, before) = quickstart().await;
    let asked = demands_on(folder.path(), &before).await;
    let calm = store_of(&before, None).await;
    purge_in(&output_of(&calm), &stores(), &asked)
        .await
        .unwrap();
    let changes = calm.changes.load(Ordering::SeqCst);
    let mut without_success = 0;
    for at in 0..changes {
        let dying = store_of(&before, Some((at, true))).await;
        let _ = purge_in(&output_of(&dying), &stores(), &asked).await;
        let between = objects_of(&dying).await;
        if !between
            .keys()
            .any(|name| name.starts_with("_tamis/purges/0"))
        {
            continue;
        }
        let found = problems(&between).await;
        assert!(found[0].contains("--resume"), "change {at}: {found:?}");
        if between.contains_key("_SUCCESS") {
            continue;
        }
        without_success += 1;
        // Something else must wait for the one that was interrupted, unless that is committed.
        let store = store_of(&between, None).await;
        let out = tempfile::tempdir().unwrap();
        for (name, bytes) in &between {
            let path = out.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
        let overrides = [(
            "output.uri".to_owned(),
            out.path().to_str().unwrap().to_owned(),
        )];
        let file = JobFile::read(LocalPath::new("examples/quickstart/job.toml"), &overrides);
        let run_options = RunOptions {
            limit: None,
            workers: 1,
            stop: Stop::default(),
            progress: quiet(),
        };
        let error = run(&file.unwrap(), &stores(), &run_options)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("--resume"), "{error}");
        drop(store);
        if without_success > 2 {
            break;
        }
    }
    assert!(without_success > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_purges_one_loses_cleanly() {
    let (folder, before) = quickstart().await;
    let asked = demands_on(folder.path(), &before).await;
    let calm = store_of(&before, None).await;
    purge_in(&output_of(&calm), &stores(), &asked)
        .await
        .unwrap();
    let after = objects_of(&calm).await;
    // The first has claimed the output and rewrites when the second comes.
    let mut claimed = 0;
    while {
        let dying = store_of(&before, Some((claimed, false))).await;
        let _ = purge_in(&output_of(&dying), &stores(), &asked).await;
        !objects_of(&dying)
            .await
            .contains_key("_tamis/purges/000002.json")
    } {
        claimed += 1;
    }
    let dying = store_of(&before, Some((claimed + 3, false))).await;
    let _ = purge_in(&output_of(&dying), &stores(), &asked).await;
    let between = objects_of(&dying).await;
    let second = PurgeOptions {
        takedown: asked.takedown.clone(),
        ..options()
    };
    let store = store_of(&between, None).await;
    let error = purge_in(&output_of(&store), &stores(), &second)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("nothing was changed"), "{error}");
    assert!(
        objects_of(&store).await == between,
        "the loser changed something"
    );
    // Both at once, from the start.
    for _ in 0..4 {
        let store = store_of(&before, None).await;
        let (one, two) = (output_of(&store), output_of(&store));
        let both = [asked.clone(), asked.clone()];
        let all = stores();
        let (first, second) = tokio::join!(
            purge_in(&one, &all, &both[0]),
            purge_in(&two, &all, &both[1])
        );
        let won = [&first, &second]
            .iter()
            .filter(|result| matches!(result, Ok(outcome) if outcome.manifest.is_some()))
            .count();
        assert_eq!(won, 1, "{first:?} {second:?}");
        assert!(objects_of(&store).await == after);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_objects_go_with_the_next_purge() {
    let (folder, before) = quickstart().await;
    let asked = PurgeOptions {
        keep_old: true,
        ..demands_on(folder.path(), &before).await
    };
    let store = store_of(&before, None).await;
    let output = output_of(&store);
    purge_in(&output, &stores(), &asked).await.unwrap();
    let kept = objects_of(&store).await;
    let old = |objects: &Objects| {
        objects
            .keys()
            .filter(|name| name.starts_with("_tamis/superseded/"))
            .count()
    };
    assert!(old(&kept) > 4);
    // Every superseded byte is there, out of the folders.
    for (name, bytes) in kept.iter().filter(|(name, _)| name.contains("superseded")) {
        let original = name.strip_prefix("_tamis/superseded/000002/").unwrap();
        assert!(before[original] == *bytes, "{name}");
        assert!(!kept.contains_key(original), "{original}");
    }
    let mut damaged = kept.clone();
    let victim = kept
        .keys()
        .find(|name| name.contains("superseded"))
        .unwrap();
    damaged.remove(victim);
    assert!(problems(&damaged).await[0].contains("is missing"));
    let outcome = purge_in(
        &output,
        &stores(),
        &PurgeOptions {
            drop_old: true,
            ..options()
        },
    )
    .await
    .unwrap();
    assert_eq!(outcome.record.rows, 0);
    let dropped = objects_of(&store).await;
    assert_eq!(old(&dropped), 0);
    assert_eq!(problems(&dropped).await, Vec::<String>::new());
    assert!(dropped.contains_key("_tamis/manifests/000003.json"));
}

/// A job of many files of a few rows each.
async fn many_units(units: usize) -> (tempfile::TempDir, Objects) {
    let folder = tempfile::tempdir().unwrap();
    let corpus = folder.path().join("corpus");
    std::fs::create_dir(&corpus).unwrap();
    for unit in 0..units {
        let texts: StringArray = (0..3)
            .map(|row| Some(format!("A plain sentence, number {row} of {unit}.")))
            .collect();
        let columns: [(&str, ArrayRef); 2] = [
            ("body", Arc::new(texts)),
            ("source", Arc::new(StringArray::from(vec!["books"; 3]))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let file = std::fs::File::create(corpus.join(format!("{unit:04}.parquet"))).unwrap();
        let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
    }
    let sources = folder.path().join("sources.csv");
    std::fs::write(
        &sources,
        "source_id,acquisition_mode,origin_region,license,license_evidence_uri,license_evidence_sha256,contract_id,contract_valid_from,contract_valid_to,commitment_source,commitment_quality,commitment_security,audit_status,audit_date,crawl_record_uri,authorization_record_uri,is_link_list,gen_model,gen_model_version,vertical\n",
    )
    .unwrap();
    let out = folder.path().join("out");
    let job = folder.path().join("job.toml");
    std::fs::write(
        &job,
        format!(
            "[corpus]\nuri = {corpus:?}\ncolumns = {{ text = \"body\", source = \"source\" }}\n\
             [policy]\nas_of = \"2026-11-01\"\n[resources]\nsources = {sources:?}\n[output]\nuri = {out:?}\n"
        ),
    )
    .unwrap();
    let file = JobFile::read(&job, &[]).unwrap();
    let objects = run_job(&file, &out).await;
    (folder, objects)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_row_in_many_units_reads_one_index_and_one_file() {
    // Each unit takes a quarter of a second unoptimised; TAMIS_TEST_UNITS asks for more of them.
    let units = std::env::var("TAMIS_TEST_UNITS").map_or(60, |units| units.parse().unwrap());
    let (folder, before) = many_units(units).await;
    let row = row_ids(&before, "quarantine/000042").remove(0);
    let tickets = folder.path().join("tickets.ndjson");
    std::fs::write(
        &tickets,
        format!(
            "{{\"kind\": \"row\", \"value\": \"{row}\", \"ticket\": \"T-9\", \"received_at\": \"2026-11-18\", \"reason\": \"owner\"}}\n"
        ),
    )
    .unwrap();
    let asked = PurgeOptions {
        subject_key: None,
        takedown: vec![tickets.to_str().unwrap().to_owned()],
        ..options()
    };
    let store = store_of(&before, None).await;
    let dry = PurgeOptions {
        dry_run: true,
        ..asked.clone()
    };
    let outcome = purge_in(&output_of(&store), &stores(), &dry).await.unwrap();
    assert_eq!((outcome.record.rows, outcome.files.len()), (1, 1));
    assert_eq!(store.changes.load(Ordering::SeqCst), 0);
    store.reads.lock().unwrap().clear();
    let outcome = purge_in(&output_of(&store), &stores(), &asked)
        .await
        .unwrap();
    assert_eq!(outcome.record.rows, 1);
    let reads = std::mem::take(&mut *store.reads.lock().unwrap());
    let mut by_kind: BTreeMap<&str, (std::collections::BTreeSet<&str>, usize, u64)> =
        BTreeMap::new();
    for (name, bytes) in &reads {
        let kind = match name.as_str() {
            "_SUCCESS" | "_tamis/spec.json" => "fixed",
            "_tamis/keys.parquet" => "summary",
            name if name.starts_with("_tamis/manifests/") => "manifest",
            name if name.ends_with(".keys.parquet") => "index",
            name if name.ends_with(".clear.json") => "receipt",
            name if name.starts_with("quarantine/") => "data",
            _ => "other",
        };
        let entry = by_kind.entry(kind).or_default();
        entry.0.insert(name);
        entry.1 += 1;
        entry.2 += bytes;
    }
    for kind in ["manifest", "summary", "index", "receipt", "data"] {
        assert_eq!(by_kind[kind].0.len(), 1, "{kind}: {by_kind:?}");
    }
    assert!(!by_kind.contains_key("other"), "{by_kind:?}");
    assert!(reads.len() < 25, "{} requests: {by_kind:?}", reads.len());
    let changes = store.changes.load(Ordering::SeqCst);
    assert!(changes < 30, "{changes} changes");
    let after = objects_of(&store).await;
    assert_eq!(problems(&after).await, Vec::<String>::new());
    assert_eq!(all_ids(&after).len(), 3 * units - 1);
    if let Ok(file) = std::env::var("TAMIS_TEST_PRINT_READS") {
        std::fs::write(
            file,
            format!("{} reads, {changes} changes\n{by_kind:#?}", reads.len()),
        )
        .unwrap();
    }
}
