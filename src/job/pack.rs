//! Policy packs: a folder with `pack.toml`, `risks.toml`, `assess.sql`, `clear.sql` and `mix.sql`.

use std::collections::BTreeMap;
use std::path::Path;

use datafusion::common::ParamValues;
use datafusion::common::metadata::ScalarAndMetadata;
use datafusion::scalar::ScalarValue;
use serde::Deserialize;
use tamis_resource::{Identity, nearest};

use super::error::{JobError, Result};

/// A pack's files, in the order they are digested.
pub const FILES: [&str; 5] = [
    "pack.toml",
    "risks.toml",
    "assess.sql",
    "clear.sql",
    "mix.sql",
];

const BUILTIN: &[(&str, [&str; 5])] = &[(
    "gb45654",
    [
        include_str!("../../sql/gb45654/pack.toml"),
        include_str!("../../sql/gb45654/risks.toml"),
        include_str!("../../sql/gb45654/assess.sql"),
        include_str!("../../sql/gb45654/clear.sql"),
        include_str!("../../sql/gb45654/mix.sql"),
    ],
)];

/// A clause of a standard; the id is data of the pack, never of the code.
#[derive(Debug, Clone, Deserialize)]
pub struct Clause {
    /// The clause as it is cited.
    pub id: String,
    /// What it asks for, in a few words.
    #[serde(default)]
    pub title: String,
    /// Whether the text of the standard was seen (`false`: cited from secondary sources).
    #[serde(default)]
    pub verified: bool,
}

/// `[gate]` of `pack.toml`.
#[derive(Debug, Clone, Deserialize)]
pub struct Gate {
    /// Name of the risk set that makes a row harmful.
    pub risk_set: String,
    /// A source with a higher share of harmful rows is refused whole.
    pub limit: f64,
    /// `census` or `sample`, as `source_verdict` has it.
    #[serde(default = "census")]
    pub mode: String,
}

fn census() -> String {
    "census".to_owned()
}

#[derive(Debug, Clone, Deserialize)]
struct PackToml {
    name: String,
    standard: String,
    edition: String,
    version: String,
    risk_sets: BTreeMap<String, Vec<String>>,
    gate: Gate,
    clauses: BTreeMap<String, Clause>,
    #[serde(default)]
    parameters: BTreeMap<String, toml::Value>,
    #[serde(default)]
    mix: BTreeMap<String, toml::Value>,
}

/// A loaded policy pack.
#[derive(Debug, Clone)]
pub struct Pack {
    /// Short name, for example `gb45654`.
    pub name: String,
    /// The standard it implements.
    pub standard: String,
    /// That standard's edition.
    pub edition: String,
    /// Where it came from and the digest of its files.
    pub identity: Identity,
    /// The source gate.
    pub gate: Gate,
    /// The ids of the gate's risk set.
    pub gate_risks: Vec<String>,
    /// Clauses by rule.
    pub clauses: BTreeMap<String, Clause>,
    parameters: BTreeMap<String, toml::Value>,
    mix: BTreeMap<String, toml::Value>,
    files: [String; 5],
}

impl Pack {
    /// The names of the embedded packs.
    pub fn builtin_names() -> impl Iterator<Item = &'static str> {
        BUILTIN.iter().map(|(name, _)| *name)
    }

    /// Loads an embedded pack by name or a pack folder by path.
    pub fn load(name: &str) -> Result<Self> {
        if let Some((_, files)) = BUILTIN.iter().find(|(known, _)| *known == name) {
            return Self::parse(&format!("builtin:{name}"), files.map(str::to_owned));
        }
        let folder = Path::new(name);
        if !folder.is_dir() {
            let hint = nearest(name, Self::builtin_names())
                .map_or_else(String::new, |near| format!(" Did you mean `{near}`?"));
            return Err(JobError::usage(format!(
                "policy pack `{name}` is neither built in ({}) nor a folder.{hint} `tamis policy export` writes a folder to start from",
                Self::builtin_names().collect::<Vec<_>>().join(", ")
            )));
        }
        let mut files: [String; 5] = Default::default();
        for (text, file) in files.iter_mut().zip(FILES) {
            let path = folder.join(file);
            *text = std::fs::read_to_string(&path).map_err(|error| {
                JobError::usage(format!("policy pack {}: {error}", path.display()))
            })?;
        }
        Self::parse(name, files)
    }

    fn parse(uri: &str, files: [String; 5]) -> Result<Self> {
        let bad =
            |message: String| JobError::usage(format!("policy pack {uri}, pack.toml: {message}"));
        let toml: PackToml = toml::from_str(&files[0]).map_err(|error| bad(error.to_string()))?;
        let gate_risks = toml
            .risk_sets
            .get(&toml.gate.risk_set)
            .cloned()
            .ok_or_else(|| {
                bad(format!(
                    "gate.risk_set `{}` is not one of [risk_sets]",
                    toml.gate.risk_set
                ))
            })?;
        if !(0.0..=1.0).contains(&toml.gate.limit) {
            return Err(bad(format!(
                "gate.limit {} is not between 0 and 1",
                toml.gate.limit
            )));
        }
        let mut all = Vec::new();
        for (name, text) in FILES.iter().zip(&files) {
            all.extend_from_slice(format!("{name} {}\n", text.len()).as_bytes());
            all.extend_from_slice(text.as_bytes());
        }
        Ok(Self {
            identity: Identity::of_bytes(uri, toml.version, &all),
            name: toml.name,
            standard: toml.standard,
            edition: toml.edition,
            gate: toml.gate,
            gate_risks,
            clauses: toml.clauses,
            parameters: toml.parameters,
            mix: toml.mix,
            files,
        })
    }

    /// One of [`FILES`].
    pub fn file(&self, name: &str) -> &str {
        FILES
            .iter()
            .position(|known| *known == name)
            .map_or("", |index| &self.files[index])
    }

    /// `assess.sql`.
    pub fn assess_sql(&self) -> &str {
        self.file("assess.sql")
    }

    /// `clear.sql`.
    pub fn clear_sql(&self) -> &str {
        self.file("clear.sql")
    }

    /// `mix.sql`.
    pub fn mix_sql(&self) -> &str {
        self.file("mix.sql")
    }

    /// What a pack's SQL may bind: `$clause_<rule>`, `$gate_risks`, `$gate_limit`, `[parameters]`
    /// and `[mix]`.
    pub fn sql_parameters(&self) -> Result<ParamValues> {
        let mut values: Vec<(String, ScalarValue)> = self
            .clauses
            .iter()
            .map(|(rule, clause)| {
                (
                    format!("clause_{rule}"),
                    ScalarValue::from(clause.id.as_str()),
                )
            })
            .collect();
        let risks: Vec<ScalarValue> = self
            .gate_risks
            .iter()
            .map(|id| ScalarValue::from(id.as_str()))
            .collect();
        let risks =
            ScalarValue::new_list_nullable(&risks, &datafusion::arrow::datatypes::DataType::Utf8);
        values.push(("gate_risks".to_owned(), ScalarValue::List(risks)));
        values.push(("gate_limit".to_owned(), ScalarValue::from(self.gate.limit)));
        for (name, value) in self.parameters.iter().chain(&self.mix) {
            let value = match value {
                toml::Value::String(text) => ScalarValue::from(text.as_str()),
                toml::Value::Integer(number) => ScalarValue::from(*number),
                toml::Value::Float(number) => ScalarValue::from(*number),
                toml::Value::Boolean(flag) => ScalarValue::from(*flag),
                _ => {
                    return Err(JobError::usage(format!(
                        "policy pack {}: parameter {name} is neither text, number nor boolean",
                        self.identity.uri
                    )));
                }
            };
            values.push((name.clone(), value));
        }
        Ok(ParamValues::Map(
            values
                .into_iter()
                .map(|(name, value)| (name, ScalarAndMetadata::from(value)))
                .collect(),
        ))
    }

    /// The cited clause of a rule; a rule the pack does not know cites nothing.
    pub fn clause(&self, rule: &str) -> &str {
        self.clauses.get(rule).map_or("", |clause| &clause.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_pack_names_29_risks_and_5_percent() {
        let pack = Pack::load("gb45654").unwrap();
        assert_eq!(pack.gate_risks.len(), 29);
        assert!((pack.gate.limit - 0.05).abs() < f64::EPSILON);
        assert!(pack.sql_parameters().is_ok());
    }

    #[test]
    fn a_misspelt_pack_is_named() {
        let message = Pack::load("gb45655").unwrap_err().to_string();
        assert!(message.contains("Did you mean `gb45654`?"), "{message}");
    }
}
