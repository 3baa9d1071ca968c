//! The source registry: one row of evidence per source.

use std::collections::HashMap;

use tamis_resource::{Identity, ResourceError, Result};

use crate::check::{SourceCheck, check};
use crate::field::{name_problem, shown};
use crate::rules::SourceRules;

/// How the data of a source was acquired.
pub(crate) const ACQUISITION_MODES: &[&str] = &[
    "open_source",
    "self_collected",
    "commercial",
    "user_input",
    "synthetic",
];

/// Where a source comes from.
pub(crate) const ORIGIN_REGIONS: &[&str] = &["cn", "overseas", "unknown"];

/// One row of a source registry. Times are microseconds UTC. Blank texts count as null.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceRow {
    /// The name rows of a corpus give. Required, unique.
    pub source_id: String,
    /// `open_source`, `self_collected`, `commercial`, `user_input` or `synthetic`.
    pub acquisition_mode: Option<String>,
    /// `cn`, `overseas` or `unknown`; null is `unknown`.
    pub origin_region: Option<String>,
    /// The licence of the source as written.
    pub license: Option<String>,
    /// Where the licence agreement or authorisation lies.
    pub license_evidence_uri: Option<String>,
    /// The sha256 of that document, 64 hex digits; kept in lower case.
    pub license_evidence_sha256: Option<String>,
    /// The contract with the supplier.
    pub contract_id: Option<String>,
    /// The first instant at which the contract is in force.
    pub contract_valid_from: Option<i64>,
    /// The first instant at which it no longer is; null: open-ended.
    pub contract_valid_to: Option<i64>,
    /// Whether the supplier commits to the source of the data; null: not known.
    pub commitment_source: Option<bool>,
    /// Whether the supplier commits to its quality; null: not known.
    pub commitment_quality: Option<bool>,
    /// Whether the supplier commits to its security; null: not known.
    pub commitment_security: Option<bool>,
    /// `passed`, `failed`, or anything else for an audit that has no result yet.
    pub audit_status: Option<String>,
    /// When the audit was made; an audit after the instant asked about has not passed yet.
    pub audit_date: Option<i64>,
    /// Where the records of collection lie.
    pub crawl_record_uri: Option<String>,
    /// Where the users' authorisation records lie.
    pub authorization_record_uri: Option<String>,
    /// Where the contract itself lies, for whoever proves the evidence.
    pub contract_evidence_uri: Option<String>,
    /// Its sha256; this and the digests below are 64 hex digits, kept in lower case.
    pub contract_evidence_sha256: Option<String>,
    /// Where the supplier's commitments and their proof lie.
    pub commitment_evidence_uri: Option<String>,
    /// The sha256 of that document.
    pub commitment_evidence_sha256: Option<String>,
    /// Where the report of the audit lies.
    pub audit_report_uri: Option<String>,
    /// The sha256 of that report.
    pub audit_report_sha256: Option<String>,
    /// The sha256 of the records of collection.
    pub crawl_record_sha256: Option<String>,
    /// The sha256 of the users' authorisation records.
    pub authorization_record_sha256: Option<String>,
    /// Where the opt-out signals fetched at the time of collection lie.
    pub opt_out_snapshot_uri: Option<String>,
    /// The sha256 of that snapshot.
    pub opt_out_snapshot_sha256: Option<String>,
    /// Whether the source is a collection of links to other data; null is false.
    pub is_link_list: Option<bool>,
    /// The model or service that generated the data.
    pub gen_model: Option<String>,
    /// Its version.
    pub gen_model_version: Option<String>,
    /// When the data was generated and acquired.
    pub gen_at: Option<i64>,
    /// The field the source is from (medical, financial ...), for the reader alone.
    pub vertical: Option<String>,
}

/// A document or record that proves something of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceEvidence<'a> {
    /// The column that names it, such as `license_evidence_uri`.
    pub column: &'static str,
    /// Where it lies.
    pub uri: &'a str,
    /// The digest the registry has of it; without one nothing proves that it is the same document.
    pub sha256: Option<&'a str>,
}

impl SourceRow {
    /// The columns that name a document or record, each with the column of its digest.
    pub const EVIDENCE_COLUMNS: [(&'static str, &'static str); 7] = [
        ("license_evidence_uri", "license_evidence_sha256"),
        ("contract_evidence_uri", "contract_evidence_sha256"),
        ("commitment_evidence_uri", "commitment_evidence_sha256"),
        ("audit_report_uri", "audit_report_sha256"),
        ("crawl_record_uri", "crawl_record_sha256"),
        ("authorization_record_uri", "authorization_record_sha256"),
        ("opt_out_snapshot_uri", "opt_out_snapshot_sha256"),
    ];

    /// Every document or record the row names, in the order of the columns.
    pub fn evidence(&self) -> Vec<SourceEvidence<'_>> {
        let [
            license,
            contract,
            commitment,
            audit,
            crawl,
            authorization,
            opt_out,
        ] = Self::EVIDENCE_COLUMNS;
        [
            (
                license,
                &self.license_evidence_uri,
                &self.license_evidence_sha256,
            ),
            (
                contract,
                &self.contract_evidence_uri,
                &self.contract_evidence_sha256,
            ),
            (
                commitment,
                &self.commitment_evidence_uri,
                &self.commitment_evidence_sha256,
            ),
            (audit, &self.audit_report_uri, &self.audit_report_sha256),
            (crawl, &self.crawl_record_uri, &self.crawl_record_sha256),
            (
                authorization,
                &self.authorization_record_uri,
                &self.authorization_record_sha256,
            ),
            (
                opt_out,
                &self.opt_out_snapshot_uri,
                &self.opt_out_snapshot_sha256,
            ),
        ]
        .into_iter()
        .filter_map(|((column, _), uri, sha256)| {
            Some(SourceEvidence {
                column,
                uri: uri.as_deref()?,
                sha256: sha256.as_deref(),
            })
        })
        .collect()
    }

    /// Drops blank texts and brings names to their one spelling.
    fn tidy(&mut self) -> Result<(), String> {
        if let Some(problem) = name_problem("source_id", &self.source_id) {
            return Err(problem);
        }
        for text in [
            &mut self.acquisition_mode,
            &mut self.origin_region,
            &mut self.license,
            &mut self.license_evidence_uri,
            &mut self.license_evidence_sha256,
            &mut self.contract_id,
            &mut self.audit_status,
            &mut self.crawl_record_uri,
            &mut self.authorization_record_uri,
            &mut self.contract_evidence_uri,
            &mut self.contract_evidence_sha256,
            &mut self.commitment_evidence_uri,
            &mut self.commitment_evidence_sha256,
            &mut self.audit_report_uri,
            &mut self.audit_report_sha256,
            &mut self.crawl_record_sha256,
            &mut self.authorization_record_sha256,
            &mut self.opt_out_snapshot_uri,
            &mut self.opt_out_snapshot_sha256,
            &mut self.gen_model,
            &mut self.gen_model_version,
            &mut self.vertical,
        ] {
            if text.as_deref().is_some_and(|text| text.trim().is_empty()) {
                *text = None;
            }
        }
        for (column, value, known) in [
            (
                "acquisition_mode",
                &mut self.acquisition_mode,
                ACQUISITION_MODES,
            ),
            ("origin_region", &mut self.origin_region, ORIGIN_REGIONS),
        ] {
            if let Some(value) = value {
                value.make_ascii_lowercase();
                if !known.contains(&value.as_str()) {
                    let (value, known) = (shown(value), known.join(", "));
                    return Err(format!("unknown {column} {value} ({known})"));
                }
            }
        }
        for (column, sha256) in [
            ("license_evidence_sha256", &mut self.license_evidence_sha256),
            (
                "contract_evidence_sha256",
                &mut self.contract_evidence_sha256,
            ),
            (
                "commitment_evidence_sha256",
                &mut self.commitment_evidence_sha256,
            ),
            ("audit_report_sha256", &mut self.audit_report_sha256),
            ("crawl_record_sha256", &mut self.crawl_record_sha256),
            (
                "authorization_record_sha256",
                &mut self.authorization_record_sha256,
            ),
            ("opt_out_snapshot_sha256", &mut self.opt_out_snapshot_sha256),
        ] {
            let Some(sha256) = sha256 else { continue };
            sha256.make_ascii_lowercase();
            if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(format!("{column} is not 64 hex digits"));
            }
        }
        if let (Some(from), Some(to)) = (self.contract_valid_from, self.contract_valid_to)
            && to < from
        {
            return Err("contract_valid_to is before contract_valid_from".into());
        }
        Ok(())
    }
}

/// Takes the rows of a registry one by one.
#[derive(Debug)]
pub struct SourceRegistryBuilder {
    uri: String,
    rows: Vec<SourceRow>,
    index: HashMap<String, usize>,
}

impl SourceRegistryBuilder {
    /// An empty registry; `uri` is the table the rows come from.
    pub fn new(uri: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            rows: Vec::new(),
            index: HashMap::new(),
        }
    }

    /// Adds a row. `location` says where it stands (`line 3`, `row 12`) and is called only
    /// for an error.
    ///
    /// # Errors
    /// [`ResourceError::Malformed`] for an empty, padded or repeated `source_id`, an unknown
    /// `acquisition_mode` or `origin_region`, an evidence digest that is not 64 hex digits,
    /// a contract that ends before it begins.
    pub fn push(&mut self, location: impl FnOnce() -> String, mut row: SourceRow) -> Result<()> {
        let problem = match row.tidy() {
            Err(problem) => problem,
            Ok(()) if self.index.contains_key(&row.source_id) => {
                format!(
                    "source_id {} stands in an earlier row",
                    shown(&row.source_id)
                )
            }
            Ok(()) => {
                self.index.insert(row.source_id.clone(), self.rows.len());
                self.rows.push(row);
                return Ok(());
            }
        };
        Err(ResourceError::Malformed {
            uri: self.uri.clone(),
            location: location(),
            message: problem,
        })
    }

    /// Closes the registry. `version` and `sha256` are those of the table the rows came
    /// from.
    ///
    /// # Errors
    /// None today: every check is made row by row.
    pub fn finish(self, version: &str, sha256: &str) -> Result<SourceRegistry> {
        Ok(SourceRegistry {
            identity: Identity {
                uri: self.uri,
                version: version.to_owned(),
                sha256: sha256.to_owned(),
            },
            rows: self.rows,
            index: self.index,
        })
    }
}

/// An immutable source registry.
#[derive(Debug)]
pub struct SourceRegistry {
    identity: Identity,
    rows: Vec<SourceRow>,
    index: HashMap<String, usize>,
}

impl SourceRegistry {
    /// Which table this is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How many sources there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no source.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row of a source; the id is compared byte by byte.
    pub fn get(&self, source_id: &str) -> Option<&SourceRow> {
        self.index.get(source_id).map(|index| &self.rows[*index])
    }

    /// All rows in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = &SourceRow> {
        self.rows.iter()
    }

    /// Whether a source has, at the instant `at`, the evidence its acquisition mode needs,
    /// and which clause asks for what it lacks (regulation TC260-003-2024 5.1 c), ids from
    /// `rules`).
    ///
    /// | mode | needs |
    /// |---|---|
    /// | open_source | license, license_evidence_uri, license_evidence_sha256 |
    /// | self_collected | crawl_record_uri |
    /// | commercial | contract_id, contract_valid_from <= at < contract_valid_to (null: open-ended), the three commitments, audit_status `passed` with audit_date (if given) <= at |
    /// | user_input | authorization_record_uri |
    /// | synthetic | gen_model, gen_model_version, gen_at <= at |
    ///
    /// A link list needs crawl_record_uri besides, and an open-source one counts as
    /// self-collected in the result. A contract that is not in force, a failed audit or a
    /// commitment that is false gives `deny`; otherwise anything missing gives `missing`:
    /// a null or unknown source (item `source`), a null mode (item `acquisition_mode`).
    pub fn check(&self, source_id: Option<&str>, at: i64, rules: &SourceRules) -> SourceCheck {
        self.check_span(source_id, (at, at), rules)
    }

    /// As [`Self::check`] for an instant that is known as a span only, first and last: what is
    /// needed has to be there at every instant of it.
    pub fn check_span(
        &self,
        source_id: Option<&str>,
        span: (i64, i64),
        rules: &SourceRules,
    ) -> SourceCheck {
        check(source_id.and_then(|id| self.get(id)), span, rules)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(source_id: &str) -> SourceRow {
        SourceRow {
            source_id: source_id.into(),
            ..SourceRow::default()
        }
    }

    fn text(value: &str) -> Option<String> {
        Some(value.to_owned())
    }

    fn refused(row: SourceRow) -> String {
        let mut builder = SourceRegistryBuilder::new("sources.csv");
        match builder.push(|| "line 7".into(), row) {
            Err(ResourceError::Malformed {
                uri,
                location,
                message,
            }) => {
                assert_eq!((uri.as_str(), location.as_str()), ("sources.csv", "line 7"));
                message
            }
            other => panic!("expected a malformed row, got {other:?}"),
        }
    }

    #[test]
    fn rows_are_found_and_kept_in_order() {
        let mut builder = SourceRegistryBuilder::new("sources.csv");
        for id in ["b", "a", "c"] {
            builder
                .push(|| unreachable!("no error"), row(id))
                .expect("a row");
        }
        let registry = builder.finish("v1", "00").expect("a registry");
        assert_eq!(registry.len(), 3);
        assert_eq!(registry.identity().version, "v1");
        let ids: Vec<&str> = registry.iter().map(|row| row.source_id.as_str()).collect();
        assert_eq!(ids, ["b", "a", "c"]);
        assert_eq!(
            registry.get("a").map(|row| row.source_id.as_str()),
            Some("a")
        );
        assert!(registry.get("A").is_none());
    }

    #[test]
    fn names_are_brought_to_one_spelling_and_blanks_to_null() {
        let mut builder = SourceRegistryBuilder::new("sources.csv");
        let tidied = SourceRow {
            acquisition_mode: text("Open_Source"),
            origin_region: text("CN"),
            license: text("  "),
            license_evidence_sha256: Some("AB".repeat(32)),
            ..row("a")
        };
        builder
            .push(|| unreachable!("no error"), tidied)
            .expect("a row");
        let registry = builder.finish("v1", "00").expect("a registry");
        let row = registry.get("a").expect("the row");
        assert_eq!(row.acquisition_mode.as_deref(), Some("open_source"));
        assert_eq!(row.origin_region.as_deref(), Some("cn"));
        assert_eq!(row.license, None);
        assert_eq!(row.license_evidence_sha256, Some("ab".repeat(32)));
    }

    #[test]
    fn bad_rows_are_malformed() {
        assert_eq!(refused(row("")), "source_id is empty");
        assert_eq!(refused(row("a ")), "source_id has white space around it");
        let mode = refused(SourceRow {
            acquisition_mode: text("scraped"),
            ..row("a")
        });
        assert_eq!(
            mode,
            "unknown acquisition_mode \"scraped\" (open_source, self_collected, commercial, user_input, synthetic)"
        );
        let region = refused(SourceRow {
            origin_region: text("mars"),
            ..row("a")
        });
        assert_eq!(
            region,
            "unknown origin_region \"mars\" (cn, overseas, unknown)"
        );
        let digest = SourceRow {
            license_evidence_sha256: text("abc"),
            ..row("a")
        };
        assert_eq!(
            refused(digest),
            "license_evidence_sha256 is not 64 hex digits"
        );
        let digest = SourceRow {
            license_evidence_sha256: Some("g".repeat(64)),
            ..row("a")
        };
        assert_eq!(
            refused(digest),
            "license_evidence_sha256 is not 64 hex digits"
        );
        let contract = SourceRow {
            contract_valid_from: Some(2),
            contract_valid_to: Some(1),
            ..row("a")
        };
        assert_eq!(
            refused(contract),
            "contract_valid_to is before contract_valid_from"
        );
    }

    #[test]
    fn evidence_is_what_the_row_names_with_its_digest() {
        let row = SourceRow {
            license_evidence_uri: text("file:///licence.txt"),
            license_evidence_sha256: Some("ab".repeat(32)),
            audit_report_uri: text("s3://bucket/audit.pdf"),
            crawl_record_sha256: Some("cd".repeat(32)),
            ..row("a")
        };
        let digest = "ab".repeat(32);
        assert_eq!(
            row.evidence(),
            [
                SourceEvidence {
                    column: "license_evidence_uri",
                    uri: "file:///licence.txt",
                    sha256: Some(digest.as_str()),
                },
                SourceEvidence {
                    column: "audit_report_uri",
                    uri: "s3://bucket/audit.pdf",
                    sha256: None,
                },
            ]
        );
    }

    #[test]
    fn a_repeated_source_is_malformed_even_when_it_is_equal() {
        let mut builder = SourceRegistryBuilder::new("sources.csv");
        builder.push(|| "line 2".into(), row("a")).expect("a row");
        let error = builder
            .push(|| "line 3".into(), row("a"))
            .expect_err("a repetition");
        let message = error.to_string();
        assert!(message.contains("line 3"), "{message}");
        assert!(
            message.contains("source_id \"a\" stands in an earlier row"),
            "{message}"
        );
    }
}
