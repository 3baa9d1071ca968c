//! Instants among arguments, settings and registries: microseconds since 1970-01-01 UTC.

use arrow::array::{Array, AsArray};
use arrow::compute::kernels::cast_utils::string_to_datetime;
use arrow::datatypes::TimestampMicrosecondType;
use chrono::Utc;

/// Reads an instant: RFC 3339, a date and time without a zone (UTC), or a date (its first moment).
/// `None` when the text is none of these.
pub fn parse_instant(text: &str) -> Option<i64> {
    string_to_datetime(&Utc, text.trim())
        .ok()
        .map(|instant| instant.timestamp_micros())
}

/// The instants of an argument that was coerced to one, by row.
pub(crate) fn instants(array: &dyn Array) -> Vec<Option<i64>> {
    array
        .as_primitive::<TimestampMicrosecondType>()
        .iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_usual_forms() {
        let second = 1_767_225_600;
        for (text, expected) in [
            ("2026-01-01", second),
            ("2026-01-01T00:00:00Z", second),
            (" 2026-01-01 00:00:00 ", second),
            ("2026-01-01T08:00:00+08:00", second),
            ("2026-01-01T00:00:01.5Z", second + 1),
        ] {
            let parsed = parse_instant(text).unwrap();
            assert_eq!(parsed / 1_000_000, expected, "{text}");
        }
        assert_eq!(
            parse_instant("2026-01-01T00:00:01.5Z"),
            Some((second + 1) * 1_000_000 + 500_000)
        );
        for text in ["", "yesterday", "2026-13-01", "01/02/2026", "1767225600"] {
            assert_eq!(parse_instant(text), None, "{text}");
        }
    }
}
