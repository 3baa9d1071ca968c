//! The clauses behind the source checks, read from a policy pack.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use tamis_resource::{ResourceError, Result, sha256_hex};
use toml::{Table, Value};

const BUILTIN_URI: &str = "builtin:gb45654/pack.toml";
const BUILTIN_TOML: &str = include_str!("../data/pack.toml");

/// The clause keys the source checks cite; a pack must have them all.
pub(crate) const SOURCE_KEYS: &[&str] = &[
    "source_unknown",
    "acquisition_mode",
    "license_missing",
    "license_evidence",
    "link_list",
    "crawl_record",
    "contract",
    "contract_expired",
    "commitment_source",
    "commitment_quality",
    "commitment_security",
    "audit",
    "authorization_record",
    "synthetic_model",
];

/// Which clause stands behind each item of a source check.
///
/// Clause ids are data: they come from the `[clauses.<key>]` tables of a policy pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceRules {
    digest: String,
    clauses: BTreeMap<String, Clause>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Clause {
    id: String,
    verified: bool,
}

impl SourceRules {
    /// The rules of the bundled pack `gb45654`.
    pub fn builtin() -> Arc<Self> {
        static BUILTIN: OnceLock<Arc<SourceRules>> = OnceLock::new();
        Arc::clone(BUILTIN.get_or_init(|| {
            let rules = Self::from_pack_toml(BUILTIN_URI, BUILTIN_TOML);
            Arc::new(rules.expect("the bundled pack is tested"))
        }))
    }

    /// Reads the clauses of a pack: every `[clauses.<key>]` with a text `id`, a text
    /// `title` and a boolean `verified`. Other parts of the pack are not looked at.
    ///
    /// # Errors
    /// [`ResourceError::Malformed`] with the line of a TOML error, or the key of a clause
    /// that is not of this form or that the source checks need and the pack lacks.
    pub fn from_pack_toml(uri: &str, text: &str) -> Result<Self> {
        let malformed = |location: String, message: String| ResourceError::Malformed {
            uri: uri.to_owned(),
            location,
            message,
        };
        let pack: Table = text.parse().map_err(|error: toml::de::Error| {
            let start = error.span().map_or(0, |span| span.start.min(text.len()));
            let line = 1 + text.as_bytes()[..start]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count();
            malformed(format!("line {line}"), error.message().to_owned())
        })?;
        let tables = pack
            .get("clauses")
            .and_then(Value::as_table)
            .ok_or_else(|| {
                malformed(
                    "key clauses".into(),
                    "the pack has no [clauses.<key>] tables".into(),
                )
            })?;
        let mut clauses = BTreeMap::new();
        for (key, value) in tables {
            let clause = clause(value).map_err(|(field, message)| {
                malformed(format!("key clauses.{key}{field}"), message)
            })?;
            clauses.insert(key.clone(), clause);
        }
        if let Some(key) = SOURCE_KEYS.iter().find(|key| !clauses.contains_key(**key)) {
            return Err(malformed(
                format!("key clauses.{key}"),
                "the source checks cite this clause and the pack has none".into(),
            ));
        }
        Ok(Self {
            digest: sha256_hex(text.as_bytes()),
            clauses,
        })
    }

    /// The sha256 of the pack's text, 64 lower-case hex digits.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The clause id of a key; `None` for a key the pack does not have.
    pub fn clause(&self, key: &str) -> Option<&str> {
        self.clauses.get(key).map(|clause| clause.id.as_str())
    }

    /// Whether the clause's number and content were compared with the published text;
    /// `None` for a key the pack does not have.
    pub fn is_verified(&self, key: &str) -> Option<bool> {
        self.clauses.get(key).map(|clause| clause.verified)
    }
}

/// Reads one clause; the error is the field after the key and what is wrong with it.
fn clause(value: &Value) -> Result<Clause, (&'static str, String)> {
    let table = value.as_table().ok_or_else(|| {
        (
            "",
            "expected a table with id, title and verified".to_owned(),
        )
    })?;
    let text = |name: &str| {
        let text = table.get(name).and_then(Value::as_str).map(str::trim);
        text.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let id = text("id").ok_or_else(|| (".id", "expected a text".to_owned()))?;
    text("title").ok_or_else(|| (".title", "expected a text".to_owned()))?;
    let verified = table
        .get("verified")
        .and_then(Value::as_bool)
        .ok_or_else(|| (".verified", "expected true or false".to_owned()))?;
    Ok(Clause { id, verified })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builtin_pack() -> Table {
        BUILTIN_TOML.parse().expect("TOML")
    }

    fn location_of(text: &str) -> String {
        match SourceRules::from_pack_toml("pack.toml", text) {
            Err(ResourceError::Malformed { uri, location, .. }) => {
                assert_eq!(uri, "pack.toml");
                location
            }
            other => panic!("expected a malformed pack, got {other:?}"),
        }
    }

    #[test]
    fn the_bundled_pack_cites_every_source_clause() {
        let rules = SourceRules::builtin();
        assert_eq!(rules.digest(), sha256_hex(BUILTIN_TOML.as_bytes()));
        for key in SOURCE_KEYS {
            assert!(rules.clause(key).is_some_and(|id| !id.is_empty()), "{key}");
        }
        assert_eq!(rules.clause("contract"), Some("TC260-003-2024 5.1 c) 3)"));
        assert_eq!(rules.is_verified("contract"), Some(false));
        assert_eq!(rules.is_verified("harm"), Some(true));
        assert_eq!(rules.clause("no_such_key"), None);
    }

    /// The rest of the pack is read elsewhere; its sets are small enough to count here.
    #[test]
    fn the_bundled_risk_sets_are_prefixes_of_the_31() {
        let pack = builtin_pack();
        let set = |name: &str| -> Vec<String> {
            let ids = pack["risk_sets"][name].as_array().expect("a list");
            ids.iter()
                .map(|id| id.as_str().expect("a text").to_owned())
                .collect()
        };
        let mut expected = Vec::new();
        for (group, letters) in [
            ("A1", "abcdefgh"),
            ("A2", "abcdefghi"),
            ("A3", "abcde"),
            ("A4", "abcdefg"),
            ("A5", "ab"),
        ] {
            expected.extend(letters.chars().map(|letter| format!("{group}{letter}")));
        }
        assert_eq!(expected.len(), 31);
        assert_eq!(set("all31"), expected);
        assert_eq!(set("illegal29"), expected[..29]);
        assert_eq!(set("kw17"), expected[..17]);
        let gate = pack["gate"]["risk_set"].as_str().expect("a text");
        assert_eq!(set(gate).len(), 29);
        assert_eq!(pack["gate"]["limit"].as_float(), Some(0.05));
    }

    #[test]
    fn no_parameter_keeps_a_row() {
        for (name, value) in builtin_pack()["parameters"].as_table().expect("a table") {
            let value = value.as_str().expect("a text");
            assert!(
                ["review", "drop", "quarantine", "redact"].contains(&value),
                "{name} = {value}"
            );
        }
    }

    #[test]
    fn another_pack_brings_its_own_clauses() {
        let text = BUILTIN_TOML.replace("TC260-003-2024 5.1 c) 4)", "house rule 7");
        let rules = SourceRules::from_pack_toml("own.toml", &text).expect("a pack");
        assert_eq!(rules.clause("authorization_record"), Some("house rule 7"));
        assert_ne!(rules.digest(), SourceRules::builtin().digest());
    }

    #[test]
    fn what_is_malformed_is_located() {
        assert_eq!(location_of("name = 'x'\n[clauses\n"), "line 2");
        assert_eq!(location_of("name = 'x'"), "key clauses");
        assert_eq!(location_of("[clauses]\naudit = 3"), "key clauses.audit");
        assert_eq!(
            location_of("[clauses.audit]\nid = ' '"),
            "key clauses.audit.id"
        );
        assert_eq!(
            location_of("[clauses.audit]\nid = '1'"),
            "key clauses.audit.title"
        );
        let verified = "[clauses.audit]\nid = '1'\ntitle = 't'\nverified = 'yes'";
        assert_eq!(location_of(verified), "key clauses.audit.verified");
        let lacking = BUILTIN_TOML.replace("[clauses.audit]", "[clauses.other]");
        assert_eq!(location_of(&lacking), "key clauses.audit");
    }
}
