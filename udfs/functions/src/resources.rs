//! Loading what the functions judge with.

mod blocked;
mod consent;
mod lexicon;
mod opt_out;
mod sources;
mod subject_key;

pub use consent::{EachConsentRow, is_snapshot, read_consent_rows};

use std::sync::Arc;

use chrono::Utc;
use datafusion::prelude::SessionContext;
use tamis_consent::opt_out::{OptOutRegistry, OptOutRules};
use tamis_consent::signals::AgentList;
use tamis_consent::{
    BlockList, ConsentOptions, ConsentRegistry, PurposeHierarchy, SourceRegistry, SourceRules,
    SubjectKey,
};
use tamis_harm::{Judge, Lexicon, Model, ModelOptions, Taxonomy, Thresholds};
use tamis_license::LicensePolicy;
use tamis_resource::{Identity, ResourceError, Result, nearest};

use crate::instants::parse_instant;
use crate::settings::TamisSettings;
use crate::table::{read_bytes, read_text};

const MICROSECONDS_A_DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// Everything the functions of one session judge with. Immutable: other settings mean other
/// resources and another [`crate::register_all`].
#[derive(Debug, Clone)]
pub struct Resources {
    /// The risks of GB/T 45654-2025, appendix A.
    pub taxonomy: Arc<Taxonomy>,
    /// Lexicon, thresholds and, when `tamis.model` is set, the classifier, ready to judge.
    pub judge: Arc<Judge>,
    /// Which licences allow which use.
    pub license_policy: Arc<LicensePolicy>,
    /// The source registry; `None` when `tamis.sources` is not set.
    pub sources: Option<Arc<SourceRegistry>>,
    /// The clauses behind the source checks.
    pub source_rules: Arc<SourceRules>,
    /// The consent registry, with the purposes it was loaded with; `None` when `tamis.consent` is not set.
    pub consent: Option<Arc<ConsentRegistry>>,
    /// Which purposes lie under which; a consent snapshot goes by the one it holds.
    pub purposes: Arc<PurposeHierarchy>,
    /// The snapshots of opt-out signals; `None` when `tamis.opt_out` is not set.
    pub opt_out: Option<Arc<OptOutRegistry>>,
    /// The crawlers whose robots.txt rules count as an opt-out.
    pub opt_out_agents: Arc<AgentList>,
    /// How long after it was fetched a snapshot shows a permission, in microseconds.
    pub opt_out_max_age: i64,
    /// Whether the signals in force at `as_of` count besides those of the time of collection.
    pub opt_out_also_as_of: bool,
    /// The block list; `None` when `tamis.blocked` is not set.
    pub blocked: Option<Arc<BlockList>>,
    /// The key of subject references; `None` when `tamis.subject_key` is not set.
    pub subject_key: Option<Arc<SubjectKey>>,
    /// The purpose consent is asked for when a call names none.
    pub purpose: String,
    /// The use licences are checked for when a call names none.
    pub use_case: String,
    /// The instant everything is judged at when a call names none, microseconds UTC.
    pub as_of: i64,
    /// Whether `tamis.as_of` was not set and `as_of` is the time of loading.
    pub as_of_defaulted: bool,
    /// The settings these resources were loaded under.
    pub settings: TamisSettings,
    /// What the people who wrote the tables should know, such as columns that are not used.
    pub warnings: Vec<String>,
}

impl Resources {
    /// Loads every resource that `settings` name, from the working directory, by `file://` or from
    /// the object stores registered in `ctx`, and the built-in ones for those they do not name.
    ///
    /// # Errors
    /// - [`ResourceError::Read`] when a resource cannot be read.
    /// - [`ResourceError::Malformed`] when its content is wrong, with the line, row or key.
    /// - [`ResourceError::UnknownName`] for an unknown `builtin:` name or an unknown use.
    pub async fn load(ctx: &SessionContext, settings: &TamisSettings) -> Result<Self> {
        let mut warnings = Vec::new();
        let taxonomy = Taxonomy::builtin();
        let layers = settings
            .get("lexicon")
            .filter(|uri| uri.contains(lexicon::LAYERS));
        let lexicon = match layers {
            Some(uri) => Arc::new(lexicon::load_layers(ctx, uri, &taxonomy, &mut warnings).await?),
            None => match named(settings, "lexicon")? {
                Some(uri) => Arc::new(lexicon::load(ctx, uri, &taxonomy, &mut warnings).await?),
                None => Lexicon::builtin(),
            },
        };
        let thresholds = match named(settings, "thresholds")? {
            Some(uri) => {
                let text = read_text(ctx, "thresholds", uri).await?;
                Arc::new(Thresholds::from_toml(uri, &text, &taxonomy)?)
            }
            None => Thresholds::builtin(),
        };
        let model = match settings.get("model") {
            Some(uri) => {
                let bytes = read_bytes(ctx, "model", uri).await?;
                let model = Model::from_bytes(uri, &bytes, &taxonomy, &ModelOptions::default())?;
                Some(Arc::new(model))
            }
            None => None,
        };
        let license_policy = match named(settings, "license_policy")? {
            Some(uri) => {
                let text = read_text(ctx, "license_policy", uri).await?;
                Arc::new(LicensePolicy::from_toml(uri, &text)?)
            }
            None => LicensePolicy::builtin(),
        };
        let sources = match settings.get("sources") {
            Some(uri) => Some(Arc::new(sources::load(ctx, uri, &mut warnings).await?)),
            None => None,
        };
        let subject_key = match settings.get("subject_key") {
            Some(uri) => Some(Arc::new(subject_key::load(ctx, uri).await?)),
            None => None,
        };
        let purposes = match named(settings, "purposes")? {
            Some(uri) => {
                let text = read_text(ctx, "purposes", uri).await?;
                Some(PurposeHierarchy::from_toml(uri, &text)?)
            }
            None if settings.get("purposes").is_some() => {
                Some((*PurposeHierarchy::builtin()).clone())
            }
            None => None,
        };
        let consent = match settings.get("consent") {
            Some(uri) => {
                let options = ConsentOptions {
                    subject_key: subject_key.as_deref(),
                    purposes: purposes.as_ref(),
                };
                let registry = consent::load(ctx, uri, options, &mut warnings).await?;
                Some(Arc::new(registry))
            }
            None => None,
        };
        let opt_out = match settings.get("opt_out") {
            Some(uri) => Some(Arc::new(opt_out::load(ctx, uri, &mut warnings).await?)),
            None => None,
        };
        let opt_out_agents = match named(settings, "opt_out_agents")? {
            Some(uri) => {
                let text = read_text(ctx, "opt_out_agents", uri).await?;
                Arc::new(AgentList::from_csv(uri, &text)?)
            }
            None => Arc::new(AgentList::builtin().clone()),
        };
        let blocked = match settings.get("blocked") {
            Some(uri) => Some(Arc::new(blocked::load(ctx, uri, &mut warnings).await?)),
            None => None,
        };
        let judge = Judge::new(Arc::clone(&taxonomy), lexicon, thresholds)?;
        Self {
            judge: Arc::new(match model {
                Some(model) => judge.with_model(model)?,
                None => judge,
            }),
            taxonomy,
            license_policy,
            sources,
            source_rules: SourceRules::builtin(),
            consent,
            purposes: match purposes {
                Some(purposes) => Arc::new(purposes),
                None => PurposeHierarchy::builtin(),
            },
            opt_out,
            opt_out_agents,
            opt_out_max_age: 0,
            opt_out_also_as_of: false,
            blocked,
            subject_key,
            purpose: String::new(),
            use_case: String::new(),
            as_of: 0,
            as_of_defaulted: false,
            settings: settings.clone(),
            warnings,
        }
        .with_defaults()
    }

    /// The built-in resources alone: no registries, no subject key.
    ///
    /// # Errors
    /// None but a defect of the built-in data.
    pub fn builtin() -> Result<Self> {
        let taxonomy = Taxonomy::builtin();
        let judge = Judge::new(
            Arc::clone(&taxonomy),
            Lexicon::builtin(),
            Thresholds::builtin(),
        )?;
        Self {
            taxonomy,
            judge: Arc::new(judge),
            license_policy: LicensePolicy::builtin(),
            sources: None,
            source_rules: SourceRules::builtin(),
            consent: None,
            purposes: PurposeHierarchy::builtin(),
            opt_out: None,
            opt_out_agents: Arc::new(AgentList::builtin().clone()),
            opt_out_max_age: 0,
            opt_out_also_as_of: false,
            blocked: None,
            subject_key: None,
            purpose: String::new(),
            use_case: String::new(),
            as_of: 0,
            as_of_defaulted: false,
            settings: TamisSettings::default(),
            warnings: Vec::new(),
        }
        .with_defaults()
    }

    /// Fills in what the settings say in one word: purpose, use and instant.
    fn with_defaults(mut self) -> Result<Self> {
        let value = |name: &str| self.settings.effective(name).unwrap_or_default().to_owned();
        (self.purpose, self.use_case) = (value("purpose"), value("use"));
        // A use the policy does not know would be an error on every row.
        self.license_policy.check(None, &self.use_case)?;
        self.opt_out_max_age = days(&value("opt_out_max_age_days"))?;
        self.opt_out_also_as_of = truth("opt_out_also_as_of", &value("opt_out_also_as_of"))?;
        match self.settings.get("as_of") {
            Some(text) => {
                self.as_of = parse_instant(text).ok_or_else(|| ResourceError::Malformed {
                    uri: "tamis.as_of".to_owned(),
                    location: "value".to_owned(),
                    message: format!("'{text}' is not an instant; give RFC 3339 or a date, such as 2026-01-31T00:00:00Z"),
                })?;
            }
            None => {
                self.as_of = Utc::now().timestamp_micros();
                self.as_of_defaulted = true;
            }
        }
        Ok(self)
    }

    /// How the signals of an address are folded.
    pub fn opt_out_rules(&self) -> OptOutRules {
        OptOutRules {
            agents: Arc::clone(&self.opt_out_agents),
            max_age: self.opt_out_max_age,
            also_at: self.opt_out_also_as_of.then_some(self.as_of),
        }
    }

    /// Which resources judge: the name of the setting, without its prefix, and the identity, in
    /// the order of [`crate::KEYS`]; those that are absent are left out.
    ///
    /// Of the subject key only its key id is told, as the version: the uri and the digest are
    /// empty.
    pub fn identities(&self) -> Vec<(&'static str, Identity)> {
        let mut identities = vec![
            ("lexicon", self.judge.lexicon().identity().clone()),
            ("thresholds", self.judge.thresholds().identity().clone()),
        ];
        if let Some(model) = self.judge.model() {
            identities.push(("model", model.identity().clone()));
        }
        identities.push(("license_policy", self.license_policy.identity().clone()));
        if let Some(sources) = &self.sources {
            identities.push(("sources", sources.identity().clone()));
        }
        if let Some(consent) = &self.consent {
            identities.push(("consent", consent.identity().clone()));
        }
        if let Some(opt_out) = &self.opt_out {
            identities.push(("opt_out", opt_out.identity().clone()));
            identities.push(("opt_out_agents", self.opt_out_agents.identity().clone()));
        }
        if let Some(blocked) = &self.blocked {
            identities.push(("blocked", blocked.identity().clone()));
        }
        if let Some(key) = &self.subject_key {
            let identity = Identity {
                uri: String::new(),
                version: key.key_id(),
                sha256: String::new(),
            };
            identities.push(("subject_key", identity));
        }
        // A snapshot holds its hierarchy, and its digest covers it.
        if let Some(consent) = &self.consent
            && !is_snapshot(&consent.identity().uri)
        {
            let purposes = consent.purpose_hierarchy().identity();
            identities.push(("purposes", purposes.clone()));
        }
        identities
    }
}

/// A number of days in microseconds.
fn days(text: &str) -> Result<i64> {
    let days = text.trim().parse::<i64>().ok();
    days.filter(|days| (0..=36_500).contains(days))
        .map(|days| days * MICROSECONDS_A_DAY)
        .ok_or_else(|| ResourceError::Malformed {
            uri: "tamis.opt_out_max_age_days".to_owned(),
            location: "value".to_owned(),
            message: format!("'{text}' is not a whole number of days from 0 to 36500"),
        })
}

fn truth(setting: &str, text: &str) -> Result<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(ResourceError::Malformed {
            uri: format!("tamis.{setting}"),
            location: "value".to_owned(),
            message: format!("'{text}' is neither true nor false"),
        }),
    }
}

/// The uri of a resource with a built-in default; `None` for the built-in one.
fn named<'a>(settings: &'a TamisSettings, setting: &'static str) -> Result<Option<&'a str>> {
    let Some(uri) = settings.get(setting) else {
        return Ok(None);
    };
    let builtin = format!("builtin:{setting}");
    if uri == builtin {
        return Ok(None);
    }
    if uri.starts_with("builtin:") {
        return Err(ResourceError::UnknownName {
            kind: setting,
            name: uri.to_owned(),
            nearest: nearest(uri, [builtin.as_str()]).map(str::to_owned),
            known: format!("{builtin}, or a path or URL"),
        });
    }
    Ok(Some(uri))
}

#[cfg(test)]
mod tests;
