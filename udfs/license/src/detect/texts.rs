//! Full licence texts inside a document, by the runs of words they share with the texts of the
//! SPDX list.
//!
//! Every text is cut into runs of [`RUN`] words; a document that holds most of a text's runs
//! within one stretch holds the text, whatever its line breaks, comment marks and holder's name.
//! Of texts that share runs (BSD with two and three clauses) the one that explains most and
//! lacks least is found.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Range;
use std::sync::OnceLock;

use super::words::{Word, Words, floor, is_comment_word, is_han};

/// Words of a run.
const RUN: usize = 6;
/// Texts with fewer runs cannot be told from prose.
const MIN_RUNS: u32 = 12;
/// The part of a text's runs that must be there.
const MIN_SHARE: f64 = 0.75;
/// Of longer texts every second, fourth, eighth … run is kept, chosen by its hash.
const MAX_RUNS: usize = 1_024;
/// A stretch ends after this many words without a run of any text.
const MAX_GAP: usize = 160;
/// How far back at a time the start of a stretch is looked for.
const STEP_BYTES: usize = 2_048;

/// Words that every licence of the list but a few holds; runs that start with one of them are
/// looked up wherever a document has such a word.
const OPENERS: &[&str] = &["licen", "permission", "redistribut", "warrant"];
const HAN_OPENER: &str = "许可";

/// One text, or the part of a bilingual text in one script.
struct Text {
    /// What it is, as a canonical expression.
    expression: String,
    runs: u32,
    /// How many runs of the text each kept one stands for.
    weight: u32,
}

/// For keys that are hashes already.
#[derive(Default)]
struct Unhashed(u64);

impl Hasher for Unhashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

type ByHash<T> = HashMap<u64, T, BuildHasherDefault<Unhashed>>;

pub(super) struct Texts {
    texts: Vec<Text>,
    /// Run to the texts that hold it, as a range of `holders`.
    runs: ByHash<(u32, u32)>,
    holders: Vec<u16>,
    /// Runs that start with an opener.
    openings: HashSet<u64, BuildHasherDefault<Unhashed>>,
}

/// A text found in a document.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) expression: String,
    /// The part of the text's runs that the document holds, 0.75 to 1.
    pub(super) share: f64,
    pub(super) range: Range<usize>,
}

/// The last words of a stretch and the run they make.
struct Runs {
    last: [Word; RUN],
    seen: usize,
}

impl Runs {
    fn new() -> Self {
        let none = Word {
            start: 0,
            end: 0,
            hash: 0,
        };
        Self {
            last: [none; RUN],
            seen: 0,
        }
    }

    /// The run that ends with this word, and where it starts. Single letters and figures are
    /// list marks, `dnl` and `rem` comment marks: no words of a text.
    fn push(&mut self, text: &str, word: Word) -> Option<(u64, usize)> {
        if word.end - word.start == 1 || is_comment_word(text, word) {
            return None;
        }
        self.last[self.seen % RUN] = word;
        self.seen += 1;
        if self.seen < RUN {
            return None;
        }
        let first = self.seen % RUN;
        let mut hash = 0_u64;
        for index in 0..RUN {
            hash = hash
                .rotate_left(23)
                .wrapping_add(self.last[(first + index) % RUN].hash)
                .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
        Some((hash ^ (hash >> 32), self.last[first].start))
    }
}

impl Texts {
    /// Read once from the list, when a document first needs them.
    pub(super) fn get() -> &'static Self {
        static TEXTS: OnceLock<Texts> = OnceLock::new();
        TEXTS.get_or_init(Self::read)
    }

    fn read() -> Self {
        let mut sources: Vec<(String, &'static str)> = spdx::text::LICENSE_TEXTS
            .iter()
            .filter_map(|(id, text)| Some((crate::license_id(id)?, *text)))
            // An exception's text by itself says nothing of the licence it belongs to.
            .filter(|(expression, _)| !expression.contains(' '))
            .collect();
        // Of equal texts the first stays: the plainest id, "-only" before "-or-later", since a
        // text alone does not say "or later".
        sources.sort_by(|a, b| a.0.len().cmp(&b.0.len()).then_with(|| a.0.cmp(&b.0)));
        let mut known = HashSet::new();
        let mut texts = Vec::new();
        let mut pairs: Vec<(u64, u16)> = Vec::new();
        let mut openings = HashSet::default();
        for (expression, text) in sources {
            for part in by_script(text) {
                let mut runs = runs_of(&part, &mut openings);
                runs.sort_unstable();
                runs.dedup();
                let mut weight = 1_u32;
                while runs.len() > MAX_RUNS {
                    weight *= 2;
                    runs.retain(|run| is_kept(*run, weight));
                }
                let count = u32::try_from(runs.len()).unwrap_or(u32::MAX);
                let number = u16::try_from(texts.len());
                if count < MIN_RUNS || !known.insert(runs.clone()) {
                    continue;
                }
                let Ok(number) = number else { break };
                pairs.extend(runs.into_iter().map(|run| (run, number)));
                texts.push(Text {
                    expression: expression.clone(),
                    runs: count,
                    weight,
                });
            }
        }
        pairs.sort_unstable();
        let mut runs: ByHash<(u32, u32)> = ByHash::default();
        let mut holders = Vec::with_capacity(pairs.len());
        for (run, holder) in pairs {
            let at = u32::try_from(holders.len()).unwrap_or(u32::MAX);
            runs.entry(run).or_insert((at, at)).1 = at + 1;
            holders.push(holder);
        }
        Self {
            texts,
            runs,
            holders,
            openings,
        }
    }

    /// Whether a run of a known text starts with the word at `start`.
    pub(super) fn opens(&self, text: &str, start: usize) -> bool {
        const WINDOW: usize = 160;
        let mut runs = Runs::new();
        Words::new(text, start..start + WINDOW)
            .find_map(|word| runs.push(text, word))
            .is_some_and(|(run, _)| self.openings.contains(&run))
    }

    /// The texts in the stretch around `at`, none of it before `from`, and the stretch's end.
    pub(super) fn around(&self, text: &str, from: usize, at: usize) -> (Vec<Found>, usize) {
        let mut start = at;
        while start > from {
            let step = floor(text, start.saturating_sub(STEP_BYTES)).max(from);
            let mut runs = Runs::new();
            let holds_run = Words::new(text, step..start)
                .filter_map(|word| runs.push(text, word))
                .any(|(run, _)| self.runs.contains_key(&run));
            if !holds_run {
                break;
            }
            start = step;
        }
        // Each run once, where it stands last: a header before a text whose end recommends it is
        // not a part of the text.
        let mut found: ByHash<Range<usize>> = ByHash::default();
        let mut runs = Runs::new();
        let mut gap = 0;
        let mut end = at;
        for word in Words::new(text, start..text.len()) {
            end = word.end;
            if let Some((run, run_start)) = runs.push(text, word)
                && self.runs.contains_key(&run)
            {
                found.insert(run, run_start..word.end);
                gap = 0;
            } else {
                gap += 1;
                if gap > MAX_GAP && word.start > at {
                    break;
                }
            }
        }
        (self.choose(found), end)
    }

    /// Takes the text that explains most of the runs, then the next from what is left.
    fn choose(&self, mut found: ByHash<Range<usize>>) -> Vec<Found> {
        let mut chosen = Vec::new();
        let mut counts = vec![0_u32; self.texts.len()];
        loop {
            counts.fill(0);
            for run in found.keys() {
                for holder in self.holders(*run) {
                    counts[usize::from(*holder)] += 1;
                }
            }
            let mut best: Option<(i64, usize)> = None;
            for (number, (text, count)) in self.texts.iter().zip(&counts).enumerate() {
                if f64::from(*count) < MIN_SHARE * f64::from(text.runs) {
                    continue;
                }
                let score = i64::from(text.weight) * (2 * i64::from(*count) - i64::from(text.runs));
                if best.is_none_or(|(best, _)| score > best) {
                    best = Some((score, number));
                }
            }
            let Some((_, number)) = best else {
                return chosen;
            };
            let text = &self.texts[number];
            let (mut start, mut end) = (usize::MAX, 0);
            found.retain(|run, place| {
                let holds = self
                    .holders(*run)
                    .iter()
                    .any(|holder| usize::from(*holder) == number);
                if holds {
                    start = start.min(place.start);
                    end = end.max(place.end);
                }
                !holds
            });
            chosen.push(Found {
                expression: text.expression.clone(),
                share: f64::from(counts[number]) / f64::from(text.runs),
                range: start..end,
            });
        }
    }

    fn holders(&self, run: u64) -> &[u16] {
        self.runs.get(&run).map_or(&[], |(start, end)| {
            &self.holders[*start as usize..*end as usize]
        })
    }
}

fn is_kept(run: u64, weight: u32) -> bool {
    run & u64::from(weight - 1) == 0
}

/// The lines with and without Han characters apart: a bilingual licence is passed on in either
/// language. Few of one kind do not make a text of their own.
fn by_script(text: &str) -> Vec<String> {
    let (han, other): (Vec<&str>, Vec<&str>) =
        text.lines().partition(|line| line.chars().any(is_han));
    vec![han.join("\n"), other.join("\n")]
}

/// The runs of a licence text as SPDX prints it. Copyright lines and placeholders, which every
/// copy has its own of, part runs.
fn runs_of(text: &str, openings: &mut HashSet<u64, BuildHasherDefault<Unhashed>>) -> Vec<u64> {
    let mut found = Vec::new();
    for piece in pieces(text) {
        let mut runs = Runs::new();
        for word in Words::new(&piece, 0..piece.len()) {
            let Some((run, start)) = runs.push(&piece, word) else {
                continue;
            };
            let opener = &piece[start..];
            let opens = OPENERS.iter().any(|word| {
                opener
                    .get(..word.len())
                    .is_some_and(|head| head.eq_ignore_ascii_case(word))
            });
            if opens || opener.starts_with(HAN_OPENER) {
                openings.insert(run);
            }
            found.push(run);
        }
    }
    found
}

fn pieces(text: &str) -> Vec<String> {
    let mut pieces = vec![String::new()];
    for line in text.lines() {
        let words = line.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '(');
        let is = |head: &str| {
            words
                .get(..head.len())
                .is_some_and(|found| found.eq_ignore_ascii_case(head))
        };
        let is_notice = is("(c)")
            || is("copyright (c)")
            || is("copyright <")
            || is("copyright [")
            || is("all rights reserved")
            || is("copyright ") && words.bytes().any(|byte| byte.is_ascii_digit());
        if is_notice {
            pieces.push(String::new());
            continue;
        }
        let mut rest = line;
        while let Some((before, after)) = rest.split_once('<') {
            let Some((_, after)) = after.split_once('>') else {
                break;
            };
            if let Some(piece) = pieces.last_mut() {
                piece.push_str(before);
            }
            pieces.push(String::new());
            rest = after;
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push_str(rest);
            piece.push('\n');
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearly_every_text_of_the_list_is_known() {
        let texts = Texts::get();
        assert!(texts.texts.len() >= 550, "{} texts", texts.texts.len());
        assert!(texts.texts.iter().all(|text| text.runs >= MIN_RUNS));
    }

    #[test]
    fn copyright_lines_and_placeholders_part_runs() {
        assert_eq!(
            pieces("Title\nCopyright (c) <year> <owner>\nNeither <name> nor copyright holders"),
            ["Title\n", "Neither ", " nor copyright holders\n"]
        );
    }
}
