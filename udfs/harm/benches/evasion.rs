//! What finding disguised terms costs beside exact matching: `cargo bench -p tamis-harm --bench
//! evasion`. Words on the command line choose texts, and after `--forms=` lexicons: `-- zh
//! --forms=none,default`; `--rounds=N` sets how often. `TAMIS_BENCH_TEXT` names a file whose lines
//! are searched besides, as the table `own`; nothing is put into them. `TAMIS_BENCH_TERMS` names a
//! file with a term a line to be searched for instead of the invented ones.
//!
//! Texts and terms are made by code, as for the matcher's own benchmark: 10,000 terms, one at
//! 0.01 % of all characters. Exact matching is the default matcher on the texts as they are,
//! with word borders checked and every hit given with its span in characters; the judge gives
//! whole assessments by lexicons that differ in the column `variants`. All run in turns over the
//! same documents; times are those the thread spent on a core (where Linux tells), ratios are
//! medians of the ratios of each round. The table `build` is what the first text costs besides: the
//! matcher and the index of disguises are built then.

#[path = "matcher/clock.rs"]
mod clock;
#[allow(dead_code, reason = "shared with the matcher's benchmark")]
#[path = "matcher/text.rs"]
mod text;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use clock::now;
use tamis_harm::{
    Entry, Judge, Lexicon, MatchKind, Matcher, PairGramMatcher, Taxonomy, Thresholds,
};
use tamis_resource::Identity;
use tamis_text::{CharOffsets, on_word_boundaries, traditional};
use text::{Language, Vocabulary, documents, keywords};

const CORPUS_BYTES: usize = 4 << 20;
const ROUNDS: usize = 9;
const DENSITY: f64 = 1e-4;

const BUILDS: usize = 9;

/// What the normal form undoes.
const NORMAL: &str = "case|width|zero_width|combining|math|enclosed|homoglyph";

/// Finds all hits and counts them.
type Run<'a> = Box<dyn Fn() -> usize + 'a>;

fn judge(terms: &[String], variants: &str) -> Judge {
    let entries = (1..)
        .zip(terms)
        .map(|(row, term)| {
            let entry = Entry {
                term: term.clone(),
                risk: "A1a".into(),
                weight: 0.5,
                match_kind: MatchKind::Auto,
                lang: String::new(),
                variants: variants.into(),
                note: String::new(),
            };
            (format!("row {row}"), entry)
        })
        .collect();
    let taxonomy = Taxonomy::builtin();
    let lexicon =
        Lexicon::new(Identity::of_bytes("bench", "", b""), entries, &taxonomy).expect("valid");
    Judge::new(taxonomy, Arc::new(lexicon), Thresholds::builtin()).expect("a judge")
}

/// Every hit of every document, with its span in characters.
fn exact_hits(matcher: &PairGramMatcher, terms: &[String], documents: &[&str]) -> usize {
    let mut found = Vec::new();
    matcher.find_all(documents, &mut |one| {
        let whole_words = terms[one.pattern].is_ascii();
        if !whole_words || on_word_boundaries(documents[one.document], one.start, one.end) {
            found.push(one);
        }
    });
    let mut hits = Vec::new();
    for found in found.chunk_by_mut(|left, right| left.document == right.document) {
        found.sort_unstable_by_key(|one| (one.start, one.end, one.pattern));
        let text = documents[found[0].document];
        let mut offsets = CharOffsets::new(text);
        hits.extend(found.iter().map(|one| {
            let start = offsets.at(one.start);
            let characters = text[one.start..one.end].chars().count();
            (one.pattern, start, start + characters)
        }));
    }
    black_box(&hits).len()
}

fn assessed_hits(judge: &Judge, documents: &[&str]) -> usize {
    let mut hits = 0;
    judge
        .assess(documents, &mut |_, assessment| {
            hits += black_box(assessment).hits.len();
        })
        .expect("answers");
    hits
}

fn file_named_by(variable: &str) -> Option<String> {
    let path = std::env::var(variable).ok()?;
    Some(std::fs::read_to_string(path).expect("a readable text"))
}

/// The terms that do not stand in ordinary text of themselves, so that the density holds.
fn without_ordinary(terms: Vec<String>, chinese: &Vocabulary, english: &Vocabulary) -> Vec<String> {
    let ordinary: Vec<String> = [Language::Chinese, Language::English]
        .into_iter()
        .flat_map(|language| documents(language, 2 << 20, 5, chinese, english, &[], 0.0))
        .collect();
    let ordinary: Vec<&str> = ordinary.iter().map(String::as_str).collect();
    let all: Vec<&str> = terms.iter().map(String::as_str).collect();
    let mut is_ordinary = vec![false; terms.len()];
    PairGramMatcher::new(&all)
        .expect("builds")
        .find_all(&ordinary, &mut |one| is_ordinary[one.pattern] = true);
    terms
        .into_iter()
        .zip(is_ordinary)
        .filter_map(|(term, ordinary)| (!ordinary).then_some(term))
        .collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let (chinese, english) = (Vocabulary::chinese(), Vocabulary::english());
    let own_text = file_named_by("TAMIS_BENCH_TEXT");
    let terms = match file_named_by("TAMIS_BENCH_TERMS") {
        Some(own) => own.lines().map(str::to_owned).collect(),
        None => {
            let terms = keywords(10_000, &chinese, &english, &mut |more| {
                vec![false; more.len()]
            });
            without_ordinary(terms, &chinese, &english)
        }
    };
    println!("{} terms", terms.len());

    let patterns: Vec<&str> = terms.iter().map(String::as_str).collect();
    let exact = PairGramMatcher::new(&patterns).expect("builds");
    let with = |form: &str| format!("{NORMAL}|{form}");
    let variants: Vec<(&str, String)> = vec![
        ("none", "none".into()),
        ("undone by the normal form", NORMAL.into()),
        ("and traditional", with("traditional")),
        ("and number", with("number")),
        ("and split", with("split")),
        ("and separator", with("separator")),
        ("and leet", with("leet")),
        ("and repeat", with("repeat")),
        ("default", String::new()),
        ("all", "all".into()),
    ];
    let option = |name: &str| {
        std::env::args().find_map(|argument| argument.strip_prefix(name).map(str::to_owned))
    };
    let forms =
        option("--forms=").map(|forms| forms.split(',').map(str::to_owned).collect::<Vec<_>>());
    let rounds = option("--rounds=").map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    let judges: Vec<(&str, Judge)> = variants
        .iter()
        .filter(|(name, _)| {
            forms
                .as_ref()
                .is_none_or(|forms| forms.iter().any(|form| form == name))
        })
        .map(|(name, variants)| (*name, judge(&terms, variants)))
        .collect();
    println!("\n| build: `variants` | ms, one core |\n|---|---|");
    for (name, variants) in &variants {
        if !judges.iter().any(|(wanted, _)| wanted == name) {
            continue;
        }
        let times = (0..BUILDS).map(|_| {
            let judge = judge(&terms, variants);
            let start = Instant::now();
            let before = now(start);
            black_box(judge.scores(&[""]).expect("answers"));
            (now(start) - before) as f64 / 1e6
        });
        println!("| {name} | {:.0} |", median(times.collect()));
    }
    let tables = [
        ("zh", Language::Chinese, false),
        ("en", Language::English, false),
        ("mixed", Language::Mixed, false),
        ("zh-traditional", Language::Chinese, true),
        ("own", Language::Mixed, false),
    ];
    for (name, language, is_traditional) in tables {
        let is_wanted = chosen.is_empty() || chosen.iter().any(|chosen| chosen == name);
        let mut texts = match (name, &own_text) {
            ("own", Some(text)) if is_wanted => text.lines().map(str::to_owned).collect(),
            ("own", _) => continue,
            _ if !is_wanted => continue,
            _ => documents(
                language,
                CORPUS_BYTES,
                31,
                &chinese,
                &english,
                &terms,
                DENSITY,
            ),
        };
        if is_traditional {
            for text in &mut texts {
                *text = text
                    .chars()
                    .map(|c| traditional(c).next().unwrap_or(c))
                    .collect();
            }
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let bytes: usize = texts.iter().map(|text| text.len()).sum();
        let mut runs: Vec<(&str, Run<'_>)> = vec![(
            "exact matching",
            Box::new(|| exact_hits(&exact, &terms, &texts)),
        )];
        for (name, judge) in &judges {
            runs.push((name, Box::new(|| assessed_hits(judge, &texts))));
        }
        // The matchers choose their anchors by what they read first.
        let hits: Vec<usize> = runs.iter().map(|run| run.1()).collect();
        let mut times: Vec<Vec<f64>> = vec![Vec::new(); runs.len()];
        for round in 0..rounds {
            for turn in 0..runs.len() {
                let at = (turn + round) % runs.len();
                let start = Instant::now();
                let before = now(start);
                black_box(runs[at].1());
                times[at].push((now(start) - before) as f64);
            }
        }
        println!(
            "\n| {name}: `variants` | hits | MB/s | beside exact matching |\n|---|---|---|---|"
        );
        for (at, (name, _)) in runs.iter().enumerate() {
            let ratios = times[at].iter().zip(&times[0]);
            let ratio = median(ratios.map(|(one, exact)| one / exact).collect());
            let rate = bytes as f64 * 1e3 / median(times[at].clone());
            println!("| {name} | {} | {rate:.0} | {ratio:.2} |", hits[at]);
        }
    }
}
