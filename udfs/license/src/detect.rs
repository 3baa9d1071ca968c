//! A licence's own words inside a document: tags, headers and full texts.

mod grants;
mod han;
mod sentence;
mod tags;
mod texts;
mod words;

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::covers;
use texts::Texts;

/// Licences of one document; what is found beyond them is not looked at.
const MAX_FOUND: usize = 16;
/// Tags and sentences of one document that are read closely, since they may say what it is
/// licensed under.
const MAX_SENTENCES: usize = 10_000;

/// A licence found in a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Detection {
    /// The canonical SPDX expression, as [`crate::license_id`] gives it; several licences in one
    /// document are joined by AND in the order they stand in it.
    pub spdx: String,
    /// How sure the reading is, above 0 and up to 1: 1 for a `SPDX-License-Identifier` tag, 0.95
    /// for a standard header, 0.8 for a statement such as "this work is licensed under …", and
    /// for a full text the part of it that is there (at least 0.75). Of several the least.
    pub confidence: f64,
}

/// What was found and where.
struct Found {
    expression: String,
    confidence: f64,
    start: usize,
    end: usize,
}

/// The licence that a document carries in its own words: `SPDX-License-Identifier` tags, standard
/// headers and statements, and full licence texts (those of the SPDX list), anywhere in it and
/// behind the comment marks of any language.
///
/// Several licences are joined by AND, since each holds for a part of the document; a header
/// that offers a choice gives OR. What a tag says already is not said again by the header or
/// text beside it. A GNU text alone gives `-only`: it does not say "or later", a header does.
///
/// `None` when nothing is found: a text that speaks about licences, names one, or quotes a few of
/// its sentences does not carry it. Letters in mixed case (`LiCeNsE`), texts of fewer than a
/// dozen word runs, texts not on the SPDX list and headers without a version are not found.
///
/// Time and memory are linear in the text; one without a word such as "licence", "permission" or
/// 许可 costs a single scan.
///
/// ```
/// use tamis_license::license_detect;
///
/// let found = license_detect("# SPDX-License-Identifier: MIT\nprint(1)\n").unwrap();
/// assert_eq!((found.spdx.as_str(), found.confidence), ("MIT", 1.0));
/// assert_eq!(license_detect("The GPL is a licence of the FSF."), None);
/// ```
pub fn license_detect(text: &str) -> Option<Detection> {
    let mut tags: Vec<Found> = Vec::new();
    let mut grants: Vec<Found> = Vec::new();
    let mut bodies: Vec<Found> = Vec::new();
    // Where the last tag, grant and stretch of text ended.
    let (mut tagged, mut granted, mut stretched) = (0, 0, 0);
    let mut budget = MAX_SENTENCES;
    for hit in triggers().find_iter(text) {
        let trigger = &TRIGGERS[hit.pattern().as_usize()];
        let mut start = hit.start();
        if let Some(initial) = trigger.initial {
            // The first letter of a word may be of either case.
            match start.checked_sub(1).map(|at| text.as_bytes()[at]) {
                Some(byte) if byte.eq_ignore_ascii_case(&initial) => start -= 1,
                _ => continue,
            }
        }
        if trigger.initial == Some(b'l') {
            if tags.len() < MAX_FOUND
                && start >= tagged
                && let Some((expression, end)) = tags::read(text, start, &mut budget)
            {
                tagged = end;
                add(&mut tags, expression, 1.0, start, end);
                continue;
            }
            if grants.len() < MAX_FOUND
                && let Some(grant) = grants::read(text, granted, start, &mut budget)
            {
                granted = grant.end;
                join(&mut grants, grant);
            }
        } else if trigger.initial.is_none()
            && grants.len() < MAX_FOUND
            && start >= granted
            && let Some(grant) = han::read(text, granted, start, &mut budget)
        {
            granted = grant.end;
            join(&mut grants, grant);
        }
        if start >= stretched && bodies.len() < MAX_FOUND && Texts::get().opens(text, start) {
            let (found, end) = Texts::get().around(text, stretched, start);
            stretched = end;
            for body in found {
                add(
                    &mut bodies,
                    body.expression,
                    body.share,
                    body.range.start,
                    body.range.end,
                );
            }
        }
    }
    // A text holds the header it recommends.
    grants.retain(|grant| {
        !bodies
            .iter()
            .any(|body| body.start <= grant.start && grant.end <= body.end)
    });
    let mut all: Vec<Found> = Vec::new();
    for found in tags.into_iter().chain(grants).chain(bodies) {
        let said = all
            .iter()
            .any(|known| !covers::conflict(&known.expression, &found.expression));
        if !said && all.len() < MAX_FOUND {
            all.push(found);
        }
    }
    all.sort_by_key(|found| found.start);
    let confidence = all.iter().map(|found| found.confidence).reduce(f64::min)?;
    let expressions: Vec<String> = all
        .iter()
        .map(|found| match found.expression.contains(" OR ") {
            true => format!("({})", found.expression),
            false => found.expression.clone(),
        })
        .collect();
    Some(Detection {
        spdx: crate::license_id(&expressions.join(" AND "))?,
        confidence,
    })
}

fn add(into: &mut Vec<Found>, expression: String, confidence: f64, start: usize, end: usize) {
    if into.len() < MAX_FOUND && !into.iter().any(|known| known.expression == expression) {
        into.push(Found {
            expression,
            confidence,
            start,
            end,
        });
    }
}

fn join(grants: &mut Vec<Found>, grant: grants::Grant) {
    let previous = grants.last_mut().filter(|_| grant.alternative);
    if let Some(previous) = previous
        && let Some(choice) = crate::license_id(&format!(
            "({}) OR ({})",
            previous.expression, grant.expression
        ))
    {
        previous.expression = choice;
        previous.end = grant.end;
        previous.confidence = previous.confidence.min(grant.confidence);
        return;
    }
    add(
        grants,
        grant.expression,
        grant.confidence,
        grant.start,
        grant.end,
    );
}

/// A part of a word at which a document is looked at more closely.
struct Trigger {
    letters: &'static str,
    /// The letter before it.
    initial: Option<u8>,
}

const fn word(initial: u8, letters: &'static str) -> Trigger {
    Trigger {
        letters,
        initial: Some(initial),
    }
}

const fn han_word(letters: &'static str) -> Trigger {
    Trigger {
        letters,
        initial: None,
    }
}

const TRIGGERS: &[Trigger] = &[
    word(b'l', "icens"),
    word(b'l', "ICENS"),
    word(b'l', "icenc"),
    word(b'l', "ICENC"),
    word(b'p', "ermission"),
    word(b'p', "ERMISSION"),
    word(b'r', "edistribut"),
    word(b'r', "EDISTRIBUT"),
    word(b'w', "arrant"),
    word(b'w', "ARRANT"),
    han_word("许可"),
    han_word("協議"),
    han_word("协议"),
    han_word("許可"),
    han_word("授權"),
];

fn triggers() -> &'static AhoCorasick {
    static TRIGGERS_FOUND: OnceLock<AhoCorasick> = OnceLock::new();
    TRIGGERS_FOUND.get_or_init(|| {
        AhoCorasick::builder()
            // Few patterns and this kind: vectors search for all of them at once.
            .match_kind(MatchKind::LeftmostFirst)
            .build(TRIGGERS.iter().map(|trigger| trigger.letters))
            .unwrap_or_else(|error| panic!("{error}"))
    })
}
