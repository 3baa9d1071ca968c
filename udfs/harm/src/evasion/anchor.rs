//! The byte strings that stand for a spelling in the matcher: a stretch of it in all the ways in
//! which plain texts write it.

use tamis_text::traditional;

use super::number;
use super::separator::is_separator;
use super::spelling::{Gap, Spelling, Unit};
use super::split;
use crate::via::Via;

/// A stretch of a spelling, units `start..end`, and every way to write it.
#[derive(Debug)]
pub(crate) struct Anchor {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) texts: Vec<String>,
}

/// How rare a unit is, in bits, roughly.
const HAN_BITS: f64 = 9.0;
const LETTER_BITS: f64 = 4.0;
/// Rarer than this gains nothing.
const ENOUGH_BITS: f64 = 32.0;
/// What doubling the number of ways costs, in the same bits.
const WAY_BITS: f64 = 2.5;
/// What a stretch costs that may be written so short that the matcher needs a pass for it.
const SHORT_BITS: f64 = 20.0;
/// Spellings without any other way are not searched for a better stretch.
const MOST_WAYS: usize = 256;

impl Anchor {
    /// The stretch that is rare and has few ways.
    pub(crate) fn of(spelling: &Spelling) -> Self {
        let units = &spelling.units;
        let ways: Vec<Vec<String>> = units.iter().map(|unit| ways(unit.c, spelling)).collect();
        let crosses = |at: usize| {
            matches!(units[at].gap, Gap::None | Gap::Optional) || units[at].gap == Gap::One(' ')
        };
        let is_simple = ways.iter().all(|ways| ways.len() == 1)
            && (1..units.len()).all(|at| crosses(at) && units[at].gap != Gap::Optional);
        let (start, end) = if is_simple {
            (0, units.len())
        } else {
            Self::best(spelling, &ways, &crosses)
        };
        if is_simple {
            // One way, with single spaces.
            let mut text = String::new();
            for (at, unit) in units.iter().enumerate() {
                text.extend((at > 0 && unit.gap != Gap::None).then_some(' '));
                text.push(unit.c);
            }
            let texts = vec![text];
            return Self { start, end, texts };
        }
        let mut texts = vec![String::new()];
        for at in start..end {
            let gaps: &[&str] = match units[at].gap {
                _ if at == start => &[""],
                Gap::Optional => &["", " "],
                Gap::One(_) => &[" "],
                _ => &[""],
            };
            texts = texts
                .iter()
                .flat_map(|text| {
                    let ways = &ways[at];
                    gaps.iter().flat_map(move |gap| {
                        ways.iter().map(move |way| format!("{text}{gap}{way}"))
                    })
                })
                .collect();
        }
        Self { start, end, texts }
    }

    fn best(
        spelling: &Spelling,
        ways: &[Vec<String>],
        crosses: &dyn Fn(usize) -> bool,
    ) -> (usize, usize) {
        let units = &spelling.units;
        let mut best = (f64::NEG_INFINITY, 0, 1);
        for start in 0..units.len() {
            let (mut bits, mut count) = (0.0, 1_usize);
            for end in start + 1..=units.len() {
                let at = end - 1;
                if at > start {
                    if !crosses(at) {
                        break;
                    }
                    count *= if units[at].gap == Gap::Optional { 2 } else { 1 };
                }
                count *= ways[at].len();
                if count > MOST_WAYS && at > start {
                    break;
                }
                bits += if units[at].c.is_ascii() {
                    LETTER_BITS
                } else {
                    HAN_BITS
                };
                // Equal stretches: the longest needs the least comparing.
                let mut score = f64::min(bits, ENOUGH_BITS) - WAY_BITS * (count as f64).log2()
                    + 0.01 * (end - start) as f64;
                if !holds_gram(&ways[start..end]) {
                    score -= SHORT_BITS;
                }
                if score > best.0 {
                    best = (score, start, end);
                }
            }
        }
        (best.1, best.2)
    }
}

/// Whether every way to write these units holds what the matcher looks for: two wide characters
/// together, or four bytes from a narrow one on.
fn holds_gram(ways: &[Vec<String>]) -> bool {
    let is_wide = |ways: &Vec<String>| ways.iter().all(|way| way.len() > 2);
    // A narrow character and a wide one are four bytes.
    ways.windows(2).any(|pair| is_wide(&pair[1])) || ways.len() > 4
}

/// The ways in which a plain text writes a unit.
fn ways(c: char, spelling: &Spelling) -> Vec<String> {
    let asked = spelling.asked;
    let mut ways = vec![c.to_string()];
    if c.is_ascii_lowercase() || c == ' ' {
        return ways;
    }
    let mut add = |way: String| {
        if !ways.contains(&way) {
            ways.push(way);
        }
    };
    let takes_traditional = asked.holds(Via::Traditional);
    if asked.holds(Via::Number) {
        // One plain digit beside one character says little, and the matcher would need a pass for
        // it.
        let is_digit = |unit: &Unit| !number::styles(unit.c).is_empty();
        let takes_plain =
            c.is_ascii() || spelling.units.len() > 2 || spelling.units.iter().all(is_digit);
        let styles = number::styles(c).chars();
        for style in styles.filter(|style| takes_plain || !style.is_ascii()) {
            add(style.to_string());
            if takes_traditional {
                traditional(style).for_each(|c| add(c.to_string()));
            }
        }
    }
    if takes_traditional {
        traditional(c).for_each(|c| add(c.to_string()));
    }
    if asked.holds(Via::Split) {
        split::parts(c).for_each(|parts| add(parts.to_owned()));
    }
    if asked.holds(Via::Width) && c.is_ascii() && is_separator(c) {
        let wide = char::from_u32(u32::from(c) + 0xFEE0).expect("a full-width form");
        add(wide.to_string());
    }
    ways
}
