//! Commands on this machine.

mod bad_input;
mod crash;
mod evidence;
mod job;
mod lexicon;
mod optout;
mod sql;
