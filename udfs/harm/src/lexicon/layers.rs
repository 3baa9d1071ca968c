use std::collections::HashSet;

use tamis_resource::{Identity, Result, sha256_hex};
use tamis_text::fold;

use super::{Entry, Lexicon};
use crate::taxonomy::Taxonomy;

/// One of several lexicons that are used as one.
#[derive(Debug, Clone)]
pub struct Layer {
    /// Where it came from, and its digest.
    pub identity: Identity,
    /// Its entries, each with its place in the source.
    pub entries: Vec<(String, Entry)>,
}

impl From<&Lexicon> for Layer {
    fn from(lexicon: &Lexicon) -> Self {
        let places = lexicon.places().iter().cloned();
        Self {
            identity: lexicon.identity().clone(),
            entries: places.zip(lexicon.entries().iter().cloned()).collect(),
        }
    }
}

impl Lexicon {
    /// Several lexicons as one, named `uri`. What a later layer says of a term takes the place of
    /// all that earlier ones say of it, terms being the same when they fold to the same: a later
    /// `allow` of a term switches it off, a later weight replaces the earlier one. A layer may
    /// hold nothing but masks.
    ///
    /// The digest is that of the layers' digests, one a line, in their order; the version names
    /// those of the layers that state one, joined by `+`. Places are preceded by the layer's uri.
    ///
    /// # Errors
    /// As for [`Self::new`], for each layer and for the whole, naming the layer; Malformed without
    /// any layer.
    pub fn layered(uri: &str, layers: Vec<Layer>, taxonomy: &Taxonomy) -> Result<Self> {
        let digests: Vec<&str> = layers
            .iter()
            .map(|layer| layer.identity.sha256.as_str())
            .collect();
        let versions: Vec<&str> = layers
            .iter()
            .map(|layer| layer.identity.version.as_str())
            .filter(|version| !version.is_empty())
            .collect();
        let identity = Identity {
            uri: uri.to_owned(),
            version: versions.join("+"),
            sha256: sha256_hex(digests.join("\n").as_bytes()),
        };
        // From the last layer to the first: a term is taken once a later layer has it.
        let mut taken: HashSet<String> = HashSet::new();
        let mut kept: Vec<Vec<(String, Entry)>> = Vec::new();
        for layer in layers.into_iter().rev() {
            let name = layer.identity.uri.clone();
            let layer = Self::resolve(layer.identity, layer.entries, taxonomy)?;
            let terms: Vec<String> = layer
                .entries
                .iter()
                .map(|entry| fold(&entry.term).trim().to_owned())
                .collect();
            let left = layer
                .places
                .into_iter()
                .zip(layer.entries)
                .zip(&terms)
                .filter(|(_, term)| !taken.contains(*term))
                .map(|((place, entry), _)| (format!("{name}, {place}"), entry));
            kept.push(left.collect());
            taken.extend(terms);
        }
        let entries = kept.into_iter().rev().flatten().collect();
        Self::new(identity, entries, taxonomy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::parse_lexicon_csv;

    fn layer(uri: &str, lines: &str) -> Layer {
        let text = format!("term,risk,weight\n{lines}");
        Layer {
            identity: Identity::of_bytes(uri, "", text.as_bytes()),
            entries: parse_lexicon_csv(uri, text.as_bytes(), b',').expect("reads"),
        }
    }

    fn layered(layers: Vec<Layer>) -> Result<Lexicon> {
        Lexicon::layered("base.csv|ours.csv", layers, &Taxonomy::builtin())
    }

    #[test]
    fn later_layers_override_all_an_earlier_one_says_of_a_term() {
        let lexicon = layered(vec![
            layer(
                "base.csv",
                "Rob,A1h,0.5\nrob,A1f,0.4\nburn,A1c,0.5\nkill,A1f,0.9\n",
            ),
            layer("ours.csv", "ＲＯＢ,A1h,0.2\nkill,allow,\nsteal,A1h,0.3\n"),
        ])
        .expect("layers");
        let found: Vec<_> = lexicon
            .entries()
            .iter()
            .zip(lexicon.places())
            .map(|(entry, place)| (&*entry.term, &*entry.risk, entry.weight, place.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("burn", "A1c", 0.5, "base.csv, line 4"),
                ("ＲＯＢ", "A1h", 0.2, "ours.csv, line 2"),
                ("kill", "allow", 1.0, "ours.csv, line 3"),
                ("steal", "A1h", 0.3, "ours.csv, line 4"),
            ]
        );
        assert_eq!(lexicon.identity().uri, "base.csv|ours.csv");
    }

    #[test]
    fn the_digest_names_the_layers_and_their_order() {
        let (first, second) = (layer("a.csv", "a,A1a,1\n"), layer("b.csv", "b,A1a,1\n"));
        let one = layered(vec![first.clone(), second.clone()]).expect("layers");
        let other = layered(vec![second, first.clone()]).expect("layers");
        let again = layered(vec![first, layer("moved.csv", "b,A1a,1\n")]).expect("layers");
        assert_ne!(one.identity().sha256, other.identity().sha256);
        assert_eq!(one.identity().sha256, again.identity().sha256);
    }

    #[test]
    fn layers_are_checked_each_and_as_a_whole() {
        let error = |layers| layered(layers).unwrap_err().to_string();
        assert_eq!(
            error(vec![
                layer("a.csv", "a,A1a,1\n"),
                layer("b.csv", "b,A1a,1\nB,A1a,0.5\n"),
            ]),
            "b.csv, line 3: the term 'B' is given twice for A1a: first at line 2"
        );
        assert!(
            error(vec![
                layer("a.csv", "a,A1a,1\n"),
                layer("b.csv", "a,allow,\n")
            ])
            .contains("no entry names a risk")
        );
        assert!(error(vec![]).contains("no entry names a risk"));
    }
}
