//! The subject key: from a file, or from the environment. Nothing here shows it.

use datafusion::prelude::SessionContext;
use tamis_consent::SubjectKey;
use tamis_resource::{ResourceError, Result};

use crate::table::read_bytes;

pub(super) async fn load(ctx: &SessionContext, uri: &str) -> Result<SubjectKey> {
    let bytes = match uri.strip_prefix("env:") {
        Some(name) => {
            let value = std::env::var_os(name).ok_or_else(|| ResourceError::Read {
                setting: "tamis.subject_key".to_owned(),
                uri: uri.to_owned(),
                message: format!("the environment variable {name} is not set"),
            })?;
            value.into_encoded_bytes()
        }
        None => read_bytes(ctx, "subject_key", uri).await?,
    };
    SubjectKey::from_bytes(&bytes)
}
