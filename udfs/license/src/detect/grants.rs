//! Sentences by which a work says under which licence it stands: the standard headers of the
//! GNU, Apache, Mozilla, Eclipse and other licences, and "this work is licensed under …".
//!
//! A sentence that only speaks of a licence is not one. What makes the difference is the subject:
//! the work itself ("this file is …", "redistribute it and/or modify it under …"), a line that
//! starts with "Licensed under", or the words that follow in a standard header ("you may not use
//! this file except in compliance").

use crate::fold::fold;
use crate::names::{self, Name};

use super::sentence::Sentence;
use super::words::{Words, floor, is_comment_word};

/// How far a sentence is read back and on from the word that was found.
const BACK_BYTES: usize = 320;
const ON_BYTES: usize = 900;
/// Words of a licence's name.
const MAX_NAME_WORDS: usize = 16;
const MAX_NAME_BYTES: usize = 160;
/// A standard header's own words.
const STANDARD: f64 = 0.95;
/// A statement in free words.
pub(super) const STATEMENT: f64 = 0.8;

/// What a work calls itself.
const WORKS: &[&str] = &[
    "app",
    "application",
    "article",
    "artwork",
    "asset",
    "assets",
    "book",
    "chapter",
    "code",
    "collection",
    "component",
    "content",
    "contents",
    "corpus",
    "course",
    "crate",
    "data",
    "database",
    "dataset",
    "document",
    "documentation",
    "driver",
    "essay",
    "example",
    "file",
    "files",
    "font",
    "form",
    "framework",
    "guide",
    "image",
    "images",
    "library",
    "manual",
    "material",
    "materials",
    "media",
    "model",
    "module",
    "notebook",
    "package",
    "page",
    "paper",
    "plugin",
    "post",
    "product",
    "program",
    "project",
    "publication",
    "recording",
    "repo",
    "repository",
    "sample",
    "script",
    "site",
    "snippet",
    "software",
    "source",
    "specification",
    "standard",
    "text",
    "tool",
    "tutorial",
    "video",
    "website",
    "wiki",
    "work",
];
const VERBS: &[&str] = &["is", "are", "may", "can", "has", "have", "was"];

/// A grant found in a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grant {
    pub(super) expression: String,
    pub(super) confidence: f64,
    pub(super) start: usize,
    pub(super) end: usize,
    /// "Alternatively, …": a choice beside the grant before it.
    pub(super) alternative: bool,
}

/// Reads the grant around the word "license…" at `start`, if it is one; `from` is where the last
/// one ended. A sentence that is read takes one from `budget`.
pub(super) fn read(text: &str, from: usize, start: usize, budget: &mut usize) -> Option<Grant> {
    let bytes = text.as_bytes();
    let is_verb = bytes
        .get(start + 7)
        .is_some_and(|b| b.eq_ignore_ascii_case(&b'd'));
    // Cheap first: most mentions of licences have no "under" beside them.
    let lead = if is_verb {
        let mut words = Words::new(text, start..start + 32).skip(1);
        let next = words.next()?;
        (text[next.start..next.end].eq_ignore_ascii_case("under")).then_some(next.start)?
    } else {
        last_lead(text, from, start)?
    };
    let back = floor(text, lead.saturating_sub(BACK_BYTES)).max(from);
    if !speaks_of_itself(text, back, lead) {
        return None;
    }
    *budget = budget.checked_sub(1)?;
    let words = Words::new(text, back..lead + ON_BYTES)
        .filter(|word| !is_comment_word(text, *word))
        .collect();
    let sentence = Sentence { text, words };
    let lead = sentence.words.iter().position(|word| word.start == lead)?;
    let grant = read_at(&sentence, lead)?;
    (!is_recommended(text, &grant)).then_some(grant)
}

/// Whether it is the header that the end of a licence text (GNU, Apache, Mozilla) recommends for
/// other works.
fn is_recommended(text: &str, grant: &Grant) -> bool {
    const BYTES: usize = 2_048;
    let words = Words::new(text, grant.start.saturating_sub(BYTES)..grant.start)
        .filter(|word| !is_comment_word(text, *word))
        .collect();
    let before = Sentence { text, words };
    [
        "how to apply these terms",
        "how to apply the apache license",
        "source code form license notice",
    ]
    .iter()
    .any(|title| before.holds(0..before.words.len(), title))
}

/// A quick look for what [`confidence`] asks for, so that most sentences are not read.
fn speaks_of_itself(text: &str, back: usize, lead: usize) -> bool {
    const NEAR: usize = 40;
    let before = &text[back..lead];
    let near = &text[floor(text, lead.saturating_sub(NEAR)).max(back)..lead];
    let behind = &text[lead..floor(text, lead + 500)];
    // "this" may stand in capitals at the start of a sentence, "it" right before the lead.
    ["this ", "This ", "THIS ", "this\n", "This\n"]
        .iter()
        .any(|word| before.contains(word))
        || ["it", "IT", "ed", "ED"].iter().any(|end| {
            near.trim_end_matches(|c: char| !c.is_alphanumeric())
                .ends_with(end)
        })
        || ["omplian", "OMPLIAN", "ccording", "CCORDING"]
            .iter()
            .any(|word| behind.contains(word))
}

/// The "under" or "to" that leads up to the licence's name before `start`.
fn last_lead(text: &str, from: usize, start: usize) -> Option<usize> {
    const WORDS: usize = 16;
    const BYTES: usize = 140;
    let back = floor(text, start.saturating_sub(BYTES)).max(from);
    let mut lead = None;
    let mut age = 0;
    for word in Words::new(text, back..start) {
        let letters = &text[word.start..word.end];
        age += 1;
        if letters.eq_ignore_ascii_case("under") {
            lead = Some(word.start);
            age = 0;
        } else if letters.eq_ignore_ascii_case("to")
            && text[..word.start].trim_end().ends_with("ect")
            || letters.eq_ignore_ascii_case("to") && text[..word.start].trim_end().ends_with("ing")
        {
            // "subject to", "according to"
            lead = Some(word.start);
            age = 0;
        }
    }
    lead.filter(|_| age <= WORDS)
}

fn read_at(sentence: &Sentence<'_>, lead: usize) -> Option<Grant> {
    let confidence = confidence(sentence, lead)?;
    let mut at = lead + 1;
    for phrase in [
        "the terms and conditions of",
        "the following terms of",
        "the terms of",
        "terms of",
    ] {
        if let Some(behind) = sentence.skip(at, phrase) {
            at = behind;
            break;
        }
    }
    let version_first = read_version_first(sentence, at);
    let (mut expression, mut end, gnu) = match version_first {
        Some((expression, end)) => (expression, end, true),
        None => read_licenses(sentence, at)?,
    };
    let exception = sentence
        .is(end, "with")
        .then(|| read_exception(sentence, end + 1));
    match exception {
        Some(Some((exception, behind))) if !expression.contains(' ') => {
            expression = format!("{expression} WITH {exception}");
            end = behind;
        }
        // Unknown words may take away what the licence gives; those of GNU headers add to it.
        Some(_) if !gnu => return None,
        _ => {}
    }
    if sentence.is_one_of(end, &["style", "like", "based", "compatible", "derived"]) {
        return None;
    }
    let first = sentence.words.get(lead)?;
    let last = sentence.words.get(end.checked_sub(1)?)?;
    Some(Grant {
        expression: crate::license_id(&expression)?,
        confidence,
        start: first.start,
        end: last.end,
        alternative: sentence.holds(lead.saturating_sub(24)..lead, "alternatively"),
    })
}

/// Whether the sentence speaks of the work itself, and how surely.
fn confidence(sentence: &Sentence<'_>, lead: usize) -> Option<f64> {
    let follows = |phrase: &str| sentence.holds(lead..lead + 50, phrase);
    if follows("you may not use this") && follows("except in compliance with")
        || follows("you can use this software according to the terms")
        || follows("you can use the software according to the terms")
    {
        return Some(STANDARD);
    }
    // "redistribute it and/or modify it under", "… and/or modify this document under"
    let before = lead.checked_sub(1);
    if let Some(before) = before {
        let near = lead.saturating_sub(12)..lead;
        let object = sentence.is(before, "it")
            || sentence.is_one_of(before, WORKS) && sentence.is(before.wrapping_sub(1), "this");
        let acts = ["modify", "redistribute", "distribute", "copy", "use"]
            .iter()
            .filter(|act| near.clone().any(|index| sentence.is(index, act)))
            .count();
        if object && acts >= 2 {
            return Some(STANDARD);
        }
    }
    // "this work is licensed under", "the contents of this file are subject to"
    let mut at = lead;
    while at > 0 && lead - at < 28 {
        at -= 1;
        if ends_sentence(sentence, at) {
            break;
        }
        if !sentence.is(at, "this") {
            continue;
        }
        let noun = (at + 1..at + 5).find(|noun| {
            sentence.is_one_of(*noun, WORKS)
                && (sentence.is_one_of(noun + 1, VERBS)
                    || sentence
                        .skip(noun + 1, "and the accompanying materials")
                        .is_some()
                    || sentence.skip(noun + 1, "and its").is_some()
                    || noun + 1 == lead)
        });
        if noun.is_some_and(|noun| noun < lead) {
            let standard =
                sentence.is(lead, "to") || sentence.holds(at..lead, "accompanying materials");
            return Some(if standard { STANDARD } else { STATEMENT });
        }
    }
    // A line that starts with "Licensed under" and says no more than the licence.
    let verb = before?;
    let starts_line = sentence
        .is_one_of(verb, &["licensed", "distributed", "released", "published"])
        && starts_line(sentence.text, sentence.words.get(verb)?.start);
    starts_line.then_some(STATEMENT)
}

/// Whether a sentence ends behind the word at `index`.
fn ends_sentence(sentence: &Sentence<'_>, index: usize) -> bool {
    let between = sentence.between(index);
    between.starts_with(['.', '!', '?'])
        && !sentence.word(index).bytes().all(|b| b.is_ascii_digit())
        || between.contains("\n\n")
}

/// Whether nothing but marks stands before `start` on its line.
fn starts_line(text: &str, start: usize) -> bool {
    let bytes = text.as_bytes();
    for at in (start.saturating_sub(24)..start).rev() {
        match bytes[at] {
            b'\n' | b'\r' => return true,
            b if b.is_ascii_alphanumeric() || !b.is_ascii() || b == b'"' || b == b'`' => {
                return false;
            }
            _ => {}
        }
    }
    start < 24
}

/// "version 2 of the GNU General Public License or (at your option) any later version".
fn read_version_first(sentence: &Sentence<'_>, at: usize) -> Option<(String, usize)> {
    let at = sentence.skip(at, "the").unwrap_or(at);
    let at = sentence.skip(at, "version")?;
    let number = sentence.word(at);
    number
        .starts_with(|c: char| c.is_ascii_digit())
        .then_some(())?;
    let at = sentence.skip(at + 1, "of the")?;
    let (name, end) = read_name(sentence, at)?;
    let Name::Family(family) = name else {
        return None;
    };
    let end = skip_all(sentence, end, &["gpl", "lgpl", "agpl"]);
    let end = sentence
        .skip(end, "as published by the free software foundation")
        .unwrap_or(end);
    let (later, end) = or_later(sentence, end);
    let expression = expression_of(&format!("{family} {number}{later}"))?;
    Some((expression, end))
}

/// One licence, or several joined by "or" or "and"; whether the first is a GNU one.
fn read_licenses(sentence: &Sentence<'_>, at: usize) -> Option<(String, usize, bool)> {
    let is_choice = sentence.is(at, "either");
    let mut at = skip_all(sentence, at, &["either"]);
    at = skip_all(sentence, at, &["of"]);
    let (first, mut end, gnu) = read_license(sentence, at)?;
    let mut expression = first;
    let mut joined: Option<&str> = None;
    for _ in 0..3 {
        let behind = skip_brackets(sentence, end);
        let (operator, behind) = match sentence.word(behind).to_ascii_lowercase().as_str() {
            "or" => ("OR", behind + 1),
            "and" => ("AND", behind + 1),
            // "either of", and a list of them line by line.
            _ if is_choice && behind > 0 && sentence.between(behind - 1).contains('\n') => {
                ("OR", behind)
            }
            _ => break,
        };
        let Some((next, next_end, _)) = read_license(sentence, behind) else {
            break;
        };
        // Without parentheses nobody can say which of both operators binds.
        if joined.is_some_and(|known| known != operator) {
            return None;
        }
        joined = Some(operator);
        expression = format!("{expression} {operator} {next}");
        end = skip_brackets(sentence, next_end);
    }
    Some((expression, end, gnu))
}

/// A licence with its version, which in GNU headers stands behind its publisher.
fn read_license(sentence: &Sentence<'_>, at: usize) -> Option<(String, usize, bool)> {
    let (name, end) = read_name(sentence, at)?;
    match name {
        Name::Expression(expression) => {
            let mut expression = expression.to_string();
            let mut end = end;
            let gnu = expression.contains("GPL-") || expression.starts_with("GFDL-");
            if let Some(plain) = expression.strip_suffix("-only") {
                let family_end = sentence
                    .skip(end, "as published by the free software foundation")
                    .unwrap_or(end);
                let (later, behind) = or_later(sentence, family_end);
                if later == "+" {
                    expression = format!("{plain}-or-later");
                    end = behind;
                }
            }
            Some((expression, end, gnu))
        }
        Name::Family(family) => {
            let mut end = skip_all(sentence, end, &["gpl", "lgpl", "agpl", "fdl"]);
            end = sentence
                .skip(end, "as published by the free software foundation")
                .unwrap_or(end);
            end = skip_all(sentence, end, &["either"]);
            end = sentence
                .skip(end, "version")
                .or_else(|| sentence.skip(end, "v"))?;
            let number = sentence.word(end);
            number
                .starts_with(|c: char| c.is_ascii_digit())
                .then_some(())?;
            let (later, end) = or_later(sentence, end + 1);
            let expression = expression_of(&format!("{family} {number}{later}"))?;
            let gnu = expression.contains("GPL-") || expression.starts_with("GFDL-");
            Some((expression, end, gnu))
        }
        Name::Reserved | Name::Unasserted => None,
    }
}

fn expression_of(name: &str) -> Option<String> {
    match names::read(name)? {
        Name::Expression(expression) => Some(expression.to_string()),
        _ => None,
    }
}

/// "of the License, or (at your option) any later version": `+` and what is behind it.
fn or_later(sentence: &Sentence<'_>, at: usize) -> (&'static str, usize) {
    let mut end = at;
    for phrase in ["of the license", "of that license", "of the licence"] {
        end = sentence.skip(end, phrase).unwrap_or(end);
    }
    end = skip_all(sentence, end, &["only"]);
    let later = [
        "or at your option any later version",
        "or at your choice any later version",
        "or any later version",
        "or later version",
        "or later",
        "or newer",
        "and any later version",
        "or any later",
    ]
    .iter()
    .find_map(|phrase| sentence.skip(end, phrase));
    match later {
        Some(end) => ("+", end),
        None => ("", end),
    }
}

fn skip_all(sentence: &Sentence<'_>, at: usize, words: &[&str]) -> usize {
    at + usize::from(sentence.is_one_of(at, words))
}

/// Past `<LICENSE-MIT or http://…>` and `(LICENSE-MIT or http://…)` behind a name.
fn skip_brackets(sentence: &Sentence<'_>, at: usize) -> usize {
    let Some(last) = at.checked_sub(1) else {
        return at;
    };
    let between = sentence.between(last);
    let close = match between.trim_start_matches([' ', '\n', '\r', '\t', '#', '*', '/', ',', ';']) {
        open if open.starts_with('<') => '>',
        open if open.starts_with('(') => ')',
        open if open.starts_with('[') => ']',
        _ => return at,
    };
    (last + 1..last + 24)
        .find(|index| sentence.between(*index).contains(close))
        .map_or(at, |index| index + 1)
}

/// The longest run of words from `at` on that names a licence or a family.
fn read_name(sentence: &Sentence<'_>, at: usize) -> Option<(Name, usize)> {
    let at = skip_all(sentence, at, &["the", "a", "an"]);
    let mut spelling = String::new();
    // Where the spelling may end, and behind how many words.
    let mut ends = Vec::new();
    let mut in_brackets = false;
    for index in at..(at + MAX_NAME_WORDS).min(sentence.words.len()) {
        if index > at {
            let between = sentence.between(index - 1);
            if between.contains("\n\n") || between.len() > 24 {
                break;
            }
            in_brackets = match between.rfind(['(', '<', '[', ')', '>', ']']) {
                Some(place) => matches!(between.as_bytes()[place], b'(' | b'<' | b'['),
                None => in_brackets,
            };
            spelling.push(' ');
        }
        spelling.push_str(sentence.word(index));
        let behind = sentence.between(index);
        if behind.starts_with('+') {
            spelling.push('+');
        }
        if spelling.len() > MAX_NAME_BYTES {
            break;
        }
        // Names are compared without articles and brackets, but none ends in an article or
        // within brackets: "Apache License 2.0 (LICENSE-APACHE)".
        let closed = !in_brackets || behind.starts_with([')', '>', ']']);
        if closed && !sentence.is_one_of(index, &["the", "a", "an"]) {
            ends.push((spelling.len(), index + 1));
        }
    }
    for (length, end) in ends.into_iter().rev() {
        if let Some(name) = names::read(fold(&spelling[..length]).trim()) {
            return Some((name, end));
        }
    }
    None
}

fn read_exception(sentence: &Sentence<'_>, at: usize) -> Option<(String, usize)> {
    let at = skip_all(sentence, at, &["the", "a"]);
    let mut found = None;
    let mut spelling = String::new();
    for index in at..(at + 8).min(sentence.words.len()) {
        spelling.push_str(sentence.word(index));
        if let Some(exception) = names::exception(&spelling) {
            found = Some((exception, index + 1));
        }
        spelling.push(' ');
    }
    found
}
