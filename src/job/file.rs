//! `job.toml`: what a user writes, and the flags that override it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Deserializer, Serialize};
use tamis_resource::nearest;

use super::error::{JobError, Result};

/// A job file after `--set` and `--output`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct JobFile {
    /// What to read.
    #[serde(default)]
    pub corpus: Corpus,
    /// How to judge it.
    #[serde(default)]
    pub policy: Policy,
    /// What to judge with: the `tamis.*` settings that name resources.
    #[serde(default)]
    pub resources: Resources,
    /// Where and how to write.
    #[serde(default)]
    pub output: OutputFile,
}

/// `[corpus]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Corpus {
    /// A Parquet file, a directory or a glob; local or `s3://`.
    #[serde(default)]
    pub uri: String,
    /// Which column plays which part.
    #[serde(default)]
    pub columns: Columns,
    /// Input columns to write under another name, for corpora that already hold `prov_*` or `verdict`.
    #[serde(default)]
    pub rename: BTreeMap<String, String>,
}

/// `[corpus] columns`: the parts a policy speaks of.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Columns {
    /// The row's own id, shown in `dropped/`.
    pub id: Option<String>,
    /// The text that is judged. Required.
    pub text: Option<String>,
    /// The source a row came from, a key of the source registry. Required.
    pub source: Option<String>,
    /// The declared licence.
    pub license: Option<String>,
    /// The person the row is about or from.
    pub subject: Option<String>,
    /// Where the row was collected.
    pub url: Option<String>,
    /// When the row was collected.
    pub collected_at: Option<String>,
}

impl Columns {
    /// The parts with a column, in the order of the fields.
    pub fn mapped(&self) -> Vec<(&'static str, &str)> {
        [
            ("id", &self.id),
            ("text", &self.text),
            ("source", &self.source),
            ("license", &self.license),
            ("subject", &self.subject),
            ("url", &self.url),
            ("collected_at", &self.collected_at),
        ]
        .into_iter()
        .filter_map(|(part, column)| column.as_deref().map(|column| (part, column)))
        .collect()
    }
}

/// `[policy]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Policy {
    /// A built-in pack's name or a pack folder. Default `gb45654`.
    pub pack: Option<String>,
    /// The purpose consent is asked for.
    pub purpose: Option<String>,
    /// The use licences are checked for.
    #[serde(rename = "use")]
    pub use_case: Option<String>,
    /// The instant everything is judged at (RFC 3339). Default: the time of the first run.
    pub as_of: Option<String>,
    /// Days after which an opt-out snapshot no longer shows a permission. Default 30.
    #[serde(default, deserialize_with = "plain")]
    pub opt_out_max_age_days: Option<String>,
    /// Whether the opt-out signals in force at `as_of` count besides those of the time of collection.
    #[serde(default, deserialize_with = "plain")]
    pub opt_out_also_as_of: Option<String>,
}

/// A number or Boolean as the setting's text: `--set` gives text, a file says `30` or `true`.
fn plain<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<String>, D::Error> {
    Ok(Some(match toml::Value::deserialize(deserializer)? {
        toml::Value::String(text) => text,
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Boolean(flag) => flag.to_string(),
        other => {
            let found = other.type_str();
            let message = format!("expected a number, true, false or text, not {found}");
            return Err(serde::de::Error::custom(message));
        }
    }))
}

/// `[resources]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Resources {
    /// `tamis.lexicon`.
    pub lexicon: Option<String>,
    /// `tamis.thresholds`.
    pub thresholds: Option<String>,
    /// `tamis.model`.
    pub model: Option<String>,
    /// `tamis.license_policy`.
    pub license_policy: Option<String>,
    /// `tamis.sources`.
    pub sources: Option<String>,
    /// `tamis.consent`.
    pub consent: Option<String>,
    /// `tamis.purposes`.
    pub purposes: Option<String>,
    /// `tamis.opt_out`.
    pub opt_out: Option<String>,
    /// `tamis.opt_out_agents`.
    pub opt_out_agents: Option<String>,
    /// `tamis.blocked`.
    pub blocked: Option<String>,
    /// `tamis.subject_key`.
    pub subject_key: Option<String>,
}

/// `[output]`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct OutputFile {
    /// A directory or prefix that is empty or holds this job.
    #[serde(default)]
    pub uri: String,
    /// What `dropped/` holds: `ids` (default) or `rows`.
    pub dropped: Option<String>,
    /// What becomes of the subject column: `ref` (default) or `drop`.
    pub subject: Option<String>,
}

/// Every key a job file may hold, dotted.
pub const KEYS: &[&str] = &[
    "corpus.uri",
    "corpus.columns.id",
    "corpus.columns.text",
    "corpus.columns.source",
    "corpus.columns.license",
    "corpus.columns.subject",
    "corpus.columns.url",
    "corpus.columns.collected_at",
    "corpus.rename",
    "policy.pack",
    "policy.purpose",
    "policy.use",
    "policy.as_of",
    "policy.opt_out_max_age_days",
    "policy.opt_out_also_as_of",
    "resources.lexicon",
    "resources.thresholds",
    "resources.model",
    "resources.license_policy",
    "resources.sources",
    "resources.consent",
    "resources.purposes",
    "resources.opt_out",
    "resources.opt_out_agents",
    "resources.blocked",
    "resources.subject_key",
    "output.uri",
    "output.dropped",
    "output.subject",
];

impl JobFile {
    /// Reads a job file and applies `--set key=value` pairs, in order.
    pub fn read(path: &Path, overrides: &[(String, String)]) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            JobError::usage(format!(
                "job file {}: {error}. `tamis init CORPUS` writes one from a corpus's schema",
                path.display()
            ))
        })?;
        Self::parse(&text, &path.display().to_string(), overrides)
    }

    /// The same from text; `name` is for messages.
    pub fn parse(text: &str, name: &str, overrides: &[(String, String)]) -> Result<Self> {
        let mut table: toml::Table = text
            .parse()
            .map_err(|error| JobError::usage(format!("job file {name}: {error}")))?;
        for (key, value) in overrides {
            set_key(&mut table, key, value)?;
        }
        check_keys(&table, "", name)?;
        let file: JobFile = table
            .try_into()
            .map_err(|error| JobError::usage(format!("job file {name}: {error}")))?;
        file.check(name)?;
        Ok(file)
    }

    /// The same job with another output and `--set` pairs on top.
    pub fn with_overrides(mut self, output: &str, overrides: &[(String, String)]) -> Result<Self> {
        output.clone_into(&mut self.output.uri);
        let text = toml::to_string(&self).map_err(|error| JobError::failed(error.to_string()))?;
        Self::parse(&text, "of the stored spec", overrides)
    }

    fn check(&self, name: &str) -> Result<()> {
        let missing = |key: &str, example: &str| {
            Err(JobError::usage(format!(
                "job file {name}: `{key}` is missing; for example {example}"
            )))
        };
        if self.corpus.uri.is_empty() {
            return missing("corpus.uri", "uri = \"s3://bucket/corpus/\"");
        }
        if self.corpus.columns.text.is_none() {
            return missing(
                "corpus.columns.text",
                "columns = { text = \"body\", source = \"source\" }",
            );
        }
        if self.corpus.columns.source.is_none() {
            return missing(
                "corpus.columns.source",
                "columns = { text = \"body\", source = \"source\" }",
            );
        }
        if self.output.uri.is_empty() {
            return missing("output.uri", "uri = \"out/\", or --output");
        }
        one_of(
            "output.dropped",
            self.output.dropped.as_deref(),
            &["ids", "rows"],
            name,
        )?;
        one_of(
            "output.subject",
            self.output.subject.as_deref(),
            &["ref", "drop"],
            name,
        )
    }
}

fn one_of(key: &str, value: Option<&str>, known: &[&str], name: &str) -> Result<()> {
    match value {
        Some(value) if !known.contains(&value) => Err(JobError::usage(format!(
            "job file {name}: `{key}` is `{value}`; it may be {}",
            known.join(" or ")
        ))),
        _ => Ok(()),
    }
}

/// Where a `--set` key stands in the job file: `tamis.sources`, `sources` and `resources.sources` are one.
fn job_key(key: &str) -> Result<&'static str> {
    let bare = key.strip_prefix("tamis.").unwrap_or(key);
    let found = KEYS.iter().find(|known| {
        **known == bare
            || ["resources.", "policy."]
                .iter()
                .any(|room| known.strip_prefix(room) == Some(bare))
    });
    found.copied().ok_or_else(|| unknown_key(key, "--set"))
}

fn unknown_key(key: &str, place: &str) -> JobError {
    let hint = nearest(key, KEYS.iter().copied())
        .or_else(|| {
            let last = key.rsplit('.').next().unwrap_or(key);
            let lasts = KEYS
                .iter()
                .map(|known| known.rsplit('.').next().unwrap_or(known));
            nearest(last, lasts)
                .and_then(|near| KEYS.iter().find(|known| known.ends_with(near)).copied())
        })
        .map_or_else(
            || format!(" The keys are {}", KEYS.join(", ")),
            |near| format!(" Did you mean `{near}`?"),
        );
    JobError::usage(format!("{place}: unknown setting `{key}`.{hint}"))
}

fn set_key(table: &mut toml::Table, key: &str, value: &str) -> Result<()> {
    let mut place = table;
    let mut parts = job_key(key)?.split('.').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            place.insert(part.to_owned(), toml::Value::String(value.to_owned()));
            break;
        }
        place = place
            .entry(part)
            .or_insert_with(|| toml::Value::Table(toml::Table::new()))
            .as_table_mut()
            .ok_or_else(|| {
                JobError::usage(format!(
                    "--set {key}: `{part}` is not a table in the job file"
                ))
            })?;
    }
    Ok(())
}

fn check_keys(table: &toml::Table, prefix: &str, name: &str) -> Result<()> {
    for (key, value) in table {
        let dotted = if prefix.is_empty() {
            key.clone()
        } else {
            format!("{prefix}.{key}")
        };
        if dotted == "corpus.rename" || KEYS.contains(&dotted.as_str()) {
            continue;
        }
        let inner = format!("{dotted}.");
        match value {
            toml::Value::Table(table) if KEYS.iter().any(|known| known.starts_with(&inner)) => {
                check_keys(table, &dotted, name)?;
            }
            _ => return Err(unknown_key(&dotted, &format!("job file {name}"))),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOB: &str = "[corpus]\nuri = \"c\"\ncolumns = { text = \"t\", source = \"s\" }\n[output]\nuri = \"o\"\n";

    fn message(text: &str, overrides: &[(&str, &str)]) -> String {
        let overrides: Vec<_> = overrides
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        JobFile::parse(text, "job.toml", &overrides)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn numbers_and_booleans_need_no_quotes() {
        let policy = |text: &str| {
            let text = format!("{JOB}[policy]\n{text}\n");
            JobFile::parse(&text, "job.toml", &[]).map(|file| file.policy)
        };
        for text in [
            "opt_out_max_age_days = 7\nopt_out_also_as_of = true",
            "opt_out_max_age_days = \"7\"\nopt_out_also_as_of = \"true\"",
        ] {
            let policy = policy(text).unwrap();
            assert_eq!(policy.opt_out_max_age_days.as_deref(), Some("7"));
            assert_eq!(policy.opt_out_also_as_of.as_deref(), Some("true"));
        }
        let message = policy("opt_out_max_age_days = [7]")
            .unwrap_err()
            .to_string();
        assert!(message.contains("not array"), "{message}");
    }

    #[test]
    fn overrides_reach_every_room() {
        let overrides = [
            ("tamis.sources".to_owned(), "a.csv".to_owned()),
            ("as_of".to_owned(), "2026-01-01".to_owned()),
            ("corpus.columns.id".to_owned(), "key".to_owned()),
        ];
        let job = JobFile::parse(JOB, "job.toml", &overrides).unwrap();
        assert_eq!(job.resources.sources.as_deref(), Some("a.csv"));
        assert_eq!(job.policy.as_of.as_deref(), Some("2026-01-01"));
        assert_eq!(job.corpus.columns.id.as_deref(), Some("key"));
    }

    #[test]
    fn unknown_keys_name_the_nearest() {
        let text = format!("{JOB}[policy]\npurpos = \"x\"\n");
        assert!(
            message(&text, &[])
                .contains("unknown setting `policy.purpos`. Did you mean `policy.purpose`?")
        );
        assert!(
            message(JOB, &[("tamis.lexcon", "x")]).contains("Did you mean `resources.lexicon`?")
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(message("", &[]).contains("`corpus.uri` is missing"));
        assert!(message("[corpus]\nuri=\"c\"", &[]).contains("`corpus.columns.text` is missing"));
        assert!(message(JOB, &[("output.dropped", "none")]).contains("may be ids or rows"));
    }
}
