//! Any bytes as a snapshot: an error or a registry, never a panic. The first byte chooses
//! what the others are, because hardly any bytes have a sound digest by chance: the whole
//! file, a header, a body, each with a sound rest around it.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};
use tamis_consent::{
    ConsentRegistry, ConsentSnapshotWriter, PurposeHierarchy, SnapshotOptions, SubjectHash,
    SubjectKey,
};

/// Three counts and a digest.
const TRAILER: usize = 56;

static KEY: LazyLock<SubjectKey> =
    LazyLock::new(|| SubjectKey::from_bytes(b"a key for fuzzing").expect("long enough"));

/// The header of a snapshot without records.
static HEADER: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = std::env::temp_dir().join(format!("tamis-fuzz-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let writer = ConsentSnapshotWriter::new("rows", &KEY, &PurposeHierarchy::builtin(), &folder)
        .expect("a writer");
    let snapshot = writer.finish("1", &folder).expect("a snapshot");
    let mut bytes = std::fs::read(&snapshot.path).expect("a file");
    std::fs::remove_dir_all(&folder).expect("removed");
    bytes.truncate(bytes.len() - TRAILER);
    bytes
});

fn sealed(mut bytes: Vec<u8>, records: u8, subjects: u8, body: usize) -> Vec<u8> {
    for count in [u64::from(records), u64::from(subjects), body as u64] {
        bytes.extend_from_slice(&count.to_le_bytes());
    }
    let digest = Sha256::digest(&bytes);
    bytes.extend_from_slice(&digest);
    bytes
}

fn file(data: &[u8]) -> Option<Vec<u8>> {
    let [choice, records, subjects, rest @ ..] = data else {
        return None;
    };
    Some(match choice % 3 {
        0 => rest.to_vec(),
        1 => {
            let mut bytes = HEADER[..12].to_vec();
            bytes.extend_from_slice(&(rest.len() as u32).to_le_bytes());
            bytes.extend_from_slice(rest);
            sealed(bytes, 0, 0, 0)
        }
        _ => {
            let mut bytes = HEADER.clone();
            bytes.extend_from_slice(rest);
            sealed(bytes, *records, *subjects, rest.len())
        }
    })
}

fuzz_target!(|data: &[u8]| {
    let Some(bytes) = file(data) else { return };
    let folder = std::env::temp_dir();
    let open = |index_limit| {
        let options = SnapshotOptions { index_limit };
        let bytes = bytes.as_slice();
        ConsentRegistry::open_snapshot_copy_with("any.snapshot", bytes, &folder, &KEY, options)
    };
    match (open(u64::MAX), open(0)) {
        (Err(error), Err(sparse)) => {
            assert!(error.to_string().contains("any.snapshot"));
            assert_eq!(error.to_string(), sparse.to_string());
        }
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => panic!("the index changes what is a snapshot"),
        (Ok(registry), Ok(sparse)) => {
            // Every 16 bytes may be a subject.
            let mut subjects = Vec::new();
            for window in bytes.windows(16) {
                let digits: String = window.iter().map(|byte| format!("{byte:02x}")).collect();
                subjects.push(SubjectHash::from_subject_ref(&digits).expect("a reference"));
            }
            for purpose in ["any", "fine-tuning"] {
                let purpose = registry.purpose(purpose);
                let mut decisions = Vec::new();
                registry.decide_batch(&subjects, purpose, 1_000_000, &mut decisions);
                for (subject, decision) in subjects.iter().zip(&decisions) {
                    assert_eq!(registry.decide_for(*subject, purpose, 1_000_000), *decision);
                    assert_eq!(sparse.decide_for(*subject, purpose, 1_000_000), *decision);
                }
                let mut merged = Vec::new();
                sparse.decide_batch(&subjects, purpose, 1_000_000, &mut merged);
                assert_eq!(merged, decisions);
            }
        }
    }
});
