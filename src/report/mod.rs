//! What people see of a job: progress while it runs, a summary when it is done.

pub mod progress;
pub mod summary;
