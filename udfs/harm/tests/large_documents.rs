//! Documents far larger than ordinary ones: right answers, in memory bounded by the text.

use std::fs;
use std::sync::Arc;

use tamis_harm::{Assessment, Entry, Judge, Lexicon, MatchKind, Taxonomy, Thresholds, Via};
use tamis_resource::Identity;

fn judge(terms: &[&str]) -> Judge {
    let entries = (1..)
        .zip(terms)
        .map(|(row, term)| {
            let entry = Entry {
                term: (*term).to_owned(),
                risk: "A1a".into(),
                weight: 0.5,
                match_kind: MatchKind::Auto,
                lang: String::new(),
                variants: String::new(),
                note: String::new(),
            };
            (format!("row {row}"), entry)
        })
        .collect();
    let taxonomy = Taxonomy::builtin();
    let lexicon =
        Lexicon::new(Identity::of_bytes("test", "", b""), entries, &taxonomy).expect("valid");
    Judge::new(taxonomy, Arc::new(lexicon), Thresholds::builtin()).expect("a judge")
}

/// The most memory this process held since the last call, in bytes; `None` where the system does
/// not say so.
fn peak_memory() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    fs::write("/proc/self/clear_refs", "5").ok()?;
    Some(kibibytes * 1024)
}

/// The assessment of one text, and how much more memory was held while it was made.
fn assess(judge: &Judge, text: &str) -> (Assessment, usize) {
    peak_memory();
    // What is held now is the peak right after the last was forgotten.
    let before = peak_memory().unwrap_or(0);
    let mut found = None;
    judge
        .assess(&[text], &mut |document, assessment| {
            assert_eq!(document, 0);
            found = Some(assessment);
        })
        .expect("an answer");
    let more = peak_memory().unwrap_or(0).saturating_sub(before);
    (found.expect("one document"), more)
}

/// One test, since memory is that of the whole process.
#[test]
fn large_documents_are_judged_within_bounded_memory() {
    const BYTES: usize = 100_000_000;
    let judge = judge(&["坏词语", "bad phrase"]);
    let sentence = "这是一句没有问题的话，and some ordinary words. ";
    // Capitals ask for one copy; the second takes the way of texts that are brought into normal
    // form, by way of a folded one.
    for (first, copies) in [("坏词语", 1), ("\u{200B}坏词语", 3)] {
        let mut text = String::with_capacity(BYTES + 1000);
        text.push_str(first);
        let mut expected = vec![(first.chars().count() - 3, 3, Via::Exact)];
        let mut characters = first.chars().count();
        let middle = |text: &str| text.len() > BYTES / 2;
        let mut push = |text: &mut String, term: &str, via: Via| {
            expected.push((characters, term.chars().count(), via));
            text.push_str(term);
            characters += term.chars().count();
        };
        let mut was_middle = false;
        let mut sentences = 0;
        while text.len() < BYTES {
            text.push_str(sentence);
            sentences += 1;
            if middle(&text) && !was_middle {
                was_middle = true;
                push(&mut text, "b.a.d phrase", Via::Separator);
            }
        }
        push(&mut text, "Bad Phrase", Via::Case);
        // Sentences stand before the second and between it and the third.
        let length = sentence.chars().count();
        let before_middle = (BYTES / 2 - first.len()).div_euclid(sentence.len()) + 1;
        expected[1].0 += before_middle * length;
        expected[2].0 += sentences * length;

        let (assessment, more) = assess(&judge, &text);
        let found: Vec<(usize, usize, Via)> = assessment
            .hits
            .iter()
            .map(|hit| (hit.start, hit.end - hit.start, hit.via))
            .collect();
        assert_eq!(found, expected);
        let bound = (copies * text.len()) + (32 << 20);
        assert!(more < bound, "{more} bytes more for {} of text", text.len());
    }

    // A million hits.
    for first in ["", "\u{200B}"] {
        let text = format!("{first}{}", "坏词语 bad phrase ".repeat(500_000));
        let (assessment, more) = assess(&judge, &text);
        assert_eq!(assessment.hits.len(), 1_000_000);
        let offset = first.chars().count();
        for (number, hit) in assessment.hits.iter().enumerate() {
            let expected = offset + number / 2 * 15 + if number % 2 == 0 { 0 } else { 4 };
            assert_eq!(hit.start, expected);
        }
        assert!(assessment.score > 0.999 && assessment.score <= 1.0);
        assert!(more < 300 << 20, "{more} bytes more for a million hits");
    }
}
