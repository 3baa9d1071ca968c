//! Withdrawal after the fact: rows leave an output that is committed already.
//!
//! [`purge`] finds the rows that a takedown list, a newer consent registry or newer opt-out signals are about, writes the files
//! that hold them again without them, and commits a new manifest that names the rows and why they left.
//! `docs/decisions/0003-purge.md` says in which order, and what an interruption leaves.

pub mod apply;
pub mod consent;
pub mod demand;
pub mod find;
pub mod history;
pub mod opt_out;
pub mod record;
pub mod rewrite;
pub mod takedown;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, SecondsFormat, Utc};
use tamis_functions::TamisSettings;

use crate::report::progress::Progress;
use crate::session::stores::Stores;

use self::apply::Applying;
use self::consent::ConsentNow;
use self::demand::Demand;
use self::find::{Found, find};
use self::opt_out::OptOutNow;
use self::record::{AffectedFile, Plan, PurgeRecord, pending, unfinished};
use self::takedown::Takedown;
use super::context::{Stop, load_resources, parse_time, table_session};
use super::error::{JobError, Result};
use super::manifest::{self, Manifest, SUCCESS, number_of, path_of, success_bytes};
use super::output::{CommitProtocol, Output};
use super::pack::Pack;
use super::run::stored_spec;
use super::spec::{Spec, SpecResource};

/// What leaves, and how.
#[derive(Debug, Clone)]
pub struct PurgeOptions {
    /// A newer consent registry.
    pub consent: Option<String>,
    /// Newer snapshots of opt-out signals.
    pub opt_out: Option<String>,
    /// Takedown lists.
    pub takedown: Vec<String>,
    /// Where the subject key lies: a path, a URL or `env:NAME`.
    pub subject_key: Option<String>,
    /// The crawlers whose robots.txt rules count; absent: those of the job.
    pub opt_out_agents: Option<String>,
    /// The instant consent and signals are judged at; absent: now.
    pub as_of: Option<String>,
    /// Keep superseded objects, below `_tamis/superseded/`.
    pub keep_old: bool,
    /// Remove what earlier purges kept, even if no row leaves.
    pub drop_old: bool,
    /// Only say what would leave.
    pub dry_run: bool,
    /// Complete an interrupted purge; nothing else is asked.
    pub resume: bool,
    /// Units at the same time.
    pub workers: usize,
    /// Where progress goes.
    pub progress: Progress,
    /// Asks for a clean end.
    pub stop: Stop,
}

/// How a purge ended.
#[derive(Debug)]
pub struct PurgeOutcome {
    /// Where.
    pub output: String,
    /// What left, or would leave.
    pub record: PurgeRecord,
    /// From which files.
    pub files: Vec<AffectedFile>,
    /// The manifest that was committed; `None` when nothing had to leave, and on a dry run.
    pub manifest: Option<String>,
    /// An earlier purge that was completed first.
    pub completed: Option<u64>,
    /// Nothing was written.
    pub dry_run: bool,
    /// How the manifest was made unique.
    pub protocol: CommitProtocol,
    /// For the people who wrote the tables.
    pub warnings: Vec<String>,
    /// Wall time.
    pub elapsed: Duration,
}

/// Takes rows out of an output.
pub async fn purge(uri: &str, stores: &Stores, options: &PurgeOptions) -> Result<PurgeOutcome> {
    purge_in(&Output::open(stores, uri)?, stores, options).await
}

/// [`purge`] in an output that is open already; tables are read from `stores`.
pub async fn purge_in(
    output: &Output,
    stores: &Stores,
    options: &PurgeOptions,
) -> Result<PurgeOutcome> {
    let started = Instant::now();
    let spec = stored_spec(output)
        .await?
        .ok_or_else(|| JobError::usage(format!("{}: no Tamis output there", output.uri(""))))?;
    let mut outcome = PurgeOutcome {
        output: output.uri(""),
        record: PurgeRecord::default(),
        files: Vec::new(),
        manifest: None,
        completed: None,
        dry_run: options.dry_run,
        protocol: CommitProtocol::CreateOnly,
        warnings: Vec::new(),
        elapsed: Duration::ZERO,
    };
    let mut waiting = pending(output).await?;
    if options.dry_run
        && let Some(plan) = &waiting
    {
        return Err(JobError::failed(unfinished(output, plan)));
    }
    if !options.dry_run {
        outcome.protocol = output.probe_protocol().await?;
    }
    let applying = Applying {
        output,
        layout: &spec.layout,
        protocol: outcome.protocol,
        workers: options.workers,
        stop: &options.stop,
        progress: &options.progress,
    };
    if let Some(plan) = &waiting
        && let Some(manifest) = manifest::read_any(output, &path_of(plan.number)).await?
    {
        // Committed: what is left to do depends on nobody's flags.
        let previous = previous(output, plan).await?;
        output.remove_leftovers().await?;
        applying.finish(&previous.kept, plan, &manifest).await?;
        outcome.completed = Some(plan.number);
        waiting = None;
    }
    if options.resume {
        if let Some(plan) = waiting {
            let previous = previous(output, &plan).await?;
            let manifest = applying.apply(&previous, &plan, true).await?;
            outcome.completed = Some(plan.number);
            outcome.manifest = Some(manifest.stored.path);
            (outcome.record, outcome.files) = (plan.record, plan.files);
        }
        outcome.elapsed = started.elapsed();
        return Ok(outcome);
    }
    let manifest = committed(output, options.dry_run).await?;
    let plan = decide(
        output,
        stores,
        options,
        &spec,
        &manifest,
        waiting.as_ref(),
        &mut outcome.warnings,
    )
    .await?;
    let drops = options.drop_old && !manifest.kept.is_empty();
    let nothing = plan.files.is_empty() && !drops;
    let resuming = match &waiting {
        Some(other) if other.is_same(&plan) => true,
        Some(other) => {
            return Err(JobError::failed(format!(
                "{}. This one asks for something else; nothing was changed",
                unfinished(output, other)
            )));
        }
        None => false,
    };
    if !options.dry_run && !nothing {
        let plan = waiting.as_ref().unwrap_or(&plan);
        if !resuming {
            applying.claim(plan).await?;
        }
        let manifest = applying.apply(&manifest, plan, resuming).await?;
        outcome.manifest = Some(manifest.stored.path);
    }
    (outcome.record, outcome.files) = (plan.record, plan.files);
    outcome.elapsed = started.elapsed();
    Ok(outcome)
}

/// The manifest a plan starts from.
async fn previous(output: &Output, plan: &Plan) -> Result<Manifest> {
    let from = &plan.previous;
    manifest::read_as(output, &from.path, &from.sha256, &plan.path()).await
}

/// The committed manifest. A `_SUCCESS` that got lost is written again, unless nothing may be written.
async fn committed(output: &Output, dry_run: bool) -> Result<Manifest> {
    if let Some(manifest) = manifest::read(output).await? {
        return Ok(manifest);
    }
    let unfinished = || {
        JobError::usage(format!(
            "{}: the job is not finished. `tamis run` with its job file completes it",
            output.uri("")
        ))
    };
    let newest = manifest::newest(output).await?.ok_or_else(unfinished)?;
    let manifest = manifest::read_any(output, &newest)
        .await?
        .ok_or_else(unfinished)?;
    if !dry_run {
        let success = success_bytes(&newest, &manifest.stored.sha256);
        output.put(SUCCESS, success).await?;
    }
    Ok(manifest)
}

/// Loads what asks for rows to leave, finds them, and puts the plan together.
async fn decide(
    output: &Output,
    stores: &Stores,
    options: &PurgeOptions,
    spec: &Spec,
    manifest: &Manifest,
    waiting: Option<&Plan>,
    warnings: &mut Vec<String>,
) -> Result<Plan> {
    let as_of = match (&options.as_of, waiting) {
        (Some(text), _) => parse_time(text)?,
        // An interrupted purge keeps the instant it was decided at.
        (None, Some(plan)) if plan.as_of_defaulted => parse_time(&plan.record.at)?,
        (None, _) => Utc::now(),
    };
    let pack_name = spec.pack.uri.strip_prefix("builtin:");
    let pack = Pack::load(pack_name.unwrap_or(&spec.pack.uri)).ok();
    if pack.is_none() {
        warnings.push(format!(
            "policy pack {} is not there any more: no clauses are cited",
            spec.pack.uri
        ));
    }
    let demands = demands(stores, options, spec, pack.as_ref(), as_of, warnings).await?;
    let Found {
        withdrawals,
        files,
        verdicts,
    } = find(
        output,
        manifest,
        &demands,
        options.workers,
        &options.progress,
        &options.stop,
    )
    .await?;
    let number = number_of(&manifest.stored.path).unwrap_or_default() + 1;
    let asked_by: BTreeMap<String, SpecResource> = demands
        .iter()
        .enumerate()
        .map(|(index, demand)| {
            let (setting, resource) = demand.identity();
            let is_first = demands[..index]
                .iter()
                .all(|earlier| earlier.identity().0 != setting);
            let name = if is_first {
                setting.to_owned()
            } else {
                format!("{setting}.{index}")
            };
            (name, resource)
        })
        .collect();
    Ok(Plan {
        number,
        previous: manifest.stored.clone(),
        keep_old: options.keep_old,
        as_of_defaulted: options.as_of.is_none(),
        nonce: format!(
            "{}-{}",
            std::process::id(),
            Utc::now().timestamp_nanos_opt().unwrap_or_default()
        ),
        record: PurgeRecord {
            tamis: env!("CARGO_PKG_VERSION").to_owned(),
            at: as_of.to_rfc3339_opts(SecondsFormat::Micros, true),
            asked_by,
            pack: pack.map(|pack| SpecResource::from(&pack.identity)),
            rows: verdicts.values().sum(),
            verdicts,
            withdrawals,
            superseded: rewrite::superseded(manifest, &files),
        },
        files,
    })
}

async fn demands(
    stores: &Stores,
    options: &PurgeOptions,
    spec: &Spec,
    pack: Option<&Pack>,
    as_of: DateTime<Utc>,
    warnings: &mut Vec<String>,
) -> Result<Vec<Arc<dyn Demand>>> {
    let settings = TamisSettings {
        consent: options.consent.clone(),
        opt_out: options.opt_out.clone(),
        opt_out_agents: options.opt_out_agents.clone().or_else(|| {
            let agents = spec.resources.get("opt_out_agents");
            agents.map(|resource| resource.uri.clone())
        }),
        subject_key: options.subject_key.clone(),
        purpose: Some(spec.purpose.clone()),
        as_of: Some(as_of.to_rfc3339_opts(SecondsFormat::Micros, true)),
        ..TamisSettings::default()
    };
    let resources = load_resources(stores, &settings).await?;
    warnings.extend(resources.warnings.iter().cloned());
    let key_id = spec
        .resources
        .get("subject_key")
        .map(|resource| resource.version.as_str());
    let key = match (&resources.subject_key, key_id) {
        (Some(key), Some(known)) if known != key.key_id() => {
            return Err(JobError::usage(format!(
                "subject_key: the key has the id {}, the output was made with {known}. With another key no subject would be found",
                key.key_id()
            )));
        }
        (Some(_), None) => {
            warnings.push("the output was made without a subject key; none is used".to_owned());
            None
        }
        (key, _) => key.as_deref(),
    };
    let mut demands: Vec<Arc<dyn Demand>> = Vec::new();
    if let Some(registry) = &resources.consent {
        if spec.columns.subject.is_none() {
            return Err(JobError::usage(
                "--consent: the job mapped no subject column; no row has a consent to look up",
            ));
        }
        let key = key.ok_or_else(|| {
            JobError::usage(
                "--consent needs the subject key of the output: --set subject_key=FILE or env:NAME",
            )
        })?;
        debug_assert_eq!(registry.key_id().as_deref(), Some(key.key_id().as_str()));
        let now = ConsentNow::new(Arc::clone(registry), spec, pack, resources.as_of);
        demands.push(Arc::new(now));
    }
    if let Some(registry) = &resources.opt_out {
        if spec.columns.url.is_none() {
            return Err(JobError::usage(
                "--opt-out: the job mapped no url column; no row has an address to look up",
            ));
        }
        let rules = resources.opt_out_rules();
        let now = OptOutNow::new(Arc::clone(registry), rules, spec, pack, resources.as_of);
        demands.push(Arc::new(now));
    }
    for uri in &options.takedown {
        let ctx = table_session(stores, [uri.as_str()])?;
        let clause = pack.map_or("", |pack| pack.clause("takedown"));
        let mut list =
            Takedown::load(&ctx, uri, key, clause)
                .await
                .map_err(|error| match error {
                    // A table that cannot be read may be there at the next attempt.
                    tamis_resource::ResourceError::Read { .. } => {
                        JobError::failed(error.to_string())
                    }
                    other => JobError::from(other),
                })?;
        warnings.append(&mut list.warnings);
        demands.push(Arc::new(list));
    }
    Ok(demands)
}
