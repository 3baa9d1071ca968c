//! The one place that builds a DataFusion session: stores, settings, functions, tables.

pub mod files;
pub mod postgres;
mod problems;
mod profile;
pub mod reading;
mod registry;
mod samples;
pub mod schema;
pub mod stores;
pub mod tables;

use std::sync::Arc;

use datafusion::catalog::{DynamicFileCatalog, UrlTableFactory};
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::cache::cache_manager::CacheManagerConfig;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::{SessionConfig, SessionContext};
use tamis_functions::{Resources, TamisSettings};
use tamis_resource::ResourceError;

pub use stores::{StoreOptions, Stores};

/// Why a session could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// A `datafusion.*` setting does not exist or does not take the value.
    #[error("{0}")]
    Setting(String),
    /// A resource that a setting names could not be loaded.
    #[error(transparent)]
    Resource(#[from] ResourceError),
    /// DataFusion refused to build.
    #[error(transparent)]
    Engine(#[from] datafusion::error::DataFusionError),
}

/// What a session is built from.
#[derive(Debug, Clone, Default)]
pub struct SessionOptions {
    /// The stores its queries read and write.
    pub stores: Stores,
    /// `datafusion.*` settings, applied in order over the defaults of [`session_context`].
    pub settings: Vec<(String, String)>,
    /// Bytes that operators may hold before they spill to disk. Absent: no limit.
    pub memory_limit: Option<usize>,
    /// Degree of parallelism of one query. Absent: the number of cores.
    pub target_partitions: Option<usize>,
}

/// Builds a session: every `s3://` bucket and local path is found by itself, paths in quotes are
/// tables, `tamis.*` settings are known (with no resource loaded yet: see [`load_functions`]).
///
/// Filters are evaluated inside Parquet scans, cheap columns first, so that a text column is
/// decoded only where its row can still be kept. Listings are not cached: a later query of the
/// same session sees new files.
///
/// # Errors
/// [`SessionError::Setting`] for an unknown `datafusion.*` setting or a bad value.
pub fn session_context(options: SessionOptions) -> Result<SessionContext, SessionError> {
    let mut config = SessionConfig::new()
        .with_information_schema(true)
        .with_option_extension(TamisSettings::default());
    config.options_mut().execution.parquet.pushdown_filters = true;
    config.options_mut().execution.parquet.reorder_filters = true;
    if let Some(partitions) = options.target_partitions {
        config = config.with_target_partitions(partitions.max(1));
    }
    for (key, value) in &options.settings {
        set_engine_setting(&mut config, key, value)?;
    }

    let mut runtime = RuntimeEnvBuilder::new()
        .with_object_store_registry(Arc::new(registry::SessionStores::new(
            options.stores.clone(),
        )))
        .with_cache_manager(CacheManagerConfig::default().with_list_files_cache_limit(0));
    if let Some(bytes) = options.memory_limit {
        runtime = runtime.with_memory_limit(bytes, 1.0);
    }

    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime.build_arc()?)
        .with_default_features()
        .build();
    let tables = Arc::new(tables::PathTables::new(options.stores));
    let catalogs = DynamicFileCatalog::new(
        Arc::clone(state.catalog_list()),
        Arc::clone(&tables) as Arc<dyn UrlTableFactory>,
    );
    let state = SessionStateBuilder::new_from_existing(state)
        .with_catalog_list(Arc::new(catalogs))
        .build();
    let context = SessionContext::new_with_state(state);
    tables.serve(&context);
    Ok(context)
}

/// Sets one `datafusion.*` setting.
///
/// # Errors
/// [`SessionError::Setting`] when there is no such setting (with the nearest name) or it does not
/// take the value.
pub fn set_engine_setting(
    config: &mut SessionConfig,
    key: &str,
    value: &str,
) -> Result<(), SessionError> {
    let options = config.options_mut();
    let known: Vec<String> = options
        .entries()
        .into_iter()
        .map(|entry| entry.key)
        .collect();
    if !known.iter().any(|name| name == key) {
        let near = tamis_resource::nearest(key, known.iter().map(String::as_str));
        let near = near
            .map(|near| format!("; did you mean '{near}'?"))
            .unwrap_or_default();
        return Err(SessionError::Setting(format!(
            "unknown setting '{key}'{near}"
        )));
    }
    options.set(key, value).map_err(|error| {
        SessionError::Setting(format!(
            "setting '{key}' does not take '{value}': {}",
            error.strip_backtrace()
        ))
    })
}

/// Loads the resources that `settings` name and registers all functions with them, in place of
/// those registered before. On an error the session keeps the functions it had.
///
/// # Errors
/// [`SessionError::Resource`] when a resource is missing or malformed.
pub async fn load_functions(
    context: &SessionContext,
    settings: &TamisSettings,
) -> Result<Resources, SessionError> {
    let resources = Resources::load(context, settings).await?;
    tamis_functions::register_all(context, &resources)?;
    Ok(resources)
}
