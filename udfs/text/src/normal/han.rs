//! Traditional characters and their simplified forms (OpenCC's character dictionary).

use std::sync::OnceLock;

/// Pairs of a traditional character and its usual simplified form, ascending.
const PAIRS: &[(char, char)] = include!(concat!(env!("OUT_DIR"), "/simplified.rs"));

/// The part of Unicode in which nearly all pairs begin: Extension A and the Unified Ideographs.
const FIRST: u32 = 0x3400;
const LAST: u32 = 0x9FFF;

struct Tables {
    /// What each character from `FIRST` to `LAST` becomes.
    simplified: Vec<char>,
    /// Pairs turned round, ascending.
    traditional: Vec<(char, char)>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut simplified: Vec<char> = (FIRST..=LAST)
            .map(|code| char::from_u32(code).expect("below the surrogates"))
            .collect();
        for &(from, to) in PAIRS {
            if (FIRST..=LAST).contains(&u32::from(from)) {
                simplified[(u32::from(from) - FIRST) as usize] = to;
            }
        }
        let mut traditional: Vec<(char, char)> =
            PAIRS.iter().map(|&(from, to)| (to, from)).collect();
        traditional.sort_unstable();
        Tables {
            simplified,
            traditional,
        }
    })
}

/// The simplified form of a traditional character; any other character itself.
///
/// One character for one, without regard to its neighbours. Characters that are both, as 乾, go
/// by their usual form.
#[inline]
pub fn simplified(c: char) -> char {
    let code = u32::from(c);
    if code < FIRST {
        return c;
    }
    if code <= LAST {
        return tables().simplified[(code - FIRST) as usize];
    }
    match PAIRS.binary_search_by_key(&c, |pair| pair.0) {
        Ok(at) => PAIRS[at].1,
        Err(_) => c,
    }
}

/// The traditional characters whose simplified form is `c`, ascending; `c` itself is not among
/// them.
pub fn traditional(c: char) -> impl Iterator<Item = char> {
    let pairs = &tables().traditional;
    let first = pairs.partition_point(|pair| pair.0 < c);
    pairs[first..]
        .iter()
        .take_while(move |pair| pair.0 == c)
        .map(|pair| pair.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        for (from, to) in ["殺杀", "龍龙", "發发", "髮发", "國国", "後后", "毒毒"].map(|pair| {
            let mut pair = pair.chars();
            (pair.next().unwrap(), pair.next().unwrap())
        }) {
            assert_eq!(simplified(from), to);
            assert!(from == to || traditional(to).any(|c| c == from));
        }
        assert_eq!(traditional('毒').count(), 0);
        assert_eq!(simplified('a'), 'a');
    }

    #[test]
    fn simplifying_twice_changes_nothing() {
        assert!(PAIRS.len() > 4000, "{} pairs", PAIRS.len());
        for c in ('\u{3400}'..='\u{9FFF}').chain('\u{20000}'..='\u{323AF}') {
            let once = simplified(c);
            assert_eq!(simplified(once), once, "{c}");
            assert!(traditional(once).all(|from| simplified(from) == once));
        }
    }
}
