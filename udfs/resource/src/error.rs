/// What a resource's reader returns.
pub type Result<T, E = ResourceError> = std::result::Result<T, E>;

/// Why a resource cannot be used. Every message names the next step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResourceError {
    /// A function was called whose resource has no default and was not given.
    #[error(
        "{function} needs {setting}, which is not set: give it with SET {setting} = '...', \
         --set {setting}=... or [resources] in job.toml",
        setting = prefixed(setting)
    )]
    NotSet {
        /// The setting that names the resource, with or without the `tamis.` prefix.
        setting: &'static str,
        /// The function or command that needs it.
        function: String,
    },
    /// A name is none of the known ones.
    #[error("unknown {kind} '{name}'{}; known: {known}", suggestion(nearest))]
    UnknownName {
        /// What the name should be one of, such as `risk` or `use`.
        kind: &'static str,
        /// The name as given.
        name: String,
        /// All known names, separated by commas.
        known: String,
        /// The known name that was probably meant.
        nearest: Option<String>,
    },
    /// The resource could not be read at all.
    #[error("cannot read {uri} (setting {setting}): {message}")]
    Read {
        /// The setting that names the resource.
        setting: String,
        /// The resource as the user named it.
        uri: String,
        /// What the file system or object store said.
        message: String,
    },
    /// The resource was read but its content is wrong.
    #[error("{uri}, {location}: {message}")]
    Malformed {
        /// The resource as the user named it.
        uri: String,
        /// Where in it: `line 3`, `row 12` or `key x.y`.
        location: String,
        /// What is wrong there.
        message: String,
    },
}

fn prefixed(setting: &str) -> String {
    if setting.starts_with("tamis.") {
        setting.to_owned()
    } else {
        format!("tamis.{setting}")
    }
}

fn suggestion(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map(|name| format!(" (did you mean '{name}'?)"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_setting_says_where_to_give_it() {
        for setting in ["consent", "tamis.consent"] {
            let error = ResourceError::NotSet {
                setting,
                function: "consent_status".into(),
            };
            assert_eq!(
                error.to_string(),
                "consent_status needs tamis.consent, which is not set: give it with \
                 SET tamis.consent = '...', --set tamis.consent=... or [resources] in job.toml"
            );
        }
    }

    #[test]
    fn unknown_name_suggests() {
        let error = |nearest: Option<&str>| ResourceError::UnknownName {
            kind: "use",
            name: "trian".into(),
            known: "train, serve".into(),
            nearest: nearest.map(str::to_owned),
        };
        assert_eq!(
            error(Some("train")).to_string(),
            "unknown use 'trian' (did you mean 'train'?); known: train, serve"
        );
        assert_eq!(
            error(None).to_string(),
            "unknown use 'trian'; known: train, serve"
        );
    }

    #[test]
    fn content_errors_name_file_and_place() {
        let malformed = ResourceError::Malformed {
            uri: "words.csv".into(),
            location: "line 3".into(),
            message: "empty term".into(),
        };
        assert_eq!(malformed.to_string(), "words.csv, line 3: empty term");
        let read = ResourceError::Read {
            setting: "tamis.lexicon".into(),
            uri: "words.csv".into(),
            message: "no such file".into(),
        };
        assert_eq!(
            read.to_string(),
            "cannot read words.csv (setting tamis.lexicon): no such file"
        );
    }
}
