//! Carrying a plan out: rewrite beside, commit, move into place, delete. Every step may be repeated.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};

use crate::job::context::Stop;
use crate::job::error::{JobError, Result};
use crate::job::manifest::{self, Manifest, SUCCESS, path_of, success_bytes};
use crate::job::output::{CommitProtocol, Created, Output};
use crate::job::receipt::OutputFile;
use crate::job::spec::Layout;
use crate::report::progress::Progress;

use super::record::{AffectedFile, PURGES, Plan, unfinished};
use super::rewrite::Rewriting;

/// Objects copied or removed at the same time.
const CONCURRENT: usize = 8;

/// How a plan is carried out.
#[derive(Debug)]
pub struct Applying<'a> {
    /// The output.
    pub output: &'a Output,
    /// How files are laid out.
    pub layout: &'a Layout,
    /// How the manifest is made unique.
    pub protocol: CommitProtocol,
    /// Units at the same time.
    pub workers: usize,
    /// Asks for a clean end.
    pub stop: &'a Stop,
    /// Where progress goes.
    pub progress: &'a Progress,
}

impl Applying<'_> {
    /// Claims the output for a plan. Whoever comes second is told so, and nothing was changed.
    pub async fn claim(&self, plan: &Plan) -> Result<()> {
        let output = self.output;
        match output
            .create(&plan.path(), &plan.to_bytes()?, self.protocol)
            .await?
        {
            Created::New | Created::Same => {}
            Created::Other(_) => {
                return Err(JobError::failed(format!(
                    "{}. Nothing was changed",
                    unfinished(output, plan)
                )));
            }
        }
        // Another purge may have come and gone since our manifest was read.
        let current = manifest::success(output).await?;
        if current.as_ref().map(|(path, digest)| (path, digest))
            != Some((&plan.previous.path, &plan.previous.sha256))
        {
            output.remove(&plan.path()).await?;
            return Err(JobError::failed(format!(
                "{}: another purge committed in the meantime; nothing was changed. Run again",
                output.uri(SUCCESS)
            )));
        }
        Ok(())
    }

    /// Rewrites, commits and finishes a claimed plan. Gives the new manifest.
    pub async fn apply(
        &self,
        previous: &Manifest,
        plan: &Plan,
        resuming: bool,
    ) -> Result<Manifest> {
        let output = self.output;
        if output.is_local() {
            // Object stores show nothing of a write that was cut off, and are slow to list.
            output.remove_leftovers().await?;
        }
        let manifest = self.rewrite(previous, plan, resuming).await?;
        if plan.keep_old {
            self.progress
                .phase("keeping", plan.record.superseded.len() as u64);
            each(&plan.record.superseded, |file| async move {
                output.copy(&file.path, &plan.kept(&file.path)).await?;
                self.progress.add(1);
                Ok(())
            })
            .await?;
        }
        let bytes = manifest.to_bytes()?;
        let path = path_of(plan.number);
        match output.create(&path, &bytes, self.protocol).await? {
            Created::New | Created::Same => {}
            Created::Other(_) => {
                return Err(JobError::failed(format!(
                    "{}: another purge committed here in the meantime; nothing of it was changed",
                    output.uri(&path)
                )));
            }
        }
        let manifest = manifest::parse(output, &path, &bytes)?;
        self.finish(previous.kept.as_slice(), plan, &manifest)
            .await?;
        Ok(manifest)
    }

    async fn rewrite(&self, previous: &Manifest, plan: &Plan, resuming: bool) -> Result<Manifest> {
        let mut by_unit: BTreeMap<&str, Vec<&AffectedFile>> = BTreeMap::new();
        for file in &plan.files {
            by_unit.entry(&file.unit).or_default().push(file);
        }
        let sizes: BTreeMap<&str, u64> = previous
            .data_files()
            .map(|file| (file.file.path.as_str(), file.file.bytes))
            .collect();
        let bytes = plan
            .files
            .iter()
            .map(|file| sizes.get(file.path.as_str()).copied().unwrap_or(0))
            .sum();
        self.progress.phase("rewriting", bytes);
        let rewriting = Rewriting {
            output: self.output,
            plan,
            leaving: plan
                .record
                .withdrawals
                .iter()
                .flat_map(|withdrawal| withdrawal.rows.iter().map(String::as_str))
                .collect(),
            layout: self.layout,
            stop: self.stop,
            progress: self.progress,
            resuming,
        };
        let total = by_unit.len();
        let affected: Vec<_> = previous
            .units
            .iter()
            .enumerate()
            .filter_map(|(index, unit)| Some((index, unit, by_unit.get(unit.name.as_str())?)))
            .collect();
        let rewriting = &rewriting;
        let units: Vec<_> = stream::iter(affected.into_iter().enumerate())
            .map(|(done, (index, unit, files))| async move {
                match rewriting.unit(unit, files).await {
                    Ok(unit) => Ok((index, unit)),
                    Err(JobError::Interrupted { .. }) => Err(JobError::Interrupted { done, total }),
                    Err(error) => Err(error),
                }
            })
            .buffered(self.workers.max(1))
            .try_collect()
            .await?;
        let mut manifest = previous.clone();
        for (index, unit) in units {
            manifest.units[index] = unit;
        }
        for (verdict, rows) in &plan.record.verdicts {
            let count = manifest.verdicts.entry(verdict.clone()).or_default();
            *count = count.checked_sub(*rows).ok_or_else(|| {
                JobError::failed(format!(
                    "{}: has fewer `{verdict}` rows than leave; `tamis verify` says more",
                    self.output.uri(&previous.stored.path)
                ))
            })?;
        }
        manifest.purged += plan.record.rows;
        if plan.keep_old {
            let kept = plan.record.superseded.iter().map(|file| OutputFile {
                path: plan.kept(&file.path),
                ..file.clone()
            });
            manifest.kept.extend(kept);
        } else {
            manifest.kept.clear();
        }
        manifest.commit = match self.protocol {
            CommitProtocol::CreateOnly => "create-only",
            CommitProtocol::SingleWriter => "single-writer",
        }
        .to_owned();
        manifest.previous = Some(plan.previous.clone());
        manifest.purge = Some(plan.record.clone());
        Ok(manifest)
    }

    /// Moves a committed purge's files into place and removes what they replace. While that goes on
    /// there is no `_SUCCESS`: who reads folders waits, as for a job.
    pub async fn finish(
        &self,
        kept_before: &[OutputFile],
        plan: &Plan,
        manifest: &Manifest,
    ) -> Result<()> {
        let output = self.output;
        let path = &manifest.stored.path;
        let current = manifest::success(output).await?;
        if current.is_none_or(|(name, _)| name != *path) {
            let number = format!(".{:06}.", plan.number);
            let new: Vec<&OutputFile> = manifest
                .objects()
                .filter(|file| file.path.contains(&number))
                .collect();
            let removed: Vec<&OutputFile> = plan
                .record
                .superseded
                .iter()
                .chain(kept_before.iter().filter(|_| !plan.keep_old))
                .collect();
            self.progress
                .phase("moving", (new.len() + removed.len()) as u64);
            output.remove(SUCCESS).await?;
            each(new, |file| async move {
                if output.size(&file.path).await? != Some(file.bytes) {
                    output.copy(&plan.staged(&file.path), &file.path).await?;
                }
                self.progress.add(1);
                Ok(())
            })
            .await?;
            each(removed, |file| async move {
                output.remove(&file.path).await?;
                self.progress.add(1);
                Ok(())
            })
            .await?;
            let success = success_bytes(path, &manifest.stored.sha256);
            output.put(SUCCESS, success).await?;
        }
        let folder = format!("{PURGES}/{:06}", plan.number);
        let staged = output.list_below(&folder).await?;
        each(&staged, |name| async move { output.remove(name).await }).await?;
        output.remove(&plan.path()).await?;
        output.remove_empty_folder(PURGES);
        Ok(())
    }
}

/// Does the same to several objects at a time.
async fn each<T, F>(items: impl IntoIterator<Item = T>, work: impl Fn(T) -> F) -> Result<()>
where
    F: Future<Output = Result<()>>,
{
    stream::iter(items)
        .map(work)
        .buffer_unordered(CONCURRENT)
        .try_collect()
        .await
}
