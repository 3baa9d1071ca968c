//! Where bytes live: local paths, `file://` and `s3://` addresses, and the stores behind them.
//!
//! Credentials come, first found wins, from flags, a profile named by flag, the `AWS_*`
//! environment (web identity and container roles included), the profile named by `AWS_PROFILE`
//! or `[default]`, and last the instance role. Nothing in here prints a secret.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Component, Path as LocalPath, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datafusion::prelude::SessionContext;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{BackoffConfig, ClientOptions, ObjectStore, RetryConfig};
use url::Url;

use super::profile::{self, Profile};

pub use super::problems::{StoreProblem, diagnose, explain, explain_head};

/// A request may be tried this many times more before it fails.
const MAX_RETRIES: usize = 10;
/// No new try starts after this long; credentials are not renewed between tries.
const RETRY_TIMEOUT: Duration = Duration::from_secs(180);
/// Time to open a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time for one whole request, its body included. An interrupted read is resumed.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// The instance metadata service answers at once or is not there.
const METADATA_RETRIES: usize = 1;

/// Why an address could not be turned into a store. Never holds a secret.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The address is not a local path, a `file://` URL or an `s3://bucket/key` URL.
    #[error("cannot use {uri}: {message}")]
    InvalidUri {
        /// The address as given.
        uri: String,
        /// What is wrong with it and what is expected.
        message: String,
    },
    /// A named profile is missing or needs a way to sign in that is not supported.
    #[error("profile '{profile}': {message}")]
    Profile {
        /// Name of the profile.
        profile: String,
        /// What is wrong and which kinds are supported.
        message: String,
    },
    /// The settings of the store contradict each other or hold a value that does not parse.
    #[error("cannot set up the store of {uri}: {message}")]
    Configuration {
        /// The address whose store was asked for.
        uri: String,
        /// What is wrong.
        message: String,
    },
}

/// The result of asking for a store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// How to reach and sign in to S3, as given by flags or `tamis.toml`. An absent field is taken
/// from the environment or the profile.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StoreOptions {
    /// Address of an S3-compatible server, with scheme.
    pub endpoint: Option<String>,
    /// Region of the bucket.
    pub region: Option<String>,
    /// Profile in the shared AWS files. Named here it goes before keys in the environment.
    pub profile: Option<String>,
    /// Access key id.
    pub access_key_id: Option<String>,
    /// Secret access key.
    pub secret_access_key: Option<String>,
    /// Session token that belongs to temporary keys.
    pub session_token: Option<String>,
    /// Whether plain `http` is allowed. Absent: allowed when the endpoint given is `http://`.
    pub allow_http: Option<bool>,
    /// Send requests unsigned, for public buckets.
    pub anonymous: bool,
}

impl fmt::Debug for StoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |value: &Option<String>| value.as_ref().map(|_| "(hidden)");
        f.debug_struct("StoreOptions")
            .field("endpoint", &self.endpoint)
            .field("region", &self.region)
            .field("profile", &self.profile)
            .field("access_key_id", &hidden(&self.access_key_id))
            .field("secret_access_key", &hidden(&self.secret_access_key))
            .field("session_token", &hidden(&self.session_token))
            .field("allow_http", &self.allow_http)
            .field("anonymous", &self.anonymous)
            .finish()
    }
}

/// One address, with the store that holds it.
#[derive(Debug, Clone)]
pub struct Location {
    /// The store; for `s3://` one per bucket, shared by all locations in it.
    pub store: Arc<dyn ObjectStore>,
    /// `file:///absolute/path` or `s3://bucket/key`, percent-encoded; a directory that exists
    /// locally, or an address given with a slash at its end, ends in a slash.
    pub url: Url,
    /// The key inside the store; for local paths the absolute path without its first slash.
    pub path: Path,
    /// The absolute local path, for local locations.
    pub local: Option<PathBuf>,
}

impl Location {
    /// The address as a person would write it: an absolute path, or `s3://bucket/key` without
    /// percent-encoding.
    pub fn display(&self) -> String {
        match &self.local {
            Some(path) => path.display().to_string(),
            None => format!(
                "{}://{}/{}",
                self.url.scheme(),
                self.url.host_str().unwrap_or_default(),
                self.path
            ),
        }
    }

    /// The part of the URL that names the store: `file:///` or `s3://bucket/`.
    pub fn store_url(&self) -> Url {
        let mut url = self.url.clone();
        url.set_path("/");
        url
    }
}

/// The stores of one process. Cheap to clone; clones share the stores.
#[derive(Clone)]
pub struct Stores {
    inner: Arc<Inner>,
}

struct Inner {
    options: StoreOptions,
    environment: BTreeMap<String, String>,
    local: Arc<dyn ObjectStore>,
    buckets: Mutex<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stores")
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}

impl Default for Stores {
    fn default() -> Self {
        Self::new(StoreOptions::default())
    }
}

impl Stores {
    /// Stores that use `options` first and the process environment for what they leave open.
    pub fn new(options: StoreOptions) -> Self {
        // Variables that are not Unicode cannot be one of ours.
        let environment = std::env::vars_os()
            .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self::with_environment(options, environment)
    }

    /// As [`Stores::new`], with the environment given by the caller.
    pub fn with_environment(options: StoreOptions, environment: BTreeMap<String, String>) -> Self {
        Self {
            inner: Arc::new(Inner {
                options,
                environment,
                local: Arc::new(LocalFileSystem::new()),
                buckets: Mutex::new(HashMap::new()),
            }),
        }
    }

    /// Finds the store and the key of an address: a local path (relative to the working
    /// directory), `file://…`, `s3://bucket/key` or `s3a://bucket/key`. The key of an S3 address
    /// is taken as it stands, as the AWS tools do; a `file://` URL is percent-decoded.
    ///
    /// Nothing is read: whether the object exists shows at the first request.
    ///
    /// # Errors
    /// [`StoreError`] when the address has another scheme, no bucket, or an empty segment, or
    /// when credentials cannot be put together.
    pub fn locate(&self, uri: &str) -> Result<Location> {
        let invalid = |message: &str| StoreError::InvalidUri {
            uri: uri.to_owned(),
            message: message.to_owned(),
        };
        match split_scheme(uri) {
            Some(("s3" | "s3a", rest)) => {
                let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
                if bucket.is_empty() {
                    return Err(invalid("the bucket is missing; expected s3://bucket/key"));
                }
                if bucket.contains(['@', '?', '#', ' ']) {
                    return Err(invalid(
                        "the bucket name holds a character that no bucket has",
                    ));
                }
                let path = Path::parse(key)
                    .map_err(|error| invalid(&format!("the key is not usable ({error})")))?;
                let url = s3_url(bucket, &path, key.ends_with('/') || key.is_empty())
                    .ok_or_else(|| invalid("it does not parse as a URL"))?;
                Ok(Location {
                    store: self.bucket(bucket, uri)?,
                    url,
                    path,
                    local: None,
                })
            }
            Some(("file", _)) => {
                let path = Url::parse(uri)
                    .ok()
                    .and_then(|url| url.to_file_path().ok())
                    .ok_or_else(|| invalid("expected file:///absolute/path"))?;
                self.locate_local(uri, &path, uri.ends_with('/'))
            }
            Some((scheme, _)) => Err(invalid(&format!(
                "'{scheme}://' is not supported; use a local path, file:// or s3://"
            ))),
            None if uri.is_empty() => Err(invalid("it is empty")),
            None => {
                let directory = uri.ends_with('/') || uri.ends_with(std::path::MAIN_SEPARATOR);
                self.locate_local(uri, LocalPath::new(uri), directory)
            }
        }
    }

    fn locate_local(&self, uri: &str, path: &LocalPath, directory: bool) -> Result<Location> {
        let invalid = |message: String| StoreError::InvalidUri {
            uri: uri.to_owned(),
            message,
        };
        let absolute = absolute_path(path)
            .map_err(|error| invalid(format!("no absolute path for it ({error})")))?;
        let key = Path::from_absolute_path(&absolute)
            .map_err(|error| invalid(format!("the path is not usable ({error})")))?;
        let url = if directory || absolute.is_dir() {
            Url::from_directory_path(&absolute)
        } else {
            Url::from_file_path(&absolute)
        }
        .map_err(|()| invalid("it does not parse as a path".to_owned()))?;
        Ok(Location {
            store: Arc::clone(&self.inner.local),
            url,
            path: key,
            local: Some(absolute),
        })
    }

    /// Makes the store of `uri` known to `ctx`, so that tables and resources below the same
    /// bucket can be read by SQL. A context made by [`super::session_context`] does this by
    /// itself.
    ///
    /// # Errors
    /// As [`Stores::locate`].
    pub fn register(&self, ctx: &SessionContext, uri: &str) -> Result<()> {
        let location = self.locate(uri)?;
        ctx.register_object_store(&location.store_url(), location.store);
        Ok(())
    }

    /// The store of the bucket or file system that `url` lies in.
    ///
    /// # Errors
    /// As [`Stores::locate`].
    pub fn store_of(&self, url: &Url) -> Result<Arc<dyn ObjectStore>> {
        match (url.scheme(), url.host_str()) {
            ("file", _) => Ok(Arc::clone(&self.inner.local)),
            ("s3" | "s3a", Some(bucket)) => self.bucket(bucket, url.as_str()),
            (scheme, _) => Err(StoreError::InvalidUri {
                uri: url.to_string(),
                message: format!(
                    "'{scheme}://' is not supported; use a local path, file:// or s3://"
                ),
            }),
        }
    }

    fn bucket(&self, bucket: &str, uri: &str) -> Result<Arc<dyn ObjectStore>> {
        let mut buckets = match self.inner.buckets.lock() {
            Ok(buckets) => buckets,
            // The map only ever holds whole entries, so it is good after a panic too.
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some(store) = buckets.get(bucket) {
            return Ok(Arc::clone(store));
        }
        let builder = s3_builder(&self.inner.options, &self.inner.environment, uri)?;
        let store: Arc<dyn ObjectStore> = Arc::new(
            builder
                .with_bucket_name(bucket)
                .build()
                .map_err(|error| configuration(uri, &error))?,
        );
        buckets.insert(bucket.to_owned(), Arc::clone(&store));
        Ok(store)
    }
}

/// Splits `scheme://rest`; `None` when there is no scheme.
pub(crate) fn split_scheme(uri: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = uri.split_once("://")?;
    let mut characters = scheme.chars();
    let starts_well = characters.next().is_some_and(|c| c.is_ascii_alphabetic());
    let valid = starts_well
        && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'));
    valid.then_some((scheme, rest))
}

fn s3_url(bucket: &str, path: &Path, directory: bool) -> Option<Url> {
    let mut url = Url::parse(&format!("s3://{bucket}/")).ok()?;
    {
        let mut segments = url.path_segments_mut().ok()?;
        segments.clear();
        segments.extend(path.parts().map(|part| part.as_ref().to_owned()));
        if directory {
            segments.push("");
        }
    }
    Some(url)
}

/// The absolute form of a path. `..` is resolved against the file system, because after a
/// symbolic link it does not lead where the text of the path says.
fn absolute_path(path: &LocalPath) -> std::io::Result<PathBuf> {
    let absolute = std::path::absolute(path)?;
    if !absolute
        .components()
        .any(|part| part == Component::ParentDir)
    {
        // Drops a slash at the end, which `std::path::absolute` keeps.
        return Ok(absolute.components().collect());
    }
    let mut resolved = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                resolved = resolved.canonicalize().unwrap_or(resolved);
                resolved.pop();
            }
            other => resolved.push(other),
        }
    }
    Ok(resolved)
}

fn configuration(uri: &str, error: &object_store::Error) -> StoreError {
    // The messages of the builder name keys and kinds, never values of credentials.
    StoreError::Configuration {
        uri: uri.to_owned(),
        message: innermost(error),
    }
}

/// The message of the last error in the chain: the wrappers only repeat it.
fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

/// Puts the builder of a store together: defaults, environment, profile, flags.
fn s3_builder(
    options: &StoreOptions,
    environment: &BTreeMap<String, String>,
    uri: &str,
) -> Result<AmazonS3Builder> {
    let retry = RetryConfig {
        backoff: BackoffConfig::default(),
        max_retries: MAX_RETRIES,
        retry_timeout: RETRY_TIMEOUT,
    };
    let mut builder = AmazonS3Builder::new()
        .with_client_options(
            ClientOptions::new()
                .with_connect_timeout(CONNECT_TIMEOUT)
                .with_timeout(REQUEST_TIMEOUT),
        )
        .with_retry(retry.clone());

    let set = |name: &str| environment.get(name).filter(|value| !value.is_empty());

    let keys_by_flag = options.access_key_id.is_some() || options.secret_access_key.is_some();
    let keys_in_environment =
        set("AWS_ACCESS_KEY_ID").is_some() || set("AWS_SECRET_ACCESS_KEY").is_some();
    let use_keys_in_environment = keys_in_environment && !keys_by_flag && options.profile.is_none();

    // The same reading of the environment as `AmazonS3Builder::from_env`, with two differences:
    // empty variables count as unset, as they do for the AWS tools, and a session token of the
    // environment never joins keys from elsewhere.
    for (name, value) in environment.iter().filter(|(_, value)| !value.is_empty()) {
        if !name.starts_with("AWS_") {
            continue;
        }
        let Ok(key) = name.to_ascii_lowercase().parse::<AmazonS3ConfigKey>() else {
            continue;
        };
        let is_credential = matches!(
            key,
            AmazonS3ConfigKey::AccessKeyId
                | AmazonS3ConfigKey::SecretAccessKey
                | AmazonS3ConfigKey::Token
        );
        if use_keys_in_environment || !is_credential {
            builder = builder.with_config(key, value);
        }
    }

    let role_in_environment = set("AWS_WEB_IDENTITY_TOKEN_FILE").is_some()
        || set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI").is_some()
        || set("AWS_CONTAINER_CREDENTIALS_FULL_URI").is_some();

    let named_by_environment = set("AWS_PROFILE").or_else(|| set("AWS_DEFAULT_PROFILE"));
    let profile_name = options.profile.as_ref().or(named_by_environment);
    let profile = match profile_name {
        Some(name) => Some(profile::read(name, environment)?),
        None => profile::read_default(environment)?,
    };

    // A profile named by flag goes before keys in the environment; otherwise the environment wins.
    let keys_of_profile = !keys_by_flag
        && !options.anonymous
        && (options.profile.is_some() || (!keys_in_environment && !role_in_environment));
    let mut has_keys = keys_by_flag || use_keys_in_environment;
    if let Some(profile) = &profile {
        if keys_of_profile {
            match profile.credentials()? {
                Some(keys) => {
                    builder = builder
                        .with_access_key_id(keys.access_key_id)
                        .with_secret_access_key(keys.secret_access_key);
                    if let Some(token) = keys.session_token {
                        builder = builder.with_token(token);
                    }
                    has_keys = true;
                }
                None if options.profile.is_some() => {
                    return Err(StoreError::Profile {
                        profile: profile.name.clone(),
                        message: "it has no aws_access_key_id and aws_secret_access_key".to_owned(),
                    });
                }
                None => {}
            }
        }
        builder = places_of_profile(builder, profile, options, &set);
    }

    if let Some(region) = &options.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &options.endpoint {
        // The store prefers the S3 endpoint of the environment over the general one.
        builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, endpoint);
    }
    if keys_by_flag {
        let (Some(id), Some(secret)) = (&options.access_key_id, &options.secret_access_key) else {
            return Err(StoreError::Configuration {
                uri: uri.to_owned(),
                message: "an access key id and a secret access key are only useful together"
                    .to_owned(),
            });
        };
        builder = builder
            .with_access_key_id(id)
            .with_secret_access_key(secret);
        if let Some(token) = &options.session_token {
            builder = builder.with_token(token);
        }
    }
    if options.anonymous {
        builder = builder.with_skip_signature(true);
    }

    let endpoint = builder
        .get_config_value(&AmazonS3ConfigKey::S3Endpoint)
        .or_else(|| builder.get_config_value(&AmazonS3ConfigKey::Endpoint));
    if let Some(endpoint) = &endpoint {
        let scheme = split_scheme(endpoint).map(|(scheme, _)| scheme);
        if !matches!(scheme, Some("http" | "https")) {
            return Err(StoreError::Configuration {
                uri: uri.to_owned(),
                message: format!("the endpoint '{endpoint}' needs its scheme, http:// or https://"),
            });
        }
    }
    let plain = endpoint.is_some_and(|endpoint| endpoint.starts_with("http://"));
    match options.allow_http {
        Some(allow) => builder = builder.with_allow_http(allow),
        None if plain && set("AWS_ALLOW_HTTP").is_none() => builder = builder.with_allow_http(true),
        None => {}
    }

    let unsigned = options.anonymous
        || set("AWS_SKIP_SIGNATURE").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if !has_keys && !role_in_environment && !unsigned {
        builder = with_instance_role(builder, environment, uri, retry)?;
    }
    Ok(builder)
}

/// Region and endpoint of a profile, where neither flag nor environment gave one.
fn places_of_profile<'a>(
    mut builder: AmazonS3Builder,
    profile: &Profile,
    options: &StoreOptions,
    set: &impl Fn(&str) -> Option<&'a String>,
) -> AmazonS3Builder {
    let by_flag = options.profile.is_some();
    let region_given = set("AWS_REGION").is_some() || set("AWS_DEFAULT_REGION").is_some();
    if let Some(region) = &profile.region
        && (by_flag || !region_given)
    {
        builder = builder.with_region(region);
    }
    let endpoint_given = set("AWS_ENDPOINT_URL").is_some()
        || set("AWS_ENDPOINT_URL_S3").is_some()
        || set("AWS_ENDPOINT").is_some();
    if let Some(endpoint) = &profile.endpoint_url
        && (by_flag || !endpoint_given)
    {
        builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, endpoint);
    }
    builder
}

/// Lets the instance role sign, but finds out within seconds when there is none: the store's own
/// retries would keep a person on a laptop waiting for minutes.
fn with_instance_role(
    builder: AmazonS3Builder,
    environment: &BTreeMap<String, String>,
    uri: &str,
    retry: RetryConfig,
) -> Result<AmazonS3Builder> {
    let disabled = environment
        .get("AWS_EC2_METADATA_DISABLED")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if disabled {
        return Err(StoreError::Configuration {
            uri: uri.to_owned(),
            message: format!("no credentials found. {SUPPORTED_CREDENTIALS}"),
        });
    }
    let impatient = RetryConfig {
        max_retries: METADATA_RETRIES,
        ..retry.clone()
    };
    let lender = builder
        .clone()
        .with_retry(impatient)
        .with_bucket_name("credentials")
        .build()
        .map_err(|error| configuration(uri, &error))?;
    Ok(builder
        .with_retry(retry)
        .with_credentials(Arc::clone(lender.credentials())))
}

/// What can be used to sign in; part of several messages.
pub(crate) const SUPPORTED_CREDENTIALS: &str = "Give AWS_ACCESS_KEY_ID and \
    AWS_SECRET_ACCESS_KEY, a profile with static keys (AWS_PROFILE or --profile), a web identity, \
    container or instance role, or --no-sign-request for a public bucket";

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    /// Access key, token, region, endpoint.
    type Resolved = (
        Option<String>,
        Option<String>,
        Option<String>,
        Option<String>,
    );

    /// What the builder would use.
    fn resolved(options: &StoreOptions, pairs: &[(&str, &str)]) -> Result<Resolved> {
        let builder = s3_builder(options, &environment(pairs), "s3://b/k")?;
        let get = |key| builder.get_config_value(&key);
        Ok((
            get(AmazonS3ConfigKey::AccessKeyId),
            get(AmazonS3ConfigKey::Token),
            get(AmazonS3ConfigKey::Region),
            get(AmazonS3ConfigKey::S3Endpoint).or_else(|| get(AmazonS3ConfigKey::Endpoint)),
        ))
    }

    fn some(text: &str) -> Option<String> {
        Some(text.to_owned())
    }

    struct AwsFiles {
        directory: tempfile::TempDir,
    }

    impl AwsFiles {
        fn new(credentials: &str, config: &str) -> Self {
            let directory = tempfile::tempdir().unwrap();
            std::fs::write(directory.path().join("credentials"), credentials).unwrap();
            std::fs::write(directory.path().join("config"), config).unwrap();
            Self { directory }
        }

        fn variables(&self) -> (String, String) {
            let path = |name: &str| self.directory.path().join(name).display().to_string();
            (path("credentials"), path("config"))
        }

        fn resolved(&self, options: &StoreOptions, pairs: &[(&str, &str)]) -> Result<Resolved> {
            let (credentials, config) = self.variables();
            let mut all = vec![
                ("AWS_SHARED_CREDENTIALS_FILE", credentials.as_str()),
                ("AWS_CONFIG_FILE", config.as_str()),
            ];
            all.extend_from_slice(pairs);
            resolved(options, &all)
        }
    }

    const CREDENTIALS: &str = "\
[default]
aws_access_key_id = DEFAULTKEY
aws_secret_access_key = s3cret/with+odd=chars\\and\"quotes
[work]
aws_access_key_id = WORKKEY
aws_secret_access_key = w
aws_session_token = WORKTOKEN
[half]
aws_access_key_id = X
";
    const CONFIG: &str = "\
[default]
region = eu-north-1
[profile work]
region = cn-north-1
endpoint_url = https://general.example
services = mine
s3 =
    max_concurrent_requests = 20
[services mine]
s3 =
    endpoint_url = https://s3.example
[profile single]
sso_session = corp
[profile role]
role_arn = arn:aws:iam::1:role/x
source_profile = work
[profile program]
credential_process = /bin/true
[profile place]
region = ap-south-1
";

    #[test]
    fn flags_go_before_the_environment_and_that_before_profiles() {
        let files = AwsFiles::new(CREDENTIALS, CONFIG);
        let none = StoreOptions::default();
        let keys = [
            ("AWS_ACCESS_KEY_ID", "ENVKEY"),
            ("AWS_SECRET_ACCESS_KEY", "e"),
            ("AWS_SESSION_TOKEN", "ENVTOKEN"),
        ];

        let defaults = files.resolved(&none, &[]).unwrap();
        assert_eq!(
            defaults,
            (some("DEFAULTKEY"), None, some("eu-north-1"), None)
        );

        let work = files.resolved(&none, &[("AWS_PROFILE", "work")]).unwrap();
        assert_eq!(
            work,
            (
                some("WORKKEY"),
                some("WORKTOKEN"),
                some("cn-north-1"),
                some("https://s3.example")
            )
        );

        let mut pairs = keys.to_vec();
        pairs.extend([
            ("AWS_PROFILE", "work"),
            ("AWS_REGION", "us-west-2"),
            ("AWS_ENDPOINT_URL", "http://e"),
        ]);
        let env = files.resolved(&none, &pairs).unwrap();
        assert_eq!(
            env,
            (
                some("ENVKEY"),
                some("ENVTOKEN"),
                some("us-west-2"),
                some("http://e")
            )
        );

        let by_flag = StoreOptions {
            profile: some("work"),
            ..none.clone()
        };
        let flagged = files.resolved(&by_flag, &pairs).unwrap();
        assert_eq!(
            flagged,
            (
                some("WORKKEY"),
                some("WORKTOKEN"),
                some("cn-north-1"),
                some("https://s3.example")
            )
        );

        let all_flags = StoreOptions {
            endpoint: some("http://f"),
            region: some("f"),
            access_key_id: some("FLAGKEY"),
            secret_access_key: some("f"),
            ..none
        };
        let flagged = files.resolved(&all_flags, &pairs).unwrap();
        assert_eq!(
            flagged,
            (some("FLAGKEY"), None, some("f"), some("http://f"))
        );
    }

    #[test]
    fn profiles_that_cannot_sign_say_what_can() {
        let files = AwsFiles::new(CREDENTIALS, CONFIG);
        let message = |name: &str| {
            let options = StoreOptions {
                profile: some(name),
                ..StoreOptions::default()
            };
            files.resolved(&options, &[]).unwrap_err().to_string()
        };
        assert!(
            message("single")
                .contains("single sign-on (sso_session), which is not supported; static keys are")
        );
        assert!(message("role").contains("an assumed role (role_arn)"));
        assert!(message("program").contains("an external program"));
        assert!(message("half").contains("only useful together"));
        assert!(message("place").contains("has no aws_access_key_id"));
        assert!(message("wrok").contains("did you mean 'work'?"));
        let broken = AwsFiles::new("[a]\nkey = v\nhunter2 without equals\n", "");
        let error = broken
            .resolved(&StoreOptions::default(), &[])
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("credentials: line") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[test]
    fn without_credentials_the_message_says_what_to_give() {
        let files = AwsFiles::new("", "");
        let disabled = [("AWS_EC2_METADATA_DISABLED", "true")];
        let error = files
            .resolved(&StoreOptions::default(), &disabled)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("no credentials found. Give AWS_ACCESS_KEY_ID"),
            "{error}"
        );
        let anonymous = StoreOptions {
            anonymous: true,
            ..StoreOptions::default()
        };
        assert!(files.resolved(&anonymous, &disabled).is_ok());
        let bare = StoreOptions {
            endpoint: some("127.0.0.1:9000"),
            anonymous: true,
            ..StoreOptions::default()
        };
        let error = files.resolved(&bare, &[]).unwrap_err().to_string();
        assert!(error.contains("needs its scheme"), "{error}");
    }

    #[test]
    fn plain_http_is_allowed_when_the_endpoint_asks_for_it() {
        let allowed = |options: StoreOptions, pairs: &[(&str, &str)]| {
            let options = StoreOptions {
                anonymous: true,
                ..options
            };
            let builder = s3_builder(&options, &environment(pairs), "s3://b/k").unwrap();
            let key = AmazonS3ConfigKey::Client(object_store::ClientConfigKey::AllowHttp);
            builder.get_config_value(&key).as_deref() == Some("true")
        };
        let at = |endpoint: &str| StoreOptions {
            endpoint: some(endpoint),
            ..StoreOptions::default()
        };
        assert!(allowed(at("http://127.0.0.1:1"), &[]));
        assert!(!allowed(at("https://127.0.0.1:1"), &[]));
        assert!(allowed(
            StoreOptions::default(),
            &[("AWS_ENDPOINT_URL_S3", "http://x")]
        ));
        assert!(!allowed(
            StoreOptions {
                allow_http: Some(false),
                ..at("http://x")
            },
            &[]
        ));
    }

    #[test]
    fn addresses_lead_to_keys() {
        let stores = Stores::with_environment(
            StoreOptions {
                anonymous: true,
                ..StoreOptions::default()
            },
            BTreeMap::new(),
        );
        let place = |uri: &str| {
            let location = stores.locate(uri).unwrap();
            (
                location.url.to_string(),
                location.path.to_string(),
                location.display(),
            )
        };
        let strings = |a: &str, b: &str, c: &str| (a.to_owned(), b.to_owned(), c.to_owned());
        assert_eq!(place("s3://b"), strings("s3://b/", "", "s3://b/"));
        assert_eq!(
            place("s3://b/a b/%20#?/"),
            strings("s3://b/a%20b/%2520%23%3F/", "a b/%20#?", "s3://b/a b/%20#?")
        );
        assert_eq!(
            place("s3a://b/中"),
            strings("s3://b/%E4%B8%AD", "中", "s3://b/中")
        );
        assert_eq!(
            place("/no/such"),
            strings("file:///no/such", "no/such", "/no/such")
        );
        assert_eq!(
            place("file:///no/s%20ch/"),
            strings("file:///no/s%20ch/", "no/s ch", "/no/s ch")
        );
        assert_eq!(place("/tmp").0, "file:///tmp/");
        assert_eq!(place("/no/../such").2, "/such");
        assert!(
            stores
                .locate("Cargo.toml")
                .unwrap()
                .local
                .unwrap()
                .is_absolute()
        );
        for (uri, expected) in [
            ("s3:///key", "the bucket is missing"),
            ("s3://b/a//b", "the key is not usable"),
            ("https://h/x", "'https://' is not supported"),
            ("", "it is empty"),
            ("file://host/x", "expected file:///absolute/path"),
        ] {
            let error = stores.locate(uri).unwrap_err().to_string();
            assert!(error.contains(expected), "{uri}: {error}");
        }
        let one = stores.locate("s3://b/x").unwrap().store;
        let two = stores.clone().locate("s3://b/y").unwrap().store;
        assert!(Arc::ptr_eq(&one, &two));
    }
}
