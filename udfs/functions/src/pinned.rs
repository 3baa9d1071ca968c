//! A resource inside a function: what it was loaded from, and whether the session still agrees.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::error::{DataFusionError, Result};
use tamis_resource::ResourceError;

use crate::settings::TamisSettings;

/// The resource of one function, with its digest and the settings it was loaded under.
///
/// Equality and hash go by digest and settings: two functions of one name that would answer
/// differently are never taken for one by common subexpression elimination or a cache.
pub(crate) struct Pinned<T> {
    function: &'static str,
    /// The setting without which there is no resource.
    setting: &'static str,
    resource: Option<Arc<T>>,
    digest: String,
    /// The settings that decide what this function answers, as loaded.
    loaded: Vec<(&'static str, Option<String>)>,
    /// What the session asks for instead, from its last `SET`.
    differs: Option<String>,
}

impl<T> Pinned<T> {
    /// `settings` are the names of the settings the resource comes from; the first is the one to
    /// give when `resource` is `None`.
    pub(crate) fn new(
        function: &'static str,
        resource: Option<Arc<T>>,
        digest: impl Into<String>,
        settings: &[&'static str],
        loaded: &TamisSettings,
    ) -> Self {
        Self {
            function,
            setting: settings[0],
            resource,
            digest: digest.into(),
            loaded: settings
                .iter()
                .map(|name| (*name, loaded.effective(name).map(str::to_owned)))
                .collect(),
            differs: None,
        }
    }

    /// The resource when nothing speaks against planning a call.
    ///
    /// # Errors
    /// A plan error when the session names another resource than the loaded one, and when there
    /// is none.
    pub(crate) fn at_planning(&self) -> Result<&T> {
        if let Some(difference) = &self.differs {
            return Err(self.stale(difference));
        }
        self.resource.as_deref().ok_or_else(|| {
            let error = ResourceError::NotSet {
                setting: self.setting,
                function: self.function.to_owned(),
            };
            DataFusionError::Plan(error.to_string())
        })
    }

    /// The resource when the options a call runs under agree too: they were fixed when the
    /// physical plan was made, which may be later than the function was looked up.
    pub(crate) fn at_run(&self, config: &ConfigOptions) -> Result<&T> {
        if let Some(difference) = self.difference(config) {
            return Err(self.stale(&difference));
        }
        self.at_planning()
    }

    /// The same resource under new options; `None` when nothing changes.
    pub(crate) fn with_config(&self, config: &ConfigOptions) -> Option<Self> {
        let differs = self.difference(config);
        (differs != self.differs).then(|| Self {
            differs,
            ..self.clone()
        })
    }

    fn difference(&self, config: &ConfigOptions) -> Option<String> {
        let session = TamisSettings::of(config)?;
        self.loaded.iter().find_map(|(name, loaded)| {
            let asked = session.effective(name);
            (asked != loaded.as_deref()).then(|| {
                format!(
                    "the session has tamis.{name} {}, the registered function was loaded with {}",
                    shown(asked),
                    shown(loaded.as_deref())
                )
            })
        })
    }

    fn stale(&self, difference: &str) -> DataFusionError {
        DataFusionError::Plan(format!(
            "{}: {difference}; call Resources::load and register_all with the new settings first",
            self.function
        ))
    }
}

fn shown(value: Option<&str>) -> String {
    value.map_or_else(|| "unset".to_owned(), |value| format!("'{value}'"))
}

impl<T> Clone for Pinned<T> {
    fn clone(&self) -> Self {
        Self {
            function: self.function,
            setting: self.setting,
            resource: self.resource.clone(),
            digest: self.digest.clone(),
            loaded: self.loaded.clone(),
            differs: self.differs.clone(),
        }
    }
}

impl<T> PartialEq for Pinned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.function == other.function
            && self.resource.is_some() == other.resource.is_some()
            && self.digest == other.digest
            && self.loaded == other.loaded
            && self.differs == other.differs
    }
}

impl<T> Eq for Pinned<T> {}

impl<T> Hash for Pinned<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.function.hash(state);
        self.resource.is_some().hash(state);
        self.digest.hash(state);
        self.loaded.hash(state);
        self.differs.hash(state);
    }
}

/// Without the resource itself, which may be a registry of millions of rows.
impl<T> fmt::Debug for Pinned<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pinned")
            .field("function", &self.function)
            .field("digest", &self.digest)
            .field("loaded", &self.loaded)
            .field("differs", &self.differs)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use super::*;

    fn config(settings: &[(&str, &str)]) -> ConfigOptions {
        let mut config = ConfigOptions::new();
        config.extensions.insert(TamisSettings::default());
        for (name, value) in settings {
            config.set(&format!("tamis.{name}"), value).unwrap();
        }
        config
    }

    fn pinned(digest: &str) -> Pinned<u8> {
        let settings = TamisSettings::default();
        Pinned::new(
            "harm",
            Some(Arc::new(7)),
            digest,
            &["lexicon", "thresholds"],
            &settings,
        )
    }

    #[test]
    fn digest_decides_equality_and_hash() {
        let state = RandomState::new();
        assert_eq!(pinned("a"), pinned("a"));
        assert_eq!(state.hash_one(pinned("a")), state.hash_one(pinned("a")));
        assert_ne!(pinned("a"), pinned("b"));
        assert_ne!(state.hash_one(pinned("a")), state.hash_one(pinned("b")));
    }

    #[test]
    fn another_name_is_an_error_until_it_is_loaded() {
        let loaded = pinned("a");
        assert_eq!(loaded.with_config(&config(&[])), None);
        // The default by its name and settings of other functions change nothing.
        let same = config(&[("lexicon", "builtin:lexicon"), ("consent", "c.csv")]);
        assert_eq!(loaded.with_config(&same), None);
        assert_eq!(*loaded.at_run(&same).unwrap(), 7);
        // A host without the extension cannot ask for anything.
        assert_eq!(*loaded.at_run(&ConfigOptions::new()).unwrap(), 7);

        let other = config(&[("lexicon", "mine.csv")]);
        let stale = loaded
            .with_config(&other)
            .expect("the session asks for another lexicon");
        let expected = "harm: the session has tamis.lexicon 'mine.csv', the registered function \
                        was loaded with 'builtin:lexicon'; call Resources::load and register_all \
                        with the new settings first";
        for error in [stale.at_planning(), loaded.at_run(&other)] {
            assert!(error.unwrap_err().to_string().ends_with(expected));
        }
        assert_eq!(stale.with_config(&config(&[])), Some(loaded));
    }

    #[test]
    fn an_absent_resource_names_its_setting() {
        let settings = TamisSettings::default();
        let absent = Pinned::<u8>::new("subject_ref", None, "", &["subject_key"], &settings);
        let error = absent.at_planning().unwrap_err();
        assert!(matches!(error, DataFusionError::Plan(_)));
        assert!(
            error
                .to_string()
                .contains("subject_ref needs tamis.subject_key, which is not set"),
            "{error}"
        );
    }
}
