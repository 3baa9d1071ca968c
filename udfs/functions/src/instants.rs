//! Instants among arguments, settings and registries: microseconds since 1970-01-01 UTC.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::compute::kernels::cast_utils::string_to_datetime;
use arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};
use chrono::Utc;
use datafusion::common::exec_err;
use datafusion::error::Result;

use crate::arguments::is_text;
use crate::strings::texts;

const DAY: i64 = 24 * 3600 * 1_000_000;
/// `2026-01-01`: texts of this length are dates, longer ones have a time.
const DATE_LENGTH: usize = 10;

/// Reads an instant: RFC 3339, a date and time without a zone (UTC), or a date (its first moment).
/// `None` when the text is none of these.
pub fn parse_instant(text: &str) -> Option<i64> {
    string_to_datetime(&Utc, text.trim())
        .ok()
        .map(|instant| instant.timestamp_micros())
}

/// Reads an instant as [`parse_instant`] does: the first and the last one that the text may stand
/// for. A date stands for its day (UTC), any other text for one instant.
pub fn parse_span(text: &str) -> Option<(i64, i64)> {
    let first = parse_instant(text)?;
    Some(match text.trim().len() {
        DATE_LENGTH => day(first),
        _ => (first, first),
    })
}

fn day(first: i64) -> (i64, i64) {
    (first, first.saturating_add(DAY - 1))
}

/// The instants of an argument that was coerced to one, by row.
pub(crate) fn instants(array: &dyn Array) -> Vec<Option<i64>> {
    array
        .as_primitive::<TimestampMicrosecondType>()
        .iter()
        .collect()
}

/// The first and the last instant that a value of an [`crate::arguments::Argument::Span`] may
/// stand for, by row: a date, or a text that is one, stands for its day (UTC).
///
/// # Errors
/// A text that is not an instant.
pub(crate) fn spans(array: &dyn Array) -> Result<Vec<Option<(i64, i64)>>> {
    match array.data_type() {
        DataType::Date32 | DataType::Date64 => {
            let dates = cast(array, &DataType::Date32)?;
            let dates = dates.as_primitive::<Date32Type>().iter();
            let days = dates.map(|date| date.map(|days| day(i64::from(days).saturating_mul(DAY))));
            Ok(days.collect())
        }
        data_type if is_text(data_type) => {
            let span = |text: &str| match parse_span(text) {
                Some(span) => Ok(span),
                None => exec_err!("{text:?} is not an instant: a date, or a date with a time"),
            };
            let texts = texts(array)?.into_iter();
            texts.map(|text| text.map(span).transpose()).collect()
        }
        _ => {
            let instants = instants(array).into_iter();
            Ok(instants.map(|at| at.map(|at| (at, at))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        Date32Array, Date64Array, StringArray, StringViewArray, TimestampMicrosecondArray,
    };

    use super::*;

    #[test]
    fn a_date_stands_for_its_day() {
        let (day, first) = (20_736, 20_736 * DAY);
        let whole = [Some((first, first + DAY - 1)), None];
        let date = Date32Array::from(vec![Some(day), None]);
        assert_eq!(spans(&date).unwrap(), whole);
        let date = Date64Array::from(vec![Some(i64::from(day) * DAY / 1000), None]);
        assert_eq!(spans(&date).unwrap(), whole);
        let text = StringArray::from(vec![Some(" 2026-10-10 "), None]);
        assert_eq!(spans(&text).unwrap(), whole);
        let text = StringViewArray::from(vec![Some("2026-10-10T00:00:00Z")]);
        assert_eq!(spans(&text).unwrap(), [Some((first, first))]);
        let instant = TimestampMicrosecondArray::from(vec![Some(first), None]);
        assert_eq!(spans(&instant).unwrap(), [Some((first, first)), None]);
        assert!(spans(&StringArray::from(vec!["2026-10"])).is_err());
    }

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
