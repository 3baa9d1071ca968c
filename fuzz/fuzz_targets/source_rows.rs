//! Any rows of a source registry: each is taken or refused with its place, what is taken is found
//! and takes itself again, and a check that lacks something cites a clause for it.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use tamis_consent::{SourceRegistryBuilder, SourceRow, SourceRules};

static RULES: LazyLock<Arc<SourceRules>> = LazyLock::new(SourceRules::builtin);

/// A digest is rarely written by chance: `=` stands for one.
fn text(field: Option<&str>) -> Option<String> {
    match field {
        None | Some("") => None,
        Some("=") => Some("Ab".repeat(32)),
        Some(text) => Some(text.to_owned()),
    }
}

/// One row per line, fields between tabs; a time is a number, `+` and `-` are true and false.
fn row(line: &str) -> SourceRow {
    let mut fields = line.split('\t');
    let mut row = SourceRow {
        source_id: fields.next().unwrap_or_default().to_owned(),
        ..SourceRow::default()
    };
    row.acquisition_mode = text(fields.next().map(|mode| match mode {
        "o" => "open_source",
        "s" => "self_collected",
        "c" => "commercial",
        "u" => "user_input",
        "g" => "synthetic",
        mode => mode,
    }));
    for time in [
        &mut row.contract_valid_from,
        &mut row.contract_valid_to,
        &mut row.audit_date,
        &mut row.gen_at,
    ] {
        *time = fields.next().and_then(|field| field.parse().ok());
    }
    for flag in [
        &mut row.commitment_source,
        &mut row.commitment_quality,
        &mut row.commitment_security,
        &mut row.is_link_list,
    ] {
        *flag = match fields.next() {
            Some("+") => Some(true),
            Some("-") => Some(false),
            _ => None,
        };
    }
    for field in [
        &mut row.origin_region,
        &mut row.license,
        &mut row.license_evidence_uri,
        &mut row.license_evidence_sha256,
        &mut row.contract_id,
        &mut row.audit_status,
        &mut row.crawl_record_uri,
        &mut row.authorization_record_uri,
        &mut row.contract_evidence_uri,
        &mut row.contract_evidence_sha256,
        &mut row.commitment_evidence_uri,
        &mut row.commitment_evidence_sha256,
        &mut row.audit_report_uri,
        &mut row.audit_report_sha256,
        &mut row.crawl_record_sha256,
        &mut row.authorization_record_sha256,
        &mut row.opt_out_snapshot_uri,
        &mut row.opt_out_snapshot_sha256,
        &mut row.gen_model,
        &mut row.gen_model_version,
        &mut row.vertical,
    ] {
        *field = text(fields.next());
    }
    row
}

fuzz_target!(|input: &str| {
    let mut builder = SourceRegistryBuilder::new("any.csv");
    let mut taken = Vec::new();
    for (number, line) in input.lines().enumerate() {
        let row = row(line);
        let id = row.source_id.clone();
        match builder.push(|| format!("line {number}"), row) {
            Ok(()) => taken.push(id),
            Err(error) => {
                let place = format!("any.csv, line {number}: ");
                assert!(error.to_string().starts_with(&place), "{error}");
            }
        }
    }
    let registry = builder.finish("", "").expect("a registry");
    assert_eq!(registry.len(), taken.len());
    let mut again = SourceRegistryBuilder::new("again.csv");
    for (id, row) in taken.iter().zip(registry.iter()) {
        assert_eq!(registry.get(id), Some(row));
        again
            .push(String::new, row.clone())
            .expect("a row that was taken");
        for at in [i64::MIN, 0, i64::MAX] {
            let check = registry.check(Some(id), at, &RULES);
            assert_eq!(check.missing.len(), check.clauses.len());
            assert_eq!(check.verdict == "allow", check.missing.is_empty());
            assert!(check.verdict != "allow" || row.acquisition_mode.is_some());
        }
    }
    let again = again.finish("", "").expect("a registry");
    assert!(registry.iter().eq(again.iter()));
    assert_eq!(registry.check(None, 0, &RULES).missing, ["source"]);
});
