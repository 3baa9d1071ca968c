//! Which purposes lie under which.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use tamis_resource::{Identity, ResourceError, Result, sha256_hex};
use toml::{Table, Value};

use crate::field::{name_problem, shown};

const BUILTIN_URI: &str = "builtin:purposes";
const BUILTIN_TOML: &str = include_str!("../data/purposes.toml");

/// The purpose over all others.
pub(crate) const ANY_NAME: &str = "any";

/// How deep purposes may be nested: a made-up file must not cost quadratic memory.
const MOST_LEVELS: usize = 32;

/// Which purposes lie under which, up to `any`.
///
/// Who asks for a purpose hears the records of it and of every purpose above it, grants,
/// refusals and withdrawals alike; records of the purposes *under* it stay unheard. So ask
/// for the narrowest purpose the data is for. A purpose the hierarchy does not name lies
/// directly under `any`. Names are compared in any ASCII case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PurposeHierarchy {
    identity: Identity,
    /// Purpose to the purpose above it. `any` is no key.
    under: BTreeMap<String, String>,
}

impl PurposeHierarchy {
    /// The built-in one: `model-training` under `any`; `pre-training`, `fine-tuning`,
    /// `alignment` and `evaluation` under `model-training`.
    pub fn builtin() -> Arc<Self> {
        static BUILTIN: OnceLock<Arc<PurposeHierarchy>> = OnceLock::new();
        Arc::clone(BUILTIN.get_or_init(|| {
            let read = Self::from_toml(BUILTIN_URI, BUILTIN_TOML);
            Arc::new(read.expect("the built-in purposes are checked by a test"))
        }))
    }

    /// Reads a TOML file: an optional text `version` and a table `under` in which every
    /// purpose is a key and the purpose above it the value.
    ///
    /// ```toml
    /// version = "2026-11"
    /// [under]
    /// model-training = "any"
    /// pre-training = "model-training"
    /// ```
    ///
    /// # Errors
    /// [`ResourceError::Malformed`] when the text is no such TOML; for an empty or padded
    /// name; for `any` or `*` as a key; for a purpose above that is neither `any` nor a key
    /// itself (a mistyped one would cut refusals off); for purposes that lie under
    /// themselves or more than 32 levels deep.
    pub fn from_toml(uri: &str, text: &str) -> Result<Self> {
        let malformed = |location: &str, message: String| ResourceError::Malformed {
            uri: uri.to_owned(),
            location: location.to_owned(),
            message,
        };
        let mut table: Table = text
            .parse()
            .map_err(|error: toml::de::Error| malformed("TOML", error.message().to_owned()))?;
        let version = match table.remove("version") {
            None => String::new(),
            Some(Value::String(version)) => version,
            Some(_) => return Err(malformed("key version", "is not a text".into())),
        };
        let Some(Value::Table(rows)) = table.remove("under") else {
            return Err(malformed("key under", "is missing or not a table".into()));
        };
        if let Some(key) = table.keys().next() {
            return Err(malformed(&format!("key {key}"), "is not known".into()));
        }
        let mut under = BTreeMap::new();
        for (purpose, above) in rows {
            let place = format!("key under.{}", shown(&purpose));
            let Value::String(above) = above else {
                return Err(malformed(&place, "is not a text".into()));
            };
            let problem =
                name_problem("purpose", &purpose).or_else(|| name_problem("the value", &above));
            if let Some(problem) = problem {
                return Err(malformed(&place, problem));
            }
            if under.insert(folded(&purpose), folded(&above)).is_some() {
                return Err(malformed(&place, "stands twice".into()));
            }
        }
        check(&under).map_err(|(purpose, message)| {
            malformed(&format!("key under.{}", shown(&purpose)), message)
        })?;
        Ok(Self {
            identity: Identity::of_bytes(uri, version, text.as_bytes()),
            under,
        })
    }

    /// A hierarchy as a snapshot holds it.
    pub(crate) fn from_snapshot(
        uri: &str,
        under: BTreeMap<String, String>,
    ) -> Result<Self, (String, String)> {
        check(&under)?;
        let mut hierarchy = Self {
            identity: Identity::of_bytes(uri, "", b""),
            under,
        };
        hierarchy.identity.sha256 = hierarchy.digest();
        Ok(hierarchy)
    }

    /// Which file this is. Of a hierarchy out of a snapshot the digest is
    /// [`PurposeHierarchy::digest`].
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// SHA-256 of what the hierarchy says, whatever its file looks like: the lines
    /// `purpose TAB purpose-above LF` in the order of their bytes. 64 lower-case hex digits.
    pub fn digest(&self) -> String {
        let mut lines = String::new();
        for (purpose, above) in &self.under {
            lines.extend([purpose.as_str(), "\t", above.as_str(), "\n"]);
        }
        sha256_hex(lines.as_bytes())
    }

    /// Whether the hierarchy names `purpose`; `any` and `*` always.
    pub fn contains(&self, purpose: &str) -> bool {
        let purpose = folded(purpose);
        purpose == ANY_NAME || self.under.contains_key(&purpose)
    }

    /// Every purpose but `any`, with the purpose above it.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&str, &str)> {
        self.under
            .iter()
            .map(|(purpose, above)| (purpose.as_str(), above.as_str()))
    }
}

/// A purpose as it is compared: lower case, `*` as `any`.
pub(crate) fn folded(purpose: &str) -> String {
    match purpose {
        "*" => ANY_NAME.to_owned(),
        _ => purpose.to_ascii_lowercase(),
    }
}

/// Every chain must end at `any`. The error names the purpose at fault.
fn check(under: &BTreeMap<String, String>) -> Result<(), (String, String)> {
    for (purpose, above) in under {
        if purpose == ANY_NAME {
            return Err((purpose.clone(), "any lies under nothing".into()));
        }
        if above != ANY_NAME && !under.contains_key(above) {
            let message = format!("lies under {}, which is not declared", shown(above));
            return Err((purpose.clone(), message));
        }
    }
    for purpose in under.keys() {
        let mut chain = vec![purpose];
        let mut above = &under[purpose];
        while above != ANY_NAME {
            if chain.contains(&above) {
                return Err((purpose.clone(), "lies under itself".into()));
            }
            if chain.len() == MOST_LEVELS {
                let message = format!("lies more than {MOST_LEVELS} levels under any");
                return Err((purpose.clone(), message));
            }
            chain.push(above);
            above = &under[above];
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        PurposeHierarchy::from_toml("purposes.toml", text)
            .expect_err("malformed")
            .to_string()
    }

    #[test]
    fn the_builtin_hierarchy() {
        let builtin = PurposeHierarchy::builtin();
        for purpose in ["any", "*", "model-training", "Pre-Training", "evaluation"] {
            assert!(builtin.contains(purpose), "{purpose}");
        }
        assert!(!builtin.contains("advertising"));
        assert_eq!(builtin.identity().uri, "builtin:purposes");
        assert_eq!(builtin.identity().version, "1");
    }

    #[test]
    fn the_digest_is_of_what_is_said() {
        let read = |text| PurposeHierarchy::from_toml("purposes.toml", text).expect("sound");
        let first = read("version = '2'\n[under]\nB = '*'\na = 'b'\n");
        let second = read("[under]\na = 'B' # under b\nb = 'any'");
        assert_eq!(first.digest(), second.digest());
        assert_eq!(first.digest(), sha256_hex(b"a\tb\nb\tany\n"));
        assert_ne!(first.identity().sha256, second.identity().sha256);
        assert_ne!(read("[under]\na = 'any'").digest(), first.digest());
    }

    #[test]
    fn cycles_and_loose_ends_are_errors() {
        for (text, expected) in [
            ("[under]\na = 'a'", "key under.\"a\": lies under itself"),
            (
                "[under]\na = 'b'\nb = 'c'\nc = 'b'\nd = 'any'",
                "key under.\"a\": lies under itself",
            ),
            (
                "[under]\na = 'b'",
                "key under.\"a\": lies under \"b\", which is not declared",
            ),
            (
                "[under]\nany = 'a'\na = 'any'",
                "key under.\"any\": any lies under nothing",
            ),
            (
                "[under]\n'*' = 'any'",
                "key under.\"any\": any lies under nothing",
            ),
            (
                "[under]\na = 'any'\nA = 'any'",
                "key under.\"a\": stands twice",
            ),
            (
                "[under]\n' a' = 'any'",
                "key under.\" a\": purpose has white space around it",
            ),
            ("[under]\na = ''", "key under.\"a\": the value is empty"),
            ("[under]\na = 1", "key under.\"a\": is not a text"),
            ("version = 1\n[under]", "key version: is not a text"),
            ("version = '1'", "key under: is missing or not a table"),
            ("[under]\n[over]", "key over: is not known"),
        ] {
            let expected = format!("purposes.toml, {expected}");
            assert_eq!(problem(text), expected, "{text}");
        }
        assert!(problem("[under").starts_with("purposes.toml, TOML: "));
    }
}
