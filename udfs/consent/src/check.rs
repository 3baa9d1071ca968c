//! The check of one source against its acquisition mode.

use crate::rules::SourceRules;
use crate::sources::{ACQUISITION_MODES, ORIGIN_REGIONS, SourceRow};

/// What a source check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCheck {
    /// `allow`, `deny` or `missing`.
    pub verdict: &'static str,
    /// How the data counts as acquired: the registry's mode, except that an open-source
    /// collection of links counts as `self_collected`. `None`: unknown source or null mode.
    pub acquisition_mode: Option<&'static str>,
    /// `cn`, `overseas` or `unknown`; `None`: unknown source.
    pub origin_region: Option<&'static str>,
    /// The columns that are missing or speak against the source, and `source` when there
    /// is no row at all. Empty exactly when the verdict is `allow`.
    pub missing: Vec<&'static str>,
    /// The clause behind each entry of `missing`, in the same order.
    pub clauses: Vec<String>,
    /// The licence the registry states for the source, as it is written there; `None`: it
    /// states none, or the source is unknown.
    pub license: Option<String>,
}

/// What was found so far: the items in order with their clause keys.
#[derive(Default)]
struct Findings {
    items: Vec<(&'static str, &'static str)>,
    denied: bool,
}

impl Findings {
    fn missing(&mut self, item: &'static str, key: &'static str) {
        self.items.push((item, key));
    }

    fn denied(&mut self, item: &'static str, key: &'static str) {
        self.items.push((item, key));
        self.denied = true;
    }

    fn need<T>(&mut self, value: &Option<T>, item: &'static str, key: &'static str) {
        if value.is_none() {
            self.missing(item, key);
        }
    }

    fn license(&mut self, row: &SourceRow) {
        self.need(&row.license, "license", "license_missing");
        self.need(
            &row.license_evidence_uri,
            "license_evidence_uri",
            "license_evidence",
        );
        self.need(
            &row.license_evidence_sha256,
            "license_evidence_sha256",
            "license_evidence",
        );
    }

    fn contract(&mut self, row: &SourceRow, (first, last): (i64, i64)) {
        self.need(&row.contract_id, "contract_id", "contract");
        match row.contract_valid_from {
            None => self.missing("contract_valid_from", "contract"),
            Some(from) if first < from => self.denied("contract_valid_from", "contract_expired"),
            Some(_) => {}
        }
        if row.contract_valid_to.is_some_and(|to| to <= last) {
            self.denied("contract_valid_to", "contract_expired");
        }
    }

    fn commitments(&mut self, row: &SourceRow) {
        for (value, name) in [
            (row.commitment_source, "commitment_source"),
            (row.commitment_quality, "commitment_quality"),
            (row.commitment_security, "commitment_security"),
        ] {
            match value {
                None => self.missing(name, name),
                Some(false) => self.denied(name, name),
                Some(true) => {}
            }
        }
    }

    fn audit(&mut self, row: &SourceRow, first: i64) {
        let status = row.audit_status.as_deref().unwrap_or_default().trim();
        if status.eq_ignore_ascii_case("passed") {
            // Without a date nobody knows whether it was before the instant asked about.
            if row.audit_date.is_none_or(|date| date > first) {
                self.missing("audit_date", "audit");
            }
        } else if status.eq_ignore_ascii_case("failed") {
            self.denied("audit_status", "audit");
        } else {
            self.missing("audit_status", "audit");
        }
    }

    fn conclude(
        self,
        acquisition_mode: Option<&'static str>,
        origin_region: Option<&'static str>,
        license: Option<String>,
        rules: &SourceRules,
    ) -> SourceCheck {
        let verdict = match (self.denied, self.items.is_empty()) {
            (true, _) => "deny",
            (false, false) => "missing",
            (false, true) => "allow",
        };
        let clause = |key| {
            rules
                .clause(key)
                .expect("rules hold every key of a source check")
        };
        SourceCheck {
            verdict,
            acquisition_mode,
            origin_region,
            missing: self.items.iter().map(|(item, _)| *item).collect(),
            clauses: self
                .items
                .iter()
                .map(|(_, key)| clause(key).to_owned())
                .collect(),
            license,
        }
    }
}

/// Checks a row for every instant of a span; `None` stands for a source that is null or not in the
/// registry.
pub(crate) fn check(row: Option<&SourceRow>, span: (i64, i64), rules: &SourceRules) -> SourceCheck {
    let (first, _) = span;
    let mut findings = Findings::default();
    let Some(row) = row else {
        findings.missing("source", "source_unknown");
        return findings.conclude(None, None, None, rules);
    };
    let mode = known(ACQUISITION_MODES, row.acquisition_mode.as_deref());
    let is_link_list = row.is_link_list == Some(true);
    match mode {
        Some("open_source") => findings.license(row),
        Some("self_collected") => {}
        Some("commercial") => {
            findings.contract(row, span);
            findings.commitments(row);
            findings.audit(row, first);
        }
        Some("user_input") => findings.need(
            &row.authorization_record_uri,
            "authorization_record_uri",
            "authorization_record",
        ),
        Some("synthetic") => {
            findings.need(&row.gen_model, "gen_model", "synthetic_model");
            findings.need(
                &row.gen_model_version,
                "gen_model_version",
                "synthetic_model",
            );
            // Generated after the instant asked about: it was not there then.
            if row.gen_at.is_none_or(|generated| generated > first) {
                findings.missing("gen_at", "synthetic_model");
            }
        }
        _ => findings.missing("acquisition_mode", "acquisition_mode"),
    }
    if mode == Some("self_collected") {
        findings.need(&row.crawl_record_uri, "crawl_record_uri", "crawl_record");
    } else if is_link_list {
        findings.need(&row.crawl_record_uri, "crawl_record_uri", "link_list");
    }
    let counts_as = match mode {
        Some("open_source") if is_link_list => Some("self_collected"),
        mode => mode,
    };
    let region = known(ORIGIN_REGIONS, row.origin_region.as_deref()).unwrap_or("unknown");
    findings.conclude(counts_as, Some(region), row.license.clone(), rules)
}

fn known(names: &[&'static str], value: Option<&str>) -> Option<&'static str> {
    names.iter().copied().find(|name| Some(*name) == value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::SOURCE_KEYS;
    use proptest::prelude::*;

    const NOW: i64 = 1_000;

    fn text(value: &str) -> Option<String> {
        Some(value.to_owned())
    }

    /// A row with all evidence there is, of a mode.
    fn complete(mode: &str) -> SourceRow {
        SourceRow {
            source_id: "s".into(),
            acquisition_mode: text(mode),
            origin_region: text("cn"),
            license: text("MIT"),
            license_evidence_uri: text("file:///evidence/mit.txt"),
            license_evidence_sha256: Some("ab".repeat(32)),
            contract_id: text("c-1"),
            contract_valid_from: Some(NOW - 1),
            contract_valid_to: Some(NOW + 1),
            commitment_source: Some(true),
            commitment_quality: Some(true),
            commitment_security: Some(true),
            audit_status: text("passed"),
            audit_date: Some(NOW),
            crawl_record_uri: text("file:///evidence/crawl"),
            authorization_record_uri: text("file:///evidence/users"),
            is_link_list: Some(false),
            gen_model: text("m"),
            gen_model_version: text("1"),
            gen_at: Some(NOW),
            ..SourceRow::default()
        }
    }

    fn checked(row: &SourceRow) -> SourceCheck {
        check(Some(row), (NOW, NOW), &SourceRules::builtin())
    }

    /// The verdict and the items, after a change of a complete row of a mode.
    fn changed(
        mode: &str,
        change: impl FnOnce(&mut SourceRow),
    ) -> (&'static str, Vec<&'static str>) {
        let mut row = complete(mode);
        change(&mut row);
        let check = checked(&row);
        (check.verdict, check.missing)
    }

    #[test]
    fn a_complete_source_is_allowed() {
        for mode in ACQUISITION_MODES {
            let check = checked(&complete(mode));
            assert_eq!(
                check,
                SourceCheck {
                    verdict: "allow",
                    acquisition_mode: Some(mode),
                    origin_region: Some("cn"),
                    missing: vec![],
                    clauses: vec![],
                    license: text("MIT"),
                },
                "{mode}"
            );
        }
    }

    #[test]
    fn each_mode_names_what_it_needs() {
        for (mode, items) in [
            (
                "open_source",
                &["license", "license_evidence_uri", "license_evidence_sha256"][..],
            ),
            ("self_collected", &["crawl_record_uri"]),
            (
                "commercial",
                &[
                    "contract_id",
                    "contract_valid_from",
                    "commitment_source",
                    "commitment_quality",
                    "commitment_security",
                    "audit_status",
                ],
            ),
            ("user_input", &["authorization_record_uri"]),
            ("synthetic", &["gen_model", "gen_model_version", "gen_at"]),
        ] {
            let bare = SourceRow {
                source_id: "s".into(),
                acquisition_mode: text(mode),
                ..SourceRow::default()
            };
            let check = checked(&bare);
            assert_eq!(
                (check.verdict, &check.missing[..]),
                ("missing", items),
                "{mode}"
            );
            assert_eq!(check.clauses.len(), items.len());
            assert_eq!(check.origin_region, Some("unknown"));
        }
    }

    #[test]
    fn an_unknown_source_is_missing() {
        let check = check(None, (NOW, NOW), &SourceRules::builtin());
        assert_eq!(check.verdict, "missing");
        assert_eq!(check.missing, ["source"]);
        assert_eq!(check.clauses, ["TC260-003-2024 5.1 c)"]);
        assert_eq!((check.acquisition_mode, check.origin_region), (None, None));
    }

    #[test]
    fn a_null_mode_is_missing() {
        let outcome = changed("commercial", |row| row.acquisition_mode = None);
        assert_eq!(outcome, ("missing", vec!["acquisition_mode"]));
    }

    #[test]
    fn a_link_list_counts_as_self_collected() {
        let mut row = complete("open_source");
        row.is_link_list = Some(true);
        assert_eq!(checked(&row).verdict, "allow");
        assert_eq!(checked(&row).acquisition_mode, Some("self_collected"));
        row.crawl_record_uri = None;
        row.license = None;
        let check = checked(&row);
        assert_eq!(check.verdict, "missing");
        assert_eq!(check.missing, ["license", "crawl_record_uri"]);
        assert_eq!(
            check.clauses,
            [
                "TC260-003-2024 5.1 c) 1)",
                "TC260-003-2024 5.1 c) 1) note 1"
            ]
        );
        let commercial = changed("commercial", |row| {
            row.is_link_list = Some(true);
            row.crawl_record_uri = None;
        });
        assert_eq!(commercial, ("missing", vec!["crawl_record_uri"]));
    }

    #[test]
    fn what_is_needed_has_to_hold_at_every_instant_of_a_span() {
        let rules = SourceRules::builtin();
        let verdict = |row: &SourceRow, span| check(Some(row), span, &rules).verdict;
        // In force from NOW - 1 to before NOW + 1, audited by then.
        let bought = complete("commercial");
        assert_eq!(verdict(&bought, (NOW, NOW)), "allow");
        assert_eq!(verdict(&bought, (NOW, NOW + 1)), "deny");
        assert_eq!(verdict(&bought, (NOW - 2, NOW)), "deny");
        let audited_later = SourceRow {
            audit_date: Some(NOW),
            ..complete("commercial")
        };
        assert_eq!(verdict(&audited_later, (NOW - 1, NOW)), "missing");
    }

    #[test]
    fn a_contract_is_in_force_from_its_first_instant_to_before_its_last() {
        let at = |from: Option<i64>, to: Option<i64>| {
            changed("commercial", |row| {
                row.contract_valid_from = from;
                row.contract_valid_to = to;
            })
        };
        assert_eq!(at(Some(NOW), Some(NOW + 1)), ("allow", vec![]));
        assert_eq!(at(Some(NOW), None), ("allow", vec![]));
        assert_eq!(
            at(Some(NOW - 1), Some(NOW)),
            ("deny", vec!["contract_valid_to"])
        );
        assert_eq!(
            at(Some(NOW + 1), None),
            ("deny", vec!["contract_valid_from"])
        );
        assert_eq!(at(None, None), ("missing", vec!["contract_valid_from"]));
    }

    #[test]
    fn what_speaks_against_a_source_denies_it() {
        let failed = changed("commercial", |row| row.audit_status = text("Failed"));
        assert_eq!(failed, ("deny", vec!["audit_status"]));
        let quality = changed("commercial", |row| row.commitment_quality = Some(false));
        assert_eq!(quality, ("deny", vec!["commitment_quality"]));
        // A denial stands whatever is missing besides.
        let both = changed("commercial", |row| {
            row.contract_id = None;
            row.commitment_source = Some(false);
        });
        assert_eq!(both, ("deny", vec!["contract_id", "commitment_source"]));
    }

    #[test]
    fn an_audit_without_a_result_yet_is_missing() {
        let pending = changed("commercial", |row| row.audit_status = text("pending"));
        assert_eq!(pending, ("missing", vec!["audit_status"]));
        let later = changed("commercial", |row| row.audit_date = Some(NOW + 1));
        assert_eq!(later, ("missing", vec!["audit_date"]));
        let undated = changed("commercial", |row| row.audit_date = None);
        assert_eq!(undated, ("missing", vec!["audit_date"]));
    }

    #[test]
    fn clauses_come_from_the_rules() {
        let text: String = SOURCE_KEYS
            .iter()
            .map(|key| {
                format!("[clauses.{key}]\nid = 'house {key}'\ntitle = 't'\nverified = true\n")
            })
            .collect();
        let rules = SourceRules::from_pack_toml("own.toml", &text).expect("rules");
        let mut row = complete("commercial");
        row.contract_valid_to = Some(NOW);
        row.commitment_security = None;
        let check = check(Some(&row), (NOW, NOW), &rules);
        assert_eq!(
            check.clauses,
            ["house contract_expired", "house commitment_security"]
        );
    }

    fn source_row() -> impl Strategy<Value = SourceRow> {
        let mode = prop::option::of(prop::sample::select(ACQUISITION_MODES));
        let present = prop::array::uniform9(any::<bool>());
        let times = prop::array::uniform4(prop::option::of(NOW - 2..NOW + 3));
        let flags = prop::array::uniform4(prop::option::of(any::<bool>()));
        let audit = prop::option::of(prop::sample::select(&["passed", "failed", "pending"][..]));
        (mode, present, times, flags, audit).prop_map(|(mode, present, times, flags, audit)| {
            let gen_at = times[3];
            let given = |index: usize| present[index].then(|| "x".to_owned());
            SourceRow {
                source_id: "s".into(),
                acquisition_mode: mode.map(str::to_owned),
                origin_region: None,
                license: given(0),
                license_evidence_uri: given(1),
                license_evidence_sha256: given(2),
                contract_id: given(3),
                contract_valid_from: times[0],
                contract_valid_to: times[1],
                commitment_source: flags[0],
                commitment_quality: flags[1],
                commitment_security: flags[2],
                audit_status: audit.map(str::to_owned),
                audit_date: times[2],
                crawl_record_uri: given(4),
                authorization_record_uri: given(5),
                is_link_list: flags[3],
                gen_model: given(6),
                gen_model_version: given(7),
                vertical: given(8),
                gen_at,
                ..SourceRow::default()
            }
        })
    }

    /// The table of the regulation, one condition after another.
    fn is_allowed(row: &SourceRow) -> bool {
        let collected = row.crawl_record_uri.is_some();
        let evidence = match row.acquisition_mode.as_deref() {
            Some("open_source") => {
                row.license.is_some()
                    && row.license_evidence_uri.is_some()
                    && row.license_evidence_sha256.is_some()
            }
            Some("self_collected") => collected,
            Some("commercial") => {
                row.contract_id.is_some()
                    && row.contract_valid_from.is_some_and(|from| from <= NOW)
                    && row.contract_valid_to.is_none_or(|to| NOW < to)
                    && row.commitment_source == Some(true)
                    && row.commitment_quality == Some(true)
                    && row.commitment_security == Some(true)
                    && row.audit_status.as_deref() == Some("passed")
                    && row.audit_date.is_some_and(|date| date <= NOW)
            }
            Some("user_input") => row.authorization_record_uri.is_some(),
            Some("synthetic") => {
                row.gen_model.is_some()
                    && row.gen_model_version.is_some()
                    && row.gen_at.is_some_and(|generated| generated <= NOW)
            }
            _ => false,
        };
        evidence && (row.is_link_list != Some(true) || collected)
    }

    proptest! {
        #[test]
        fn a_source_is_allowed_exactly_when_nothing_is_found(row in source_row()) {
            let check = checked(&row);
            prop_assert_eq!(check.verdict == "allow", is_allowed(&row), "{:?}", row);
            prop_assert_eq!(check.verdict == "allow", check.missing.is_empty());
            prop_assert_eq!(check.missing.len(), check.clauses.len());
        }
    }
}
