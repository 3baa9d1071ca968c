/// The known name a mistyped `name` most likely meant, for "did you mean" in errors.
///
/// Compared by edit distance with transpositions, ignoring ASCII case. At most a third of the
/// longer name may differ (one character in names up to five), or `name` begins or continues a
/// known name with at least three characters; otherwise `None`. Of equally near names the first
/// one given wins.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = name.trim().to_ascii_lowercase();
    if wanted.is_empty() {
        return None;
    }
    let wanted_len = wanted.chars().count();
    let mut best: Option<(usize, &'a str)> = None;
    let mut consider = |rank: usize, candidate: &'a str| {
        if best.is_none_or(|(known_rank, _)| rank < known_rank) {
            best = Some((rank, candidate));
        }
    };
    for candidate in known {
        let lower = candidate.to_ascii_lowercase();
        let candidate_len = lower.chars().count();
        let distance = strsim::damerau_levenshtein(&wanted, &lower);
        let allowed = (wanted_len.max(candidate_len) / 3).max(1);
        if distance <= allowed {
            consider(distance, candidate);
        } else if wanted_len.min(candidate_len) >= 3
            && (lower.starts_with(&wanted) || wanted.starts_with(&lower))
        {
            // After every real near miss, whose distance is smaller than any name is long.
            consider(1_000 + distance, candidate);
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 4] = ["lexicon", "license_policy", "sources", "consent"];

    #[test]
    fn finds_the_typing_error() {
        assert_eq!(nearest("lexcion", KEYS), Some("lexicon"));
        assert_eq!(nearest("Source", KEYS), Some("sources"));
        assert_eq!(nearest("licence_policy", KEYS), Some("license_policy"));
        assert_eq!(nearest("A1x", ["A1a", "B2x"]), Some("A1a"));
    }

    #[test]
    fn finds_the_beginning() {
        assert_eq!(nearest("license", KEYS), Some("license_policy"));
        assert_eq!(nearest("consent_registry", KEYS), Some("consent"));
    }

    #[test]
    fn says_nothing_when_nothing_is_near() {
        assert_eq!(nearest("banana", KEYS), None);
        assert_eq!(nearest("", KEYS), None);
        assert_eq!(nearest("x", []), None);
    }
}
