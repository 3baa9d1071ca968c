//! Named profiles of the shared AWS files (`~/.aws/credentials`, `~/.aws/config`).
//!
//! Static keys, session token, region and endpoint are read. A profile that signs in another way
//! (single sign-on, assumed role, external program) is an error that says so: going on without
//! it could sign with somebody else's rights.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use ini::Ini;

use super::stores::StoreError;

/// What a profile says, credentials file and config file taken together.
#[derive(Clone, Default)]
pub(crate) struct Profile {
    /// Its name.
    pub name: String,
    /// Region.
    pub region: Option<String>,
    /// Endpoint for S3, else for all services.
    pub endpoint_url: Option<String>,
    keys: BTreeMap<String, String>,
}

impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile")
            .field("name", &self.name)
            .field("region", &self.region)
            .field("endpoint_url", &self.endpoint_url)
            .finish_non_exhaustive()
    }
}

/// Static keys. `Debug` is left out on purpose.
#[derive(Clone)]
pub(crate) struct StaticKeys {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
}

/// Keys of a profile that mean another way to sign in, and what that way is called.
const OTHER_WAYS: &[(&str, &str)] = &[
    ("sso_session", "single sign-on"),
    ("sso_start_url", "single sign-on"),
    ("role_arn", "an assumed role"),
    ("credential_process", "an external program"),
    ("credential_source", "another credential source"),
    ("login_session", "a console login"),
];

impl Profile {
    /// The static keys of the profile; `None` when it holds no way to sign in at all.
    ///
    /// # Errors
    /// When the profile signs in another way, or has only one half of a key pair.
    pub(crate) fn credentials(&self) -> Result<Option<StaticKeys>, StoreError> {
        let get = |key: &str| {
            self.keys
                .get(key)
                .filter(|value| !value.is_empty())
                .cloned()
        };
        match (get("aws_access_key_id"), get("aws_secret_access_key")) {
            (Some(access_key_id), Some(secret_access_key)) if get("role_arn").is_none() => {
                Ok(Some(StaticKeys {
                    access_key_id,
                    secret_access_key,
                    session_token: get("aws_session_token"),
                }))
            }
            (id, secret) => {
                if let Some((key, way)) = OTHER_WAYS.iter().find(|(key, _)| get(key).is_some()) {
                    return Err(self.error(format!(
                        "it signs in by {way} ({key}), which is not supported; static keys are. \
                         Temporary keys of it can be exported into the environment with \
                         'aws configure export-credentials --profile {} --format env'",
                        self.name
                    )));
                }
                if id.is_some() != secret.is_some() {
                    return Err(self.error(
                        "aws_access_key_id and aws_secret_access_key are only useful together"
                            .to_owned(),
                    ));
                }
                Ok(None)
            }
        }
    }

    fn error(&self, message: String) -> StoreError {
        StoreError::Profile {
            profile: self.name.clone(),
            message,
        }
    }
}

/// Reads a profile that somebody named.
///
/// # Errors
/// When a file does not parse, or neither file has the profile; the message lists those it found.
pub(crate) fn read(
    name: &str,
    environment: &BTreeMap<String, String>,
) -> Result<Profile, StoreError> {
    let files = Files::open(name, environment)?;
    files.profile(name).ok_or_else(|| {
        let known = files.names();
        let nearest = tamis_resource::nearest(name, known.iter().map(String::as_str));
        let message = match (nearest, known.is_empty()) {
            (Some(nearest), _) => format!("no such profile; did you mean '{nearest}'?"),
            (None, true) => format!("no such profile: no profile found in {}", files.places()),
            (None, false) => format!(
                "no such profile in {}; there are: {}",
                files.places(),
                known.join(", ")
            ),
        };
        StoreError::Profile {
            profile: name.to_owned(),
            message,
        }
    })
}

/// Reads the profile `default`, which nobody named: that it is missing is no error.
pub(crate) fn read_default(
    environment: &BTreeMap<String, String>,
) -> Result<Option<Profile>, StoreError> {
    Ok(Files::open("default", environment)?.profile("default"))
}

struct Files {
    credentials_path: Option<PathBuf>,
    config_path: Option<PathBuf>,
    credentials: Option<Ini>,
    config: Option<Ini>,
}

impl Files {
    fn open(name: &str, environment: &BTreeMap<String, String>) -> Result<Self, StoreError> {
        let credentials_path = file_path(environment, "AWS_SHARED_CREDENTIALS_FILE", "credentials");
        let config_path = file_path(environment, "AWS_CONFIG_FILE", "config");
        Ok(Self {
            credentials: load(name, credentials_path.as_ref())?,
            config: load(name, config_path.as_ref())?,
            credentials_path,
            config_path,
        })
    }

    fn profile(&self, name: &str) -> Option<Profile> {
        // The config file writes `[profile name]`, except for the default.
        let config = self.config.as_ref().and_then(|config| {
            let long = config.section(Some(format!("profile {name}")));
            long.or_else(|| (name == "default").then(|| config.section(Some(name)))?)
        });
        let credentials = self
            .credentials
            .as_ref()
            .and_then(|credentials| credentials.section(Some(name)));
        if config.is_none() && credentials.is_none() {
            return None;
        }
        let mut keys = BTreeMap::new();
        for (key, value) in config
            .into_iter()
            .chain(credentials)
            .flat_map(ini::Properties::iter)
        {
            keys.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
        Some(Profile {
            name: name.to_owned(),
            region: keys
                .get("region")
                .filter(|value| !value.is_empty())
                .cloned(),
            endpoint_url: self
                .service_endpoint(keys.get("services"))
                .or_else(|| keys.get("endpoint_url").cloned())
                .filter(|value| !value.is_empty()),
            keys,
        })
    }

    /// `endpoint_url` of the nested `s3 =` block in the section `[services NAME]`.
    fn service_endpoint(&self, services: Option<&String>) -> Option<String> {
        let section = self
            .config
            .as_ref()?
            .section(Some(format!("services {}", services?)))?;
        // Indented lines stay part of the value of `s3`.
        section
            .get("s3")?
            .lines()
            .filter_map(|line| line.split_once('='))
            .find(|(key, _)| key.trim() == "endpoint_url")
            .map(|(_, value)| value.trim().to_owned())
    }

    fn names(&self) -> Vec<String> {
        let config = self.config.iter().flat_map(Ini::sections).flatten();
        let config = config.filter_map(|section| {
            section
                .strip_prefix("profile ")
                .map(str::trim)
                .or_else(|| (section == "default").then_some(section))
        });
        let credentials = self.credentials.iter().flat_map(Ini::sections).flatten();
        let mut names: Vec<String> = config.chain(credentials).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        names
    }

    fn places(&self) -> String {
        let paths = [&self.credentials_path, &self.config_path];
        let paths: Vec<String> = paths
            .into_iter()
            .flatten()
            .map(|path| path.display().to_string())
            .collect();
        if paths.is_empty() {
            "the AWS files (HOME is not set)".to_owned()
        } else {
            paths.join(" and ")
        }
    }
}

fn file_path(
    environment: &BTreeMap<String, String>,
    variable: &str,
    file_name: &str,
) -> Option<PathBuf> {
    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());
    let home = || {
        set("HOME")
            .or_else(|| set("USERPROFILE"))
            .map(PathBuf::from)
    };
    match set(variable) {
        Some(path) => match path.strip_prefix("~/") {
            Some(rest) => Some(home()?.join(rest)),
            None => Some(PathBuf::from(path)),
        },
        None => Some(home()?.join(".aws").join(file_name)),
    }
}

fn load(profile: &str, path: Option<&PathBuf>) -> Result<Option<Ini>, StoreError> {
    let Some(path) = path else { return Ok(None) };
    let error = |message: String| StoreError::Profile {
        profile: profile.to_owned(),
        message: format!("{}: {message}", path.display()),
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(missing) if missing.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(failed) => return Err(error(format!("cannot be read ({failed})"))),
    };
    let options = ini::ParseOption {
        // Secrets hold backslashes and quotes that are not escapes.
        enabled_quote: false,
        enabled_escape: false,
        enabled_indented_mutiline_value: true,
        ..ini::ParseOption::default()
    };
    Ini::load_from_str_opt(&text, options)
        // The parser's own message can quote the line, and the line can be a secret.
        .map_err(|failed| error(format!("line {} is not 'key = value'", failed.line)))
        .map(Some)
}
