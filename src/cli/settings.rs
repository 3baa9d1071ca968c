//! Settings and where they come from: flag > job file > environment > `tamis.toml` > default.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use datafusion::common::config::ExtensionOptions;
use tamis_functions::{KEYS, TamisSettings};
use tamis_resource::nearest;

use crate::session::stores::StoreOptions;

use super::error::CliError;

/// The name of the settings file in the working directory.
pub const CONFIG_FILE: &str = "tamis.toml";
/// Settings that stand in `[policy]`, as in a job file; all others stand in `[resources]`.
const POLICY_KEYS: &[&str] = &[
    "purpose",
    "use",
    "as_of",
    "opt_out_max_age_days",
    "opt_out_also_as_of",
];
/// Keys of `[store]`.
const STORE_KEYS: &[&str] = &[
    "endpoint_url",
    "region",
    "profile",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "allow_http",
    "no_sign_request",
];
/// Keys of `[print]`.
const PRINT_KEYS: &[&str] = &["format", "max_rows"];
/// Keys of `[run]`.
const RUN_KEYS: &[&str] = &["workers", "progress"];
const SECTIONS: &[&str] = &["resources", "policy", "store", "print", "run", "datafusion"];

/// The process environment, as far as it is Unicode.
pub fn process_environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// An instant given by a flag, in microseconds UTC.
///
/// # Errors
/// [`CliError::Usage`] that names the flag.
pub fn parse_instant(flag: &str, text: &str) -> Result<i64, CliError> {
    tamis_functions::parse_instant(text).ok_or_else(|| {
        CliError::Usage(format!(
            "{flag} '{text}' is not an instant; give RFC 3339 or a date, such as 2026-01-31T00:00:00Z"
        ))
    })
}

/// Where the value of a setting comes from, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// `--set key=value`.
    Flag,
    /// The job file.
    Job,
    /// A `TAMIS_*` variable.
    Environment,
    /// `tamis.toml`.
    File,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flag => "--set",
            Self::Job => "the job file",
            Self::Environment => "the environment",
            Self::File => CONFIG_FILE,
        })
    }
}

/// `tamis.toml`: `[resources]` and `[policy]` as in a job file, `[store]`, `[print]`, `[run]`, and
/// `[datafusion]` for the settings of the engine.
#[derive(Clone, Default)]
pub struct ConfigFile {
    /// `tamis.*` settings without prefix.
    pub tamis: BTreeMap<String, String>,
    /// `datafusion.*` settings with prefix.
    pub engine: BTreeMap<String, String>,
    /// `[print]`.
    pub print: BTreeMap<String, String>,
    /// `[run]`.
    pub run: BTreeMap<String, String>,
    store: BTreeMap<String, String>,
}

impl fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigFile")
            .field("tamis", &self.tamis)
            .field("engine", &self.engine)
            .field("print", &self.print)
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}

impl ConfigFile {
    /// Reads `tamis.toml` in the working directory; a missing file is an empty one.
    ///
    /// # Errors
    /// [`CliError::Usage`] with the line, or with the nearest name for an unknown key.
    pub fn in_working_directory() -> Result<Self, CliError> {
        match std::fs::read_to_string(CONFIG_FILE) {
            Ok(text) => Self::parse(&text, Path::new(CONFIG_FILE)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(CliError::Usage(format!(
                "{CONFIG_FILE}: cannot be read ({error})"
            ))),
        }
    }

    /// Reads the text of a settings file; `path` is for messages.
    ///
    /// # Errors
    /// As [`ConfigFile::in_working_directory`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, CliError> {
        let path = path.display();
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
            let line = error
                .span()
                .map(|span| 1 + text[..span.start].matches('\n').count());
            let line = line.map(|line| format!(" line {line}")).unwrap_or_default();
            // Not the parser's own text: it quotes the line, and the line can hold a secret.
            CliError::Usage(format!("{path}{line}: {}", error.message()))
        })?;
        let mut file = Self::default();
        let resource_keys: Vec<&str> = KEYS
            .iter()
            .map(|(name, _)| *name)
            .filter(|name| !POLICY_KEYS.contains(name))
            .collect();
        for (section, values) in &table {
            if !SECTIONS.contains(&section.as_str()) {
                return Err(unknown(
                    &format!("{path}: unknown section"),
                    section,
                    SECTIONS,
                ));
            }
            let Some(values) = values.as_table() else {
                return Err(CliError::Usage(format!(
                    "{path}: {section} is a section: [{section}]"
                )));
            };
            let (into, known): (_, &[&str]) = match section.as_str() {
                "resources" => (&mut file.tamis, &resource_keys),
                "policy" => (&mut file.tamis, POLICY_KEYS),
                "store" => (&mut file.store, STORE_KEYS),
                "print" => (&mut file.print, PRINT_KEYS),
                "run" => (&mut file.run, RUN_KEYS),
                _ => {
                    flatten("datafusion", values, &mut file.engine)
                        .map_err(|message| CliError::Usage(format!("{path}: {message}")))?;
                    continue;
                }
            };
            for (key, value) in values {
                if !known.contains(&key.as_str()) {
                    return Err(unknown(&format!("{path}: [{section}] has no"), key, known));
                }
                let value = plain(value).ok_or_else(|| {
                    CliError::Usage(format!("{path}: [{section}] {key} takes one value"))
                })?;
                into.insert(key.clone(), value);
            }
        }
        for key in ["allow_http", "no_sign_request"] {
            if let Some(value) = file.store.get(key)
                && !matches!(value.as_str(), "true" | "false")
            {
                return Err(CliError::Usage(format!(
                    "{path}: [store] {key} is true or false"
                )));
            }
        }
        Ok(file)
    }

    /// `flags`, completed by `[store]` where neither they nor the environment say anything.
    pub fn store_options(
        &self,
        flags: StoreOptions,
        environment: &BTreeMap<String, String>,
    ) -> StoreOptions {
        let set = |names: &[&str]| {
            names.iter().any(|name| {
                environment
                    .get(*name)
                    .is_some_and(|value| !value.is_empty())
            })
        };
        let get = |key: &str| self.store.get(key).cloned();
        let is_true = |key: &str| self.store.get(key).is_some_and(|value| value == "true");
        let mut options = flags;

        if options.endpoint.is_none()
            && !set(&["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT"])
        {
            options.endpoint = get("endpoint_url");
        }
        if options.region.is_none() && !set(&["AWS_REGION", "AWS_DEFAULT_REGION"]) {
            options.region = get("region");
        }
        // A way to sign in comes whole from one place.
        let signs_in = options.access_key_id.is_some()
            || options.profile.is_some()
            || options.anonymous
            || set(&[
                "AWS_ACCESS_KEY_ID",
                "AWS_SECRET_ACCESS_KEY",
                "AWS_PROFILE",
                "AWS_WEB_IDENTITY_TOKEN_FILE",
                "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                "AWS_SKIP_SIGNATURE",
            ]);
        if !signs_in {
            options.profile = get("profile");
            options.access_key_id = get("access_key_id");
            options.secret_access_key = get("secret_access_key");
            options.session_token = get("session_token");
            options.anonymous = is_true("no_sign_request");
        }
        if options.allow_http.is_none() && !set(&["AWS_ALLOW_HTTP"]) {
            options.allow_http = get("allow_http").map(|value| value == "true");
        }
        options
    }
}

/// Settings put together from all places, each with where it comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolvedSettings {
    /// `tamis.*` settings without prefix.
    pub tamis: BTreeMap<String, (String, Origin)>,
    /// `datafusion.*` settings with prefix.
    pub engine: BTreeMap<String, (String, Origin)>,
}

impl ResolvedSettings {
    /// Puts settings together.
    ///
    /// `flags` are the texts of `--set`, `key=value`; later ones win. A key may leave out its
    /// `tamis.`. `job` holds the settings of a job file, if there is one.
    ///
    /// # Errors
    /// [`CliError::Usage`] for a flag without `=`, an unknown key (with the nearest name), or a
    /// `TAMIS_*` variable that is nearly one of ours: a misspelt setting must not go unnoticed.
    pub fn resolve(
        flags: &[String],
        job: &BTreeMap<String, String>,
        environment: &BTreeMap<String, String>,
        file: &ConfigFile,
    ) -> Result<Self, CliError> {
        let mut settings = Self::default();
        for (key, value) in &file.tamis {
            settings
                .tamis
                .insert(key.clone(), (value.clone(), Origin::File));
        }
        for (key, value) in &file.engine {
            settings
                .engine
                .insert(key.clone(), (value.clone(), Origin::File));
        }
        for (key, value) in from_environment(environment)? {
            settings.tamis.insert(key, (value, Origin::Environment));
        }
        for (key, value) in job {
            settings.put(key, value, Origin::Job)?;
        }
        for flag in flags {
            let Some((key, value)) = flag.split_once('=') else {
                return Err(CliError::Usage(format!(
                    "--set {flag}: expected key=value, such as --set tamis.lexicon=words.csv"
                )));
            };
            settings.put(key.trim(), value, Origin::Flag)?;
        }
        Ok(settings)
    }

    fn put(&mut self, key: &str, value: &str, origin: Origin) -> Result<(), CliError> {
        let entry = (value.to_owned(), origin);
        if key.starts_with("datafusion.") {
            // Whether there is such a setting, the engine says.
            self.engine.insert(key.to_owned(), entry);
            return Ok(());
        }
        let name = key.strip_prefix("tamis.").unwrap_or(key);
        if !is_known(name) {
            return Err(unknown_setting(key, origin));
        }
        self.tamis.insert(name.to_owned(), entry);
        Ok(())
    }

    /// The `tamis.*` settings in the form the functions take.
    ///
    /// # Errors
    /// [`CliError::Usage`] for a value that a setting does not take.
    pub fn tamis_settings(&self) -> Result<TamisSettings, CliError> {
        let mut settings = TamisSettings::default();
        for (key, (value, origin)) in &self.tamis {
            settings.set(key, value).map_err(|error| {
                CliError::Usage(format!(
                    "tamis.{key} ({origin}): {}",
                    error.strip_backtrace()
                ))
            })?;
        }
        Ok(settings)
    }

    /// The `datafusion.*` settings, as the session takes them.
    pub fn engine_settings(&self) -> Vec<(String, String)> {
        let settings = self.engine.iter();
        settings
            .map(|(key, (value, _))| (key.clone(), value.clone()))
            .collect()
    }
}

/// The setting a `TAMIS_*` variable names: `TAMIS_LICENSE_POLICY` is `license_policy`.
fn from_environment(
    environment: &BTreeMap<String, String>,
) -> Result<Vec<(String, String)>, CliError> {
    let mut settings = Vec::new();
    for (variable, value) in environment {
        let Some(name) = variable.strip_prefix("TAMIS_") else {
            continue;
        };
        let name = name.to_ascii_lowercase();
        if is_known(&name) {
            // As everywhere: an empty variable is an unset one.
            if !value.is_empty() {
                settings.push((name, value.clone()));
            }
        } else if let Some(near) = nearest(&name, KEYS.iter().map(|(name, _)| *name)) {
            return Err(CliError::Usage(format!(
                "the variable {variable} is no setting; did you mean TAMIS_{}?",
                near.to_ascii_uppercase()
            )));
        }
    }
    Ok(settings)
}

fn is_known(name: &str) -> bool {
    KEYS.iter().any(|(known, _)| *known == name)
}

fn unknown_setting(key: &str, origin: Origin) -> CliError {
    let name = key.strip_prefix("tamis.").unwrap_or(key);
    let near = nearest(name, KEYS.iter().map(|(name, _)| *name));
    let near = match near {
        Some(near) => format!("; did you mean 'tamis.{near}'?"),
        None => {
            let names: Vec<&str> = KEYS.iter().map(|(name, _)| *name).collect();
            format!(
                "; the settings are tamis.{{{}}} and datafusion.*",
                names.join(", ")
            )
        }
    };
    CliError::Usage(format!("unknown setting '{key}' ({origin}){near}"))
}

fn unknown(what: &str, name: &str, known: &[&str]) -> CliError {
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("there are: {}", known.join(", ")),
    };
    CliError::Usage(format!("{what} '{name}'; {hint}"))
}

/// The text of a value that is neither a list nor a section.
fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Array(_) | toml::Value::Table(_) => None,
        other => Some(other.to_string()),
    }
}

/// `[datafusion.execution] batch_size = 1` as `datafusion.execution.batch_size`.
fn flatten(
    prefix: &str,
    table: &toml::Table,
    into: &mut BTreeMap<String, String>,
) -> Result<(), String> {
    for (key, value) in table {
        let name = format!("{prefix}.{key}");
        match value {
            toml::Value::Table(inner) => flatten(&name, inner, into)?,
            value => {
                let value = plain(value).ok_or_else(|| format!("{name} takes one value"))?;
                into.insert(name, value);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn file(text: &str) -> Result<ConfigFile, CliError> {
        ConfigFile::parse(text, Path::new("tamis.toml"))
    }

    #[test]
    fn the_strongest_place_wins() {
        let file =
            file("[resources]\nlexicon = 'f'\nsources = 'f'\nconsent = 'f'\nthresholds = 'f'")
                .unwrap();
        let environment = map(&[
            ("TAMIS_LEXICON", "e"),
            ("TAMIS_SOURCES", "e"),
            ("TAMIS_CONSENT", "e"),
        ]);
        let job = map(&[("lexicon", "j"), ("tamis.sources", "j")]);
        let flags = ["lexicon=1".to_owned(), "tamis.lexicon=a=b".to_owned()];
        let settings = ResolvedSettings::resolve(&flags, &job, &environment, &file).unwrap();
        let get = |key: &str| settings.tamis[key].clone();
        assert_eq!(get("lexicon"), ("a=b".to_owned(), Origin::Flag));
        assert_eq!(get("sources"), ("j".to_owned(), Origin::Job));
        assert_eq!(get("consent"), ("e".to_owned(), Origin::Environment));
        assert_eq!(get("thresholds"), ("f".to_owned(), Origin::File));
        let typed = settings.tamis_settings().unwrap();
        assert_eq!(typed.lexicon.as_deref(), Some("a=b"));
        assert_eq!(typed.license_policy, None);
    }

    #[test]
    fn unknown_names_are_errors_with_the_nearest() {
        let resolve = |flags: &[&str], environment: &[(&str, &str)]| {
            let flags: Vec<String> = flags.iter().map(|flag| (*flag).to_owned()).collect();
            ResolvedSettings::resolve(
                &flags,
                &BTreeMap::new(),
                &map(environment),
                &ConfigFile::default(),
            )
        };
        let message = |result: Result<ResolvedSettings, CliError>| {
            let error = result.unwrap_err();
            assert_eq!(error.exit_code(), 2);
            error.to_string()
        };
        assert_eq!(
            message(resolve(&["tamis.lexicn=x"], &[])),
            "unknown setting 'tamis.lexicn' (--set); did you mean 'tamis.lexicon'?"
        );
        assert!(message(resolve(&["lexicon"], &[])).contains("expected key=value"));
        assert_eq!(
            message(resolve(&[], &[("TAMIS_LEXICO", "x")])),
            "the variable TAMIS_LEXICO is no setting; did you mean TAMIS_LEXICON?"
        );
        let far = resolve(
            &[],
            &[("TAMIS_SOMETHING_ELSE_ENTIRELY", "x"), ("TAMIS_USE", "")],
        );
        assert_eq!(far.unwrap(), ResolvedSettings::default());
    }

    #[test]
    fn the_file_is_checked() {
        let message = |text: &str| file(text).unwrap_err().to_string();
        assert!(message("[resource]\n").contains("did you mean 'resources'?"));
        assert!(message("[resources]\npurpose = 'x'\n").contains("[resources] has no 'purpose'"));
        assert!(message("[store]\nregio = 'x'\n").contains("did you mean 'region'?"));
        assert!(message("[resources]\nlexicon = ['x']\n").contains("takes one value"));
        assert!(message("[store]\nallow_http = 'maybe'\n").contains("true or false"));
        let secret = message("[store]\nregion = 'x'\nsecret_access_key = 'hunter2\n");
        assert!(secret.contains("line 3"), "{secret}");
        assert!(!secret.contains("hunter2"), "{secret}");
        let file =
            file("[datafusion.execution]\nbatch_size = 100\n[policy]\nuse = 'research'").unwrap();
        assert_eq!(
            file.engine,
            map(&[("datafusion.execution.batch_size", "100")])
        );
        assert_eq!(file.tamis, map(&[("use", "research")]));
    }

    #[test]
    fn the_file_completes_the_store_and_the_environment_goes_before_it() {
        let file = file(
            "[store]\nendpoint_url = 'http://f'\nregion = 'f'\naccess_key_id = 'f'\n\
             secret_access_key = 'f'\nallow_http = true",
        )
        .unwrap();
        let all = file.store_options(StoreOptions::default(), &BTreeMap::new());
        assert_eq!(all.endpoint.as_deref(), Some("http://f"));
        assert_eq!(all.secret_access_key.as_deref(), Some("f"));
        assert_eq!(all.allow_http, Some(true));
        let environment = map(&[("AWS_REGION", "e"), ("AWS_ACCESS_KEY_ID", "e")]);
        let some = file.store_options(StoreOptions::default(), &environment);
        assert_eq!(
            (some.region, some.access_key_id, some.secret_access_key),
            (None, None, None)
        );
        let flags = StoreOptions {
            profile: Some("p".to_owned()),
            ..StoreOptions::default()
        };
        let flagged = file.store_options(flags, &BTreeMap::new());
        assert_eq!(flagged.access_key_id, None);
        assert_eq!(flagged.region.as_deref(), Some("f"));
        assert!(!format!("{file:?}").contains("secret_access_key"));
    }
}
