use serde::de::DeserializeOwned;
use tamis_resource::{ResourceError, Result};

/// Reads TOML into `T`; errors carry the line.
pub(crate) fn parse<T: DeserializeOwned>(uri: &str, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| {
            let before = &text.as_bytes()[..span.start.min(text.len())];
            1 + before.iter().filter(|&&byte| byte == b'\n').count()
        });
        malformed(uri, format!("line {line}"), error.message())
    })
}

pub(crate) fn malformed(
    uri: &str,
    location: impl Into<String>,
    message: impl Into<String>,
) -> ResourceError {
    ResourceError::Malformed {
        uri: uri.to_owned(),
        location: location.into(),
        message: message.into(),
    }
}
