//! How a raw licence string was read.

use std::fmt;

use crate::covers::is_member;
use crate::names::Name;
use crate::parse::{self, Reading};

/// What kind of spelling a raw licence string is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Form {
    /// A current SPDX id, in any case and with any separators.
    Id,
    /// A deprecated SPDX id; the reading is its successor.
    DeprecatedId,
    /// The title the SPDX list gives a licence.
    Title,
    /// A row of our table of other spellings.
    Name,
    /// Creative Commons elements, version and jurisdiction.
    CreativeCommons,
    /// A GNU licence with version and reach.
    Gnu,
    /// The address of a licence.
    Address,
    /// `LicenseRef-…`.
    Reference,
    /// Several licences, or one with an exception.
    Expression,
    /// Nothing but space.
    Blank,
    /// Names no licence we know.
    Unknown,
    /// Too long to be a licence, or with control characters; not read.
    Refused,
}

impl Form {
    /// `id`, `deprecated id`, `title`, `name`, `Creative Commons`, `GNU`, `address`, `reference`,
    /// `expression`, `blank`, `unknown` or `refused`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::DeprecatedId => "deprecated id",
            Self::Title => "title",
            Self::Name => "name",
            Self::CreativeCommons => "Creative Commons",
            Self::Gnu => "GNU",
            Self::Address => "address",
            Self::Reference => "reference",
            Self::Expression => "expression",
            Self::Blank => "blank",
            Self::Unknown => "unknown",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The answer of [`explain`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// What kind of spelling it is.
    pub form: Form,
    /// What it names, as [`crate::license_id`] gives it.
    pub spdx: Option<String>,
    /// The family it names without a version, if it does.
    pub family: Option<String>,
    /// The id, title or table row that it is a spelling of.
    pub matched: Option<String>,
    /// What else there is to know, in short sentences: a successor, a family's members, why
    /// nothing was read, the nearest id. They do not repeat the raw string.
    pub notes: Vec<String>,
}

/// Members of a family that a note names.
const MAX_MEMBERS: usize = 12;
/// A mistyped id is no longer than this.
const MAX_TYPED: usize = 64;

/// How a raw licence string was read: the same reading as [`crate::license_id`], with its reasons.
///
/// ```
/// use tamis_license::{Form, explain};
///
/// let explanation = explain("GPL-2.0+");
/// assert_eq!(explanation.form, Form::DeprecatedId);
/// assert_eq!(explanation.spdx.as_deref(), Some("GPL-2.0-or-later"));
/// assert_eq!(explain("CC BY").family.as_deref(), Some("CC-BY"));
/// ```
pub fn explain(raw: &str) -> Explanation {
    let (reading, found) = parse::explain(raw);
    let mut explanation = Explanation {
        form: found.as_ref().map_or(Form::Unknown, |found| found.form),
        spdx: None,
        family: None,
        matched: found.and_then(|found| found.matched),
        notes: Vec::new(),
    };
    let is_name = explanation.form != Form::Unknown;
    let notes = &mut explanation.notes;
    match reading {
        Reading::Named(Name::Expression(expression)) => {
            let shown = expression.to_string();
            if !is_name {
                explanation.form = Form::Expression;
                notes.push(format!("licences: {}", crate::terms(&shown).join(", ")));
            }
            if let (Form::DeprecatedId, Some(id)) = (explanation.form, &explanation.matched) {
                notes.push(match *id == shown {
                    true => format!("SPDX deprecates {id} and names no successor"),
                    false => format!("SPDX deprecates {id} and names {shown} in its place"),
                });
            }
            if shown.contains("LicenseRef-tamis-") {
                notes.push("no SPDX id; LicenseRef-tamis-… is a name of ours".to_owned());
            }
            explanation.spdx = Some(shown);
        }
        Reading::Named(Name::Family(family)) => {
            if !is_name {
                explanation.form = Form::Expression;
                notes.push("a part of the expression names a family only".to_owned());
            }
            let members: Vec<&str> = spdx::identifiers::LICENSES
                .iter()
                .filter(|license| license.flags & spdx::flags::IS_DEPRECATED == 0)
                .map(|license| license.name)
                .filter(|id| is_member(&family, id))
                .collect();
            let mut note = format!("the {family} family, without the version or variant");
            if !members.is_empty() {
                let shown = members.len().min(MAX_MEMBERS);
                note.push_str(&format!("; it could be {}", members[..shown].join(", ")));
                if members.len() > shown {
                    note.push_str(&format!(" and {} more", members.len() - shown));
                }
            }
            notes.push(note);
            explanation.family = Some(family);
        }
        Reading::Named(Name::Reserved) => {
            notes.push("says that all rights are reserved".to_owned());
        }
        Reading::Named(Name::Unasserted) => {
            notes.push("says that no licence is stated or known".to_owned());
        }
        Reading::Blank => explanation.form = Form::Blank,
        Reading::TooLong => {
            explanation.form = Form::Refused;
            notes.push(format!("longer than {} bytes", parse::MAX_BYTES));
        }
        Reading::Control => {
            explanation.form = Form::Refused;
            notes.push("holds control characters".to_owned());
        }
        Reading::Unknown => {
            if raw.contains(['/', ',', ';', '、']) {
                notes.push(
                    "'/', ',' and ';' between names can mean AND as well as OR and are not read"
                        .to_owned(),
                );
            }
            let ids = spdx::identifiers::LICENSES
                .iter()
                .map(|license| license.name);
            let nearest = (raw.len() <= MAX_TYPED).then(|| tamis_resource::nearest(raw, ids));
            if let Some(Some(id)) = nearest {
                notes.push(format!("the nearest SPDX id is {id}"));
            }
        }
    }
    explanation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_says_how_a_string_was_read() {
        for (raw, form, matched) in [
            ("MIT", Form::Id, Some("MIT")),
            ("mit license", Form::Id, Some("MIT")),
            ("GPL-3.0", Form::DeprecatedId, Some("GPL-3.0")),
            ("Net-SNMP", Form::DeprecatedId, Some("Net-SNMP")),
            ("ISC License", Form::Id, Some("ISC")),
            (
                "Boost Software License 1.0",
                Form::Title,
                Some("Boost Software License 1.0"),
            ),
            ("Simplified BSD", Form::Name, Some("Simplified BSD")),
            ("BSD", Form::Name, Some("BSD")),
            ("署名-非商业性使用 4.0 国际", Form::CreativeCommons, None),
            ("GPL (>= 2)", Form::Id, Some("GPL-2.0-or-later")),
            ("GNU Affero通用公共许可证第三版", Form::Gnu, None),
            ("https://opensource.org/license/mit/", Form::Address, None),
            ("LicenseRef-x", Form::Reference, None),
            ("MIT OR ISC", Form::Expression, None),
            ("MIT OR CC BY", Form::Expression, None),
            (
                "All rights reserved",
                Form::Name,
                Some("All Rights Reserved"),
            ),
            ("other", Form::Name, Some("other")),
            ("  ", Form::Blank, None),
            ("nobody knows this", Form::Unknown, None),
            ("MIT\0", Form::Refused, None),
        ] {
            let explanation = explain(raw);
            assert_eq!(explanation.form, form, "{raw}: {explanation:?}");
            assert_eq!(explanation.matched.as_deref(), matched, "{raw}");
            assert_eq!(explanation.spdx, crate::license_id(raw), "{raw}");
        }
    }

    #[test]
    fn notes_say_what_to_do() {
        let notes = |raw: &str| explain(raw).notes.join("; ");
        assert_eq!(
            notes("GPL-2.0"),
            "SPDX deprecates GPL-2.0 and names GPL-2.0-only in its place"
        );
        assert_eq!(
            notes("Net-SNMP"),
            "SPDX deprecates Net-SNMP and names no successor"
        );
        assert_eq!(notes("MIT OR (ISC AND MIT)"), "licences: MIT, ISC");
        assert!(notes("CC BY").contains("it could be CC-BY-1.0, CC-BY-2.0"));
        assert!(notes("MIT/Apache-2.0").starts_with("'/', ','"));
        assert_eq!(notes("Apache-2.o"), "the nearest SPDX id is Apache-2.0");
        assert_eq!(notes(&"x".repeat(1 << 20)), "longer than 4096 bytes");
        assert_eq!(notes("MIT"), "");
    }
}
