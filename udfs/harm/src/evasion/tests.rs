//! Disguises the terms of the built-in lexicon and looks for them again. `docs/evasion.md` shows
//! the table; `TAMIS_REWRITE_DOCS=1` writes it anew.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use tamis_resource::Identity;
use tamis_text::{look_alikes, normal_form, simplified, traditional};

use super::*;
use crate::judge::{Assessment, Judge};
use crate::lexicon::{ALLOW, Entry};
use crate::taxonomy::Taxonomy;
use crate::thresholds::Thresholds;

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }

    fn often(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// Changes some characters of a term, at least one; `None` where none can be changed.
fn some_characters(
    term: &str,
    random: &mut Random,
    change: &mut dyn FnMut(char, &mut Random) -> Option<String>,
) -> Option<String> {
    let can: Vec<usize> = (0..term.chars().count())
        .filter(|&at| change(term.chars().nth(at).expect("inside"), &mut Random(1)).is_some())
        .collect();
    let must = *can.get(random.below(can.len().max(1)))?;
    let mut text = String::new();
    for (at, c) in term.chars().enumerate() {
        let changed = (at == must || can.contains(&at) && random.often())
            .then(|| change(c, random))
            .flatten();
        match changed {
            Some(changed) => text.push_str(&changed),
            None => text.push(c),
        }
    }
    Some(text)
}

/// Puts something into some places between characters that are no white space.
fn between(
    term: &str,
    random: &mut Random,
    everywhere: bool,
    fill: &mut dyn FnMut(&mut Random) -> String,
) -> Option<String> {
    let all: Vec<char> = term.chars().collect();
    let places: Vec<usize> = (1..all.len())
        .filter(|&at| all[at - 1].is_alphanumeric() && all[at].is_alphanumeric())
        .collect();
    let must = *places.get(random.below(places.len().max(1)))?;
    let mut text = String::new();
    for (at, c) in all.iter().enumerate() {
        if at == must || places.contains(&at) && (everywhere || random.often()) {
            text.push_str(&fill(random));
        }
        text.push(*c);
    }
    Some(text)
}

fn shifted(c: char, base: char, offset: u32) -> Option<String> {
    let at = u32::from(c).checked_sub(u32::from(base))?;
    char::from_u32(offset + at).map(String::from)
}

const INVISIBLE: [char; 9] = [
    '\u{200B}',
    '\u{200C}',
    '\u{200D}',
    '\u{2060}',
    '\u{202E}',
    '\u{2066}',
    '\u{AD}',
    '\u{FE0F}',
    '\u{E0100}',
];
const SEPARATORS: [&str; 12] = [".", "-", "*", "_", "/", "·", "★", "😀", "~", "#", "..", "—"];

/// A way to disguise terms: its name, the `via` of its hits, and the disguise.
type Disguise = fn(&str, &mut Random) -> Option<String>;

const DISGUISES: [(&str, &str, Disguise); 20] = [
    (
        "full-width letters, digits and punctuation",
        "width",
        |term, random| {
            some_characters(term, random, &mut |c, _| {
                ('!'..='~')
                    .contains(&c)
                    .then(|| shifted(c, '!', 0xFF01))
                    .flatten()
            })
        },
    ),
    ("capitals", "case", |term, random| {
        some_characters(term, random, &mut |c, _| {
            c.is_ascii_lowercase()
                .then(|| c.to_ascii_uppercase().to_string())
        })
    }),
    ("traditional characters", "traditional", |term, random| {
        some_characters(term, random, &mut |c, random| {
            let all: Vec<char> = traditional(c).collect();
            (!all.is_empty()).then(|| random.of(&all).to_string())
        })
    }),
    (
        "zero-width, bidirectional, soft hyphen, variation selector",
        "zero_width",
        |term, random| {
            between(term, random, false, &mut |random| {
                random.of(&INVISIBLE).to_string()
            })
        },
    ),
    ("combining marks", "combining", |term, random| {
        let marks = [
            '\u{301}', '\u{308}', '\u{323}', '\u{336}', '\u{337}', '\u{20DD}',
        ];
        some_characters(term, random, &mut |c, random| {
            c.is_alphanumeric()
                .then(|| format!("{c}{}", random.of(&marks)))
        })
    }),
    ("accented letters", "combining", |term, random| {
        some_characters(term, random, &mut |c, _| {
            let at = "aeiounyc".find(c)?;
            "äéîõüñÿç".chars().nth(at).map(String::from)
        })
    }),
    (
        "separators in Han terms, in some gaps",
        "separator",
        |term, random| {
            let term: String = (!term.contains(|c: char| c.is_ascii())).then(|| term.into())?;
            between(&term, random, false, &mut |random| {
                random.of(&SEPARATORS).to_owned()
            })
        },
    ),
    (
        "spaces in Han terms, up to three, in every gap",
        "separator",
        |term, random| {
            let term: String = (!term.contains(|c: char| c.is_ascii())).then(|| term.into())?;
            between(&term, random, true, &mut |random| {
                " ".repeat(1 + random.below(3))
            })
        },
    ),
    (
        "separators in Latin terms, in some gaps",
        "separator",
        |term, random| {
            let term: String = term.is_ascii().then(|| term.into())?;
            between(&term, random, false, &mut |random| {
                random.of(&SEPARATORS).to_owned()
            })
        },
    ),
    (
        "spaces between all Latin letters",
        "separator",
        |term, random| {
            let term: String = term.is_ascii().then(|| term.into())?;
            between(&term, random, true, &mut |_| " ".to_owned())
        },
    ),
    (
        "other separators between words",
        "separator",
        |term, random| {
            some_characters(term, random, &mut |c, random| {
                (c == ' ').then(|| {
                    random
                        .of(&["  ", "\n", "-", "_", ".", " - ", "/"])
                        .to_owned()
                })
            })
        },
    ),
    (
        "letters repeated three to six times",
        "repeat",
        |term, random| {
            some_characters(term, random, &mut |c, random| {
                c.is_ascii_lowercase()
                    .then(|| c.to_string().repeat(3 + random.below(4)))
            })
        },
    ),
    ("enclosed letters and digits", "enclosed", |term, random| {
        some_characters(term, random, &mut |c, random| match c {
            'a'..='z' => shifted(
                c,
                'a',
                random.of(&[0x24D0, 0x24B6, 0x1F130, 0x1F150, 0x1F170]),
            ),
            '1'..='9' => shifted(c, '1', random.of(&[0x2460, 0x24F5, 0x2776])),
            _ => None,
        })
    }),
    ("mathematical letters and digits", "math", |term, random| {
        some_characters(term, random, &mut |c, random| match c {
            'a'..='z' => shifted(
                c,
                'a',
                random.of(&[0x1D41A, 0x1D482, 0x1D4EA, 0x1D5BA, 0x1D68A]),
            ),
            '0'..='9' => shifted(c, '0', random.of(&[0x1D7CE, 0x1D7D8, 0x1D7F6])),
            _ => None,
        })
    }),
    ("superscript letters and digits", "width", |term, random| {
        some_characters(term, random, &mut |c, _| {
            let at = "abcdefghijklmnoprstuvwxyz0123456789".find(c)?;
            "ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ⁰¹²³⁴⁵⁶⁷⁸⁹"
                .chars()
                .nth(at)
                .map(String::from)
        })
    }),
    ("number styles", "number", |term, random| {
        some_characters(term, random, &mut |c, random| {
            let others: Vec<char> = number::styles(c)
                .chars()
                .filter(|other| *other != c)
                .collect();
            (!others.is_empty()).then(|| random.of(&others).to_string())
        })
    }),
    (
        "Greek, Cyrillic and other look-alikes",
        "homoglyph",
        |term, random| {
            some_characters(term, random, &mut |c, random| {
                let all: Vec<char> = look_alikes()
                    .filter(|pair| pair.1 == c)
                    .map(|pair| pair.0)
                    .collect();
                (!all.is_empty()).then(|| random.of(&all).to_string())
            })
        },
    ),
    ("digits and signs for letters", "leet", |term, random| {
        let letters = term.chars().filter(char::is_ascii_lowercase).count();
        if letters < leet::SHORTEST {
            return None;
        }
        some_characters(term, random, &mut |c, random| {
            let all: Vec<char> = leet::signs(c).collect();
            (!all.is_empty()).then(|| random.of(&all).to_string())
        })
    }),
    ("split characters", "split", |term, random| {
        some_characters(term, random, &mut |c, random| {
            let all: Vec<&str> = split::parts(c).collect();
            (!all.is_empty()).then(|| random.of(&all).to_owned())
        })
    }),
    ("pinyin (on request)", "pinyin", |term, random| {
        let is_han = term.chars().all(|c| pinyin::sound(c).is_some());
        let spaced = random.often();
        let sounds: Vec<String> = term.chars().filter_map(pinyin::sound).collect();
        (is_han && sounds.len() > 1).then(|| sounds.join(if spaced { " " } else { "" }))
    }),
];

fn same_sound(term: &str, random: &mut Random) -> Option<String> {
    let is_han = term.chars().all(|c| pinyin::sound(c).is_some());
    if !is_han || term.chars().count() < 2 {
        return None;
    }
    some_characters(term, random, &mut |c, random| {
        let sound = pinyin::sound(c)?;
        let start = 0x4E00 + random.below(0x5000) as u32;
        let others = (start..0x9FA6)
            .chain(0x4E00..start)
            .filter_map(char::from_u32);
        let mut others = others.filter(|other| {
            *other != c
                && simplified(*other) == *other
                && pinyin::sound(*other).as_deref() == Some(&*sound)
        });
        others.next().map(String::from)
    })
}

fn builtin(variants: &str) -> Judge {
    let taxonomy = Taxonomy::builtin();
    let builtin = Lexicon::builtin();
    let entries: Vec<(String, Entry)> = builtin
        .entries()
        .iter()
        .enumerate()
        .map(|(row, entry)| {
            let entry = Entry {
                variants: variants.to_owned(),
                ..entry.clone()
            };
            (format!("row {row}"), entry)
        })
        .collect();
    let identity = Identity::of_bytes("test", "", variants.as_bytes());
    let lexicon = Lexicon::new(identity, entries, &taxonomy).expect("valid");
    Judge::new(taxonomy, Arc::new(lexicon), Thresholds::builtin()).expect("a judge")
}

fn assess(judge: &Judge, documents: &[&str]) -> Vec<Assessment> {
    let mut all = Vec::new();
    judge
        .assess(documents, &mut |_, assessment| all.push(assessment))
        .expect("answers");
    all
}

struct Recall {
    tried: usize,
    found: usize,
    named: usize,
    missed: Vec<String>,
}

/// Disguises every term twice and looks for it, with the right span.
fn recall(judge: &Judge, seed: u64, via: &str, disguise: Disguise) -> Recall {
    let mut random = Random(seed);
    let mut cases = Vec::new();
    for (index, entry) in judge.lexicon().entries().iter().enumerate() {
        if entry.risk == ALLOW || entry.term != normal_form(&entry.term) {
            continue;
        }
        for _ in 0..2 {
            let Some(disguised) = disguise(&entry.term, &mut random) else {
                continue;
            };
            let (before, after) = if entry.term.is_ascii() {
                ("they said ", " today")
            } else {
                ("他们说", "了")
            };
            // A term at the edge of a digit or letter it would run into stands apart.
            let apart = if entry.term.is_ascii() || !disguised.contains(|c: char| c.is_ascii()) {
                ""
            } else {
                "："
            };
            let text = format!("{before}{apart}{disguised}{apart}{after}");
            let start = before.chars().count() + apart.chars().count();
            cases.push((index, start, start + disguised.chars().count(), text));
        }
    }
    let texts: Vec<&str> = cases.iter().map(|case| case.3.as_str()).collect();
    let mut recall = Recall {
        tried: cases.len(),
        found: 0,
        named: 0,
        missed: Vec::new(),
    };
    for ((index, start, end, text), assessment) in cases.iter().zip(assess(judge, &texts)) {
        let reaches = |hit: &&crate::Hit| {
            // The last mark of a character may stand behind the span.
            hit.entry == *index && hit.start == *start && hit.end <= *end && hit.end + 1 >= *end
        };
        match assessment.hits.iter().find(reaches) {
            Some(hit) => {
                recall.found += 1;
                recall.named += usize::from(hit.via.as_str() == via);
            }
            None => recall.missed.push(text.clone()),
        }
    }
    recall
}

#[test]
fn disguised_terms_are_found() {
    let judge = builtin("");
    let asked = builtin("all");
    let mut table = String::from(
        "| disguise | `via` | terms tried | found | named so |\n|---|---|---|---|---|\n",
    );
    let mut wrong = String::new();
    let same_sound: [(&str, &str, Disguise); 1] = [(
        "characters of the same sound (on request)",
        "homophone",
        same_sound,
    )];
    for (seed, (name, via, disguise)) in (1..).zip(DISGUISES.iter().chain(&same_sound)) {
        let by_sound = matches!(*via, "pinyin" | "homophone");
        let recall = recall(if by_sound { &asked } else { &judge }, seed, via, *disguise);
        let share = |count: usize| 100.0 * count as f64 / recall.tried.max(1) as f64;
        writeln!(
            table,
            "| {name} | `{via}` | {} | {:.1} % | {:.1} % |",
            recall.tried,
            share(recall.found),
            share(recall.named)
        )
        .expect("written");
        let least = if *via == "homophone" { 90.0 } else { 99.0 };
        if recall.tried == 0 || share(recall.found) < least {
            let missed = recall.missed.iter().take(12).cloned().collect::<Vec<_>>();
            writeln!(
                wrong,
                "{name}: {:.1} % of {}, not {missed:#?}",
                share(recall.found),
                recall.tried
            )
            .expect("written");
        }
    }
    println!("{table}");
    assert!(wrong.is_empty(), "{wrong}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/evasion.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let mark = "<!-- recall: written by the tests of tamis-harm -->\n\n";
    let (head, _) = page.split_once(mark).expect("the mark for the table");
    let current = format!("{head}{mark}{table}");
    if std::env::var_os("TAMIS_REWRITE_DOCS").is_some() {
        std::fs::write(&path, current).expect("written");
    } else {
        assert!(
            page == current,
            "docs/evasion.md is not the table: run with TAMIS_REWRITE_DOCS=1"
        );
    }
}

fn prose_in(folder: &Path, all: &mut Vec<String>) {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            prose_in(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "md")
            && !path.ends_with("evasion.md")
        {
            let text = std::fs::read_to_string(&path).expect("text");
            all.extend(text.split("\n\n").map(str::to_owned));
        }
    }
}

/// Hits by disguise in texts that hold none.
fn disguised_hits(judge: &Judge, texts: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (text, assessment) in texts.iter().zip(assess(judge, texts)) {
        for hit in &assessment.hits {
            if !matches!(hit.via.as_str(), "exact" | "case" | "width") {
                let span: String = text
                    .chars()
                    .skip(hit.start)
                    .take(hit.end - hit.start)
                    .collect();
                found.push((hit.via.as_str().to_owned(), span));
            }
        }
    }
    found
}

#[test]
fn own_prose_holds_no_disguises() {
    let mut all = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for folder in ["docs", "examples"] {
        prose_in(&root.join(folder), &mut all);
    }
    assert!(all.len() > 200, "{} paragraphs", all.len());
    let texts: Vec<&str> = all.iter().map(String::as_str).collect();
    // The pages on these functions show a few disguises.
    let shown = ["ｒｏｂ ｔｈｅ ｂａｎｋ"];
    let found: Vec<_> = disguised_hits(&builtin(""), &texts)
        .into_iter()
        .filter(|(_, span)| !shown.contains(&&**span))
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// Real comments labelled clean, when they are there.
#[test]
fn clean_comments_hold_few_disguises() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/cold");
    let root = if root.is_dir() {
        root
    } else {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../../shared/data/cold")
    };
    if !root.is_dir() {
        println!("SKIPPED: no comments in {}", root.display());
        return;
    }
    let mut texts = Vec::new();
    for name in ["train.csv", "dev.csv"] {
        let mut reader = csv::Reader::from_path(root.join(name)).expect("the comments");
        for record in reader.records() {
            let record = record.expect("a row");
            if &record[3] == "0" {
                texts.push(record[4].to_owned());
            }
        }
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for (variants, limit) in [("", 1e-4), ("all", 5e-2)] {
        let found = disguised_hits(&builtin(variants), &texts);
        let mut by_form = std::collections::BTreeMap::<&str, Vec<&str>>::new();
        for (via, span) in &found {
            by_form.entry(via).or_default().push(span);
        }
        for (via, spans) in by_form {
            println!(
                "variants '{variants}', {via}: {} of {}: {spans:?}",
                spans.len(),
                texts.len()
            );
            assert!(
                (spans.len() as f64) <= limit * texts.len() as f64,
                "{via}: {spans:?}"
            );
        }
    }
}

/// A judge of these terms alone, in all default forms.
fn judge_of(terms: &[&str]) -> Judge {
    let entries = terms.iter().map(|term| {
        let entry = Entry {
            term: (*term).to_owned(),
            risk: "A1a".to_owned(),
            weight: 0.5,
            match_kind: crate::MatchKind::Auto,
            lang: String::new(),
            variants: String::new(),
            note: String::new(),
        };
        (term.to_string(), entry)
    });
    let taxonomy = Taxonomy::builtin();
    let identity = Identity::of_bytes("t", "", b"");
    let lexicon = Lexicon::new(identity, entries.collect(), &taxonomy).expect("valid");
    Judge::new(taxonomy, Arc::new(lexicon), Thresholds::builtin()).expect("a judge")
}

#[test]
fn what_the_page_says_of_signs_and_separators() {
    for (term, text, is_found) in [
        ("illegal", "it is i11ega1", true),
        ("illegal", "1-llegal", false),
        ("shit", "$h1t", true),
        ("shit", "sh1 t", false),
        ("shit", "sh1-t", true),
        ("kill boss", "ki11 8055", true),
        ("boss", "in 8055", false),
        ("boss kill", "in 8055 kill", true),
        ("boobs fuck", "x 80085 fuck", true),
        ("boos", "since +8005", false),
        ("assassin", "the 455455in", true),
        ("assassin", "455455in the", true),
        ("plan b", "the plan 8 is", true),
        ("plan b", "the plan 8.", true),
        ("total", "to+++al", false),
        ("fuck", "f u c k", true),
        ("fuck", "fu.ck", true),
        ("fuck", "fu ck", false),
        ("fuck", "fuuuuck", true),
        ("fuck", "fuuu.c k", true),
        ("bitch", "b1.t c h", true),
        ("推翻", "推。翻", false),
        ("推翻政府", "推。翻 政-府", true),
        ("推翻", "推 翻", true),
    ] {
        let scores = judge_of(&[term]).scores(&[text]).expect("an answer");
        assert_eq!(scores[0] > 0.0, is_found, "{term:?} in {text:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    /// The short way through a plain text finds what the way through its normal form finds.
    #[test]
    fn both_ways_find_the_same(
        text in "[傻逼殺杀人一壹1枪木仓fuckUshit3$!. ,，…·_é-]{0,24}",
    ) {
        let terms = ["傻逼", "杀人", "一枪", "fuck", "shit", "sh it", "傻、逼人"];
        let judge = judge_of(&terms);
        // A character that is exotic and far from everything sends the text the other way.
        let other = format!("{text}\n\n\n\n\n\u{200B}");
        let both = assess(&judge, &[&text, &other]);
        let spans = |assessment: &Assessment| -> Vec<_> {
            assessment.hits.iter().map(|hit| (hit.entry, hit.start, hit.end)).collect()
        };
        prop_assert_eq!(spans(&both[0]), spans(&both[1]));
    }
}
