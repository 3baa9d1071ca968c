//! Whole commands over the built binary: `cli/` on this machine, `s3/` against a real S3 server.

mod cli;
mod s3;
mod support;
