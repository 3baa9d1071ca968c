//! A resolved job: spec, pack, inputs, units and loaded resources, ready to run or to be checked.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, SecondsFormat, Utc};
use datafusion::arrow::array::RecordBatch;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use tamis_functions::{Resources, TamisSettings, register_all};
use tamis_resource::ResourceError;

use crate::session::stores::Stores;
use crate::session::{SessionOptions, session_context};

use super::error::{JobError, Result};
use super::file::JobFile;
use super::gate;
use super::inputs::Inputs;
use super::judged::{Asked, check_columns, judged_sql};
use super::pack::Pack;
use super::plan_check;
use super::provenance::{OutputSchemas, UnitFacts};
use super::reader::UnitTable;
use super::spec::{FORMAT, Layout, Spec, SpecResource};
use super::unit::{Unit, plan_units};

/// A stop flag shared by all workers.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks all workers to end after their batch.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether somebody asked.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A resolved job.
#[derive(Debug)]
pub struct Job {
    /// Everything that changes a row.
    pub spec: Spec,
    /// SHA-256 of the spec.
    pub identity: String,
    /// The policy.
    pub pack: Pack,
    /// The corpus.
    pub inputs: Inputs,
    /// The pieces.
    pub units: Vec<Unit>,
    /// What rows are judged with.
    pub resources: Resources,
    /// Schemas of the four folders.
    pub schemas: OutputSchemas,
    /// Pack name and digest, as written in `prov_policy`.
    pub policy: String,
    stores: Stores,
}

impl Job {
    /// Resolves a job file: lists the corpus, loads every resource, and fixes the spec.
    ///
    /// `stored` is the spec in the output, if there is one: only a defaulted `as_of` is taken from it.
    pub async fn resolve(
        file: &JobFile,
        stores: &Stores,
        limit: Option<u64>,
        stored: Option<&Spec>,
    ) -> Result<Self> {
        let pack = Pack::load(file.policy.pack.as_deref().unwrap_or("gb45654"))?;
        let inputs = Inputs::list(stores, &file.corpus.uri).await?;
        check_columns(&file.corpus.columns, &inputs.schema)?;
        let as_of_defaulted = file.policy.as_of.is_none();
        let as_of = match &file.policy.as_of {
            Some(text) => parse_time(text)?,
            None => match stored.filter(|stored| stored.as_of_defaulted) {
                Some(stored) => parse_time(&stored.as_of)?,
                None => Utc::now(),
            },
        };
        let as_of = as_of.to_rfc3339_opts(SecondsFormat::Micros, true);
        let settings = settings_of(file, &as_of);
        let resources = load_resources(stores, &settings).await?;
        check_resources(file, &resources)?;
        let effective = |key: &str| settings.effective(key).unwrap_or_default().to_owned();
        let spec = Spec {
            format: FORMAT,
            tamis: env!("CARGO_PKG_VERSION").to_owned(),
            corpus: file.corpus.uri.clone(),
            as_of,
            as_of_defaulted,
            pack: SpecResource::from(&pack.identity),
            purpose: resources.purpose.clone(),
            use_case: resources.use_case.clone(),
            opt_out_max_age_days: effective("opt_out_max_age_days"),
            opt_out_also_as_of: effective("opt_out_also_as_of"),
            columns: file.corpus.columns.clone(),
            rename: file.corpus.rename.clone(),
            dropped: file
                .output
                .dropped
                .clone()
                .unwrap_or_else(|| "ids".to_owned()),
            subject: file
                .output
                .subject
                .clone()
                .unwrap_or_else(|| "ref".to_owned()),
            limit,
            resources: resources
                .identities()
                .iter()
                .map(|(setting, identity)| ((*setting).to_owned(), SpecResource::from(identity)))
                .collect(),
            layout: Layout::default(),
            schema: inputs
                .schema
                .fields()
                .iter()
                .map(|field| (field.name().clone(), field.data_type().to_string()))
                .collect(),
            inputs: Spec::inputs_of(&inputs),
        };
        let identity = spec.identity()?;
        let job = Self {
            schemas: OutputSchemas::new(&inputs.schema, &spec)?,
            units: plan_units(&inputs, &spec.layout, limit, &identity),
            policy: format!("{} sha256:{}", pack.name, pack.identity.sha256),
            stores: stores.clone(),
            spec,
            identity,
            pack,
            inputs,
            resources,
        };
        job.check_policy().await?;
        Ok(job)
    }

    /// Resolves the job a finished output was made by, from its spec (`verify --rejudge`).
    pub fn file_of(spec: &Spec) -> JobFile {
        let resource = |setting: &str| {
            spec.resources
                .get(setting)
                .map(|resource| resource.uri.clone())
        };
        let own = |setting: &str| resource(setting).filter(|uri| !uri.starts_with("builtin:"));
        JobFile {
            corpus: super::file::Corpus {
                uri: spec.corpus.clone(),
                columns: spec.columns.clone(),
                rename: spec.rename.clone(),
            },
            policy: super::file::Policy {
                pack: Some(
                    spec.pack
                        .uri
                        .strip_prefix("builtin:")
                        .unwrap_or(&spec.pack.uri)
                        .to_owned(),
                ),
                purpose: Some(spec.purpose.clone()),
                use_case: Some(spec.use_case.clone()),
                as_of: (!spec.as_of_defaulted).then(|| spec.as_of.clone()),
                opt_out_max_age_days: Some(spec.opt_out_max_age_days.clone()),
                opt_out_also_as_of: Some(spec.opt_out_also_as_of.clone()),
            },
            resources: super::file::Resources {
                lexicon: own("lexicon"),
                thresholds: own("thresholds"),
                model: own("model"),
                license_policy: own("license_policy"),
                sources: own("sources"),
                consent: own("consent"),
                purposes: own("purposes"),
                opt_out: own("opt_out"),
                opt_out_agents: own("opt_out_agents"),
                blocked: own("blocked"),
                subject_key: own("subject_key"),
            },
            output: super::file::OutputFile {
                uri: String::new(),
                dropped: Some(spec.dropped.clone()),
                subject: Some(spec.subject.clone()),
            },
        }
    }

    /// The input file of a unit and what is constant in it.
    pub fn facts(&self, unit: &Unit) -> UnitFacts<'_> {
        let file = &self.inputs.files[unit.file];
        UnitFacts {
            relative: &file.relative,
            uri: &file.uri,
            etag: &file.etag,
            job: &self.identity,
            policy: &self.policy,
            as_of: self.resources.as_of,
        }
    }

    /// A session over one unit with the view `judged` and the side tables; without an assessment
    /// (while it is being made) `source_assessment` is empty.
    pub async fn session(
        &self,
        table: Arc<UnitTable>,
        assessment: Option<&RecordBatch>,
    ) -> Result<SessionContext> {
        let ctx = session_context(SessionOptions {
            settings: [
                // One partition keeps the order of rows; lookups are turned so that the side table is built.
                ("datafusion.execution.target_partitions", "1"),
                (
                    "datafusion.optimizer.enable_dynamic_filter_pushdown",
                    "false",
                ),
                (
                    "datafusion.optimizer.enable_round_robin_repartition",
                    "false",
                ),
                ("datafusion.sql_parser.enable_ident_normalization", "true"),
                ("datafusion.execution.time_zone", "UTC"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec(),
            stores: self.stores.clone(),
            ..SessionOptions::default()
        })
        .map_err(|error| JobError::failed(error.to_string()))?;
        register_all(&ctx, &self.resources)?;
        ctx.register_table("corpus", table)?;
        let side = assessment.cloned().unwrap_or_else(gate::empty_assessment);
        ctx.register_table(
            "source_assessment",
            Arc::new(MemTable::try_new(side.schema(), vec![vec![side]])?),
        )?;
        let sql = judged_sql(
            &self.spec.columns,
            &self.inputs.schema,
            &Asked {
                consent: self.resources.consent.is_some(),
                opt_out: self.resources.opt_out.is_some(),
                blocked: self.resources.blocked.is_some(),
            },
        );
        let judged = ctx.sql(&sql).await?;
        ctx.register_table("judged", judged.into_view())?;
        Ok(ctx)
    }

    /// A pack query with its parameters bound.
    pub async fn pack_plan(
        &self,
        ctx: &SessionContext,
        sql: &str,
        name: &str,
    ) -> Result<LogicalPlan> {
        let named = |error: datafusion::error::DataFusionError| {
            JobError::usage(format!(
                "policy pack {}, {name}: {}",
                self.pack.identity.uri,
                error.strip_backtrace()
            ))
        };
        let plan = ctx.state().create_logical_plan(sql).await.map_err(named)?;
        plan.with_param_values(self.pack.sql_parameters()?)
            .map_err(named)
    }

    /// The physical plan that clears one unit.
    pub async fn clear_plan(&self, ctx: &SessionContext) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self
            .pack_plan(ctx, self.pack.clear_sql(), "clear.sql")
            .await?;
        plan_check::check_clear(&plan)?;
        let physical = ctx.state().create_physical_plan(&plan).await?;
        plan_check::build_on_side_tables(physical)
    }

    /// Plans both queries once over no rows, so that a bad policy fails before anything is written.
    async fn check_policy(&self) -> Result<()> {
        let unit = Unit {
            index: 0,
            id: String::new(),
            file: 0,
            row_groups: Vec::new(),
        };
        let table = UnitTable::new(&self.inputs, &unit, &BTreeMap::new(), &self.spec.layout);
        let ctx = self.session(Arc::new(table), None).await?;
        let assess = self
            .pack_plan(&ctx, self.pack.assess_sql(), "assess.sql")
            .await?;
        plan_check::check_assess(&assess)?;
        self.clear_plan(&ctx).await?;
        Ok(())
    }
}

/// A time as settings have it.
pub(crate) fn parse_time(text: &str) -> Result<DateTime<Utc>> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Ok(time.with_timezone(&Utc));
    }
    if let Ok(date) = text.parse::<chrono::NaiveDate>() {
        return Ok(date.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    Err(JobError::usage(format!(
        "policy.as_of `{text}` is neither an RFC 3339 time (2026-11-01T00:00:00Z) nor a date (2026-11-01)"
    )))
}

fn settings_of(file: &JobFile, as_of: &str) -> TamisSettings {
    TamisSettings {
        lexicon: file.resources.lexicon.clone(),
        thresholds: file.resources.thresholds.clone(),
        model: file.resources.model.clone(),
        license_policy: file.resources.license_policy.clone(),
        sources: file.resources.sources.clone(),
        consent: file.resources.consent.clone(),
        purposes: file.resources.purposes.clone(),
        opt_out: file.resources.opt_out.clone(),
        opt_out_agents: file.resources.opt_out_agents.clone(),
        opt_out_max_age_days: file.policy.opt_out_max_age_days.clone(),
        opt_out_also_as_of: file.policy.opt_out_also_as_of.clone(),
        blocked: file.resources.blocked.clone(),
        subject_key: file.resources.subject_key.clone(),
        purpose: file.policy.purpose.clone(),
        use_case: file.policy.use_case.clone(),
        as_of: Some(as_of.to_owned()),
    }
}

/// A session that reads tables by uri.
pub(crate) fn table_session<'a>(
    stores: &Stores,
    uris: impl IntoIterator<Item = &'a str>,
) -> Result<SessionContext> {
    let ctx = session_context(SessionOptions {
        stores: stores.clone(),
        ..SessionOptions::default()
    })
    .map_err(|error| JobError::failed(error.to_string()))?;
    for uri in uris.into_iter().filter(|uri| uri.contains("://")) {
        stores
            .register(&ctx, uri)
            .map_err(|error| JobError::usage(error.to_string()))?;
    }
    Ok(ctx)
}

/// Loads the resources that settings name.
pub(crate) async fn load_resources(stores: &Stores, settings: &TamisSettings) -> Result<Resources> {
    let named = [
        &settings.lexicon,
        &settings.thresholds,
        &settings.model,
        &settings.license_policy,
        &settings.sources,
        &settings.consent,
        &settings.purposes,
        &settings.opt_out,
        &settings.opt_out_agents,
        &settings.blocked,
        &settings.subject_key,
    ];
    // A lexicon may be several, one over the other.
    let uris = named
        .into_iter()
        .flatten()
        .flat_map(|uri| uri.split('|'))
        .map(str::trim);
    let ctx = table_session(stores, uris)?;
    Resources::load(&ctx, settings)
        .await
        .map_err(|error| match error {
            ResourceError::Read { .. } => JobError::failed(error.to_string()),
            other => JobError::from(other),
        })
}

/// The pack asks every row for its source and, where there is a subject, for consent.
fn check_resources(file: &JobFile, resources: &Resources) -> Result<()> {
    let missing = |setting: &str, why: &str| {
        Err(JobError::usage(format!(
            "resources.{setting} is not set, and {why}. Name a file in [resources] {setting}, or --set {setting}=FILE"
        )))
    };
    if resources.sources.is_none() {
        return missing(
            "sources",
            "the policy asks every row for its source's evidence",
        );
    }
    if file.corpus.columns.subject.is_some() {
        if resources.subject_key.is_none() {
            return missing(
                "subject_key",
                "corpus.columns.subject is mapped: subjects are written as keyed refs",
            );
        }
        if resources.consent.is_none() {
            return missing(
                "consent",
                "corpus.columns.subject is mapped: their consent has to be looked up",
            );
        }
    }
    Ok(())
}
