//! The one error type of jobs: what went wrong, where, and what to do next.

use std::path::Path;

/// Why a job command could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum JobError {
    /// A wrong flag, setting or job file; nothing was read or written (exit code 2).
    #[error("{0}")]
    Usage(String),
    /// The work could not be finished (exit code 1).
    #[error("{0}")]
    Failed(String),
    /// Stopped on request between batches; what is committed so far stays (exit code 1).
    #[error(
        "stopped on request: {done} of {total} units are done and kept. Run the same command again to resume"
    )]
    Interrupted {
        /// Units with a receipt.
        done: usize,
        /// Units of the job.
        total: usize,
    },
}

/// Result of job functions.
pub type Result<T, E = JobError> = std::result::Result<T, E>;

impl JobError {
    /// A wrong flag, setting or job file.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// Work that could not be finished.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    pub(crate) fn store(error: &object_store::Error, uri: &str) -> Self {
        Self::Failed(crate::session::stores::explain(error, uri))
    }

    pub(crate) fn local(path: &Path, error: &std::io::Error) -> Self {
        Self::Failed(format!("{}: {error}", path.display()))
    }
}

impl From<datafusion::error::DataFusionError> for JobError {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        Self::Failed(error.strip_backtrace())
    }
}

impl From<datafusion::arrow::error::ArrowError> for JobError {
    fn from(error: datafusion::arrow::error::ArrowError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<parquet::errors::ParquetError> for JobError {
    fn from(error: parquet::errors::ParquetError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<tamis_resource::ResourceError> for JobError {
    fn from(error: tamis_resource::ResourceError) -> Self {
        Self::Usage(error.to_string())
    }
}
