use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use tamis_resource::{Identity, Result};

use crate::located_toml::{malformed, parse};
use crate::taxonomy::Taxonomy;

/// From which score on a risk counts as present, per risk.
///
/// As TOML: `default`, and under `[risks]` those that differ, by id; an optional `version`.
/// All in (0, 1].
#[derive(Debug)]
pub struct Thresholds {
    identity: Identity,
    taxonomy_sha256: String,
    by_risk: Vec<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThresholdsFile {
    #[serde(default)]
    version: String,
    default: f64,
    #[serde(default)]
    risks: BTreeMap<String, f64>,
}

impl Thresholds {
    /// The built-in thresholds, for the built-in taxonomy.
    pub fn builtin() -> Arc<Self> {
        static BUILTIN: OnceLock<Arc<Thresholds>> = OnceLock::new();
        BUILTIN
            .get_or_init(|| {
                let thresholds = Self::from_toml(
                    "builtin:thresholds",
                    include_str!("../data/thresholds.toml"),
                    &Taxonomy::builtin(),
                )
                .expect("the embedded thresholds are valid");
                Arc::new(thresholds)
            })
            .clone()
    }

    /// Reads thresholds for the risks of `taxonomy`.
    ///
    /// # Errors
    /// Malformed when it is not TOML of this shape, names an unknown risk or holds a value
    /// outside (0, 1].
    pub fn from_toml(uri: &str, text: &str, taxonomy: &Taxonomy) -> Result<Self> {
        let file: ThresholdsFile = parse(uri, text)?;
        let checked = |key: &str, value: f64| {
            if value > 0.0 && value <= 1.0 {
                Ok(value)
            } else {
                Err(malformed(
                    uri,
                    format!("key {key}"),
                    format!("a threshold lies in (0, 1], not {value}"),
                ))
            }
        };
        let mut by_risk = vec![checked("default", file.default)?; taxonomy.risks().len()];
        for (id, value) in &file.risks {
            let key = format!("risks.{id}");
            let index = taxonomy
                .index(id)
                .ok_or_else(|| malformed(uri, format!("key {key}"), taxonomy.unknown(id)))?;
            by_risk[index] = checked(&key, *value)?;
        }
        Ok(Self {
            identity: Identity::of_bytes(uri, file.version, text.as_bytes()),
            taxonomy_sha256: taxonomy.identity().sha256.clone(),
            by_risk,
        })
    }

    /// Where they came from, and their digest.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The threshold of a risk, by its index in the taxonomy.
    ///
    /// # Panics
    /// When the taxonomy has no such risk.
    pub fn get(&self, risk_index: usize) -> f64 {
        self.by_risk[risk_index]
    }

    /// Digest of the taxonomy they were read for.
    pub(crate) fn taxonomy_sha256(&self) -> &str {
        &self.taxonomy_sha256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Thresholds> {
        Thresholds::from_toml("t.toml", text, &Taxonomy::builtin())
    }

    #[test]
    fn single_risks_override_the_default() {
        let thresholds = read("default = 0.5\n[risks]\nA2d = 0.7\n").expect("valid");
        let taxonomy = Taxonomy::builtin();
        for (index, risk) in taxonomy.risks().iter().enumerate() {
            let expected = if risk.id == "A2d" { 0.7 } else { 0.5 };
            assert_eq!(thresholds.get(index), expected);
        }
    }

    #[test]
    fn errors_name_the_key() {
        let error = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(
            error("default = 0.0"),
            "t.toml, key default: a threshold lies in (0, 1], not 0"
        );
        assert_eq!(
            error("default = 0.5\n[risks]\nA1a = 1.5"),
            "t.toml, key risks.A1a: a threshold lies in (0, 1], not 1.5"
        );
        assert!(error("default = nan").contains("not NaN"));
        assert_eq!(
            error("default = 0.5\n[risks]\nA2x = 0.5"),
            "t.toml, key risks.A2x: unknown risk 'A2x' (did you mean 'A2a'?)"
        );
        assert!(error("").contains("missing field `default`"));
        assert!(error("default = 0.5\nrisk = 1").starts_with("t.toml, line 2"));
    }

    #[test]
    fn builtin_loads() {
        let thresholds = Thresholds::builtin();
        assert_eq!(thresholds.identity().uri, "builtin:thresholds");
        for index in 0..Taxonomy::builtin().risks().len() {
            assert!(thresholds.get(index) > 0.0 && thresholds.get(index) <= 1.0);
        }
    }
}
