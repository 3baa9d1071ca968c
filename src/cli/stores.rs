//! The flags by which every command reaches object stores.

use clap::Args;

use crate::session::stores::{StoreOptions, Stores};

use super::error::CliError;
use super::settings::{ConfigFile, process_environment};

/// How to reach and sign in to S3. What is not given comes from the `AWS_*` environment, then
/// from `[store]` in `tamis.toml`, then from the profile files and the instance role.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "S3 (else: AWS_* variables, [store] in tamis.toml, ~/.aws, roles)")]
pub struct StoreArgs {
    /// Address of an S3-compatible server, such as http://127.0.0.1:9000
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
    /// Region of the bucket
    #[arg(long, value_name = "NAME")]
    pub region: Option<String>,
    /// Profile with static keys in ~/.aws/credentials or ~/.aws/config
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Access key id
    #[arg(long, value_name = "ID", requires = "secret_access_key")]
    pub access_key_id: Option<Secret>,
    /// Secret access key. Other users of the machine can see it: better AWS_SECRET_ACCESS_KEY
    #[arg(long, value_name = "KEY", requires = "access_key_id")]
    pub secret_access_key: Option<Secret>,
    /// Session token of temporary keys. As above: better AWS_SESSION_TOKEN
    #[arg(long, value_name = "TOKEN", requires = "access_key_id")]
    pub session_token: Option<Secret>,
    /// Allow plain http; allowed by itself when the endpoint given is http://
    #[arg(long)]
    pub allow_http: bool,
    /// Send requests unsigned, for public buckets
    #[arg(long, conflicts_with_all = ["access_key_id", "profile"])]
    pub no_sign_request: bool,
}

/// A text that `Debug` does not print.
#[derive(Clone)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(hidden)")
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl StoreArgs {
    /// The stores that these flags, the environment and `tamis.toml` in the working directory
    /// name.
    ///
    /// # Errors
    /// [`CliError::Usage`] when `tamis.toml` is malformed.
    pub fn stores(&self) -> Result<Stores, CliError> {
        let file = ConfigFile::in_working_directory()?;
        let environment = process_environment();
        let options = file.store_options(self.options(), &environment);
        Ok(Stores::with_environment(options, environment))
    }

    /// The flags alone.
    pub fn options(&self) -> StoreOptions {
        let open = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.0.clone());
        StoreOptions {
            endpoint: self.endpoint_url.clone(),
            region: self.region.clone(),
            profile: self.profile.clone(),
            access_key_id: open(&self.access_key_id),
            secret_access_key: open(&self.secret_access_key),
            session_token: open(&self.session_token),
            allow_http: self.allow_http.then_some(true),
            anonymous: self.no_sign_request,
        }
    }
}
