//! GNU licences by name, version and "only" or "or later".

use crate::names::Name;

/// Spellings of each licence as they stand in a key after `gnu`; longest first.
const SPELLINGS: &[(&str, &str)] = &[
    ("library or lesser general public", "LGPL"),
    ("lesser or library general public", "LGPL"),
    ("lesser general public", "LGPL"),
    ("library general public", "LGPL"),
    ("affero general public", "AGPL"),
    ("affero gpl", "AGPL"),
    ("lesser gpl", "LGPL"),
    ("library gpl", "LGPL"),
    ("free documentation", "GFDL"),
    ("general public", "GPL"),
    ("affero 通用公共", "AGPL"),
    ("较宽松通用公共", "LGPL"),
    ("宽松通用公共", "LGPL"),
    ("宽通用公共", "LGPL"),
    ("通用公共", "GPL"),
    ("自由文档", "GFDL"),
    ("gfdl", "GFDL"),
    ("agpl", "AGPL"),
    ("lgpl", "LGPL"),
    ("fdl", "GFDL"),
    ("gpl", "GPL"),
];

/// Reads a key as a GNU licence. Without a version it is the family; with one that was never
/// published, or words nobody can place, it is nothing.
pub(crate) fn read(key: &str) -> Option<Name> {
    let key = key.strip_prefix("gnu ").unwrap_or(key);
    let (rest, family) = SPELLINGS.iter().find_map(|(spelling, family)| {
        let rest = key.strip_prefix(spelling)?;
        (rest.is_empty() || rest.starts_with(' ')).then_some((rest, *family))
    })?;
    let mut words = rest.split_whitespace();
    let Some(number) = words.next() else {
        return Some(Name::Family(family.to_owned()));
    };
    let version = match (family, number) {
        ("GPL", "1" | "2" | "3") | ("LGPL", "2" | "3") | ("AGPL", "1" | "3") => {
            format!("{number}.0")
        }
        ("LGPL", "2.1") | ("GFDL", "1.1" | "1.2" | "1.3") => number.to_owned(),
        _ => return None,
    };
    let suffix = match (words.next(), words.next()) {
        (None | Some("only"), None) => "only",
        (Some("+"), None) => "or-later",
        _ => return None,
    };
    Name::of_id(&format!("{family}-{version}-{suffix}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::key;

    fn id(text: &str) -> Option<String> {
        match read(&key(text))? {
            Name::Expression(expression) => Some(expression.to_string()),
            Name::Family(family) => Some(format!("family {family}")),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn version_and_reach_decide() {
        assert_eq!(id("GNU GPL v2").as_deref(), Some("GPL-2.0-only"));
        assert_eq!(id("GPLv3+").as_deref(), Some("GPL-3.0-or-later"));
        assert_eq!(
            id("GNU Library or Lesser General Public License 2.1 only").as_deref(),
            Some("LGPL-2.1-only")
        );
        assert_eq!(id("GNU AGPL").as_deref(), Some("family AGPL"));
        assert_eq!(
            id("GFDL 1.3 or later").as_deref(),
            Some("GFDL-1.3-or-later")
        );
    }

    #[test]
    fn what_does_not_exist_is_not_made_up() {
        for text in [
            "GPL 4",
            "GPL 2.1",
            "AGPL 2",
            "GPL 2 or 3",
            "GPL 2 only or later",
            "gpl-like",
        ] {
            assert_eq!(id(text), None, "{text}");
        }
    }
}
