//! Every text of `vectors.toml`: the findings, with their spans in characters, and no others.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tamis_pii::{Detector, Kind};
use tamis_text::CharOffsets;

#[derive(Deserialize)]
struct Section {
    #[serde(default)]
    found: Vec<String>,
    #[serde(default)]
    none: Vec<String>,
}

/// Kind, span in characters, validity, sensitivity.
type Expected = (String, usize, usize, bool, Option<String>);

/// Takes the marks out of a text and says what they announce.
fn parse(marked: &str) -> (String, Vec<Expected>) {
    let (mut text, mut expected) = (String::new(), Vec::new());
    let mut rest = marked;
    while let Some((before, after)) = rest.split_once('⟦') {
        text.push_str(before);
        let (inside, after) = after.split_once('⟧').expect("a mark ends");
        let (head, found) = inside.split_once(':').expect("a mark has a colon");
        let (head, sensitive) = match head.split_once('/') {
            Some((head, sensitive)) => (head, Some(sensitive.to_owned())),
            None => (head, None),
        };
        let kind = head.strip_suffix('?').unwrap_or(head);
        Kind::parse(kind).expect("the kind is known");
        let start = text.chars().count();
        text.push_str(found);
        let end = text.chars().count();
        expected.push((kind.to_owned(), start, end, !head.ends_with('?'), sensitive));
        rest = after;
    }
    text.push_str(rest);
    (text, expected)
}

fn find(detector: &Detector, text: &str) -> Vec<Expected> {
    let mut offsets = CharOffsets::new(text);
    let found = detector.find(text);
    found
        .iter()
        .map(|finding| {
            (
                finding.kind.to_string(),
                offsets.at(finding.start),
                offsets.at(finding.end),
                finding.valid,
                finding.sensitive.map(|topic| topic.to_string()),
            )
        })
        .collect()
}

fn sections() -> BTreeMap<String, Section> {
    toml::from_str(include_str!("vectors.toml")).expect("vectors.toml is well formed")
}

#[test]
fn every_vector() {
    let detector = Detector::builtin();
    let mut wrong = Vec::new();
    for (name, section) in sections() {
        for marked in &section.found {
            let (text, expected) = parse(marked);
            assert!(!expected.is_empty(), "{name}: nothing marked in {marked:?}");
            let found = find(&detector, &text);
            if found != expected {
                wrong.push(format!("{name}: {marked:?}\n    found {found:?}"));
            }
        }
        for text in &section.none {
            assert!(!text.contains('⟦'), "{name}: a mark in {text:?}");
            let found = find(&detector, text);
            if !found.is_empty() {
                wrong.push(format!(
                    "{name}: {text:?} holds nothing\n    found {found:?}"
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn there_are_enough() {
    let sections = sections();
    let found: usize = sections.values().map(|section| section.found.len()).sum();
    let none: usize = sections.values().map(|section| section.none.len()).sum();
    assert!(
        found >= 250 && none >= 200,
        "{found} with findings, {none} without"
    );
    let marked: Vec<&String> = sections
        .values()
        .flat_map(|section| &section.found)
        .collect();
    let kinds: BTreeSet<String> = marked
        .iter()
        .flat_map(|text| parse(text).1)
        .map(|expected| expected.0)
        .collect();
    assert_eq!(
        kinds.len(),
        Kind::ALL.len(),
        "every kind has a vector: {kinds:?}"
    );
    let chinese = marked
        .iter()
        .filter(|text| text.contains(|c| matches!(c, '\u{4E00}'..='\u{9FFF}')));
    let chinese = chinese.count();
    assert!(
        chinese >= 150 && marked.len() - chinese >= 80,
        "{chinese} of {} Chinese",
        marked.len()
    );
}
