//! Commands on this machine.

mod bad_input;
mod consent;
mod crash;
mod evidence;
mod job;
mod lexicon;
mod model;
mod optout;
mod purge;
mod sql;
