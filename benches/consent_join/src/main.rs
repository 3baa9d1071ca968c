//! Subjects without a consent in force, by a consent snapshot.
//!
//! ```text
//! consent-join snapshot CONSENT.parquet FOLDER         writes the snapshot, prints its path
//! consent-join ask SUBJECTS.parquet SNAPSHOT [AT_ONCE [LIMIT]]
//!                                                      prints how many rows have no consent
//!                                                      and the sum of their numbers; AT_ONCE:
//!                                                      subjects asked for at a time, a
//!                                                      million unless given; LIMIT: the most
//!                                                      bytes of the index
//! ```

use std::error::Error;
use std::fs::File;
use std::path::Path;

use parquet::column::reader::{ColumnReaderImpl, get_typed_column_reader};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use tamis_consent::{
    ConsentRegistry, ConsentRow, ConsentSnapshotWriter, PurposeHierarchy, SnapshotOptions,
    SubjectHash, SubjectKey,
};

const PURPOSE: &str = "model-training";

/// The instant asked about, as in the peers' queries: 2026-11-01, in microseconds.
const AT: i64 = 1_793_491_200 * 1_000_000;

/// Subjects read at once, as many as a record batch of a job has.
const BATCH: usize = 8_192;

/// Subjects asked for at a time unless told otherwise.
const AT_ONCE: usize = 1 << 20;

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["snapshot", table, folder] => snapshot(table, Path::new(folder)),
        ["ask", subjects, snapshot] => ask(subjects, snapshot, AT_ONCE, SnapshotOptions::default()),
        ["ask", subjects, snapshot, at_once] => {
            let options = SnapshotOptions::default();
            ask(subjects, snapshot, at_once.parse()?, options)
        }
        ["ask", subjects, snapshot, at_once, limit] => {
            let index_limit = limit.parse()?;
            let options = SnapshotOptions { index_limit };
            ask(subjects, snapshot, at_once.parse()?, options)
        }
        _ => Err("give: snapshot CONSENT FOLDER or ask SUBJECTS SNAPSHOT [LIMIT]".into()),
    }
}

fn key() -> Outcome<SubjectKey> {
    Ok(SubjectKey::from_bytes(b"a key for measuring, 32 bytes in")?)
}

fn ask(subjects: &str, snapshot: &str, at_once: usize, options: SnapshotOptions) -> Outcome {
    let registry =
        ConsentRegistry::open_snapshot_with(snapshot, Path::new(snapshot), &key()?, options)?;
    let purpose = registry.purpose(PURPOSE);
    let (mut rows, mut sum) = (0u64, 0i64);
    let (mut numbers, mut ids) = (Vec::new(), Vec::new());
    let (mut hashes, mut statuses) = (Vec::<SubjectHash>::new(), Vec::new());
    let mut answer = |hashes: &mut Vec<SubjectHash>, numbers: &mut Vec<i64>| {
        statuses.clear();
        registry.status_batch(hashes, purpose, AT, &mut statuses);
        for (number, status) in numbers.iter().zip(&statuses) {
            if !status.is_in_force() {
                rows += 1;
                sum += number;
            }
        }
        hashes.clear();
        numbers.clear();
    };
    let file = SerializedFileReader::new(File::open(subjects)?)?;
    for group in 0..file.num_row_groups() {
        let group = file.get_row_group(group)?;
        let mut number = column::<Int64Type>(&*group, "number")?;
        let mut subject = column::<ByteArrayType>(&*group, "subject_id")?;
        loop {
            ids.clear();
            number.read_records(BATCH, None, None, &mut numbers)?;
            subject.read_records(BATCH, None, None, &mut ids)?;
            if ids.is_empty() {
                break;
            }
            for id in &ids {
                hashes.push(registry.subject_hash(id.as_utf8()?));
            }
            if hashes.len() >= at_once {
                answer(&mut hashes, &mut numbers);
            }
        }
    }
    answer(&mut hashes, &mut numbers);
    println!("{rows} {sum}");
    Ok(())
}

fn snapshot(table: &str, folder: &Path) -> Outcome {
    let hierarchy = PurposeHierarchy::builtin();
    let mut writer = ConsentSnapshotWriter::new(table, &key()?, &hierarchy, folder)?;
    let file = SerializedFileReader::new(File::open(table)?)?;
    let mut row = 0;
    for group in 0..file.num_row_groups() {
        let group = file.get_row_group(group)?;
        let [subject, purpose, kind, status, record_id, evidence, band] = [
            "subject_id",
            "purpose",
            "kind",
            "status",
            "record_id",
            "evidence_uri",
            "subject_age_band",
        ]
        .map(|name| texts(&*group, name));
        let (subject, purpose, kind, status) = (subject?, purpose?, kind?, status?);
        let (record_id, evidence, band) = (record_id?, evidence?, band?);
        let [granted, expires, withdrawn] =
            ["granted_at", "expires_at", "withdrawn_at"].map(|name| times(&*group, name));
        let (granted, expires, withdrawn) = (granted?, expires?, withdrawn?);
        for index in 0..subject.len() {
            row += 1;
            let consent = ConsentRow {
                subject_id: subject[index].as_utf8()?,
                purpose: purpose[index].as_utf8()?,
                kind: kind[index].as_utf8()?,
                status: status[index].as_utf8()?,
                granted_at: granted[index],
                expires_at: expires[index],
                withdrawn_at: withdrawn[index],
                record_id: record_id[index].as_utf8()?,
                evidence_uri: Some(evidence[index].as_utf8()?),
                subject_age_band: Some(band[index].as_utf8()?),
            };
            writer.push(|| format!("row {row}"), consent)?;
        }
    }
    println!("{}", writer.finish("1", folder)?.path.display());
    Ok(())
}

fn column<T: DataType>(group: &dyn RowGroupReader, name: &str) -> Outcome<ColumnReaderImpl<T>> {
    let columns = group.metadata().columns();
    let place = columns
        .iter()
        .position(|column| column.column_path().string() == name)
        .ok_or_else(|| format!("there is no column {name}"))?;
    Ok(get_typed_column_reader(group.get_column_reader(place)?))
}

/// A column of texts without nulls.
fn texts(group: &dyn RowGroupReader, name: &str) -> Outcome<Vec<ByteArray>> {
    let mut values = Vec::new();
    let rows = group.metadata().num_rows() as usize;
    let mut reader = column::<ByteArrayType>(group, name)?;
    while reader.read_records(rows, None, None, &mut values)?.0 > 0 {}
    Ok(values)
}

/// A column of microseconds with nulls.
fn times(group: &dyn RowGroupReader, name: &str) -> Outcome<Vec<Option<i64>>> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    let rows = group.metadata().num_rows() as usize;
    let mut reader = column::<Int64Type>(group, name)?;
    while reader
        .read_records(rows, Some(&mut levels), None, &mut values)?
        .0
        > 0
    {}
    let mut values = values.into_iter();
    let time = |level: &i16| if *level == 0 { None } else { values.next() };
    Ok(levels.iter().map(time).collect())
}
