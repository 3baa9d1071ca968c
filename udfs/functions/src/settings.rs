//! The `tamis.*` settings: they name resources, they hold none.

use std::any::Any;

use datafusion::common::config::{ConfigEntry, ConfigExtension, ConfigOptions, ExtensionOptions};
use datafusion::error::{DataFusionError, Result};
use tamis_resource::{ResourceError, nearest};

/// The prefix of every setting.
const PREFIX: &str = "tamis";

/// Every setting, without its `tamis.` prefix, and what it says.
pub const KEYS: &[(&str, &str)] = &[
    (
        "lexicon",
        "The keyword table harm functions match. Default builtin:lexicon",
    ),
    (
        "thresholds",
        "The score at which each risk is reported, TOML. Default builtin:thresholds",
    ),
    (
        "model",
        "The classifier, a model file of fastText or of tamis model train. No default",
    ),
    (
        "license_policy",
        "Which licences allow which use, TOML. Default builtin:license_policy",
    ),
    ("sources", "The source registry, a table. No default"),
    (
        "consent",
        "The consent registry, a table or a snapshot. No default",
    ),
    (
        "opt_out",
        "The snapshots of opt-out signals, a table. No default",
    ),
    (
        "opt_out_agents",
        "The crawlers whose robots.txt rules count as an opt-out, CSV. Default builtin:opt_out_agents",
    ),
    (
        "opt_out_max_age_days",
        "Days after which a snapshot no longer shows a permission. Default 30",
    ),
    (
        "opt_out_also_as_of",
        "Whether signals in force at tamis.as_of count besides those of the time of collection. Default false",
    ),
    (
        "blocked",
        "Blocked domains, addresses and digests, a table. No default",
    ),
    (
        "subject_key",
        "The key of subject references: a file, or env:NAME. No default",
    ),
    (
        "purpose",
        "The purpose consent is asked for. Default model-training",
    ),
    (
        "purposes",
        "Which purposes lie under which, TOML. Default builtin:purposes, or what a consent snapshot holds",
    ),
    (
        "use",
        "The use licences are checked for. Default train-commercial",
    ),
    (
        "as_of",
        "The instant everything is judged at, RFC 3339 or a date, UTC. Default: the time of loading",
    ),
];

/// The settings of a session: which resources [`crate::Resources::load`] reads.
///
/// As a DataFusion configuration extension it takes `SET tamis.lexicon = 'words.csv'`. `None` and
/// an empty value mean the default. The fields are the settings of the same name; `use_case` is
/// `tamis.use`.
///
/// Written by hand and not with `extensions_options!`: that macro lists its entries without their
/// prefix, so that settings do not survive the way to an executor or through FFI.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct TamisSettings {
    /// `tamis.lexicon`; `None` is `builtin:lexicon`.
    pub lexicon: Option<String>,
    /// `tamis.thresholds`; `None` is `builtin:thresholds`.
    pub thresholds: Option<String>,
    /// `tamis.model`; without it keywords alone are judged, and `harm_class` is an error.
    pub model: Option<String>,
    /// `tamis.license_policy`; `None` is `builtin:license_policy`.
    pub license_policy: Option<String>,
    /// `tamis.sources`; without it `source_check` is an error.
    pub sources: Option<String>,
    /// `tamis.consent`, a table or a `.snapshot`; without it `consent_status` and `consent_record` are errors.
    pub consent: Option<String>,
    /// `tamis.opt_out`; without it `opt_out` is an error.
    pub opt_out: Option<String>,
    /// `tamis.opt_out_agents`; `None` is `builtin:opt_out_agents`.
    pub opt_out_agents: Option<String>,
    /// `tamis.opt_out_max_age_days`; `None` is 30.
    pub opt_out_max_age_days: Option<String>,
    /// `tamis.opt_out_also_as_of`; `None` is false.
    pub opt_out_also_as_of: Option<String>,
    /// `tamis.blocked`; without it `blocked` is an error.
    pub blocked: Option<String>,
    /// `tamis.subject_key`: a path or `env:NAME`; without it `subject_ref` is an error.
    pub subject_key: Option<String>,
    /// `tamis.purpose`; `None` is `model-training`.
    pub purpose: Option<String>,
    /// `tamis.purposes`; `None` is `builtin:purposes`, or what the consent snapshot holds.
    pub purposes: Option<String>,
    /// `tamis.use`; `None` is `train-commercial`.
    pub use_case: Option<String>,
    /// `tamis.as_of`; `None` is the time of loading.
    pub as_of: Option<String>,
}

impl TamisSettings {
    /// The value of a setting, its name with or without the prefix; `None` when it is unset or
    /// there is no such setting.
    pub fn get(&self, key: &str) -> Option<&str> {
        let value = match unprefixed(key) {
            "lexicon" => &self.lexicon,
            "thresholds" => &self.thresholds,
            "model" => &self.model,
            "license_policy" => &self.license_policy,
            "sources" => &self.sources,
            "consent" => &self.consent,
            "opt_out" => &self.opt_out,
            "opt_out_agents" => &self.opt_out_agents,
            "opt_out_max_age_days" => &self.opt_out_max_age_days,
            "opt_out_also_as_of" => &self.opt_out_also_as_of,
            "blocked" => &self.blocked,
            "subject_key" => &self.subject_key,
            "purpose" => &self.purpose,
            "purposes" => &self.purposes,
            "use" => &self.use_case,
            "as_of" => &self.as_of,
            _ => return None,
        };
        value.as_deref().filter(|value| !value.trim().is_empty())
    }

    /// The value of a setting, or its default; `None` when it is unset and has none.
    pub fn effective(&self, key: &str) -> Option<&str> {
        self.get(key).or(match unprefixed(key) {
            "lexicon" => Some("builtin:lexicon"),
            "thresholds" => Some("builtin:thresholds"),
            "license_policy" => Some("builtin:license_policy"),
            "opt_out_agents" => Some("builtin:opt_out_agents"),
            "opt_out_max_age_days" => Some("30"),
            "opt_out_also_as_of" => Some("false"),
            "purpose" => Some("model-training"),
            "use" => Some("train-commercial"),
            _ => None,
        })
    }

    /// The settings of a session, `None` when the session has no such extension.
    pub fn of(config: &ConfigOptions) -> Option<&Self> {
        config.extensions.get::<Self>()
    }

    fn slot(&mut self, key: &str) -> Option<&mut Option<String>> {
        Some(match unprefixed(key) {
            "lexicon" => &mut self.lexicon,
            "thresholds" => &mut self.thresholds,
            "model" => &mut self.model,
            "license_policy" => &mut self.license_policy,
            "sources" => &mut self.sources,
            "consent" => &mut self.consent,
            "opt_out" => &mut self.opt_out,
            "opt_out_agents" => &mut self.opt_out_agents,
            "opt_out_max_age_days" => &mut self.opt_out_max_age_days,
            "opt_out_also_as_of" => &mut self.opt_out_also_as_of,
            "blocked" => &mut self.blocked,
            "subject_key" => &mut self.subject_key,
            "purpose" => &mut self.purpose,
            "purposes" => &mut self.purposes,
            "use" => &mut self.use_case,
            "as_of" => &mut self.as_of,
            _ => return None,
        })
    }
}

fn unprefixed(key: &str) -> &str {
    key.strip_prefix("tamis.").unwrap_or(key)
}

impl ConfigExtension for TamisSettings {
    const PREFIX: &'static str = PREFIX;
}

impl ExtensionOptions for TamisSettings {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    /// Sets one setting, its name with or without the prefix; an empty value unsets it.
    fn set(&mut self, key: &str, value: &str) -> Result<()> {
        if let Some(slot) = self.slot(key) {
            *slot = Some(value.trim())
                .filter(|value| !value.is_empty())
                .map(str::to_owned);
            return Ok(());
        }
        let prefixed = |name: &str| format!("{PREFIX}.{name}");
        let names = KEYS.iter().map(|(name, _)| *name);
        let error = ResourceError::UnknownName {
            kind: "setting",
            name: prefixed(unprefixed(key)),
            known: names.clone().map(prefixed).collect::<Vec<_>>().join(", "),
            nearest: nearest(unprefixed(key), names).map(prefixed),
        };
        Err(DataFusionError::Configuration(error.to_string()))
    }

    /// Every setting under its full name.
    fn entries(&self) -> Vec<ConfigEntry> {
        KEYS.iter()
            .map(|(name, description)| ConfigEntry {
                key: format!("{PREFIX}.{name}"),
                value: self.get(name).map(str::to_owned),
                description,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_a_field() {
        let mut settings = TamisSettings::default();
        for (name, _) in KEYS {
            assert_eq!(settings.get(name), None);
            settings.set(name, &format!("value of {name}")).unwrap();
        }
        for (name, _) in KEYS {
            let value = format!("value of {name}");
            assert_eq!(settings.get(name), Some(value.as_str()));
            assert_eq!(settings.get(&format!("tamis.{name}")), Some(value.as_str()));
        }
    }

    #[test]
    fn entries_set_an_equal_value() {
        let mut settings = TamisSettings::default();
        settings.set("tamis.lexicon", "words.csv").unwrap();
        settings.set("use", "research").unwrap();
        let mut config = ConfigOptions::new();
        config.extensions.insert(TamisSettings::default());
        for entry in settings.entries() {
            assert!(entry.key.starts_with("tamis."), "{}", entry.key);
            if let Some(value) = entry.value {
                config.set(&entry.key, &value).unwrap();
            }
        }
        assert_eq!(TamisSettings::of(&config), Some(&settings));
    }

    #[test]
    fn empty_is_unset() {
        let mut settings = TamisSettings::default();
        settings.set("lexicon", "words.csv").unwrap();
        settings.set("lexicon", " ").unwrap();
        assert_eq!(settings, TamisSettings::default());
        assert_eq!(settings.effective("tamis.lexicon"), Some("builtin:lexicon"));
        assert_eq!(settings.effective("consent"), None);
    }

    #[test]
    fn unknown_setting_suggests() {
        let mut config = ConfigOptions::new();
        config.extensions.insert(TamisSettings::default());
        let error = config.set("tamis.lexcion", "x").unwrap_err().to_string();
        assert!(
            error.contains("unknown setting 'tamis.lexcion' (did you mean 'tamis.lexicon'?)"),
            "{error}"
        );
        let error = config.set("tamis.banana", "x").unwrap_err().to_string();
        assert!(
            error.contains("unknown setting 'tamis.banana'; known: tamis.lexicon,"),
            "{error}"
        );
    }
}
