use proptest::prelude::*;
use tamis_resource::Identity;
use tamis_text::{fold, on_word_boundaries};

use super::*;
use crate::lexicon::{ALLOW, Entry, MatchKind};
use crate::matcher::tests::NaiveMatcher;

fn entry(term: &str, risk: &str, weight: f64, match_kind: MatchKind) -> Entry {
    Entry {
        term: term.into(),
        risk: risk.into(),
        weight,
        match_kind,
        lang: String::new(),
        variants: String::new(),
        note: String::new(),
    }
}

pub(super) fn auto(term: &str, risk: &str, weight: f64) -> Entry {
    entry(term, risk, weight, MatchKind::Auto)
}

fn parts(entries: Vec<Entry>) -> (Arc<Taxonomy>, Arc<Lexicon>, Arc<Thresholds>) {
    let taxonomy = Taxonomy::builtin();
    let located = (1..)
        .zip(entries)
        .map(|(row, entry)| (format!("row {row}"), entry))
        .collect();
    let identity = Identity::of_bytes("test", "", b"test");
    let lexicon = Lexicon::new(identity, located, &taxonomy).expect("a valid lexicon");
    let thresholds = Thresholds::from_toml("test", "default = 0.5", &taxonomy).expect("valid");
    (taxonomy, Arc::new(lexicon), Arc::new(thresholds))
}

pub(super) fn judge(entries: Vec<Entry>) -> Judge {
    let (taxonomy, lexicon, thresholds) = parts(entries);
    Judge::new(taxonomy, lexicon, thresholds).expect("a judge")
}

pub(super) fn assess(judge: &Judge, documents: &[&str]) -> Vec<Assessment> {
    let mut all = Vec::new();
    judge
        .assess(documents, &mut |document, assessment| {
            assert_eq!(document, all.len(), "each document once, in order");
            all.push(assessment);
        })
        .expect("answers");
    assert_eq!(all.len(), documents.len());
    all
}

/// Term, the text of the span and the form, for each hit in one document.
fn hits<'a>(judge: &'a Judge, text: &str) -> Vec<(&'a str, String, &'static str)> {
    assess(judge, &[text])[0]
        .hits
        .iter()
        .map(|hit| {
            let span = text.chars().skip(hit.start).take(hit.end - hit.start);
            let term = &*judge.lexicon().entries()[hit.entry].term;
            (term, span.collect(), hit.via.as_str())
        })
        .collect()
}

fn spans(judge: &Judge, text: &str) -> Vec<String> {
    hits(judge, text)
        .into_iter()
        .map(|(_, span, _)| span)
        .collect()
}

#[test]
fn clean_and_empty_documents() {
    let judge = judge(vec![auto("fuck", "A1f", 0.6)]);
    for assessment in assess(&judge, &["", "nothing here", "干净的文字，没有。"]) {
        assert_eq!(
            assessment,
            Assessment {
                score: 0.0,
                top_risk: None,
                risks: vec![],
                hits: vec![],
                model: None,
            }
        );
    }
    assert!(assess(&judge, &[]).is_empty());
    assert!(judge.scores(&[]).expect("answers").is_empty());
    assert!(judge.is_harmful(&[], None).expect("answers").is_empty());
}

#[test]
fn hits_are_located_in_characters_of_the_original() {
    let judge = judge(vec![auto("fuck", "A1f", 0.6), auto("傻逼", "A4c", 0.5)]);
    let text = "😀𝄞，ＦＵ\u{200B}ＣＫ 你是傻逼\u{E0100}吗？";
    let assessments = assess(&judge, &[text]);
    let taxonomy = judge.taxonomy();
    let (porn, honour) = (
        taxonomy.index("A1f").unwrap(),
        taxonomy.index("A4c").unwrap(),
    );
    assert_eq!(
        assessments[0],
        Assessment {
            score: 0.6,
            top_risk: Some(porn),
            risks: vec![porn, honour],
            hits: vec![
                Hit {
                    risk: porn,
                    entry: 0,
                    start: 3,
                    end: 8,
                    weight: 0.6,
                    via: Via::ZeroWidth,
                },
                Hit {
                    risk: honour,
                    entry: 1,
                    start: 11,
                    end: 13,
                    weight: 0.5,
                    via: Via::Exact,
                },
            ],
            model: None,
        }
    );
}

#[test]
fn every_form_is_found_and_named() {
    let judge = judge(vec![auto("fuck", "A1f", 0.6), auto("café", "A1f", 0.6)]);
    for (text, span, via) in [
        ("a fuck b", "fuck", "exact"),
        ("a Fuck b", "Fuck", "case"),
        ("是ｆｕｃｋ吗", "ｆｕｃｋ", "width"),
        ("f\u{200D}uck", "f\u{200D}uck", "zero_width"),
        ("ⓕⓤⓒⓚ", "ⓕⓤⓒⓚ", "enclosed"),
        ("𝖋𝖚𝖈𝖐", "𝖋𝖚𝖈𝖐", "math"),
        ("un cafe\u{301}!", "cafe\u{301}", "combining"),
    ] {
        let term = if span.contains("caf") {
            "café"
        } else {
            "fuck"
        };
        assert_eq!(hits(&judge, text), [(term, span.into(), via)]);
    }
}

#[test]
fn latin_terms_keep_to_words() {
    let judge = judge(vec![
        auto("ass", "A1f", 0.5),
        entry("fuck", "A1f", 0.5, MatchKind::Word),
        entry("shit", "A1f", 0.5, MatchKind::Substring),
        auto("傻逼", "A1f", 0.5),
    ]);
    assert!(spans(&judge, "class assume assess CLASS cl\u{200B}ass").is_empty());
    assert_eq!(spans(&judge, "an ass, ASS!"), ["ass", "ASS"]);
    assert_eq!(spans(&judge, "是fuck吗"), ["fuck"]);
    assert!(spans(&judge, "fuckery").is_empty());
    assert_eq!(spans(&judge, "bullshitter"), ["shit"]);
    assert_eq!(spans(&judge, "x傻逼y大傻逼子"), ["傻逼", "傻逼"]);
}

#[test]
fn overlapping_terms_all_hit() {
    let judge = judge(vec![
        auto("杀人", "A1d", 0.5),
        auto("人肉", "A1d", 0.5),
        auto("杀人肉", "A1f", 0.5),
        auto("人", "A1h", 0.1),
    ]);
    assert_eq!(
        spans(&judge, "杀人肉"),
        ["杀人", "杀人肉", "人", "人肉"],
        "by start, then end"
    );
}

#[test]
fn a_term_may_carry_several_risks() {
    let judge = judge(vec![auto("恶语", "A4c", 0.7), auto("恶语", "A1e", 0.6)]);
    let assessment = &assess(&judge, &["恶语"])[0];
    let risks: Vec<usize> = assessment.hits.iter().map(|hit| hit.risk).collect();
    let index = |id| judge.taxonomy().index(id).unwrap();
    assert_eq!(risks, [index("A1e"), index("A4c")], "by risk");
    assert_eq!(assessment.risks, risks);
    assert_eq!(
        (assessment.score, assessment.top_risk),
        (0.7, Some(index("A4c")))
    );
}

#[test]
fn equal_scores_go_to_the_first_risk() {
    let judge = judge(vec![auto("乙", "A4c", 0.4), auto("甲", "A1e", 0.4)]);
    let assessment = &assess(&judge, &["乙甲"])[0];
    assert_eq!(assessment.top_risk, judge.taxonomy().index("A1e"));
    assert!(assessment.risks.is_empty(), "0.4 is below 0.5");
    assert_eq!(assessment.hits.len(), 2);
}

#[test]
fn masks_cover_what_lies_inside() {
    let judge = judge(vec![
        auto("逼", "A1f", 0.5),
        auto("ass", "A1f", 0.5),
        auto("pain in the ass", "A1f", 0.5),
        auto("逼近", ALLOW, 1.0),
        auto("紧逼", ALLOW, 1.0),
        entry("ass kit", ALLOW, 1.0, MatchKind::Word),
    ]);
    assert!(spans(&judge, "步步紧逼，逼近").is_empty());
    assert_eq!(spans(&judge, "逼近逼"), ["逼"]);
    assert!(spans(&judge, "ＡＳＳ kit").is_empty(), "masks fold too");
    assert_eq!(
        spans(&judge, "ass kits"),
        ["ass"],
        "the mask would cut a word"
    );
    // A hit reaching out of the mask stays, the one inside goes.
    assert_eq!(spans(&judge, "pain in the ass kit"), ["pain in the ass"]);
    // A mask ends with its document.
    let documents = ["逼近", "逼", "紧", "逼"];
    let counts: Vec<usize> = assess(&judge, &documents)
        .iter()
        .map(|assessment| assessment.hits.len())
        .collect();
    assert_eq!(counts, [0, 1, 0, 1]);
    assert_eq!(
        judge.is_harmful(&documents, None).expect("answers"),
        [false, true, false, true]
    );
}

#[test]
fn variants_limit_the_forms() {
    let with = |variants: &str| {
        judge(vec![Entry {
            variants: variants.into(),
            ..auto("IS", "A1d", 0.5)
        }])
    };
    let text = "IS is ＩＳ ｉｓ";
    assert_eq!(spans(&with(""), text), ["IS", "is", "ＩＳ", "ｉｓ"]);
    assert_eq!(spans(&with("all"), text), ["IS", "is", "ＩＳ", "ｉｓ"]);
    assert_eq!(spans(&with("none"), text), ["IS"]);
    assert_eq!(spans(&with("case"), text), ["IS", "is"]);
    assert_eq!(spans(&with("width"), text), ["IS", "ＩＳ"]);
    assert_eq!(
        with("none").scores(&["is", "IS"]).expect("answers"),
        [0.0, 0.5]
    );
    assert_eq!(
        with("none")
            .is_harmful(&["is", "IS"], None)
            .expect("answers"),
        [false, true]
    );
}

#[test]
fn thresholds_of_is_harmful() {
    let judge = judge(vec![auto("甲", "A1a", 0.4), auto("乙", "A1b", 0.6)]);
    let documents = ["", "甲", "乙", "甲乙"];
    assert_eq!(
        judge.scores(&documents).expect("answers"),
        [0.0, 0.4, 0.6, 0.6]
    );
    assert_eq!(
        judge.is_harmful(&documents, None).expect("answers"),
        [false, false, true, true]
    );
    for (threshold, expected) in [
        (0.6, [false, false, true, true]),
        (0.4, [false, true, true, true]),
        (0.61, [false; 4]),
        (0.0, [true; 4]),
        (-1.0, [true; 4]),
        (f64::NAN, [false; 4]),
        (f64::INFINITY, [false; 4]),
    ] {
        assert_eq!(
            judge
                .is_harmful(&documents, Some(threshold))
                .expect("answers"),
            expected
        );
    }
}

#[test]
fn batches_do_not_change_answers() {
    let judge = judge(vec![auto("傻逼", "A4c", 0.5), auto("fuck", "A1f", 0.6)]);
    let large = format!("{}傻逼", "文字，".repeat(60_000));
    let mut documents = vec!["傻", "逼", &large, "ＦＵＣＫ", "", &large, "fu", "ck"];
    documents.extend(std::iter::repeat_n("你fuck吗", 3000));
    let alone: Vec<Assessment> = documents
        .iter()
        .flat_map(|text| assess(&judge, &[text]))
        .collect();
    assert_eq!(assess(&judge, &documents), alone);
    assert_eq!(alone[2].hits[0].start, 180_000);
    assert_eq!(alone.iter().filter(|a| !a.hits.is_empty()).count(), 3003);
    let harmful: Vec<bool> = alone.iter().map(|a| !a.risks.is_empty()).collect();
    assert_eq!(
        judge.is_harmful(&documents, None).expect("answers"),
        harmful
    );
}

#[test]
fn digest_follows_all_three() {
    let (taxonomy, lexicon, thresholds) = parts(vec![auto("a", "A1a", 1.0)]);
    let one = Judge::new(taxonomy.clone(), lexicon.clone(), thresholds.clone()).expect("a judge");
    assert_eq!(one.digest().len(), 64);
    let same = Judge::new(taxonomy.clone(), lexicon.clone(), thresholds).expect("a judge");
    assert_eq!(one.digest(), same.digest());
    let stricter = Thresholds::from_toml("t", "default = 0.4", &taxonomy).expect("valid");
    let other = Judge::new(taxonomy, lexicon, Arc::new(stricter)).expect("a judge");
    assert_ne!(one.digest(), other.digest());
}

#[test]
fn parts_of_different_taxonomies_are_refused() {
    let (_, lexicon, thresholds) = parts(vec![auto("a", "A1a", 1.0)]);
    let text = "[[risk]]\nid='A1a'\ngroup='A1'\nzh='z'\nen='e'\n";
    let own = Arc::new(Taxonomy::from_toml("own.toml", text).expect("valid"));
    let error = Judge::new(own, lexicon, thresholds)
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("test, risk ids: read for another taxonomy than own.toml"),
        "{error}"
    );
}

#[test]
fn builtin_judges() {
    let judge = Judge::new(
        Taxonomy::builtin(),
        Lexicon::builtin(),
        Thresholds::builtin(),
    )
    .expect("a judge");
    // Every entry is found in its own term, unless a mask says otherwise.
    for (index, entry) in judge.lexicon().entries().iter().enumerate() {
        if entry.risk == ALLOW {
            continue;
        }
        let assessment = &assess(&judge, &[&entry.term])[0];
        assert!(
            assessment
                .hits
                .iter()
                .any(|hit| hit.entry == index && hit.via == Via::Exact),
            "'{}' is masked or not found",
            entry.term
        );
    }
    // And every mask leaves nothing in the word it protects.
    for entry in judge.lexicon().entries() {
        if entry.risk == ALLOW {
            let assessment = &assess(&judge, &[&entry.term])[0];
            assert!(assessment.hits.is_empty(), "'{}' does not mask", entry.term);
        }
    }
}

/// What the judge should find: every entry at every place of the folded text, by the rules.
fn oracle(entries: &[Entry], text: &str) -> Vec<(usize, String)> {
    let folded = fold(text).into_owned();
    let mut found = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let term = fold(&entry.term).into_owned();
        for (start, _) in folded.char_indices() {
            let end = start + term.len();
            if folded[start..].starts_with(&term)
                && (entry.match_kind == MatchKind::Substring
                    || on_word_boundaries(&folded, start, end))
            {
                found.push((index, start, end));
            }
        }
    }
    let masks: Vec<_> = found
        .iter()
        .copied()
        .filter(|(index, ..)| entries[*index].risk == ALLOW)
        .collect();
    let mut hits: Vec<(usize, String)> = found
        .into_iter()
        .filter(|(index, start, end)| {
            entries[*index].risk != ALLOW
                && !masks.iter().any(|(_, from, to)| from <= start && end <= to)
        })
        .map(|(index, ..)| (index, fold(&entries[index].term).into_owned()))
        .collect();
    hits.sort();
    hits
}

const TEXT: &str = "[abAB中文，ａｂＡ😀 _\u{200B}\u{AD}①é]{0,16}";

fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let kinds = prop_oneof![
        Just(MatchKind::Auto),
        Just(MatchKind::Word),
        Just(MatchKind::Substring)
    ];
    let risks = prop_oneof![Just("A1a"), Just("A1b"), Just("A2a"), Just(ALLOW),];
    let one = ("[abB中文ａ1]{1,3}", risks, 0.05f64..=1.0, kinds).prop_map(
        |(term, risk, weight, kind)| Entry {
            // The forms that folding undoes, which the oracle knows.
            variants: "case|width|zero_width|enclosed|math".into(),
            ..entry(&term, risk, weight, kind)
        },
    );
    proptest::collection::vec(one, 1..8).prop_map(|entries| {
        let mut seen = std::collections::HashSet::new();
        let mut unique: Vec<Entry> = entries
            .into_iter()
            .filter(|entry| seen.insert((fold(&entry.term).into_owned(), entry.risk.clone())))
            .collect();
        unique.push(auto("never", "A5b", 1.0));
        unique
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn agrees_with_looking_everywhere(
        entries in entries(),
        documents in proptest::collection::vec(TEXT, 0..5),
    ) {
        let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
        let judge = judge(entries.clone());
        let assessments = assess(&judge, &documents);
        for (text, assessment) in documents.iter().zip(&assessments) {
            let mut found = Vec::new();
            for hit in &assessment.hits {
                let span: String = text.chars().skip(hit.start).take(hit.end - hit.start).collect();
                found.push((hit.entry, fold(&span).into_owned()));
                prop_assert_eq!(hit.weight, entries[hit.entry].weight);
            }
            let order: Vec<_> = assessment
                .hits
                .iter()
                .map(|hit| (hit.start, hit.end, hit.risk, hit.entry))
                .collect();
            prop_assert!(order.is_sorted());
            found.sort();
            prop_assert_eq!(found, oracle(&entries, text));
        }
    }

    #[test]
    fn shorter_ways_give_the_same_answers(
        entries in entries(),
        documents in proptest::collection::vec(TEXT, 0..6),
        threshold in prop_oneof![0.0f64..=1.0, Just(0.0), Just(0.5), Just(1.0)],
    ) {
        let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
        let judge = judge(entries);
        let assessments = assess(&judge, &documents);
        let scores: Vec<f64> = assessments.iter().map(|a| a.score).collect();
        prop_assert_eq!(judge.scores(&documents).expect("answers"), scores.clone());
        let harmful: Vec<bool> = assessments.iter().map(|a| !a.risks.is_empty()).collect();
        prop_assert_eq!(judge.is_harmful(&documents, None).expect("answers"), harmful);
        let reached: Vec<bool> = scores.iter().map(|score| *score >= threshold).collect();
        prop_assert_eq!(judge.is_harmful(&documents, Some(threshold)).expect("answers"), reached);
        for assessment in &assessments {
            prop_assert!((0.0..=1.0).contains(&assessment.score));
            prop_assert_eq!(assessment.top_risk.is_some(), !assessment.hits.is_empty());
        }
    }

    #[test]
    fn another_matcher_gives_the_same_answers(
        entries in entries(),
        documents in proptest::collection::vec(TEXT, 0..4),
    ) {
        let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
        let (taxonomy, lexicon, thresholds) = parts(entries.clone());
        let naive = Judge::with_matcher(taxonomy, lexicon, thresholds, |patterns| {
            let patterns = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
            Ok(Box::new(NaiveMatcher(patterns)) as _)
        })
        .expect("a judge");
        let judge = judge(entries);
        prop_assert_eq!(assess(&naive, &documents), assess(&judge, &documents));
        prop_assert_eq!(
            naive.is_harmful(&documents, None).expect("answers"),
            judge.is_harmful(&documents, None).expect("answers")
        );
    }
}

#[test]
fn sounds_are_found_on_request_and_count_less() {
    let with = |variants: &str| {
        judge(vec![Entry {
            variants: variants.into(),
            ..auto("杀人", "A1d", 0.8)
        }])
    };
    let text = "沙仁 sharen sha人 杀人";
    assert_eq!(spans(&with(""), text), ["杀人"]);
    assert_eq!(spans(&with("pinyin"), text), ["sharen", "sha人", "杀人"]);
    assert_eq!(
        spans(&with("all"), text),
        ["沙仁", "sharen", "sha人", "杀人"]
    );
    assert_eq!(
        with("all")
            .scores(&["沙仁", "sharen", "杀人"])
            .expect("answers"),
        [0.4, 0.4, 0.8]
    );
    assert_eq!(assess(&with("all"), &["沙仁"])[0].hits[0].weight, 0.4);
}

#[test]
fn disguises_by_ordinary_characters() {
    let judge = judge(vec![
        auto("傻逼", "A4c", 0.5),
        auto("强奸", "A1f", 0.5),
        auto("fuck", "A1f", 0.6),
        auto("rob the bank", "A1h", 0.5),
        auto("六四", "A1a", 0.5),
        auto("sb男", "A4c", 0.5),
    ]);
    for (text, span, via) in [
        ("大傻 逼子", "傻 逼", "separator"),
        ("大傻😀逼子", "傻😀逼", "separator"),
        ("他弓虽女干了", "弓虽女干", "split"),
        ("強姦", "強姦", "traditional"),
        ("是f u c k吗", "f u c k", "separator"),
        ("f.u.C.k!", "f.u.C.k", "separator"),
        ("fuuuuck", "fuuuuck", "repeat"),
        ("FUCKKKK off", "FUCKKKK", "repeat"),
        ("rob\nthe  bank", "rob\nthe  bank", "separator"),
        ("r0b th3 b4nk", "r0b th3 b4nk", "leet"),
        ("6肆", "6肆", "number"),
        ("陸四", "陸四", "number"),
        ("s.b.男", "s.b.男", "separator"),
        ("fцck fuсk", "fuсk", "homoglyph"),
        ("❻❹", "❻❹", "number"),
    ] {
        let found = hits(&judge, text);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert_eq!((&*found[0].1, found[0].2), (span, via), "{text}");
    }
    for text in [
        "真傻，逼着你",
        "fu ck",
        "the fu ck",
        "6.4",
        "rob the,,,, bank",
        "fucck",
        "fuckk",
        "afuuuck",
        "grob the bank",
        "r0b th3 b4nks",
        "傻----逼",
    ] {
        assert!(hits(&judge, text).is_empty(), "{text}");
    }
}
