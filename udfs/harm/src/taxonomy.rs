use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use tamis_resource::{Identity, Result, nearest};

use crate::lexicon::ALLOW;
use crate::located_toml::{malformed, parse};

/// A risk a text can carry.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Risk {
    /// Short id, `A1a` to `A5b` in the built-in taxonomy.
    pub id: String,
    /// Name in Chinese.
    pub zh: String,
    /// Name in English.
    pub en: String,
    /// The group it belongs to, `A1` to `A5` in the built-in taxonomy.
    pub group: String,
}

/// The risks a text is judged by, in a fixed order.
///
/// The built-in one holds the 31 risks of GB/T 45654-2025, Appendix A. Other standards bring
/// their own as TOML: an optional `version` and `[[risk]]` tables with `id`, `group`, `zh`, `en`.
#[derive(Debug)]
pub struct Taxonomy {
    identity: Identity,
    risks: Vec<Risk>,
    index: HashMap<String, usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaxonomyFile {
    #[serde(default)]
    version: String,
    #[serde(default)]
    risk: Vec<Risk>,
}

impl Taxonomy {
    /// The built-in taxonomy as TOML.
    pub const BUILTIN_TOML: &str = include_str!("../data/risks.toml");

    /// The 31 risks of GB/T 45654-2025, Appendix A.
    pub fn builtin() -> Arc<Self> {
        static BUILTIN: OnceLock<Arc<Taxonomy>> = OnceLock::new();
        BUILTIN
            .get_or_init(|| {
                let taxonomy = Self::from_toml("builtin:risks", Self::BUILTIN_TOML)
                    .expect("the embedded taxonomy is valid");
                Arc::new(taxonomy)
            })
            .clone()
    }

    /// Reads a taxonomy.
    ///
    /// # Errors
    /// Malformed when it is not TOML of this shape, holds no risk, or an id is empty, `allow`
    /// (which lexicons use for masks) or given twice.
    pub fn from_toml(uri: &str, text: &str) -> Result<Self> {
        let file: TaxonomyFile = parse(uri, text)?;
        if file.risk.is_empty() {
            return Err(malformed(uri, "key risk", "no risk is defined"));
        }
        let mut index = HashMap::new();
        for (position, risk) in file.risk.iter().enumerate() {
            let place = || format!("key risk[{position}].id");
            if risk.id.trim().is_empty() || risk.id.trim() != risk.id {
                return Err(malformed(
                    uri,
                    place(),
                    "an id is needed, without spaces around it",
                ));
            }
            if risk.id == ALLOW {
                return Err(malformed(
                    uri,
                    place(),
                    "'allow' is kept for lexicon entries that mask",
                ));
            }
            if index.insert(risk.id.clone(), position).is_some() {
                return Err(malformed(
                    uri,
                    place(),
                    format!("the id '{}' is given twice", risk.id),
                ));
            }
        }
        Ok(Self {
            identity: Identity::of_bytes(uri, file.version, text.as_bytes()),
            risks: file.risk,
            index,
        })
    }

    /// Where it came from, and its digest.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// All risks, in taxonomy order.
    pub fn risks(&self) -> &[Risk] {
        &self.risks
    }

    /// The place of a risk in [`Self::risks`]; `None` for an unknown id.
    pub fn index(&self, id: &str) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// What to say about an id that is not in the taxonomy.
    pub(crate) fn unknown(&self, id: &str) -> String {
        let known = self.risks.iter().map(|risk| risk.id.as_str());
        match nearest(id, known) {
            Some(near) => format!("unknown risk '{id}' (did you mean '{near}'?)"),
            None => format!(
                "unknown risk '{id}'; the {} risks are {} to {}",
                self.risks.len(),
                self.risks[0].id,
                self.risks[self.risks.len() - 1].id
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builtin_has_the_31_risks_in_order() {
        let taxonomy = Taxonomy::builtin();
        let ids: Vec<&str> = taxonomy.risks().iter().map(|risk| &*risk.id).collect();
        let expected: Vec<String> = [("A1", 8), ("A2", 9), ("A3", 5), ("A4", 7), ("A5", 2)]
            .into_iter()
            .flat_map(|(group, count)| {
                ('a'..)
                    .take(count)
                    .map(move |letter| format!("{group}{letter}"))
            })
            .collect();
        assert_eq!(ids, expected);
        for (position, risk) in taxonomy.risks().iter().enumerate() {
            assert_eq!(taxonomy.index(&risk.id), Some(position));
            assert!(risk.id.starts_with(&risk.group));
            assert!(!risk.zh.is_ascii() && risk.en.is_ascii(), "{}", risk.id);
        }
        assert_eq!(taxonomy.index("A9z"), None);
        assert_eq!(taxonomy.identity().uri, "builtin:risks");
    }

    #[test]
    fn errors_name_the_place() {
        let error = |text: &str| Taxonomy::from_toml("r.toml", text).unwrap_err().to_string();
        assert_eq!(error(""), "r.toml, key risk: no risk is defined");
        let risk = |id: &str| format!("[[risk]]\nid='{id}'\ngroup='g'\nzh='z'\nen='e'\n");
        assert_eq!(
            error(&(risk("x") + &risk("x"))),
            "r.toml, key risk[1].id: the id 'x' is given twice"
        );
        assert!(error(&risk("allow")).contains("key risk[0].id: 'allow' is kept"));
        assert!(error(&risk("  ")).contains("an id is needed"));
        assert!(error("[[risk]]\nid='x'\nname='y'\n").starts_with("r.toml, line 3: unknown field"));
        assert!(error("\n\n[[risk]\n").starts_with("r.toml, line 3"));
    }
}
