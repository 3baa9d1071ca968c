//! Whether a licence found in a document is one that was stated for it.

use crate::expression::{Expression, License, Term};
use crate::names::Name;
use crate::parse::{self, Reading};

/// The licence ids of an expression, each once, in its order: those of `MIT OR (ISC AND MIT)` are
/// `MIT` and `ISC`. Exceptions and a `+` behind an id are left out. Empty for what
/// [`crate::license_id`] does not read.
pub fn terms(expression: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    if let Reading::Named(Name::Expression(expression)) = parse::read(expression) {
        visit(&expression, &mut |term| {
            let id = id(term);
            if !ids.iter().any(|known| known == id) {
                ids.push(id.to_owned());
            }
        });
    }
    ids
}

/// Whether the licence found in a document ([`crate::license_detect`]) contradicts the one stated
/// for it (a raw string, as [`crate::license_id`] takes it).
///
/// They contradict when a found licence is none of the stated expression's. Every part of a found
/// AND must be stated, of a found OR one part. Not a contradiction:
/// - `-only` beside `-or-later` of the same version, either way: a GNU text does not say "or
///   later", and who may choose a later version may state this one;
/// - a stated later version where the document says "or later" of an earlier one;
/// - a stated exception that the document does not repeat, and the other way round;
/// - a found member of a family stated without its version (`CC BY` and `CC-BY-4.0`);
/// - no statement, or one that says nothing or cannot be read (`other`, `see LICENSE`): its
///   verdict is `missing` already.
///
/// "All rights reserved" contradicts every licence. `detected` that is no expression does not
/// contradict anything.
///
/// ```
/// use tamis_license::license_conflicts;
///
/// assert!(license_conflicts(Some("MIT"), "GPL-3.0-only"));
/// assert!(!license_conflicts(Some("MIT or GPLv3+"), "GPL-3.0-only"));
/// assert!(!license_conflicts(Some("CC BY"), "CC-BY-4.0"));
/// assert!(!license_conflicts(None, "MIT"));
/// ```
pub fn license_conflicts(stated: Option<&str>, detected: &str) -> bool {
    stated.is_some_and(|stated| conflict(stated, detected))
}

/// [`license_conflicts`] of a statement that is there.
pub(crate) fn conflict(stated: &str, detected: &str) -> bool {
    let Reading::Named(Name::Expression(detected)) = parse::read(detected) else {
        return false;
    };
    match parse::read(stated) {
        Reading::Named(Name::Expression(stated)) => {
            let mut terms = Vec::new();
            visit(&stated, &mut |term| terms.push(term.clone()));
            !holds(&detected, &|found| {
                terms.iter().any(|term| agree(term, found))
            })
        }
        Reading::Named(Name::Family(family)) => {
            !holds(&detected, &|found| is_member(&family, id(found)))
        }
        Reading::Named(Name::Reserved) => true,
        _ => false,
    }
}

fn visit(expression: &Expression, see: &mut impl FnMut(&Term)) {
    match expression {
        Expression::Term(term) => see(term),
        Expression::And(parts) | Expression::Or(parts) => {
            parts.iter().for_each(|part| visit(part, see));
        }
    }
}

fn holds(expression: &Expression, test: &impl Fn(&Term) -> bool) -> bool {
    match expression {
        Expression::Term(term) => test(term),
        Expression::And(parts) => parts.iter().all(|part| holds(part, test)),
        Expression::Or(parts) => parts.iter().any(|part| holds(part, test)),
    }
}

fn id(term: &Term) -> &str {
    match &term.license {
        License::Listed { id, .. } => id,
        License::Reference(reference) => reference,
    }
}

/// The id without its reach, its family and version, and whether later versions may be chosen.
fn parts(term: &Term) -> (&str, Option<(&str, f64)>, bool) {
    let (id, plus) = match &term.license {
        License::Listed { id, or_later } => (*id, *or_later),
        License::Reference(reference) => (reference.as_str(), false),
    };
    let (base, later) = match id.strip_suffix("-or-later") {
        Some(base) => (base, true),
        None => (id.strip_suffix("-only").unwrap_or(id), plus),
    };
    let version = base
        .rsplit_once('-')
        .and_then(|(family, version)| Some((family, version.parse().ok()?)));
    (base, version, later)
}

fn agree(stated: &Term, found: &Term) -> bool {
    let (stated_base, stated_version, _) = parts(stated);
    let (found_base, found_version, found_later) = parts(found);
    if stated_base == found_base {
        return true;
    }
    match (stated_version, found_version) {
        (Some((stated, higher)), Some((found, lower))) => {
            found_later && stated == found && higher >= lower
        }
        _ => false,
    }
}

/// Whether an id belongs to a family of the tables (`CC-BY`, `BSD`, `public domain`).
pub(crate) fn is_member(family: &str, id: &str) -> bool {
    let id = id.strip_prefix("LicenseRef-tamis-").unwrap_or(id);
    match family {
        "CC" => id.starts_with("CC-") || id.starts_with("CC0-"),
        "BSD" => id.starts_with("BSD-") || id == "0BSD",
        "BSL" => matches!(id, "BSL-1.0" | "BUSL-1.1"),
        "GNU" => ["GPL-", "LGPL-", "AGPL-", "GFDL-"]
            .iter()
            .any(|head| id.starts_with(head)),
        "OpenRAIL" | "OpenRAIL-M" => id.contains("OpenRAIL"),
        "Mulan" => id.starts_with("Mulan"),
        "MulanOWL" => id.starts_with("MulanOWL-"),
        "PSF" | "Python" => id.starts_with("PSF-") || id.starts_with("Python-"),
        "public domain" => {
            matches!(
                id,
                "CC0-1.0" | "CC-PDM-1.0" | "CC-PDDC" | "Unlicense" | "PDDL-1.0"
            ) || id.ends_with("-PD")
        }
        family => {
            // The next part is a version: CC-BY-4.0 is no CC-BY-NC and GPL-3.0 no GPL-CC.
            let family = family.replace(' ', "-");
            id.strip_prefix(family.as_str())
                .and_then(|rest| rest.strip_prefix('-'))
                .is_some_and(|rest| {
                    rest.starts_with(|c: char| c.is_ascii_digit())
                        || matches!(
                            family.as_str(),
                            "CDLA" | "OGL" | "Tongyi-Qianwen" | "CECILL"
                        )
                })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_the_ids_once_each() {
        assert_eq!(terms("MIT OR (ISC AND MIT)"), ["MIT", "ISC"]);
        assert_eq!(
            terms("GPL-2.0+ with classpath exception or Apache-2.0+"),
            ["GPL-2.0-or-later", "Apache-2.0"]
        );
        assert!(terms("CC BY").is_empty());
        assert!(terms("").is_empty());
    }

    #[test]
    fn what_contradicts_and_what_does_not() {
        for (stated, detected, expected) in [
            ("MIT", "MIT", false),
            ("MIT", "Apache-2.0", true),
            ("mit license", "MIT", false),
            ("MIT", "MIT AND Apache-2.0", true),
            ("MIT AND Apache-2.0", "MIT", false),
            ("MIT", "MIT OR Apache-2.0", false),
            ("ISC", "MIT OR Apache-2.0", true),
            ("GPL-2.0-or-later", "GPL-2.0-only", false),
            ("GPL-2.0-only", "GPL-2.0-or-later", false),
            ("GPL-3.0-only", "GPL-2.0-or-later", false),
            ("GPL-2.0-or-later", "GPL-3.0-only", true),
            ("GPL-2.0-only", "GPL-3.0-or-later", true),
            ("LGPL-3.0-only", "GPL-3.0-only", true),
            ("GPLv2 with classpath exception", "GPL-2.0-only", false),
            ("GPL-2.0", "GPL-2.0-only WITH Linux-syscall-note", false),
            ("CC BY", "CC-BY-4.0", false),
            ("CC BY", "CC-BY-NC-4.0", true),
            ("CC", "CC-BY-NC-4.0", false),
            ("CC BY 4.0", "CC-BY-3.0", true),
            ("bsd", "BSD-3-Clause", false),
            ("bsd", "MIT", true),
            ("GPL", "GPL-3.0-or-later", false),
            ("GPL", "LGPL-3.0-only", true),
            ("Public Domain", "CC0-1.0", false),
            ("Public Domain", "MIT", true),
            ("All rights reserved", "MIT", true),
            ("other", "MIT", false),
            ("see LICENSE file", "MIT", false),
            ("", "MIT", false),
            ("MIT", "", false),
            ("LicenseRef-a", "LicenseRef-a", false),
            ("LicenseRef-a", "LicenseRef-b", true),
        ] {
            assert_eq!(
                conflict(stated, detected),
                expected,
                "{stated} / {detected}"
            );
        }
    }
}
