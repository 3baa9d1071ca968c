//! Reads a policy file.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use tamis_resource::{Identity, ResourceError, Result};

use super::LicensePolicy;
use super::terms::{Attribute, Permission, Statement, Terms, Use};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    version: String,
    uses: BTreeMap<String, UseEntry>,
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UseEntry {
    /// For people who read the file.
    #[serde(rename = "title")]
    _title: String,
    needs: Vec<Attribute>,
    #[serde(default)]
    review_on: Vec<Attribute>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    name: String,
    licenses: Vec<String>,
    review: Option<String>,
    commercial: Option<Permission>,
    derivatives: Option<Permission>,
    ai_training: Option<Permission>,
    attribution: Option<bool>,
    share_alike: Option<bool>,
    network: Option<bool>,
    notice: Option<bool>,
    source_disclosure: Option<bool>,
    field_of_use: Option<bool>,
}

impl Rule {
    /// The rule's content, or the key that is wrong and why.
    fn terms(&self) -> Result<Terms, (&'static str, &'static str)> {
        if let Some(why) = &self.review {
            let states_anything = self.commercial.is_some()
                || self.derivatives.is_some()
                || self.ai_training.is_some()
                || self.attribution.is_some()
                || self.share_alike.is_some()
                || self.network.is_some()
                || self.notice.is_some()
                || self.source_disclosure.is_some()
                || self.field_of_use.is_some();
            if states_anything {
                return Err(("review", "a rule for review states nothing else"));
            }
            if why.trim().is_empty() {
                return Err(("review", "say why"));
            }
            return Ok(Terms::Review(why.trim().to_owned()));
        }
        const PERMISSION: &str = "expected \"allowed\", \"conditional\" or \"denied\"";
        const DUTY: &str = "expected true or false";
        Ok(Terms::Stated(Statement {
            commercial: self.commercial.ok_or(("commercial", PERMISSION))?,
            derivatives: self.derivatives.ok_or(("derivatives", PERMISSION))?,
            ai_training: self.ai_training.ok_or(("ai_training", PERMISSION))?,
            attribution: self.attribution.ok_or(("attribution", DUTY))?,
            share_alike: self.share_alike.ok_or(("share_alike", DUTY))?,
            network: self.network.ok_or(("network", DUTY))?,
            notice: self.notice.unwrap_or(false),
            source_disclosure: self.source_disclosure.unwrap_or(false),
            field_of_use: self.field_of_use.unwrap_or(false),
        }))
    }
}

pub(super) fn read(uri: &str, text: &str) -> Result<LicensePolicy> {
    let malformed = |location: String, message: String| ResourceError::Malformed {
        uri: uri.to_owned(),
        location,
        message,
    };
    let file: PolicyFile = toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start.min(text.len()));
        let breaks = text.as_bytes()[..start].iter().filter(|b| **b == b'\n');
        malformed(
            format!("line {}", breaks.count() + 1),
            error.message().to_owned(),
        )
    })?;
    if file.uses.is_empty() {
        return Err(malformed(
            "key uses".into(),
            "the policy judges no use".into(),
        ));
    }
    let mut uses = BTreeMap::new();
    for (name, entry) in file.uses {
        // A use without needs would allow everything.
        if entry.needs.is_empty() {
            let key = format!("key uses.{name}.needs");
            return Err(malformed(key, "a use needs at least one permission".into()));
        }
        if entry.needs.iter().any(|need| !need.is_permission()) {
            return Err(malformed(
                format!("key uses.{name}.needs"),
                "a use needs permissions (commercial, derivatives, ai_training); \
                 duties go to review_on"
                    .into(),
            ));
        }
        let case = Use {
            needs: entry.needs,
            review_on: entry.review_on,
        };
        uses.insert(name, case);
    }
    let mut rules = Vec::with_capacity(file.rules.len());
    let mut exact = HashMap::new();
    let mut prefixes: Vec<(String, usize)> = Vec::new();
    for (index, rule) in file.rules.iter().enumerate() {
        let terms = rule.terms().map_err(|(key, message)| {
            malformed(format!("key rules.{}.{key}", rule.name), message.to_owned())
        })?;
        for license in &rule.licenses {
            let wrong = |message: String| {
                Err(malformed(
                    format!("key rules.{}.licenses", rule.name),
                    message,
                ))
            };
            let taken = if let Some(prefix) = license.strip_suffix('*') {
                if prefix.is_empty() {
                    return wrong("'*' alone would name every licence".into());
                }
                let taken = prefixes.iter().any(|(known, _)| known == prefix);
                prefixes.push((prefix.to_owned(), index));
                taken
            } else {
                let is_one_id = !license.contains(' ');
                if !(is_one_id && crate::license_id(license).is_some_and(|id| id == *license)) {
                    return wrong(format!(
                        "'{license}' is no current SPDX id, LicenseRef or PREFIX*"
                    ));
                }
                exact.insert(license.clone(), index).is_some()
            };
            if taken {
                return wrong(format!("'{license}' stands in the policy twice"));
            }
        }
        rules.push((rule.name.clone(), terms));
    }
    prefixes.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.0.cmp(&b.0)));
    Ok(LicensePolicy {
        identity: Identity::of_bytes(uri, file.version, text.as_bytes()),
        uses,
        rules,
        exact,
        prefixes,
    })
}
