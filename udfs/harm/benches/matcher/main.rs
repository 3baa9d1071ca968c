//! How fast keywords are found, and what building a matcher costs: the pair-gram filter with each
//! kernel beside daachorse (charwise) and aho-corasick (what it chooses itself), one core.
//!
//! All matchers of a table run in turns over the same documents, 16 MiB at a time, in an
//! order that rotates. Times are those the thread spent on a core (where Linux tells), so that
//! other programs disturb little; ratios are medians of the ratios of each round. Words on the
//! command line choose tables: `cargo bench -p tamis-harm --bench matcher -- zh 10000`;
//! `--rounds=N` sets how often.
//! `TAMIS_BENCH_TEXT` names a file whose lines are searched instead of the invented documents;
//! nothing is put into them.

mod clock;
mod text;

use std::time::Instant;

use aho_corasick::AhoCorasick;
use clock::now;
use daachorse::CharwiseDoubleArrayAhoCorasick;
use tamis_harm::{Kernel, Match, Matcher, PairGramMatcher};
use text::{Language, Vocabulary, documents, keywords};

/// Bytes of other texts of each language that keywords must not be in.
const PLAIN_BYTES: usize = 6 << 20;
/// Bytes that are searched: two slices.
const CORPUS_BYTES: usize = 33 << 20;
/// Seed of what is searched.
const SEARCHED: u64 = 3;
/// About a batch of DataFusion: 8,192 rows of 2 KB.
const SLICE_BYTES: usize = 16 << 20;
const ROUNDS: usize = 9;

enum Subject {
    Daachorse(CharwiseDoubleArrayAhoCorasick<u32>),
    AhoCorasick(Box<AhoCorasick>),
    PairGram(PairGramMatcher),
}

impl Subject {
    fn memory(&self) -> usize {
        match self {
            Self::Daachorse(automaton) => automaton.heap_bytes(),
            Self::AhoCorasick(automaton) => automaton.memory_usage(),
            Self::PairGram(matcher) => matcher.memory(),
        }
    }

    fn count_all(&self, documents: &[&str]) -> usize {
        let mut count = 0;
        match self {
            Self::Daachorse(automaton) => {
                for document in documents {
                    count += automaton.find_overlapping_iter(document).count();
                }
            }
            Self::AhoCorasick(automaton) => {
                for document in documents {
                    count += automaton.find_overlapping_iter(document).count();
                }
            }
            Self::PairGram(matcher) => matcher.find_all(documents, &mut |_: Match| count += 1),
        }
        count
    }

    fn count_any(&self, documents: &[&str]) -> usize {
        match self {
            Self::Daachorse(automaton) => documents
                .iter()
                .filter(|document| automaton.find_iter(document).next().is_some())
                .count(),
            Self::AhoCorasick(automaton) => documents
                .iter()
                .filter(|document| automaton.is_match(document))
                .count(),
            Self::PairGram(matcher) => {
                let mut found = vec![false; documents.len()];
                matcher.find_any(documents, &mut found);
                found.iter().filter(|found| **found).count()
            }
        }
    }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The median time of three builds in milliseconds, and the last that was built.
fn timed<T>(start: Instant, mut build: impl FnMut() -> T) -> (f64, T) {
    let mut times = Vec::new();
    loop {
        let before = now(start);
        let built = build();
        times.push((now(start) - before) as f64 / 1e6);
        if times.len() == 3 {
            return (median(&mut times), built);
        }
    }
}

fn main() {
    let start = Instant::now();
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let is_wanted = |label: &str| {
        wanted
            .iter()
            .all(|word| label.split(' ').any(|part| part == word))
    };
    let (chinese, english) = (Vocabulary::chinese(), Vocabulary::english());
    let own_text = std::env::var("TAMIS_BENCH_TEXT")
        .ok()
        .map(|path| std::fs::read_to_string(path).expect("a readable text"));
    let languages = [
        ("zh", Language::Chinese),
        ("en", Language::English),
        ("mixed", Language::Mixed),
    ];
    for count in [10_000, 200_000] {
        if !wanted.is_empty()
            && !["zh", "en", "mixed", "build", "own"].iter().any(|name| {
                is_wanted(&format!("{count} {name} d001 all"))
                    || is_wanted(&format!("{count} {name} d001 any"))
                    || is_wanted(&format!("{count} {name} d1 all"))
                    || is_wanted(&format!("{count} {name} d1 any"))
            })
        {
            continue;
        }
        // Keywords that neither the documents searched below hold by themselves nor others of the same
        // kind: few of the matches are there by chance.
        let plain: Vec<String> = languages
            .iter()
            .flat_map(|(_, language)| {
                [1, 2].map(|seed| {
                    documents(*language, PLAIN_BYTES, seed, &chinese, &english, &[], 0.0)
                })
            })
            .flatten()
            .chain(own_text.clone())
            .collect();
        let patterns = keywords(count, &chinese, &english, &mut |candidates| {
            let automaton = CharwiseDoubleArrayAhoCorasick::<u32>::new(candidates).expect("builds");
            let mut seen = vec![false; candidates.len()];
            let searched = languages.iter().flat_map(|(_, language)| {
                documents(
                    *language,
                    CORPUS_BYTES,
                    SEARCHED,
                    &chinese,
                    &english,
                    &[],
                    0.0,
                )
            });
            for text in plain.iter().cloned().chain(searched) {
                for found in automaton.find_overlapping_iter(text) {
                    seen[found.value() as usize] = true;
                }
            }
            seen
        });
        let borrowed: Vec<&str> = patterns.iter().map(String::as_str).collect();
        println!("\n{count} keywords: build, one core | ms | MiB");
        let mut subjects = Vec::new();
        let mut add = |name: String, (milliseconds, subject): (f64, Subject)| {
            let memory = subject.memory() as f64 / f64::from(1 << 20);
            println!("{name:24} | {milliseconds:8.1} | {memory:6.2}");
            subjects.push((name, subject));
        };
        add(
            "daachorse charwise".to_owned(),
            timed(start, || {
                Subject::Daachorse(CharwiseDoubleArrayAhoCorasick::new(&borrowed).expect("builds"))
            }),
        );
        add(
            "aho-corasick auto".to_owned(),
            timed(start, || {
                Subject::AhoCorasick(Box::new(AhoCorasick::new(&borrowed).expect("builds")))
            }),
        );
        for kernel in Kernel::available() {
            add(
                format!("pair gram {}", kernel.name()),
                timed(start, || {
                    let matcher = PairGramMatcher::new(&borrowed).expect("builds");
                    Subject::PairGram(matcher.with_kernel(kernel))
                }),
            );
        }
        add(
            "pair gram, not counting".to_owned(),
            timed(start, || {
                let matcher = PairGramMatcher::new(&borrowed).expect("builds");
                Subject::PairGram(matcher.with_these_anchors())
            }),
        );
        // Documents of every language, none of those that are timed: all that a sample may have,
        // and the mebibyte or so that a matcher counts before it chooses its anchors anew.
        let every = |part: usize| -> Vec<&str> {
            let texts = plain.iter().map(String::as_str);
            texts.step_by((plain.len() / part).max(1)).collect()
        };
        let (sample, before) = (every(4500), every(600));
        add(
            "pair gram, with_sample".to_owned(),
            timed(start, || {
                Subject::PairGram(PairGramMatcher::with_sample(&borrowed, &sample).expect("builds"))
            }),
        );
        for (_, subject) in &subjects {
            if let Subject::PairGram(matcher) = subject {
                matcher.find_all(&before, &mut |_| ());
            }
        }

        for (name, language) in languages {
            for (density_name, density) in [("d001", 0.0001), ("d1", 0.01)] {
                let labels = ["all", "any"]
                    .map(|operation| format!("{count} {name} {density_name} {operation}"));
                if !labels.iter().any(|label| is_wanted(label)) {
                    continue;
                }
                let texts = documents(
                    language,
                    CORPUS_BYTES,
                    SEARCHED,
                    &chinese,
                    &english,
                    &patterns,
                    density,
                );
                for label in labels.iter().filter(|label| is_wanted(label)) {
                    table(start, label, &texts, &subjects, label.ends_with("any"));
                }
            }
        }
        if let Some(own) = &own_text {
            let texts: Vec<String> = own.lines().map(str::to_owned).collect();
            for operation in ["all", "any"] {
                let label = format!("{count} own d0 {operation}");
                if is_wanted(&label) {
                    table(start, &label, &texts, &subjects, operation == "any");
                }
            }
        }
    }
}

/// Runs all matchers in turns and prints their rates.
fn table(start: Instant, label: &str, texts: &[String], subjects: &[(String, Subject)], any: bool) {
    // Behind each other, as an Arrow array holds them.
    let joined = texts.concat();
    let mut rest = joined.as_str();
    let mut slices: Vec<Vec<&str>> = vec![Vec::new()];
    let mut bytes = 0;
    for text in texts {
        let (text, behind) = rest.split_at(text.len());
        rest = behind;
        if bytes >= SLICE_BYTES {
            slices.push(Vec::new());
            bytes = 0;
        }
        bytes += text.len();
        slices.last_mut().expect("one slice").push(text);
    }
    if slices.len() > 1 {
        slices.pop();
    }
    let run = |subject: &Subject, slice: &[&str]| {
        if any {
            subject.count_any(slice)
        } else {
            subject.count_all(slice)
        }
    };
    let characters: usize = texts.iter().map(|text| text.chars().count()).sum();
    let all: Vec<&str> = texts.iter().map(String::as_str).collect();
    let rounds = std::env::args()
        .find_map(|argument| argument.strip_prefix("--rounds=").map(str::to_owned))
        .map_or(ROUNDS, |rounds| rounds.parse().expect("a number of rounds"));
    let hits = subjects[2].1.count_all(&all);
    let documents = subjects[2].1.count_any(&all);
    println!(
        "\n{label}: matches at {:.4} % of characters, in {:.1} % of documents | MB/s | x daachorse [least, most]",
        100.0 * hits as f64 / characters as f64,
        100.0 * documents as f64 / texts.len() as f64,
    );
    let mut times = vec![Vec::new(); subjects.len()];
    for round in 0..rounds + 1 {
        let slice = &slices[round % slices.len()];
        let mut counts = vec![0; subjects.len()];
        let mut order: Vec<usize> = (0..subjects.len()).collect();
        order.rotate_left(round % subjects.len());
        for index in order {
            let before = now(start);
            counts[index] = run(&subjects[index].1, slice);
            let time = (now(start) - before) as f64;
            // The first round warms up.
            if round > 0 {
                let bytes: usize = slice.iter().map(|text| text.len()).sum();
                times[index].push((time, bytes as f64 * 1e3 / time));
            }
        }
        assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    }
    for (index, (name, _)) in subjects.iter().enumerate() {
        let mut rates: Vec<f64> = times[index].iter().map(|(_, rate)| *rate).collect();
        let mut ratios: Vec<f64> = times[index]
            .iter()
            .zip(&times[0])
            .map(|((own, _), (reference, _))| reference / own)
            .collect();
        let ratio = median(&mut ratios);
        println!(
            "{name:24} | {:7.0} | {ratio:6.2} [{:.2}, {:.2}]",
            median(&mut rates),
            ratios[0],
            ratios[ratios.len() - 1],
        );
    }
}
