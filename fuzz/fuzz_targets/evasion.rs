//! Judging any text never panics; every hit lies inside it and starts and ends where it says.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use tamis_harm::{Entry, Judge, Lexicon, MatchKind, Taxonomy, Thresholds};

/// The built-in terms and some with signs, spaces and other scripts, in every form.
static JUDGE: LazyLock<Judge> = LazyLock::new(|| {
    let taxonomy = Taxonomy::builtin();
    let mut entries = Lexicon::builtin().entries().to_vec();
    for term in [
        "fuck",
        "c4",
        "#x",
        "100%",
        "sb男",
        "一枪",
        "a b c",
        "傻、逼",
        "рак",
        "café",
        "iii",
    ] {
        entries.push(Entry {
            term: term.into(),
            risk: "A5b".into(),
            weight: 0.5,
            match_kind: MatchKind::Auto,
            lang: String::new(),
            variants: String::new(),
            note: String::new(),
        });
    }
    let entries = (1..)
        .zip(entries)
        .map(|(row, entry)| {
            let entry = Entry {
                variants: "all".into(),
                ..entry
            };
            (format!("row {row}"), entry)
        })
        .collect();
    let identity = Lexicon::builtin().identity().clone();
    let lexicon = Lexicon::new(identity, entries, &taxonomy).expect("a valid lexicon");
    Judge::new(taxonomy, Arc::new(lexicon), Thresholds::builtin()).expect("a judge")
});

fuzz_target!(|text: &str| {
    let characters = text.chars().count();
    let mut score = 0.0;
    JUDGE.assess(&[text], &mut |_, assessment| {
        for hit in &assessment.hits {
            assert!(hit.start < hit.end && hit.end <= characters);
        }
        assert!((0.0..=1.0).contains(&assessment.score));
        score = assessment.score;
    })
    .expect("no classifier");
    assert_eq!(JUDGE.scores(&[text]).expect("no classifier"), [score]);
    let normal = tamis_text::normal_form(text);
    assert_eq!(tamis_text::normal_form(&normal), normal);
});
