//! Any bytes as a WARC file: the import ends, its statistics add up, and what it gives can be
//! loaded.
#![no_main]

use tamis_consent::opt_out::OptOutRegistryBuilder;
use tamis_consent::opt_out::warc::WarcImport;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut import = WarcImport::new(bytes);
    let mut builder = OptOutRegistryBuilder::new("fuzz");
    let (mut snapshots, mut errors) = (0, 0);
    for result in &mut import {
        match result {
            Ok(snapshot) => {
                snapshots += 1;
                builder.push(String::new, snapshot.row()).expect("a row");
            }
            Err(error) => {
                assert!(!error.is_fatal);
                assert!(error.offset <= bytes.len() as u64);
                errors += 1;
            }
        }
        assert!(snapshots + errors <= 3 * (bytes.len() + 1));
    }
    let statistics = import.statistics();
    assert_eq!(statistics.snapshots, snapshots as u64);
    assert_eq!(statistics.errors, errors as u64);
    builder.finish("", "").expect("a registry");
});
