//! Snapshots as files: what they hold, that they are the same however they came to be, and
//! that damage is noticed.

use std::fs;
use std::path::{Path, PathBuf};

use tamis_consent::{
    ConsentOptions, ConsentRegistry, ConsentRegistryBuilder, ConsentRow, ConsentSnapshot,
    ConsentSnapshotHeader, ConsentSnapshotWriter, ConsentStatus, PurposeHierarchy, SubjectHash,
    SubjectKey,
};
use tamis_resource::{ResourceError, Result, sha256_hex};

const SECRET: &str = "zhang-san-110101";
const ROW: ConsentRow<'static> = ConsentRow {
    subject_id: SECRET,
    purpose: "model-training",
    kind: "separate",
    status: "granted",
    granted_at: Some(10),
    expires_at: Some(1_000_000_000),
    withdrawn_at: None,
    record_id: "r1",
    evidence_uri: Some("s3://evidence/证据/1.pdf"),
    subject_age_band: Some("18+"),
};

fn key() -> SubjectKey {
    SubjectKey::from_bytes(b"0123456789abcdef").expect("a key")
}

fn rows() -> Vec<ConsentRow<'static>> {
    vec![
        ROW,
        ConsentRow {
            subject_id: "user-2",
            purpose: "support",
            record_id: "r2",
            withdrawn_at: Some(20),
            evidence_uri: None,
            subject_age_band: None,
            ..ROW
        },
        ConsentRow {
            purpose: "*",
            status: "refused",
            granted_at: Some(30),
            record_id: "r3",
            ..ROW
        },
        ROW,
    ]
}

fn write(rows: &[ConsentRow<'_>], folder: &Path) -> Result<ConsentSnapshot> {
    let mut writer =
        ConsentSnapshotWriter::new("consent.csv", &key(), &PurposeHierarchy::builtin(), folder)?;
    for row in rows {
        writer.push(|| "line".into(), *row)?;
    }
    writer.finish("2026-11", folder)
}

fn build(rows: &[ConsentRow<'_>]) -> ConsentRegistry {
    let key = key();
    let options = ConsentOptions {
        subject_key: Some(&key),
        purposes: None,
    };
    let mut builder = ConsentRegistryBuilder::with_options("consent.csv", options);
    for row in rows {
        builder.push(|| "line".into(), *row).expect("a row");
    }
    builder.finish("2026-11", "00").expect("a registry")
}

fn open(path: &Path) -> Result<ConsentRegistry> {
    ConsentRegistry::open_snapshot("the snapshot", path, &key())
}

fn message(path: &Path) -> String {
    open(path).expect_err("not to be opened").to_string()
}

fn with(folder: &Path, bytes: &[u8]) -> PathBuf {
    let path = folder.join("other");
    fs::write(&path, bytes).expect("room");
    path
}

#[test]
fn a_snapshot_answers_as_the_table_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let snapshot = write(&rows(), folder.path()).expect("a snapshot");
    assert_eq!((snapshot.records, snapshot.subjects), (3, 2));
    let bytes = fs::read(&snapshot.path).expect("a file");
    assert_eq!(snapshot.bytes, bytes.len() as u64);
    assert_eq!(snapshot.sha256, sha256_hex(&bytes));
    let name = format!("consent-{}.snapshot", snapshot.sha256);
    assert_eq!(snapshot.path, folder.path().join(name));
    assert!(
        fs::metadata(&snapshot.path)
            .expect("a file")
            .permissions()
            .readonly()
    );

    let registry = open(&snapshot.path).expect("a registry");
    assert_eq!(registry.identity().uri, "the snapshot");
    assert_eq!(registry.identity().version, "2026-11");
    assert_eq!(registry.identity().sha256, snapshot.sha256);
    assert_eq!((registry.len(), registry.subjects()), (3, 2));
    assert_eq!(registry.key_id(), Some(key().key_id()));
    assert!(registry.memory_bytes() < 200);
    let decision = registry.decide(Some(SECRET), "fine-tuning", 29);
    assert_eq!(decision.status, ConsentStatus::Separate);
    let record = decision.record.expect("a record");
    assert_eq!(record.record_id, "r1");
    assert_eq!(record.evidence_uri, Some("s3://evidence/证据/1.pdf"));
    assert_eq!(record.expires_at, Some(1_000_000_000));
    let status = |at| registry.decide(Some(SECRET), "fine-tuning", at).status;
    assert_eq!(status(9), ConsentStatus::Missing);
    assert_eq!(status(30), ConsentStatus::Refused);

    let by_ref = SubjectHash::from_subject_ref(&key().subject_ref("user-2")).expect("a ref");
    let decision = registry.decide_for(by_ref, registry.purpose("Support"), 20);
    assert_eq!(decision.status, ConsentStatus::Withdrawn);
    assert_eq!(registry.decide(Some("user-3"), "any", 20).record, None);
}

#[test]
fn the_same_records_make_the_same_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = write(&rows(), folder.path()).expect("a snapshot");
    let mut backward = rows();
    backward.reverse();
    assert_eq!(write(&backward, folder.path()).expect("a snapshot"), first);
    let in_memory = build(&rows()).write_snapshot(folder.path());
    assert_eq!(in_memory.expect("a snapshot"), first);
    let reopened = open(&first.path).expect("a registry");
    let again = reopened.write_snapshot(folder.path()).expect("a snapshot");
    assert_eq!(again, first);
    let names = fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(names, 1, "nothing but the snapshot is left");
}

#[test]
fn no_subject_and_no_plain_hash_is_on_the_disk() {
    let folder = tempfile::tempdir().expect("a folder");
    let snapshot = write(&rows(), folder.path()).expect("a snapshot");
    let bytes = fs::read(&snapshot.path).expect("a file");
    let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
    assert!(holds(b"r1") && !holds(SECRET.as_bytes()));
    let plain = ConsentRegistryBuilder::new("consent.csv")
        .finish("", "00")
        .expect("a registry");
    let hash = format!("{:?}", plain.subject_hash(SECRET));
    assert_eq!(hash, "SubjectHash(..)");
    let error = plain.write_snapshot(folder.path()).expect_err("no key");
    assert!(matches!(
        error,
        ResourceError::NotSet {
            setting: "subject_key",
            ..
        }
    ));
}

#[test]
fn another_subject_key_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let snapshot = write(&rows(), folder.path()).expect("a snapshot");
    let other = SubjectKey::from_bytes(b"fedcba9876543210").expect("a key");
    let error = ConsentRegistry::open_snapshot("the snapshot", &snapshot.path, &other);
    assert_eq!(
        error.expect_err("another key").to_string(),
        format!(
            "the snapshot, header: was written with the subject key {}, the one given is {}",
            key().key_id(),
            other.key_id()
        )
    );
}

#[test]
fn every_flipped_byte_and_every_cut_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let snapshot = write(&rows(), folder.path()).expect("a snapshot");
    let bytes = fs::read(&snapshot.path).expect("a file");
    assert!(open(&with(folder.path(), &bytes)).is_ok());
    for position in 0..bytes.len() {
        for bit in [1, 0x80] {
            let mut damaged = bytes.clone();
            damaged[position] ^= bit;
            let message = message(&with(folder.path(), &damaged));
            assert!(message.starts_with("the snapshot, "), "{message}");
            let expected = if position < 8 {
                "is no consent snapshot"
            } else {
                "is damaged"
            };
            assert!(message.contains(expected), "{position}: {message}");
        }
    }
    for length in 0..bytes.len() {
        let message = message(&with(folder.path(), &bytes[..length]));
        assert!(message.contains("the snapshot"), "{length}: {message}");
    }
    let longer = [bytes.as_slice(), b"\n"].concat();
    assert!(message(&with(folder.path(), &longer)).contains("is damaged"));
}

#[test]
fn the_digest_in_the_name_is_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let snapshot = write(&rows(), folder.path()).expect("a snapshot");
    let other = write(&rows()[..1], folder.path()).expect("a snapshot");
    fs::rename(&other.path, &snapshot.path).expect("renamed");
    let message = message(&snapshot.path);
    let expected = format!("has the digest {}, not the one in its name", other.sha256);
    assert!(message.contains(&expected), "{message}");
    let bytes = fs::read(&snapshot.path).expect("a file");
    let uri = format!("s3://bucket/consent-{}.snapshot", snapshot.sha256);
    ConsentRegistry::open_snapshot_copy(&uri, bytes.as_slice(), folder.path(), &key())
        .expect_err("another digest");
}

#[test]
fn a_private_copy_outlives_its_source() {
    let folder = tempfile::tempdir().expect("a folder");
    let snapshot = write(&rows(), folder.path()).expect("a snapshot");
    let source = fs::File::open(&snapshot.path).expect("a file");
    let registry =
        ConsentRegistry::open_snapshot_copy("s3://bucket/x", source, folder.path(), &key())
            .expect("a registry");
    fs::remove_file(&snapshot.path).expect("removed");
    assert_eq!(registry.identity().sha256, snapshot.sha256);
    assert_eq!(
        registry.decide(Some(SECRET), "model-training", 40).status,
        ConsentStatus::Refused
    );
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn an_empty_registry_makes_a_snapshot() {
    let folder = tempfile::tempdir().expect("a folder");
    let snapshot = write(&[], folder.path()).expect("a snapshot");
    let registry = open(&snapshot.path).expect("a registry");
    assert!(registry.is_empty());
    assert_eq!(registry.decide(Some(SECRET), "any", 0).record, None);
}

#[test]
fn contradictions_make_no_snapshot() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = ConsentRow {
        kind: "general",
        ..ROW
    };
    let error = write(&[ROW, other], folder.path()).expect_err("a contradiction");
    assert_eq!(
        error.to_string(),
        "consent.csv, record 2: record_id \"r1\" stands in record 1 with other values"
    );
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}

#[test]
fn the_header_is_readable_without_the_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let snapshot = write(&rows(), folder.path()).expect("a snapshot");
    let header = ConsentSnapshotHeader::read("x", &snapshot.path).expect("a header");
    assert_eq!(header.key_id, key().key_id());
    assert_eq!(header.version, "2026-11");
    assert_eq!(header.purposes_sha256, PurposeHierarchy::builtin().digest());
    let purposes = [
        "any",
        "alignment",
        "evaluation",
        "fine-tuning",
        "model-training",
        "pre-training",
        "support",
    ];
    assert_eq!(header.purposes, purposes);
    assert_eq!(header.age_bands, ["", "18+"]);
    assert_eq!((header.records, header.subjects), (3, 2));
    let other = with(folder.path(), b"subject_id,purpose,kind\n");
    let error = ConsentSnapshotHeader::read("x", &other).expect_err("a table");
    assert_eq!(error.to_string(), "x, header: is no consent snapshot");
    let missing = ConsentSnapshotHeader::read("x", &folder.path().join("none"));
    assert!(matches!(missing, Err(ResourceError::Read { .. })));
}

#[test]
fn a_snapshot_keeps_its_own_hierarchy() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "[under]\nresearch = 'any'\nmodel-training = 'research'";
    let hierarchy = PurposeHierarchy::from_toml("purposes.toml", text).expect("sound");
    let mut writer = ConsentSnapshotWriter::new("consent.csv", &key(), &hierarchy, folder.path())
        .expect("a writer");
    let research = ConsentRow {
        purpose: "research",
        ..ROW
    };
    writer.push(|| "line".into(), research).expect("a row");
    let snapshot = writer.finish("", folder.path()).expect("a snapshot");
    let registry = open(&snapshot.path).expect("a registry");
    assert_eq!(registry.purpose_hierarchy().digest(), hierarchy.digest());
    let status = |purpose| registry.decide(Some(SECRET), purpose, 10).status;
    assert_eq!(status("model-training"), ConsentStatus::Separate);
    assert_eq!(status("pre-training"), ConsentStatus::Missing);
}
