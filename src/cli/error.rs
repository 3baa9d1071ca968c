//! How a command ends when it does not end well.

use std::process::ExitCode;

use crate::job::error::JobError;
use crate::session::SessionError;
use crate::session::stores::StoreError;

/// Why a command failed. The kind decides the exit code; 0 is for commands that are done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CliError {
    /// Wrong flags, settings or job file; nothing was done (exit code 2).
    #[error("{0}")]
    Usage(String),
    /// The work could not be finished, errors in SQL and interruption included (exit code 1).
    #[error("{0}")]
    Failed(String),
    /// The work is finished but a check failed (exit code 3).
    #[error("{0}")]
    CheckFailed(String),
}

impl CliError {
    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::CheckFailed(_) => 3,
        }
    }

    /// Prints the error to standard error and gives the exit code.
    pub fn report(&self) -> ExitCode {
        use std::io::Write;
        // Nobody may be reading; that changes nothing about the exit code.
        let _ = writeln!(std::io::stderr(), "error: {self}");
        ExitCode::from(self.exit_code())
    }
}

impl From<JobError> for CliError {
    fn from(error: JobError) -> Self {
        match error {
            JobError::Usage(message) => Self::Usage(message),
            other => Self::Failed(other.to_string()),
        }
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<SessionError> for CliError {
    fn from(error: SessionError) -> Self {
        match error {
            // A setting that names something that is not there is a wrong setting.
            SessionError::Setting(_) | SessionError::Resource(_) => Self::Usage(error.to_string()),
            SessionError::Engine(error) => Self::Failed(error.strip_backtrace()),
        }
    }
}
