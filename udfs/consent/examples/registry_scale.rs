//! Measures a consent registry: load time, memory, lookups per second.
//!
//! `cargo run --release -p tamis-consent --example registry_scale [RECORDS]`
//!
//! Records are synthetic: most subjects have one, every tenth has a second that was
//! withdrawn. One thread; times are the CPU seconds of that thread, and they and the
//! memory of the process come from `/proc` (Linux).

use std::error::Error;
use std::fs;
use std::hint::black_box;

use tamis_consent::{ConsentRegistry, ConsentRegistryBuilder, ConsentRow, SubjectHash};

const SECOND: i64 = 1_000_000;
const START: i64 = 1_600_000_000 * SECOND;
const AT: i64 = 1_700_000_000 * SECOND;
const LOOKUPS: usize = 5_000_000;

fn main() -> Result<(), Box<dyn Error>> {
    let records: usize = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 10_000_000,
    };
    println!("{records} records, {LOOKUPS} lookups, one thread");
    let started = cpu_seconds()?;
    let generated = generate(records, |row| {
        black_box(row);
        Ok(())
    })?;
    let generating = cpu_seconds()? - started;

    let started = cpu_seconds()?;
    let mut builder = ConsentRegistryBuilder::new("synthetic");
    let pushed = generate(records, |row| Ok(builder.push(String::new, row)?))?;
    assert_eq!(pushed, generated);
    let pushing = cpu_seconds()? - started - generating;
    let started = cpu_seconds()?;
    let registry = builder.finish("1", "00")?;
    let finishing = cpu_seconds()? - started;
    println!(
        "load: {:.2} CPU-s (push {pushing:.2}, finish {finishing:.2}; generating the rows, {generating:.2}, not counted)",
        pushing + finishing
    );
    let bytes = registry.memory_bytes();
    println!(
        "registry: {:.0} MB, {:.1} bytes a record",
        bytes as f64 / 1e6,
        bytes as f64 / records as f64
    );
    for name in ["VmRSS", "VmHWM"] {
        println!(
            "{name}: {:.0} MB",
            process_megabytes(name).unwrap_or(f64::NAN)
        );
    }

    let hits: Vec<String> = (0..LOOKUPS)
        .map(|number| subject((number * 7_919_993) % subjects(records)))
        .collect();
    let misses: Vec<String> = (0..LOOKUPS)
        .map(|number| format!("stranger-{number}"))
        .collect();
    for (name, ids) in [("hits", &hits), ("misses", &misses)] {
        let (rate, found) = by_id(&registry, ids)?;
        println!("{name}, by id: {rate:.1} M lookups/s, {found} known");
        let started = cpu_seconds()?;
        let ready: Vec<SubjectHash> = ids.iter().map(|id| SubjectHash::of(id)).collect();
        let hashing = millions_a_second(LOOKUPS, started)?;
        let (rate, found) = by_hash(&registry, &ready)?;
        println!(
            "{name}, ready hashes: {rate:.1} M lookups/s, {found} known (hashing {hashing:.1} M/s)"
        );
    }
    Ok(())
}

fn by_id(registry: &ConsentRegistry, ids: &[String]) -> Result<(f64, usize), Box<dyn Error>> {
    let started = cpu_seconds()?;
    let found = ids
        .iter()
        .filter(|id| {
            registry
                .decide(Some(id), "model-training", AT)
                .record
                .is_some()
        })
        .count();
    Ok((millions_a_second(ids.len(), started)?, found))
}

fn by_hash(
    registry: &ConsentRegistry,
    hashes: &[SubjectHash],
) -> Result<(f64, usize), Box<dyn Error>> {
    let purpose = registry.purpose("model-training");
    let started = cpu_seconds()?;
    let found = hashes
        .iter()
        .filter(|hash| registry.decide_for(**hash, purpose, AT).record.is_some())
        .count();
    Ok((millions_a_second(hashes.len(), started)?, found))
}

fn millions_a_second(count: usize, started: f64) -> Result<f64, Box<dyn Error>> {
    Ok(count as f64 / (cpu_seconds()? - started) / 1e6)
}

/// What this thread has run so far.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
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

/// Gives `records` rows to `each`; returns how many it gave.
fn generate(
    records: usize,
    mut each: impl FnMut(ConsentRow<'_>) -> Result<(), Box<dyn Error>>,
) -> Result<usize, Box<dyn Error>> {
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
    Ok(records)
}

fn process_megabytes(name: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kilobytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1e6)
}
