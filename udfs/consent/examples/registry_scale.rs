//! Measures a consent registry: load, memory, lookups per second.
//!
//! ```text
//! cargo run --release -p tamis-consent --example registry_scale -- COMMAND RECORDS [PATH]
//!   memory RECORDS        builds a registry in memory and asks it
//!   write RECORDS FOLDER  writes a snapshot in bounded memory
//!   open RECORDS FILE [INDEX_LIMIT [BATCH]]
//!                         opens that snapshot and asks it; INDEX_LIMIT in bytes: below 13
//!                         for each subject the index is sparse; BATCH: subjects asked for
//!                         at once, 8192 unless given
//! ```
//!
//! Records are synthetic: every tenth subject has a second one that was withdrawn. One
//! thread; times are the CPU seconds of that thread, and they and the memory of the process
//! come from `/proc` (Linux). Questions are about random subjects. Each command is a process
//! of its own so that its peak memory is its own.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::Path;

use tamis_consent::{
    ConsentRegistry, ConsentRegistryBuilder, ConsentRow, ConsentSnapshotWriter, ConsentStatus,
    PurposeHierarchy, SnapshotOptions, SubjectHash, SubjectKey,
};

const SECOND: i64 = 1_000_000;
const START: i64 = 1_600_000_000 * SECOND;
const AT: i64 = 1_700_000_000 * SECOND;
const LOOKUPS: usize = 5_000_000;

/// A batch as a column of a record batch gives it.
const BATCH: usize = 8_192;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["memory", records] => memory(records.parse()?),
        ["write", records, folder] => write(records.parse()?, Path::new(folder)),
        ["open", records, file, ref more @ ..] if more.len() <= 2 => {
            let mut options = SnapshotOptions::default();
            if let Some(limit) = more.first() {
                options.index_limit = limit.parse()?;
            }
            let batch = more.get(1).map_or(Ok(BATCH), |batch| batch.parse())?;
            open(records.parse()?, Path::new(file), options, batch.max(1))
        }
        _ => Err("give: memory RECORDS, write RECORDS FOLDER or open RECORDS FILE".into()),
    }
}

fn key() -> Outcome<SubjectKey> {
    Ok(SubjectKey::from_bytes(b"a key for measuring, 32 bytes in")?)
}

fn memory(records: usize) -> Outcome {
    let generating = generating(records)?;
    let started = cpu_seconds()?;
    let mut builder = ConsentRegistryBuilder::new("synthetic");
    generate(records, |row| Ok(builder.push(String::new, row)?))?;
    let pushing = cpu_seconds()? - started - generating;
    let started = cpu_seconds()?;
    let registry = builder.finish("1", "00")?;
    let finishing = cpu_seconds()? - started;
    println!("built in memory: push {pushing:.2} CPU-s, finish {finishing:.2} CPU-s");
    show_memory();
    ask(&registry, records, BATCH)
}

fn write(records: usize, folder: &Path) -> Outcome {
    let generating = generating(records)?;
    let started = cpu_seconds()?;
    let mut writer =
        ConsentSnapshotWriter::new("synthetic", &key()?, &PurposeHierarchy::builtin(), folder)?;
    generate(records, |row| Ok(writer.push(String::new, row)?))?;
    let pushing = cpu_seconds()? - started - generating;
    let started = cpu_seconds()?;
    let snapshot = writer.finish("1", folder)?;
    let finishing = cpu_seconds()? - started;
    println!("written: push {pushing:.2} CPU-s, finish {finishing:.2} CPU-s");
    println!(
        "{} records of {} subjects, {:.1} bytes a record",
        snapshot.records,
        snapshot.subjects,
        snapshot.bytes as f64 / snapshot.records as f64
    );
    println!("{}", snapshot.path.display());
    show_memory();
    Ok(())
}

fn open(records: usize, file: &Path, options: SnapshotOptions, batch: usize) -> Outcome {
    let started = cpu_seconds()?;
    let registry = ConsentRegistry::open_snapshot_with("snapshot", file, &key()?, options)?;
    println!("opened: {:.2} CPU-s", cpu_seconds()? - started);
    show_memory();
    ask(&registry, records, batch)
}

fn ask(registry: &ConsentRegistry, records: usize, batch: usize) -> Outcome {
    let known = registry.len();
    let kind = match registry.has_sparse_index() {
        true => "sparse",
        false => "dense",
    };
    println!(
        "{known} records: {kind} index {:.0} MB, {:.1} bytes a record; index and records in memory {:.0} MB, {:.1} bytes a record",
        registry.index_bytes() as f64 / 1e6,
        registry.index_bytes() as f64 / known as f64,
        registry.memory_bytes() as f64 / 1e6,
        registry.memory_bytes() as f64 / known as f64,
    );
    let mut random = 0x9e37_79b9_7f4a_7c15u64;
    let mut known_subject = |_| {
        // xorshift64, G. Marsaglia, Journal of Statistical Software 8 (2003).
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        subject((random % subjects(records) as u64) as usize)
    };
    let mut stranger = |number| format!("stranger-{number:06}@example.invalid");
    let asked: [(&str, &mut dyn FnMut(usize) -> String); 2] =
        [("hits", &mut known_subject), ("misses", &mut stranger)];
    for (name, id) in asked {
        let (ready, hashing) = ready_keys(registry, id)?;
        // The first round brings the pages in, the second one is the steady state.
        for round in ["first", "again"] {
            let (statuses, known_statuses) = statuses(registry, &ready, batch)?;
            show_memory();
            let (batched, found_in_batches) = in_batches(registry, &ready, batch)?;
            let (single, found) = one_by_one(registry, &ready)?;
            assert_eq!((found, found), (found_in_batches, known_statuses));
            println!(
                "{name} ({round}), ready keys: {statuses:.1} M statuses/s in batches of {batch}, {batched:.1} M decisions/s in batches, {single:.1} M decisions/s one by one, {found} known"
            );
            show_memory();
        }
        println!("{name}: hashing {hashing:.1} M subjects/s");
    }
    Ok(())
}

/// Ids from `id` as keys, and how many millions of them a second were hashed. Few ids are in
/// memory at a time, so that they do not count as memory of the registry.
fn ready_keys(
    registry: &ConsentRegistry,
    id: &mut dyn FnMut(usize) -> String,
) -> Outcome<(Vec<SubjectHash>, f64)> {
    let mut ready = Vec::with_capacity(LOOKUPS);
    let mut seconds = 0.0;
    while ready.len() < LOOKUPS {
        let from = ready.len();
        let ids: Vec<String> = (from..LOOKUPS.min(from + BATCH)).map(&mut *id).collect();
        let started = cpu_seconds()?;
        ready.extend(ids.iter().map(|id| registry.subject_hash(id)));
        seconds += cpu_seconds()? - started;
    }
    Ok((ready, LOOKUPS as f64 / seconds / 1e6))
}

fn one_by_one(registry: &ConsentRegistry, subjects: &[SubjectHash]) -> Outcome<(f64, usize)> {
    let purpose = registry.purpose("model-training");
    let started = cpu_seconds()?;
    let decisions = subjects
        .iter()
        .map(|subject| registry.decide_for(*subject, purpose, AT));
    let found = decisions.filter(|each| each.record.is_some()).count();
    Ok((millions_a_second(subjects.len(), started)?, found))
}

fn in_batches(
    registry: &ConsentRegistry,
    subjects: &[SubjectHash],
    batch: usize,
) -> Outcome<(f64, usize)> {
    let purpose = registry.purpose("model-training");
    let mut decisions = Vec::new();
    let mut found = 0;
    let started = cpu_seconds()?;
    for batch in subjects.chunks(batch) {
        decisions.clear();
        registry.decide_batch(batch, purpose, AT, &mut decisions);
        found += decisions
            .iter()
            .filter(|each| each.record.is_some())
            .count();
    }
    Ok((millions_a_second(subjects.len(), started)?, found))
}

fn statuses(
    registry: &ConsentRegistry,
    subjects: &[SubjectHash],
    batch: usize,
) -> Outcome<(f64, usize)> {
    let purpose = registry.purpose("model-training");
    let mut statuses = Vec::new();
    let mut found = 0;
    let started = cpu_seconds()?;
    for batch in subjects.chunks(batch) {
        statuses.clear();
        registry.status_batch(batch, purpose, AT, &mut statuses);
        found += statuses
            .iter()
            .filter(|status| **status != ConsentStatus::Missing)
            .count();
    }
    Ok((millions_a_second(subjects.len(), started)?, found))
}

fn millions_a_second(count: usize, started: f64) -> Outcome<f64> {
    Ok(count as f64 / (cpu_seconds()? - started) / 1e6)
}

/// What this thread has run so far.
fn cpu_seconds() -> Outcome<f64> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().ok_or("empty schedstat")?;
    Ok(nanoseconds.parse::<f64>()? / 1e9)
}

fn subjects(records: usize) -> usize {
    (records * 10 / 11).max(1)
}

fn subject(number: usize) -> String {
    format!("user-{number:010}@example.invalid")
}

/// The CPU seconds that making the rows takes by itself.
fn generating(records: usize) -> Outcome<f64> {
    let started = cpu_seconds()?;
    generate(records, |row| {
        black_box(row);
        Ok(())
    })?;
    let seconds = cpu_seconds()? - started;
    println!("{records} rows; generating them, {seconds:.2} CPU-s, is not counted");
    Ok(seconds)
}

/// Gives `records` rows to `each`.
fn generate(records: usize, mut each: impl FnMut(ConsentRow<'_>) -> Outcome) -> Outcome {
    let subjects = subjects(records);
    for number in 0..records {
        let is_second = number >= subjects;
        let whose = if is_second {
            (number - subjects) * 10 % subjects
        } else {
            number
        };
        let granted_at = START + (number as i64 % 86_400_000) * SECOND;
        each(ConsentRow {
            subject_id: &subject(whose),
            purpose: if number % 3 == 0 {
                "any"
            } else {
                "model-training"
            },
            kind: ["general", "separate", "written", "guardian"][number % 4],
            status: "granted",
            granted_at: Some(granted_at),
            expires_at: Some(granted_at + 63_072_000 * SECOND),
            withdrawn_at: is_second.then_some(granted_at + SECOND),
            record_id: &format!("rec-{number:010}"),
            evidence_uri: Some(&format!("s3://evidence/consent/2026/rec-{number:010}.pdf")),
            subject_age_band: Some("18+"),
        })?;
    }
    Ok(())
}

/// All memory of the process, its peak, and what of it is not a mapped file.
fn show_memory() {
    let shown = ["VmRSS", "VmHWM", "RssAnon", "RssFile"].map(|name| {
        let megabytes = process_megabytes(name).unwrap_or(f64::NAN);
        format!("{name} {megabytes:.0} MB")
    });
    println!("memory: {}", shown.join(", "));
}

fn process_megabytes(name: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}
