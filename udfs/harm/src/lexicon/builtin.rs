use std::sync::{Arc, OnceLock};

use tamis_resource::Identity;

use super::Lexicon;
use super::csv::parse_lexicon_csv;
use super::date::lexicon_updated;
use crate::taxonomy::Taxonomy;

const FILES: [(&str, &str); 3] = [
    ("lexicon-zh.csv", include_str!("../../data/lexicon-zh.csv")),
    ("lexicon-en.csv", include_str!("../../data/lexicon-en.csv")),
    (
        "lexicon-allow.csv",
        include_str!("../../data/lexicon-allow.csv"),
    ),
];

impl Lexicon {
    /// The built-in starter lexicon, Chinese and English, for the built-in taxonomy. Its digest is
    /// that of its three files, one after the other; its version is the latest date on which one
    /// of them says it was updated.
    pub fn builtin() -> Arc<Self> {
        static BUILTIN: OnceLock<Arc<Lexicon>> = OnceLock::new();
        BUILTIN
            .get_or_init(|| {
                let all = FILES.map(|(_, text)| text).concat();
                let updated = FILES
                    .iter()
                    .filter_map(|(_, text)| lexicon_updated(text.as_bytes()))
                    .max()
                    .unwrap_or_default();
                let identity = Identity::of_bytes("builtin:lexicon", updated, all.as_bytes());
                let mut entries = Vec::new();
                for (name, text) in FILES {
                    let file = parse_lexicon_csv(name, text.as_bytes(), b',')
                        .unwrap_or_else(|error| panic!("the embedded lexicon: {error}"));
                    entries.extend(
                        file.into_iter()
                            .map(|(place, entry)| (format!("{name} {place}"), entry)),
                    );
                }
                let lexicon = Self::new(identity, entries, &Taxonomy::builtin())
                    .unwrap_or_else(|error| panic!("the embedded lexicon: {error}"));
                Arc::new(lexicon)
            })
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn covers_the_keyword_risks() {
        let lexicon = Lexicon::builtin();
        let mut by_risk: BTreeMap<&str, usize> = BTreeMap::new();
        for entry in lexicon.entries() {
            *by_risk.entry(&*entry.risk).or_default() += 1;
        }
        let allow = by_risk.remove("allow").unwrap_or_default();
        assert!(allow > 0, "entries that mask");
        let harmful: usize = by_risk.values().sum();
        assert!(harmful >= 600, "{harmful} entries name a risk");
        for risk in Taxonomy::builtin()
            .risks()
            .iter()
            .filter(|risk| risk.group == "A1" || risk.group == "A2")
        {
            assert!(by_risk.contains_key(&*risk.id), "{} has entries", risk.id);
        }
        for language in ["zh", "en"] {
            assert!(lexicon.entries().iter().any(|entry| entry.lang == language));
        }
    }

    #[test]
    fn no_term_is_both_harmful_and_allowed() {
        let lexicon = Lexicon::builtin();
        for pattern in lexicon.patterns() {
            let masks = pattern
                .entries
                .iter()
                .filter(|&&entry| lexicon.rules()[entry].risk.is_none())
                .count();
            assert!(
                masks == 0 || masks == pattern.entries.len(),
                "'{}' masks itself",
                pattern.text
            );
        }
    }
}
