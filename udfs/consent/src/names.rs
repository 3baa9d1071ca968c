//! Dictionaries: names as small numbers.

use std::collections::{BTreeMap, HashMap};

use crate::purpose_hierarchy::{ANY_NAME, PurposeHierarchy, folded};

/// The purpose over all others, numbered first.
pub(crate) const ANY: u32 = 0;

#[derive(Debug, Default)]
pub(crate) struct Names {
    index: HashMap<Box<str>, u32>,
    names: Vec<Box<str>>,
}

impl Names {
    pub(crate) fn get(&self, name: &str) -> Option<u32> {
        self.index.get(name).copied()
    }

    pub(crate) fn intern(&mut self, name: &str) -> u32 {
        if let Some(index) = self.get(name) {
            return index;
        }
        let index = self.names.len() as u32;
        self.index.insert(name.into(), index);
        self.names.push(name.into());
        index
    }

    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter().map(AsRef::as_ref)
    }

    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// For each name its number in `other`, which must hold them all.
    pub(crate) fn numbers_in(&self, other: &Names) -> Vec<u32> {
        self.iter()
            .map(|name| other.get(name).expect("the other dictionary holds it"))
            .collect()
    }
}

/// All purposes of a registry: those of its records and those of the hierarchy. `any` is
/// number 0, the others stand in the order of their bytes.
#[derive(Debug)]
pub(crate) struct Purposes {
    pub(crate) names: Names,
    pub(crate) hierarchy: PurposeHierarchy,
    /// Per purpose: itself and every purpose above it.
    chains: Vec<Box<[u32]>>,
}

impl Purposes {
    /// `used` are the purposes of the records.
    pub(crate) fn new<'a>(
        used: impl Iterator<Item = &'a str>,
        hierarchy: &PurposeHierarchy,
    ) -> Self {
        let mut above: BTreeMap<&str, &str> = used.map(|purpose| (purpose, ANY_NAME)).collect();
        above.extend(hierarchy.rows());
        above.remove(ANY_NAME);
        let mut names = Names::default();
        names.intern(ANY_NAME);
        for purpose in above.keys() {
            names.intern(purpose);
        }
        let chain = |purpose: &str| {
            let mut chain = Vec::new();
            let mut purpose = Some(purpose);
            while let Some(name) = purpose {
                chain.extend(names.get(name));
                purpose = above.get(name).copied();
            }
            chain.into_boxed_slice()
        };
        let chains = names.iter().map(chain).collect();
        Self {
            hierarchy: hierarchy.clone(),
            chains,
            names,
        }
    }

    /// The number of a purpose in any ASCII case. One that is not here has no records of
    /// its own and lies under `any`, and so it may pass for `any` itself.
    pub(crate) fn number(&self, purpose: &str) -> u32 {
        let found = if purpose == "*" || purpose.bytes().any(|byte| byte.is_ascii_uppercase()) {
            self.names.get(&folded(purpose))
        } else {
            self.names.get(purpose)
        };
        found.unwrap_or(ANY)
    }

    /// The purpose itself and every purpose above it.
    pub(crate) fn chain(&self, purpose: u32) -> &[u32] {
        &self.chains[purpose as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_end_at_any() {
        let hierarchy = PurposeHierarchy::builtin();
        let purposes = Purposes::new(["support", "any", "model-training"].into_iter(), &hierarchy);
        let chain = |purpose: &str| -> Vec<&str> {
            let names: Vec<&str> = purposes.names.iter().collect();
            let numbers = purposes.chain(purposes.number(purpose));
            numbers
                .iter()
                .map(|number| names[*number as usize])
                .collect()
        };
        assert_eq!(
            chain("Pre-Training"),
            ["pre-training", "model-training", "any"]
        );
        assert_eq!(chain("model-training"), ["model-training", "any"]);
        assert_eq!(chain("support"), ["support", "any"]);
        for purpose in ["any", "*", "never seen"] {
            assert_eq!(chain(purpose), ["any"]);
        }
        assert!(purposes.names.iter().skip(1).is_sorted());
    }
}
