//! A session that runs statements, `SET tamis.*` included.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::config::ExtensionOptions;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use tamis_functions::{KEYS, TamisSettings};
use tamis_resource::nearest;

use crate::cli::error::CliError;
use crate::cli::resources::warn;
use crate::cli::settings::ResolvedSettings;
use crate::session::stores::Stores;
use crate::session::{SessionOptions, load_functions, session_context};

use super::errors::{describe, describe_in};
use super::statements::{Action, Numbered};

/// Settings that configure the session's runtime; the engine lists them nowhere.
const RUNTIME: &str = "datafusion.runtime.";

/// A session with its settings.
pub struct Engine {
    context: SessionContext,
    settings: TamisSettings,
}

/// What a statement came to.
pub enum Outcome {
    /// It is done and has nothing to show.
    Done,
    /// Rows, not yet read.
    Rows(Rows),
}

/// A query about to give its rows.
pub struct Rows {
    /// Their columns.
    pub schema: SchemaRef,
    /// The plan. Executing it starts tasks on the threads of whoever does it.
    pub plan: Arc<dyn ExecutionPlan>,
    /// What the plan runs with.
    pub task: Arc<TaskContext>,
}

impl Engine {
    /// Builds the session, loads the resources that the settings name, registers the functions.
    ///
    /// # Errors
    /// [`CliError::Usage`] for an unknown or unusable setting or a resource that does not load.
    pub async fn start(stores: Stores, settings: &ResolvedSettings) -> Result<Self, CliError> {
        let (runtime, engine): (Vec<_>, Vec<_>) = settings
            .engine_settings()
            .into_iter()
            .partition(|(key, _)| key.starts_with(RUNTIME));
        let context = session_context(SessionOptions {
            stores,
            settings: engine,
            ..SessionOptions::default()
        })?;
        for (key, value) in runtime {
            let set = format!("SET {key} = '{}'", value.replace('\'', "''"));
            context.sql(&set).await.map_err(|error| {
                CliError::Usage(format!("setting '{key}': {}", describe(&error)))
            })?;
        }
        let settings = settings.tamis_settings()?;
        let resources = load_functions(&context, &settings).await?;
        warn(&resources);
        Ok(Self {
            context,
            settings: resources.settings,
        })
    }

    /// The session.
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    /// Runs a statement up to its first row.
    ///
    /// # Errors
    /// The message for the person who wrote it.
    pub async fn run(&mut self, statement: &Numbered) -> Result<Outcome, String> {
        let statement = match &statement.action {
            Action::SetTamis { key, value } => {
                self.set(key, value.as_deref()).await?;
                return Ok(Outcome::Done);
            }
            Action::SetEngine { key, statement } => {
                self.check_engine_key(key)?;
                statement
            }
            Action::Engine(statement) => statement,
        };
        let context = &self.context;
        let failed = |error| describe_in(&error, context);
        let plan = context
            .state()
            .statement_to_plan(statement.as_ref().clone())
            .await
            .map_err(failed)?;
        let frame = context.execute_logical_plan(plan).await.map_err(failed)?;
        if frame.schema().fields().is_empty() {
            // Definitions and settings are done already; anything else without columns has rows.
            let is_definition = matches!(
                frame.logical_plan(),
                datafusion::logical_expr::LogicalPlan::EmptyRelation(_)
            );
            if is_definition {
                return Ok(Outcome::Done);
            }
        }
        let task = Arc::new(frame.task_ctx());
        let plan = frame.create_physical_plan().await.map_err(failed)?;
        Ok(Outcome::Rows(Rows {
            schema: plan.schema(),
            plan,
            task,
        }))
    }

    /// Names another resource, loads it and registers the functions again. On an error nothing
    /// changes.
    async fn set(&mut self, key: &str, value: Option<&str>) -> Result<(), String> {
        if !KEYS.iter().any(|(name, _)| *name == key) {
            let near = nearest(key, KEYS.iter().map(|(name, _)| *name));
            let near = near.map(|near| format!("; did you mean 'tamis.{near}'?"));
            return Err(format!(
                "unknown setting 'tamis.{key}'{}",
                near.unwrap_or_default()
            ));
        }
        let mut settings = self.settings.clone();
        settings
            .set(key, value.unwrap_or_default())
            .map_err(|error| describe(&error))?;
        let resources = match load_functions(&self.context, &settings).await {
            Ok(resources) => resources,
            Err(error) => return Err(error.to_string()),
        };
        warn(&resources);
        self.settings = resources.settings;
        Ok(())
    }

    fn check_engine_key(&self, key: &str) -> Result<(), String> {
        if key.starts_with(RUNTIME) {
            return Ok(());
        }
        let known: Vec<String> = self
            .context
            .state()
            .config_options()
            .entries()
            .into_iter()
            .map(|entry| entry.key)
            .collect();
        if known.iter().any(|name| name == key) {
            return Ok(());
        }
        let near = nearest(key, known.iter().map(String::as_str));
        let near = near.map(|near| format!("; did you mean '{near}'?"));
        Err(format!(
            "unknown setting '{key}'{}",
            near.unwrap_or_default()
        ))
    }
}
