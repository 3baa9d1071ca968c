//! What a command that judges without SQL loads.

use tamis_functions::Resources;

use crate::session::stores::Stores;
use crate::session::{SessionOptions, load_functions, session_context};

use super::error::CliError;
use super::print::say;
use super::settings::{ConfigFile, ResolvedSettings, process_environment};

/// Tells a person what the tables' authors should know.
pub fn warn(resources: &Resources) {
    for warning in &resources.warnings {
        say(&format!("warning: {warning}"));
    }
}

/// Resources by flags, environment and `tamis.toml`, of which only the settings in `wanted` are
/// looked at: a command that judges sources needs no consent registry.
///
/// # Errors
/// [`CliError::Usage`] for a wrong setting or a resource that does not load.
pub async fn load(
    stores: &Stores,
    flags: &[String],
    wanted: &[&str],
) -> Result<Resources, CliError> {
    let file = ConfigFile::in_working_directory()?;
    let mut settings =
        ResolvedSettings::resolve(flags, &Default::default(), &process_environment(), &file)?;
    settings
        .tamis
        .retain(|key, _| wanted.contains(&key.as_str()));
    let context = session_context(SessionOptions {
        stores: stores.clone(),
        ..SessionOptions::default()
    })?;
    let resources = load_functions(&context, &settings.tamis_settings()?).await?;
    warn(&resources);
    Ok(resources)
}
