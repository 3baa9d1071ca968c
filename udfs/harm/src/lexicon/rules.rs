use std::collections::BTreeMap;

use serde::Deserialize;
use tamis_resource::{ResourceError, Result};

use crate::located_toml::{malformed, parse};
use crate::taxonomy::Taxonomy;

/// A limit and the clause that sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// The number.
    pub value: u64,
    /// The clause as it is cited.
    pub clause: String,
}

/// What a policy pack asks of a lexicon: the table `[lexicon]` of its `pack.toml`.
///
/// `min_total`, `max_age_days` and, under `[lexicon.min_per_risk]`, a number for each group of
/// risks; all optional. The clauses stand under `[clauses.lexicon_total]`,
/// `[clauses.lexicon_age]` and `[clauses.lexicon_per_risk]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LexiconRules {
    /// Least number of distinct terms that name a risk.
    pub min_total: Option<Limit>,
    /// Least number of distinct terms of a risk, by the index of the risk in the taxonomy.
    pub min_per_risk: Vec<Option<Limit>>,
    /// Most days since the lexicon was updated.
    pub max_age_days: Option<Limit>,
}

#[derive(Deserialize)]
struct PackFile {
    lexicon: Option<LexiconTable>,
    #[serde(default)]
    clauses: BTreeMap<String, ClauseTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LexiconTable {
    min_total: Option<u64>,
    max_age_days: Option<u64>,
    #[serde(default)]
    min_per_risk: BTreeMap<String, u64>,
}

#[derive(Deserialize)]
struct ClauseTable {
    id: String,
}

impl LexiconRules {
    /// Reads the rules from the text of a `pack.toml`, of which only `[lexicon]` and `[clauses]`
    /// are looked at.
    ///
    /// # Errors
    /// Malformed when it is not TOML of this shape, has no `[lexicon]`, names a group without
    /// risks or lacks the clause of a rule.
    pub fn from_pack_toml(uri: &str, text: &str, taxonomy: &Taxonomy) -> Result<Self> {
        let mut file: PackFile = parse(uri, text)?;
        let Some(table) = file.lexicon else {
            return Err(malformed(
                uri,
                "key lexicon",
                "this pack has no rules for a lexicon",
            ));
        };
        let mut limit = |value: u64, rule: &str| -> Result<Limit, ResourceError> {
            match file.clauses.get_mut(rule) {
                Some(clause) => Ok(Limit {
                    value,
                    clause: clause.id.clone(),
                }),
                None => Err(malformed(
                    uri,
                    format!("key clauses.{rule}"),
                    "the rule has no clause",
                )),
            }
        };
        let mut per_risk: Vec<Option<Limit>> = vec![None; taxonomy.risks().len()];
        for (group, value) in &table.min_per_risk {
            let minimum = limit(*value, "lexicon_per_risk")?;
            let mut any = false;
            for (slot, risk) in per_risk.iter_mut().zip(taxonomy.risks()) {
                if risk.group == *group {
                    *slot = Some(minimum.clone());
                    any = true;
                }
            }
            if !any {
                return Err(malformed(
                    uri,
                    format!("key lexicon.min_per_risk.{group}"),
                    format!("no risk is in the group '{group}'"),
                ));
            }
        }
        Ok(Self {
            min_total: table
                .min_total
                .map(|value| limit(value, "lexicon_total"))
                .transpose()?,
            max_age_days: table
                .max_age_days
                .map(|value| limit(value, "lexicon_age"))
                .transpose()?,
            min_per_risk: per_risk,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<LexiconRules> {
        LexiconRules::from_pack_toml("pack.toml", text, &Taxonomy::builtin())
    }

    const CLAUSES: &str = "[clauses.lexicon_total]\nid = 'x 1'\n[clauses.lexicon_per_risk]\n\
                           id = 'x 2'\ntitle = 't'\n[clauses.lexicon_age]\nid = 'x 3'\n";

    #[test]
    fn limits_carry_their_clause() {
        let rules = read(&format!(
            "name = 'p'\n[lexicon]\nmin_total = 10\nmax_age_days = 7\n\
             [lexicon.min_per_risk]\nA1 = 3\nA5 = 1\n{CLAUSES}"
        ))
        .expect("valid");
        let limit = |value, clause: &str| {
            Some(Limit {
                value,
                clause: clause.to_owned(),
            })
        };
        assert_eq!(rules.min_total, limit(10, "x 1"));
        assert_eq!(rules.max_age_days, limit(7, "x 3"));
        for (risk, minimum) in Taxonomy::builtin().risks().iter().zip(&rules.min_per_risk) {
            let expected = match &*risk.group {
                "A1" => limit(3, "x 2"),
                "A5" => limit(1, "x 2"),
                _ => None,
            };
            assert_eq!(*minimum, expected, "{}", risk.id);
        }
    }

    #[test]
    fn errors_name_the_key() {
        let error = |text: &str| read(text).unwrap_err().to_string();
        assert_eq!(
            error("name = 'p'\n"),
            "pack.toml, key lexicon: this pack has no rules for a lexicon"
        );
        assert_eq!(
            error("[lexicon]\nmin_total = 1\n"),
            "pack.toml, key clauses.lexicon_total: the rule has no clause"
        );
        assert_eq!(
            error(&format!("[lexicon.min_per_risk]\nA9 = 1\n{CLAUSES}")),
            "pack.toml, key lexicon.min_per_risk.A9: no risk is in the group 'A9'"
        );
        assert!(error("[lexicon]\nmin_total = -1\n").starts_with("pack.toml, line 2"));
        assert!(error("[lexicon]\nmin = 1\n").contains("unknown field `min`"));
    }

    #[test]
    fn the_rules_of_gb45654() {
        let text = include_str!("../../../../sql/gb45654/pack.toml");
        let rules = read(text).expect("valid");
        assert_eq!(rules.min_total.expect("set").value, 10_000);
        assert_eq!(rules.max_age_days.expect("set").value, 7);
        for (risk, minimum) in Taxonomy::builtin().risks().iter().zip(&rules.min_per_risk) {
            let expected = match &*risk.group {
                "A1" => Some(200),
                "A2" => Some(100),
                _ => None,
            };
            let minimum = minimum.as_ref().map(|limit| limit.value);
            assert_eq!(minimum, expected, "{}", risk.id);
        }
    }
}
