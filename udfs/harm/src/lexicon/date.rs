/// The day a date names, counted from 1970-01-01; `None` for anything but an existing day of the
/// Gregorian calendar written `YYYY-MM-DD`, perhaps followed by a time (`T…` or ` …`).
pub fn day_of_date(text: &str) -> Option<i64> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    if !(rest.is_empty() || rest.starts_with(['T', ' '])) {
        return None;
    }
    let bytes = date.as_bytes();
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let number = |range: std::ops::Range<usize>| -> Option<i64> {
        let digits = &date[range];
        digits
            .bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| digits.parse().ok())?
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let lengths = [
        31,
        28 + i64::from(leap),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let length = *lengths.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    if !(1..=length).contains(&day) {
        return None;
    }
    // Days before the year, from year 0, then before the month.
    let years = year - 1;
    let before_year =
        years * 365 + years.div_euclid(4) - years.div_euclid(100) + years.div_euclid(400);
    let before_month: i64 = lengths[..usize::try_from(month).ok()? - 1].iter().sum();
    const BEFORE_1970: i64 = 719_162;
    Some(before_year + before_month + day - 1 - BEFORE_1970)
}

/// The date a lexicon in delimited text says it was last updated: a comment `# updated: 2026-01-31`
/// before its header. `None` without one, or when the date is not a day.
pub fn lexicon_updated(bytes: &[u8]) -> Option<&str> {
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    bytes
        .split(|&byte| byte == b'\n')
        .map_while(|line| {
            let line = std::str::from_utf8(line).ok()?.trim();
            (line.is_empty() || line.starts_with('#')).then_some(line)
        })
        .find_map(|line| {
            let value = line
                .trim_start_matches('#')
                .trim()
                .strip_prefix("updated:")?
                .trim();
            day_of_date(value).map(|_| value)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_dates() {
        for (date, day) in [
            ("1970-01-01", 0),
            ("1970-03-01", 59),
            ("2000-02-29", 11_016),
            ("2000-03-01", 11_017),
            ("2026-11-24", 20_781),
            ("2026-11-24T10:00:00Z", 20_781),
            ("1969-12-31", -1),
        ] {
            assert_eq!(day_of_date(date), Some(day), "{date}");
        }
        for wrong in [
            "",
            "2026-11-2",
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-11-31",
            "2026/11/24",
            "20261124",
            "2026-11-241",
            "+026-11-24",
            "2026-11-2é",
        ] {
            assert_eq!(day_of_date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_date_stands_in_a_comment_before_the_header() {
        let text = b"\xEF\xBB\xBF# words\n#updated: 2026-01-31\nterm,risk,weight\n";
        assert_eq!(lexicon_updated(text), Some("2026-01-31"));
        assert_eq!(
            lexicon_updated(b"term,risk,weight\n# updated: 2026-01-31\n"),
            None
        );
        assert_eq!(
            lexicon_updated(b"# updated: soon\nterm,risk,weight\n"),
            None
        );
        assert_eq!(lexicon_updated(b""), None);
    }
}
