//! Commands on this machine.

mod bad_input;
mod crash;
mod job;
mod purge;
mod sql;
