use serde::Deserialize;

/// The risk of entries that mask: a hit lying wholly inside one of theirs does not count.
pub const ALLOW: &str = "allow";

/// The columns of a lexicon; `term`, `risk` and `weight` must be there, others default when
/// absent or empty, and unknown ones are ignored.
pub const LEXICON_COLUMNS: [&str; 7] = [
    "term", "risk", "weight", "match", "lang", "variants", "note",
];

/// Where in a text a term may match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MatchKind {
    /// Never cutting a word at an edge of the term that is a letter or digit of a script written
    /// with spaces; anywhere at other edges, such as Han.
    #[default]
    Auto,
    /// The same, stated on purpose: a term in a script without spaces has no word edges to keep.
    Word,
    /// Anywhere, inside words too.
    Substring,
}

impl MatchKind {
    /// Reads `auto`, `word` or `substring`; empty is `auto`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "" | "auto" => Some(Self::Auto),
            "word" => Some(Self::Word),
            "substring" => Some(Self::Substring),
            _ => None,
        }
    }

    /// The name in the `match` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Word => "word",
            Self::Substring => "substring",
        }
    }
}

/// One line of a lexicon.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The term, as written; matched in its normal form.
    pub term: String,
    /// Id of its risk in the taxonomy, or [`ALLOW`].
    pub risk: String,
    /// How surely the term alone means the risk, in (0, 1]: its score when it stands once. Of no
    /// effect on entries that mask.
    pub weight: f64,
    /// Where it may match.
    pub match_kind: MatchKind,
    /// Language of the term; informative.
    pub lang: String,
    /// The forms of a text that still match: empty or `all` for every one, `none`, or names of
    /// [`crate::Via`] joined by `|`.
    pub variants: String,
    /// For the reader of the lexicon.
    pub note: String,
}
