//! What a purge of one row reads.

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use parquet::arrow::ArrowWriter;

use super::*;

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
