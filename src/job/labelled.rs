//! What a label of a training table means.

use tamis_harm::{CLEAN, Taxonomy};

/// Labels that say yes when one risk is asked about.
const YES: [&str; 4] = ["1", "true", "yes", "t"];
/// Labels of a text without any risk.
const NONE: [&str; 4] = ["0", "false", "no", "f"];

/// The risks (indices in the taxonomy) a label names: risk ids joined by `|`, `,`, `;` or white
/// space; `clean`, `0`, `false`, `no` and nothing at all are none. With `risk` the labels `1`, `true`
/// and `yes` are that risk. `__label__` before an id is fastText's and is passed over.
///
/// # Errors
/// The part that is no risk.
pub fn risks_of(
    label: Option<&str>,
    risk: Option<usize>,
    taxonomy: &Taxonomy,
) -> std::result::Result<Vec<usize>, String> {
    let mut risks = Vec::new();
    let parts = label
        .unwrap_or_default()
        .split(|c: char| "|,;".contains(c) || c.is_whitespace());
    for part in parts.filter(|part| !part.is_empty()) {
        let part = part.strip_prefix("__label__").unwrap_or(part);
        let lower = part.to_ascii_lowercase();
        if lower == CLEAN || NONE.contains(&lower.as_str()) {
            continue;
        }
        match (taxonomy.index(part), risk) {
            (Some(found), _) => risks.push(found),
            (None, Some(risk)) if YES.contains(&lower.as_str()) => risks.push(risk),
            (None, None) if YES.contains(&lower.as_str()) => {
                return Err(format!(
                    "'{part}' says yes, but not to which risk: name it with --risk"
                ));
            }
            _ => return Err(format!("'{part}' is neither a risk id nor `{CLEAN}`")),
        }
    }
    risks.sort_unstable();
    risks.dedup();
    Ok(risks)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_name_risks_or_none() {
        let taxonomy = Taxonomy::builtin();
        let of = |label, risk: Option<&str>| {
            let risk = risk.and_then(|id| taxonomy.index(id));
            let found = risks_of(label, risk, &taxonomy)?;
            let ids = found.iter().map(|risk| taxonomy.risks()[*risk].id.clone());
            Ok::<_, String>(ids.collect::<Vec<_>>().join(" "))
        };
        assert_eq!(of(Some("A4a"), None).unwrap(), "A4a");
        assert_eq!(of(Some("__label__A4a; A2d|A4a"), None).unwrap(), "A2d A4a");
        for clean in [None, Some(""), Some("clean"), Some("0"), Some("False")] {
            assert_eq!(of(clean, None).unwrap(), "");
            assert_eq!(of(clean, Some("A4a")).unwrap(), "");
        }
        assert_eq!(of(Some("1"), Some("A4a")).unwrap(), "A4a");
        assert!(of(Some("1"), None).unwrap_err().contains("--risk"));
        assert!(
            of(Some("spam"), Some("A4a"))
                .unwrap_err()
                .contains("'spam'")
        );
    }
}
