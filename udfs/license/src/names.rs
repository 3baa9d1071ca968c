//! Licence names: SPDX ids and titles, the table of other spellings, and the families of names
//! that follow a pattern.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::explain::Form;
use crate::expression::Expression;
use crate::key::key;
use crate::{address, creative_commons, gnu};

/// Spelling to SPDX expression, family or statement.
const NAMES_CSV: &str = include_str!("../data/names.csv");
/// Deprecated SPDX id to the expression SPDX names in its place.
const SUCCESSORS_CSV: &str = include_str!("../data/successors.csv");

/// Ids of the crate's list that are no licences.
const NOT_LICENSES: &[&str] = &["NOASSERTION"];

/// How sentences lead up to a licence name, as keys.
const LEADS: &[&str] = &[
    "this work is licensed under ",
    "this dataset is licensed under ",
    "licensed under terms of ",
    "licensed under ",
    "released under ",
    "distributed under ",
    "available under ",
    "published under ",
    "under terms of ",
    "under ",
    "spdx identifier ",
    "osi approved ",
    "a ",
    "an ",
];

/// What a name can mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Name {
    /// A licence or an expression.
    Expression(Expression),
    /// A family of licences; which of them is not said.
    Family(String),
    /// The statement that no rights are given.
    Reserved,
    /// The statement that nothing is known or stated.
    Unasserted,
}

impl Name {
    /// The licence with this exact SPDX id, a deprecated one as its successor.
    pub(crate) fn of_id(id: &str) -> Option<Self> {
        let tables = tables();
        let listed = tables.ids.get(id)?;
        Some(Self::Expression(listed.clone()))
    }
}

/// A name, and how it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) name: Name,
    pub(crate) form: Form,
    /// The id, title or row of the tables that it is a spelling of.
    pub(crate) matched: Option<String>,
}

impl Found {
    fn by_rule(name: Name, form: Form) -> Self {
        Self {
            name,
            form,
            matched: None,
        }
    }
}

struct Tables {
    /// Exact SPDX id to canonical expression.
    ids: HashMap<&'static str, Expression>,
    /// Key of a spelling to its meaning.
    spellings: HashMap<String, Found>,
    /// Normalised address to its meaning.
    addresses: HashMap<String, Found>,
    /// Key of an exception's id or spelling to its id.
    exceptions: HashMap<String, String>,
    /// Lower-case form of each reference of ours.
    references: HashMap<String, String>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| Tables::read().unwrap_or_else(|message| panic!("{message}")))
}

impl Tables {
    fn read() -> Result<Self, String> {
        let mut tables = Self {
            ids: HashMap::new(),
            spellings: HashMap::new(),
            addresses: HashMap::new(),
            exceptions: HashMap::new(),
            references: HashMap::new(),
        };
        let successors: HashMap<String, String> = rows(SUCCESSORS_CSV)?.into_iter().collect();
        for exception in spdx::identifiers::EXCEPTIONS {
            let id = successors
                .get(exception.name)
                .map_or(exception.name, String::as_str);
            tables.exceptions.insert(key(exception.name), id.to_owned());
        }
        for license in spdx::identifiers::LICENSES {
            if NOT_LICENSES.contains(&license.name) {
                continue;
            }
            let expression = match successors.get(license.name) {
                Some(successor) => tables.simple(successor)?,
                None => Expression::listed(license.name),
            };
            tables.ids.insert(license.name, expression);
        }
        for license in spdx::identifiers::LICENSES {
            let Some(expression) = tables.ids.get(license.name) else {
                continue;
            };
            let found = Found {
                name: Name::Expression(expression.clone()),
                form: form_of_id(license.name),
                matched: Some(license.name.to_owned()),
            };
            let known = tables
                .spellings
                .entry(key(license.name))
                .or_insert_with(|| found.clone());
            if known.name != found.name {
                return Err(format!("two SPDX ids are spelled like {}", license.name));
            }
            // "GPL-2.0+" and "GPL-2.0-or-later" are spelled alike: it is the current one.
            if found.form == Form::Id {
                *known = found;
            }
        }
        tables.add_titles();
        let mut wrong = Vec::new();
        for (spelling, meaning) in rows(NAMES_CSV)? {
            wrong.extend(tables.add_row(&spelling, &meaning).err());
        }
        if wrong.is_empty() {
            Ok(tables)
        } else {
            Err(wrong.join("\n"))
        }
    }

    /// An expression of the tables: ids joined by OR, AND or WITH, without parentheses.
    fn simple(&self, text: &str) -> Result<Expression, String> {
        use crate::expression::Operator;
        let join = |operator: Operator, separator: &str| {
            let parts: Result<Vec<_>, _> = text
                .split(separator)
                .map(|part| self.simple(part))
                .collect();
            Ok(Expression::join(operator, parts?))
        };
        if text.contains(" OR ") {
            return join(Operator::Or, " OR ");
        }
        if text.contains(" AND ") {
            return join(Operator::And, " AND ");
        }
        let unknown = || format!("the licence tables name {text}, which is no SPDX expression");
        if let Some((license, exception)) = text.split_once(" WITH ") {
            spdx::exception_id(exception).ok_or_else(unknown)?;
            return self.simple(license)?.with(exception).ok_or_else(unknown);
        }
        if text.starts_with("LicenseRef-") {
            return reference(text)
                .map(Expression::reference)
                .ok_or_else(unknown);
        }
        spdx::identifiers::LICENSES
            .iter()
            .find(|license| license.name == text)
            .map(|license| Expression::listed(license.name))
            .ok_or_else(unknown)
    }

    /// The titles SPDX gives its licences; one that two licences share names neither.
    fn add_titles(&mut self) {
        let mut titles: HashMap<String, Option<Found>> = HashMap::new();
        for license in spdx::identifiers::LICENSES {
            let Some(expression) = self.ids.get(license.name) else {
                continue;
            };
            let found = Found {
                name: Name::Expression(expression.clone()),
                form: Form::Title,
                matched: Some(license.full_name.to_owned()),
            };
            titles
                .entry(key(&crate::fold::fold(license.full_name)))
                .and_modify(|known| {
                    if known.as_ref().is_some_and(|known| known.name != found.name) {
                        *known = None;
                    }
                })
                .or_insert(Some(found));
        }
        for (title, found) in titles {
            if let Some(found) = found
                && !title.is_empty()
            {
                self.spellings.entry(title).or_insert(found);
            }
        }
    }

    fn add_row(&mut self, spelling: &str, meaning: &str) -> Result<(), String> {
        if let Some(id) = meaning.strip_prefix("with:") {
            let known = spdx::exception_id(id).is_some();
            let other = self.exceptions.insert(key(spelling), id.to_owned());
            return (known && other.is_none())
                .then_some(())
                .ok_or_else(|| format!("names.csv: {spelling} names no exception or one twice"));
        }
        let name = match meaning {
            "reserved" => Name::Reserved,
            "unasserted" => Name::Unasserted,
            _ => match meaning.strip_prefix("family:") {
                Some(family) => Name::Family(family.to_owned()),
                None => Name::Expression(self.simple(meaning)?),
            },
        };
        if meaning.starts_with("LicenseRef-") {
            self.references
                .insert(meaning.to_ascii_lowercase(), meaning.to_owned());
        }
        let folded = crate::fold::fold(spelling);
        let (table, entry, form) = match address::normalise(&folded) {
            Some(address) => (&mut self.addresses, address, Form::Address),
            None => (&mut self.spellings, key(&folded), Form::Name),
        };
        if entry.is_empty() {
            return Err(format!("names.csv: {spelling} has no letters"));
        }
        // What is an id or title already stays one.
        let known = table.entry(entry).or_insert_with(|| Found {
            name: name.clone(),
            form,
            matched: Some(spelling.to_owned()),
        });
        if known.name == name {
            Ok(())
        } else {
            Err(format!(
                "names.csv: {spelling} already means something else"
            ))
        }
    }
}

/// The rows of a two-column table.
fn rows(csv: &str) -> Result<Vec<(String, String)>, String> {
    csv::ReaderBuilder::new()
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_reader(csv.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

fn form_of_id(id: &str) -> Form {
    match spdx::license_id(id) {
        Some(listed) if listed.is_deprecated() => Form::DeprecatedId,
        _ => Form::Id,
    }
}

/// Reads one name: folded text without surrounding space.
pub(crate) fn read(text: &str) -> Option<Name> {
    find(text).map(|found| found.name)
}

/// The same, with how it was read.
pub(crate) fn find(text: &str) -> Option<Found> {
    if let Some((id, expression)) = tables().ids.get_key_value(text) {
        return Some(Found {
            name: Name::Expression(expression.clone()),
            form: form_of_id(id),
            matched: Some((*id).to_owned()),
        });
    }
    if let Some(reference) = reference(text) {
        let known = tables().references.get(&reference.to_ascii_lowercase());
        let reference = known.cloned().unwrap_or(reference);
        let name = Name::Expression(Expression::reference(reference));
        return Some(Found::by_rule(name, Form::Reference));
    }
    if let Some(address) = address::normalise(text) {
        let listed = tables().addresses.get(&address).cloned();
        return listed.or_else(|| {
            let name = address::read(&address)?;
            Some(Found::by_rule(name, Form::Address))
        });
    }
    // Half an expression is not a name.
    if text.matches('(').count() != text.matches(')').count() {
        return None;
    }
    let key = key(text);
    if let Some(found) = read_key(&key) {
        return Some(found);
    }
    // "Name (N)": the short form repeated; both must say the same.
    let (name, short) = text.strip_suffix(')')?.rsplit_once('(')?;
    if name.trim().is_empty() || short.trim().is_empty() {
        return None;
    }
    let name = read_key(&crate::key::key(name))?;
    let short = read_key(&crate::key::key(short))?;
    (name.name == short.name).then_some(name)
}

/// Reads the name that an address ends in.
pub(crate) fn read_slug(slug: &str) -> Option<Name> {
    read_key(&key(slug)).map(|found| found.name)
}

fn read_key(key: &str) -> Option<Found> {
    let mut key = key;
    loop {
        if let Some(found) = read_plain(key) {
            return Some(found);
        }
        let lead = LEADS.iter().find(|lead| key.starts_with(**lead))?;
        key = &key[lead.len()..];
    }
}

fn read_plain(key: &str) -> Option<Found> {
    if key.is_empty() {
        return None;
    }
    if let Some(found) = tables().spellings.get(key) {
        return Some(found.clone());
    }
    if let Some(name) = creative_commons::read(key) {
        return Some(Found::by_rule(name, Form::CreativeCommons));
    }
    if let Some(name) = gnu::read(key) {
        return Some(Found::by_rule(name, Form::Gnu));
    }
    let found = tables().spellings.get(key.strip_suffix(" +")?)?;
    match &found.name {
        Name::Expression(expression) => Some(Found {
            name: Name::Expression(expression.or_later()?),
            ..found.clone()
        }),
        _ => None,
    }
}

/// The id of an exception by id or spelling; `AdditionRef-…` as it stands.
pub(crate) fn exception(text: &str) -> Option<String> {
    if let Some(addition) = text.strip_prefix("AdditionRef-") {
        return is_reference_name(addition).then(|| text.to_owned());
    }
    tables().exceptions.get(&key(text)).cloned()
}

/// `LicenseRef-…`, possibly behind `DocumentRef-…:`, its prefixes in any case; the names keep
/// theirs, except those of Creative Commons ports, which are ours.
fn reference(text: &str) -> Option<String> {
    const LICENSE: &str = "LicenseRef-";
    const DOCUMENT: &str = "DocumentRef-";
    fn after<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
        let head = text.get(..prefix.len())?;
        let name = head
            .eq_ignore_ascii_case(prefix)
            .then(|| &text[prefix.len()..])?;
        is_reference_name(name).then_some(name)
    }
    if let Some((document, license)) = text.split_once(':') {
        let document = after(document, DOCUMENT)?;
        let license = after(license, LICENSE)?;
        return Some(format!("{DOCUMENT}{document}:{LICENSE}{license}"));
    }
    let name = after(text, LICENSE)?;
    const OURS: &str = "tamis-CC-";
    if name
        .get(..OURS.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(OURS))
    {
        return Some(format!(
            "{LICENSE}tamis-{}",
            name["tamis-".len()..].to_ascii_uppercase()
        ));
    }
    Some(format!("{LICENSE}{name}"))
}

fn is_reference_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::fold;

    #[test]
    fn every_row_of_the_table_is_reached() {
        let rows = rows(NAMES_CSV).expect("the table");
        assert!(rows.len() >= 400, "{} rows", rows.len());
        for (spelling, meaning) in rows {
            if let Some(id) = meaning.strip_prefix("with:") {
                assert_eq!(exception(&spelling).as_deref(), Some(id), "{spelling}");
                continue;
            }
            let expected = match meaning.as_str() {
                "reserved" => Name::Reserved,
                "unasserted" => Name::Unasserted,
                _ => match meaning.strip_prefix("family:") {
                    Some(family) => Name::Family(family.to_owned()),
                    None => Name::Expression(tables().simple(&meaning).expect("an expression")),
                },
            };
            assert_eq!(read(fold(&spelling).trim()), Some(expected), "{spelling}");
        }
    }

    #[test]
    fn references_of_ours_are_found_in_any_case() {
        let shown = |text: &str| match read(text) {
            Some(Name::Expression(expression)) => expression.to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(
            shown("licenseref-TAMIS-llama-3"),
            "LicenseRef-tamis-Llama-3"
        );
        assert_eq!(
            shown("licenseref-tamis-cc-by-3.0-cn"),
            "LicenseRef-tamis-CC-BY-3.0-CN"
        );
        assert_eq!(shown("LICENSEREF-My-Own.1"), "LicenseRef-My-Own.1");
        assert_eq!(shown("LicenseRef-"), "None");
        assert_eq!(shown("LicenseRef-a_b"), "None");
    }
}
