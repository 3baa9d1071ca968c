use std::sync::Arc;

use tamis_resource::Identity;

use super::*;
use crate::lexicon::{Lexicon, day_of_date, parse_lexicon_csv};
use crate::{Taxonomy, Thresholds};

fn judge(version: &str, lines: &str) -> Judge {
    let text = format!("term,risk,weight,match,variants\n{lines}");
    let entries = parse_lexicon_csv("l.csv", text.as_bytes(), b',').expect("reads");
    let identity = Identity::of_bytes("l.csv", version, text.as_bytes());
    let lexicon = Lexicon::new(identity, entries, &Taxonomy::builtin()).expect("valid");
    Judge::new(
        Taxonomy::builtin(),
        Arc::new(lexicon),
        Thresholds::builtin(),
    )
    .expect("judge")
}

fn rules(text: &str) -> LexiconRules {
    let clauses = "[clauses.lexicon_total]\nid = 'x 1'\n[clauses.lexicon_per_risk]\n\
                   id = 'x 2'\n[clauses.lexicon_age]\nid = 'x 3'\n";
    let text = format!("[lexicon]\n{text}\n{clauses}");
    LexiconRules::from_pack_toml("pack.toml", &text, &Taxonomy::builtin()).expect("rules")
}

fn options() -> CheckOptions {
    CheckOptions {
        today: day_of_date("2026-11-24").expect("a day"),
        max_document_share: 0.1,
        ..CheckOptions::default()
    }
}

fn shown(check: &LexiconCheck) -> Vec<(&str, bool, &str, &str, &str)> {
    check
        .findings
        .iter()
        .map(|finding| {
            (
                finding.kind.as_str(),
                finding.fails,
                finding.place.as_str(),
                finding.message.as_str(),
                finding.clause.as_str(),
            )
        })
        .collect()
}

#[test]
fn terms_are_counted_after_folding_and_without_punctuation() {
    let judge = judge(
        "",
        "rob the bank,A1h,0.5,,\nRob-The-Bank,A1h,0.5,,\n抢银行,A1h,0.6,,\n抢银行,A1f,0.6,,\n\
         抢 银行,A1f,0.6,,\nok,allow,,,\n",
    );
    let check = check_lexicon(&judge, &rules(""), None, &options()).expect("answers");
    assert_eq!((check.total, check.allow, check.age_days), (2, 1, None));
    let of = |id: &str| {
        let index = Taxonomy::builtin().index(id).expect("known");
        check.risks[index].terms
    };
    assert_eq!((of("A1h"), of("A1f"), of("A1a")), (2, 1, 0));
    assert!(check.passed());
    let kinds: Vec<_> = shown(&check)
        .iter()
        .map(|(kind, _, place, message, _)| (*kind, *place, *message))
        .collect();
    assert_eq!(
        kinds,
        [
            (
                "same_term",
                "line 3",
                "counts once with 'rob the bank' at line 2"
            ),
            (
                "conflict",
                "line 5",
                "the same term stands for A1h with weight 0.6 at line 4"
            ),
            (
                "conflict",
                "line 6",
                "the same term stands for A1h with weight 0.6 at line 4"
            ),
            ("same_term", "line 6", "counts once with '抢银行' at line 5"),
        ]
    );
}

#[test]
fn rules_of_the_pack_fail_with_their_clause() {
    let judge = judge("2026-11-10", "aa,A1a,0.5,,\nbb,A1a,0.5,,\n");
    let rules = rules("min_total = 3\nmax_age_days = 7\n[lexicon.min_per_risk]\nA5 = 1");
    let check = check_lexicon(&judge, &rules, None, &options()).expect("answers");
    assert!(!check.passed());
    assert_eq!(
        shown(&check),
        [
            (
                "total",
                true,
                "",
                "2 distinct terms; 3 are asked for",
                "x 1"
            ),
            (
                "per_risk",
                true,
                "A5a",
                "0 distinct terms for A5a, Inaccurate: seriously contrary to scientific common \
                 sense or mainstream understanding; 1 are asked for",
                "x 2"
            ),
            (
                "per_risk",
                true,
                "A5b",
                "0 distinct terms for A5b, Unreliable: no serious error but of no help to the \
                 user; 1 are asked for",
                "x 2"
            ),
            (
                "age",
                true,
                "",
                "last updated 14 days ago; at most 7 are allowed",
                "x 3"
            ),
        ]
    );
}

#[test]
fn the_age_must_be_known_and_not_in_the_future() {
    let rules = rules("max_age_days = 7");
    let age = |version: &str, updated: Option<&str>| {
        let options = CheckOptions {
            updated: updated.map(|date| day_of_date(date).expect("a day")),
            ..options()
        };
        let check = check_lexicon(&judge(version, "aa,A1a,0.5,,\n"), &rules, None, &options)
            .expect("answers");
        let messages: Vec<String> = check
            .findings
            .iter()
            .map(|finding| finding.message.clone())
            .collect();
        (check.age_days, messages.join(""))
    };
    assert_eq!(age("2026-11-17", None), (Some(7), String::new()));
    assert_eq!(
        age("2026-11-16", Some("2026-11-24")),
        (Some(0), String::new())
    );
    let unknown = "the date of the last update is not known";
    assert_eq!(age("3.1", None), (None, unknown.to_owned()));
    let future = "the last update lies 1 days in the future";
    assert_eq!(age("2026-11-25", None), (Some(-1), future.to_owned()));
}

#[test]
fn entries_that_hit_ordinary_text_fail() {
    let judge = judge(
        "",
        "the weather,A1g,0.5,,\nass,A4a,0.3,substring,\nrare,A1a,0.5,,\nclassic,allow,,,\n",
    );
    let mut sample = Sample::new(&judge);
    sample
        .add(&[
            "The weather is fine",
            "a classic",
            "Grass and grass",
            "glasses",
        ])
        .expect("answers");
    sample
        .add(&["the weather in the weather report", "rare", "", "", "", ""])
        .expect("answers");
    assert_eq!((sample.documents(), sample.documents_hit(0)), (10, 2));
    let check = check_lexicon(&judge, &rules(""), Some(&sample), &options()).expect("answers");
    assert_eq!(
        shown(&check),
        [
            (
                "frequent",
                true,
                "line 2",
                "hits 2 of 10 sample documents, 20.000 %; at most 10.000 % are allowed",
                ""
            ),
            (
                "frequent",
                true,
                "line 3",
                "hits 2 of 10 sample documents, 20.000 %; at most 10.000 % are allowed",
                ""
            ),
            (
                "inside_word",
                false,
                "line 3",
                "hits inside words of the sample: 'grass' (2), 'glasses' (1)",
                ""
            ),
        ]
    );
    assert_eq!(check.documents, 10);
}

#[test]
fn words_given_as_innocent_must_stay_free_unless_masked() {
    let judge = judge(
        "",
        "狗东,A4a,0.5,,\nrape,A1f,0.5,substring,\n脑残,A2h,0.3,,\n脑残留,allow,,,\n",
    );
    let options = CheckOptions {
        innocent_words: ["疯狗东西", "grapes", "rapeseed oil", "脑残留", "水果"]
            .map(str::to_owned)
            .to_vec(),
        ..options()
    };
    let check = check_lexicon(&judge, &rules(""), None, &options).expect("answers");
    let found: Vec<_> = shown(&check)
        .iter()
        .map(|(kind, fails, place, message, _)| (*kind, *fails, *place, *message))
        .collect();
    assert_eq!(
        found,
        [
            (
                "inside_word",
                true,
                "line 2",
                "hits in the innocent word '疯狗东西'"
            ),
            (
                "inside_word",
                true,
                "line 3",
                "hits in the innocent word 'grapes'"
            ),
            (
                "inside_word",
                true,
                "line 3",
                "hits in the innocent word 'rapeseed oil'"
            ),
        ]
    );
}

#[test]
fn entries_against_each_other() {
    let judge = judge(
        "",
        "逼,A4a,0.2,,\nkill,A1f,0.5,,\nKill,allow,,,\nrob,A1h,0.5,substring,\nrob,allow,,word,\n\
         steal it,A1h,0.9,,\nsteal-it,A1h,0.3,,\nburn,A1c,0.5,,\nburn,allow,,,none\n",
    );
    let check = check_lexicon(&judge, &rules(""), None, &options()).expect("answers");
    let found: Vec<_> = shown(&check)
        .iter()
        .map(|(kind, fails, place, message, _)| (*kind, *fails, *place, *message))
        .collect();
    assert_eq!(
        found,
        [
            (
                "single_character",
                false,
                "line 2",
                "a single character stands in too many words to mean a risk"
            ),
            (
                "unreachable",
                true,
                "line 3",
                "never counts: line 4 allows the same term"
            ),
            (
                "conflict",
                true,
                "line 5",
                "line 6 allows the same term, though not everywhere"
            ),
            (
                "conflict",
                false,
                "line 8",
                "weight 0.3 contradicts 0.9 of 'steal it' at line 7"
            ),
            (
                "conflict",
                true,
                "line 9",
                "line 10 allows the same term, though not everywhere"
            ),
        ]
    );
}

#[test]
#[should_panic(expected = "the sample is of this lexicon")]
fn a_sample_belongs_to_its_lexicon() {
    let (one, other) = (judge("", "aa,A1a,0.5,,\n"), judge("", "bb,A1a,0.5,,\n"));
    check_lexicon(&one, &rules(""), Some(&Sample::new(&other)), &options()).expect("answers");
}

#[test]
fn the_starter_lexicon_is_clean_but_small() {
    let judge = Judge::new(
        Taxonomy::builtin(),
        Lexicon::builtin(),
        Thresholds::builtin(),
    )
    .expect("judge");
    let text = include_str!("../../../../../sql/gb45654/pack.toml");
    let rules = LexiconRules::from_pack_toml("pack.toml", text, &Taxonomy::builtin());
    let updated = day_of_date(&Lexicon::builtin().identity().version);
    let options = CheckOptions {
        today: updated.expect("the version is a date"),
        ..options()
    };
    let check = check_lexicon(&judge, &rules.expect("rules"), None, &options).expect("answers");
    assert!(check.total >= 4000, "{} terms", check.total);
    for count in &check.risks {
        let id = &judge.taxonomy().risks()[count.risk].id;
        assert!(count.terms >= 20, "{id}: {} terms", count.terms);
    }
    assert!(!check.passed());
    // Nothing but its size is wrong with it: no risk short of terms, no conflict, none out of reach.
    let wrong: Vec<_> = check
        .findings
        .iter()
        .filter(|finding| finding.kind != CheckKind::Total)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
