//! Whether an age band may hold somebody under 14 (PIPL Art. 28 and 31).

const GUARDED_AGE: u32 = 14;

/// The forms an error lists.
pub(crate) const ACCEPTED: &str = "14-17, 0-13, <14, under14, 14+, >=18, 35, child, minor, teen, adult, senior, 未满14周岁, 18岁以上, unknown";

const UNKNOWN: &[&str] = &[
    "",
    "unknown",
    "unspecified",
    "n/a",
    "na",
    "null",
    "none",
    "未知",
];
const MAY_BE_UNDER: &[&str] = &[
    "child",
    "children",
    "kid",
    "kids",
    "baby",
    "infant",
    "toddler",
    "minor",
    "minors",
    "teen",
    "teens",
    "teenager",
    "teenagers",
    "youth",
    "juvenile",
    "adolescent",
    "儿童",
    "婴儿",
    "幼儿",
    "少年",
    "青少年",
    "未成年",
    "未成年人",
];
const NOT_UNDER: &[&str] = &[
    "adult",
    "adults",
    "senior",
    "seniors",
    "elderly",
    "成年",
    "成年人",
    "成人",
    "老年",
    "老年人",
];
const NO_MEANING: &[&str] = &["周岁", "岁", "years", "year", "yrs", "old", "aged", "age"];

/// Reads a band: `Some(true)` when it may hold an age under 14, `Some(false)` when it
/// cannot, `None` when it states nothing.
///
/// A band that only reaches into the ages under 14 (`10-15`, `<18`, `minor`, `teen`)
/// counts as under 14. `Err` for text that cannot be read: guessing that it is not a
/// child would fail open.
pub(crate) fn may_be_under_fourteen(band: &str) -> Result<Option<bool>, ()> {
    let mut band = plain(band);
    if UNKNOWN.contains(&band.as_str()) {
        return Ok(None);
    }
    if MAY_BE_UNDER.contains(&band.as_str()) {
        return Ok(Some(true));
    }
    if NOT_UNDER.contains(&band.as_str()) {
        return Ok(Some(false));
    }
    for word in NO_MEANING {
        band = band.replace(word, "");
    }
    lowest_age(&band)
        .map(|lowest| Some(lowest < GUARDED_AGE))
        .ok_or(())
}

/// Lower case, ASCII digits and signs, no white space.
fn plain(band: &str) -> String {
    let mut out = String::with_capacity(band.len());
    for c in band.chars().flat_map(char::to_lowercase) {
        match c {
            '\u{ff01}'..='\u{ff5e}' => {
                // The full-width forms stand in the order of ASCII.
                let ascii = char::from_u32(c as u32 - 0xfee0).unwrap_or(c);
                out.push(if ascii == '~' { '-' } else { ascii });
            }
            '\u{2010}'..='\u{2015}' | '~' | '\u{301c}' | '至' | '到' => out.push('-'),
            '≤' => out.push_str("<="),
            '≥' => out.push_str(">="),
            '_' => {}
            c if c.is_whitespace() => {}
            c => out.push(c),
        }
    }
    out.replace("十四", "14").replace("十八", "18")
}

/// The lowest whole age of a band; a band with an upper bound alone begins at 0.
fn lowest_age(band: &str) -> Option<u32> {
    for prefix in [
        "<=", "<", "under", "below", "upto", "u", "未满", "不满", "小于",
    ] {
        if let Some(rest) = band.strip_prefix(prefix) {
            return age(rest.trim_start_matches('-')).map(|_| 0);
        }
    }
    for suffix in ["以下", "andunder", "orunder"] {
        if let Some(rest) = band.strip_suffix(suffix) {
            return age(rest).map(|_| 0);
        }
    }
    for prefix in [">=", "from", "atleast", "年满", "满"] {
        if let Some(rest) = band.strip_prefix(prefix) {
            return age(rest.strip_suffix("以上").unwrap_or(rest));
        }
    }
    for prefix in [">", "over", "above"] {
        if let Some(rest) = band.strip_prefix(prefix) {
            return age(rest.trim_start_matches('-')).map(|age| age + 1);
        }
    }
    for suffix in ["+", "以上", "andover", "orover", "plus"] {
        if let Some(rest) = band.strip_suffix(suffix) {
            return age(rest);
        }
    }
    match band.split_once('-') {
        Some((low, high)) => {
            let (low, high) = (age(low)?, age(high)?);
            (low <= high).then_some(low)
        }
        None => age(band),
    }
}

fn age(text: &str) -> Option<u32> {
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bands_that_may_be_under_fourteen() {
        for band in [
            "<14",
            "< 14",
            "<=13",
            "≤13",
            "0-13",
            "0–13",
            "6 - 12",
            "10-15",
            "13-19",
            "<18",
            "under14",
            "under_14",
            "Under-14",
            "under 14 years",
            "u14",
            "below 14",
            "child",
            "Children",
            "minor",
            "teen",
            "13",
            "0",
            "13+",
            ">12",
            "12岁以上",
            "未满14周岁",
            "不满十四周岁",
            "14岁以下",
            "14岁以下 ",
            "０－１３",
            "０～１３",
            "＜14",
            "0至13岁",
            "13 and under",
            "未成年人",
            "aged 9",
        ] {
            assert_eq!(may_be_under_fourteen(band), Ok(Some(true)), "{band}");
        }
    }

    #[test]
    fn bands_from_fourteen() {
        for band in [
            "14-17",
            "14+",
            "14",
            ">13",
            ">=14",
            "≥14",
            "18+",
            "18-24",
            "65+",
            "adult",
            "Adults",
            "senior",
            "18岁以上",
            "年满18周岁",
            "满十八周岁以上",
            "over 17",
            "35",
            "18 and over",
            "14岁至17岁",
        ] {
            assert_eq!(may_be_under_fourteen(band), Ok(Some(false)), "{band}");
        }
    }

    #[test]
    fn bands_that_state_nothing() {
        for band in ["", "  ", "unknown", "N/A", "null"] {
            assert_eq!(may_be_under_fourteen(band), Ok(None), "{band}");
        }
    }

    #[test]
    fn bands_that_cannot_be_read() {
        for band in [
            "A", "17-14", "14-", "-14", "14--17", "+", "<", "1e1", "-1", "20000101", "band 2",
        ] {
            assert_eq!(may_be_under_fourteen(band), Err(()), "{band}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(band in "\\PC{0,12}") {
            let _ = may_be_under_fourteen(&band);
        }

        #[test]
        fn a_range_is_under_fourteen_when_its_lower_end_is(low in 0u32..120, width in 0u32..30) {
            let band = format!("{low}-{}", low + width);
            prop_assert_eq!(may_be_under_fourteen(&band), Ok(Some(low < 14)));
        }
    }
}
