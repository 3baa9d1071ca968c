use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

use tamis_text::{fold, is_default_ignorable, is_normal, simplified};

/// The normal form that found a hit: how what the text has differs from the term as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Via {
    /// The term as written.
    Exact,
    /// Other characters of the same sound. Only for entries that ask for it.
    Homophone,
    /// Characters written in pinyin. Only for entries that ask for it.
    Pinyin,
    /// A character written as its two parts.
    Split,
    /// Digits and signs for the letters they look like.
    Leet,
    /// Another style of digits: 9, 九, 玖.
    Number,
    /// Letters of another script or shape that look alike.
    Homoglyph,
    /// Spaces, punctuation, symbols or emoji between the characters.
    Separator,
    /// A letter three times or more.
    Repeat,
    /// Traditional for simplified characters or the reverse.
    Traditional,
    /// Characters that show nothing stand between.
    ZeroWidth,
    /// Mathematical letters or letter-like symbols.
    Math,
    /// Letters, digits or ideographs in circles, squares or brackets.
    Enclosed,
    /// Full-width, half-width or another compatibility form, such as ligatures, superscripts and
    /// compatibility ideographs.
    Width,
    /// Characters written in parts: letter and mark, or single jamo.
    Combining,
    /// Upper for lower case or the reverse.
    Case,
}

impl Via {
    /// All, in the order in which the first that applies names the hit.
    pub(crate) const ALL: [Self; 16] = [
        Self::Exact,
        Self::Homophone,
        Self::Pinyin,
        Self::Split,
        Self::Leet,
        Self::Number,
        Self::Homoglyph,
        Self::Separator,
        Self::Repeat,
        Self::Traditional,
        Self::ZeroWidth,
        Self::Math,
        Self::Enclosed,
        Self::Width,
        Self::Combining,
        Self::Case,
    ];

    /// The name in `harm_hits` and in the `variants` column of a lexicon.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Homophone => "homophone",
            Self::Pinyin => "pinyin",
            Self::Split => "split",
            Self::Leet => "leet",
            Self::Number => "number",
            Self::Homoglyph => "homoglyph",
            Self::Separator => "separator",
            Self::Repeat => "repeat",
            Self::Traditional => "traditional",
            Self::ZeroWidth => "zero_width",
            Self::Math => "math",
            Self::Enclosed => "enclosed",
            Self::Width => "width",
            Self::Combining => "combining",
            Self::Case => "case",
        }
    }
}

/// A set of normal forms; a term as written is always in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Forms(u16);

impl Forms {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const ALL: Self = Self(u16::MAX);

    /// What an entry takes that says nothing: all but those that go by sound.
    pub(crate) const DEFAULT: Self = Self(!(1 << Via::Homophone as u16 | 1 << Via::Pinyin as u16));
    /// Forms of which a hit is weaker evidence.
    const WEAK: Self = Self(!Self::DEFAULT.0);

    /// Reads the `variants` column: empty for the default forms, `all`, `none`, or names joined by
    /// `|`. Gives back a name it does not know.
    pub(crate) fn parse(variants: &str) -> Result<Self, &str> {
        match variants.trim() {
            "" => Ok(Self::DEFAULT),
            "all" => Ok(Self::ALL),
            "none" => Ok(Self::NONE),
            names => names
                .split('|')
                .map(str::trim)
                .try_fold(Self::NONE, |forms, name| {
                    Via::ALL
                        .into_iter()
                        .find(|via| via.as_str() == name)
                        .map(|via| forms.with(via))
                        .ok_or(name)
                }),
        }
    }

    /// The forms in which `span` differs from `term`, which it was found to stand for; `known` are
    /// those that finding it told.
    pub(crate) fn between(span: &str, term: &str, known: Self) -> Self {
        if span == term {
            return Self::NONE;
        }
        if fold(span) != fold(term) {
            return Self::between_disguised(span, term, known);
        }
        let mut forms = span.chars().fold(Self::NONE, |forms, c| match form_of(c) {
            Some(via) => forms.with(via),
            None => forms,
        });
        let shown =
            |text: &str| -> String { text.chars().filter(|&c| !is_default_ignorable(c)).collect() };
        let (span, term) = (shown(span), shown(term));
        if span.nfc().count() < span.chars().count() {
            forms = forms.with(Via::Combining);
        }
        if forms == Self::NONE || span.nfkc().ne(term.nfkc()) {
            forms = forms.with(Via::Case);
        }
        forms
    }

    /// The same for a span that does not fold to the same as the term: what its characters are,
    /// apart from those the term has.
    fn between_disguised(span: &str, term: &str, known: Self) -> Self {
        let mut forms = known;
        for c in span.chars().filter(|c| !c.is_ascii() && !term.contains(*c)) {
            if is_combining_mark(c) {
                forms = forms.with(Via::Combining);
            } else if is_default_ignorable(c) {
                forms = forms.with(Via::ZeroWidth);
            } else if simplified(c) != c {
                forms = forms.with(Via::Traditional);
            } else if !c.is_alphanumeric() && form_of(c) != Some(Via::Enclosed) {
                // A separator, or between the characters of one.
            } else if let Some(via) = form_of(c) {
                forms = forms.with(via);
            } else if !is_normal(c)
                && fold(c.encode_utf8(&mut [0; 4]))
                    .chars()
                    .any(|c| !is_normal(c))
            {
                forms = forms.with(if std::iter::once(c).nfd().nth(1).is_some() {
                    Via::Combining
                } else {
                    Via::Homoglyph
                });
            }
        }
        let is_other_case = |c: char| c.is_uppercase() && !term.contains(c);
        if forms == Self::NONE || span.contains(is_other_case) {
            forms = forms.with(Via::Case);
        }
        forms
    }

    /// The form that names a hit found with these.
    pub(crate) fn name(self) -> Via {
        Via::ALL
            .into_iter()
            .skip(1)
            .find(|via| self.holds(*via))
            .unwrap_or(Via::Exact)
    }

    pub(crate) fn is_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// This form alone.
    pub(crate) fn of(via: Via) -> Self {
        Self::NONE.with(via)
    }

    /// The forms of both.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether a hit in these forms is weaker evidence than one of the term as written.
    pub(crate) fn is_weak(self) -> bool {
        self.0 & Self::WEAK.0 != 0
    }

    fn with(self, via: Via) -> Self {
        match via {
            Via::Exact => self,
            _ => Self(self.0 | 1 << via as u16),
        }
    }

    pub(crate) fn holds(self, via: Via) -> bool {
        self.0 & (1 << via as u16) != 0
    }
}

/// The form a single character of a text is in, by its block; `None` for an ordinary character.
fn form_of(c: char) -> Option<Via> {
    if c.is_ascii() {
        return None;
    }
    if is_default_ignorable(c) {
        return Some(Via::ZeroWidth);
    }
    // Enclosed letters and digits, some without a compatibility form.
    if matches!(u32::from(c), 0x2460..=0x24FF | 0x2776..=0x2793 | 0x1F100..=0x1F189) {
        return Some(Via::Enclosed);
    }
    let mut decomposed = Vec::new();
    decompose_compatible(c, |part| decomposed.push(part));
    if decomposed.into_iter().nfc().eq([c]) {
        return None;
    }
    Some(match u32::from(c) {
        0x2100..=0x214F | 0x1D400..=0x1D7FF | 0x1EE00..=0x1EEFF => Via::Math,
        0x2460..=0x24FF | 0x3200..=0x32FF | 0x1F100..=0x1F2FF => Via::Enclosed,
        _ => Via::Width,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn via(span: &str, term: &str) -> &'static str {
        assert_eq!(fold(span), fold(term));
        Forms::between(span, term, Forms::NONE).name().as_str()
    }

    #[test]
    fn names_the_form() {
        assert_eq!(via("fuck", "fuck"), "exact");
        assert_eq!(via("SB", "SB"), "exact");
        assert_eq!(via("FuCk", "fuck"), "case");
        assert_eq!(via("fuck", "FUCK"), "case");
        assert_eq!(via("ｆｕｃｋ", "fuck"), "width");
        assert_eq!(via("ﬁst", "fist"), "width");
        assert_eq!(via("㎏", "kg"), "width");
        assert_eq!(via("他\u{200B}妈", "他妈"), "zero_width");
        assert_eq!(via("Ｆ\u{AD}uck", "fuck"), "zero_width");
        assert_eq!(via("𝓯𝓾𝓬𝓴", "fuck"), "math");
        assert_eq!(via("ℌ𝔦", "hi"), "math");
        assert_eq!(via("ⓕⓤⓒⓚ", "fuck"), "enclosed");
        assert_eq!(via("㊙密", "秘密"), "enclosed");
        assert_eq!(via("Ⓕⓤck", "fuck"), "enclosed");
        assert_eq!(via("cafe\u{301}", "café"), "combining");
        assert_eq!(via("CAFE\u{301}", "café"), "combining");
        assert_eq!(via("ｶﾞ", "ガ"), "width");
        assert_eq!(via("\u{1100}\u{1161}", "가"), "combining");
        assert_eq!(via("fuck", "ｆｕｃｋ"), "case");
    }

    #[test]
    fn all_forms_of_a_span_count() {
        let forms = Forms::between("ＦＵ\u{200B}ＣＫ", "fuck", Forms::NONE);
        for via in [Via::ZeroWidth, Via::Width, Via::Case] {
            assert!(forms.holds(via));
        }
        for via in [Via::Math, Via::Enclosed, Via::Combining] {
            assert!(!forms.holds(via));
        }
        let forms = Forms::between("ｆｕｃｋ", "fuck", Forms::NONE);
        assert!(!forms.holds(Via::Case), "only the width differs");
    }

    #[test]
    fn variants_column() {
        assert_eq!(Forms::parse(""), Ok(Forms::DEFAULT));
        assert_eq!(Forms::parse("all"), Ok(Forms::ALL));
        assert_eq!(Forms::parse(" none "), Ok(Forms::NONE));
        assert_eq!(Forms::parse("exact"), Ok(Forms::NONE));
        let forms = Forms::parse("case | width").expect("known names");
        assert!(Forms::between("ＦＵＣＫ", "fuck", Forms::NONE).is_within(forms));
        assert!(Forms::NONE.is_within(forms));
        assert!(!Forms::between("f\u{200B}uck", "fuck", Forms::NONE).is_within(forms));
        assert_eq!(Forms::parse("case|wdith"), Err("wdith"));
        assert_eq!(Forms::parse("case|"), Err(""));
    }
}
