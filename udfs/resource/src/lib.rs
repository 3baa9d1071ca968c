//! What every resource Tamis judges with has in common: an identity, a digest and errors that
//! say which setting, file and line to look at.

mod error;
mod identity;
mod nearest;

pub use error::{ResourceError, Result};
pub use identity::{Identity, sha256_hex};
pub use nearest::nearest;
