//! The values of one column, checked to be what the column holds.

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, StringArray, TimestampMicrosecondArray,
};
use arrow::compute::kernels::cast::{CastOptions, cast_with_options};
use arrow::datatypes::{DataType, Float64Type, TimestampMicrosecondType};

use super::Kind;
use crate::arguments::{instant_type, is_text};
use crate::instants::parse_instant;
use crate::strings::texts;

/// The values of a column.
#[derive(Debug)]
pub(super) enum Values {
    Text(StringArray),
    Boolean(BooleanArray),
    Time(TimestampMicrosecondArray),
    Number(Float64Array),
}

/// A column that does not hold what it should; `row` is the index in the batch, `None` when all
/// of the column has the wrong type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct WrongValue {
    pub(super) row: Option<usize>,
    pub(super) message: String,
}

impl Values {
    pub(super) fn read(kind: Kind, array: &ArrayRef) -> Result<Self, WrongValue> {
        let data_type = array.data_type();
        let from_text = is_text(data_type) || matches!(data_type, DataType::Null);
        Ok(match kind {
            Kind::Text if from_text || data_type.is_integer() => Self::Text(
                cast(array, &DataType::Utf8, kind)?
                    .as_string::<i32>()
                    .clone(),
            ),
            Kind::Boolean if from_text => {
                Self::Boolean(parsed(array, kind, parse_boolean)?.into_iter().collect())
            }
            Kind::Boolean if matches!(data_type, DataType::Boolean) => {
                Self::Boolean(array.as_boolean().clone())
            }
            Kind::Time if from_text => {
                Self::Time(parsed(array, kind, parse_instant)?.into_iter().collect())
            }
            Kind::Time
                if matches!(
                    data_type,
                    DataType::Timestamp(_, _) | DataType::Date32 | DataType::Date64
                ) =>
            {
                let times = cast(array, &instant_type(), kind)?;
                Self::Time(times.as_primitive::<TimestampMicrosecondType>().clone())
            }
            Kind::Number if from_text => {
                Self::Number(parsed(array, kind, parse_number)?.into_iter().collect())
            }
            Kind::Number if data_type.is_numeric() => {
                let numbers = cast(array, &DataType::Float64, kind)?;
                let numbers = numbers.as_primitive::<Float64Type>().clone();
                let not_finite =
                    |number: Option<f64>| number.is_some_and(|number| !number.is_finite());
                if let Some(row) = numbers.iter().position(not_finite) {
                    return Err(wrong(row, kind));
                }
                Self::Number(numbers)
            }
            _ => {
                return Err(WrongValue {
                    row: None,
                    message: format!("has the type {data_type}, not {}", wanted(kind)),
                });
            }
        })
    }

    pub(super) fn text(&self, row: usize) -> Option<&str> {
        match self {
            Self::Text(values) => values.is_valid(row).then(|| values.value(row)),
            _ => None,
        }
    }

    pub(super) fn boolean(&self, row: usize) -> Option<bool> {
        match self {
            Self::Boolean(values) => values.is_valid(row).then(|| values.value(row)),
            _ => None,
        }
    }

    pub(super) fn time(&self, row: usize) -> Option<i64> {
        match self {
            Self::Time(values) => values.is_valid(row).then(|| values.value(row)),
            _ => None,
        }
    }

    pub(super) fn number(&self, row: usize) -> Option<f64> {
        match self {
            Self::Number(values) => values.is_valid(row).then(|| values.value(row)),
            _ => None,
        }
    }
}

fn wanted(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Boolean => "a Boolean (true or false)",
        Kind::Time => "a time (RFC 3339 or a date, UTC)",
        Kind::Number => "a number",
    }
}

/// Values are not repeated: they may be personal information.
fn wrong(row: usize, kind: Kind) -> WrongValue {
    WrongValue {
        row: Some(row),
        message: format!("is not {}", wanted(kind)),
    }
}

/// Casts, and finds the first value for which that is impossible.
fn cast(array: &ArrayRef, to: &DataType, kind: Kind) -> Result<ArrayRef, WrongValue> {
    let lenient = CastOptions {
        safe: true,
        ..CastOptions::default()
    };
    let cast = cast_with_options(array, to, &lenient).map_err(|_| WrongValue {
        row: None,
        message: format!("has the type {}, not {}", array.data_type(), wanted(kind)),
    })?;
    let nulls = array.logical_nulls();
    let lost =
        |row: &usize| cast.is_null(*row) && nulls.as_ref().is_none_or(|nulls| nulls.is_valid(*row));
    match (0..cast.len()).find(lost) {
        Some(row) => Err(wrong(row, kind)),
        None => Ok(cast),
    }
}

fn parsed<T>(
    array: &ArrayRef,
    kind: Kind,
    parse: fn(&str) -> Option<T>,
) -> Result<Vec<Option<T>>, WrongValue> {
    let rows = texts(array).map_err(|_| WrongValue {
        row: None,
        message: format!("has the type {}, not {}", array.data_type(), wanted(kind)),
    })?;
    rows.into_iter()
        .enumerate()
        .map(|(row, text)| match text.map(str::trim) {
            None | Some("") => Ok(None),
            Some(text) => parse(text).map(Some).ok_or_else(|| wrong(row, kind)),
        })
        .collect()
}

fn parse_boolean(text: &str) -> Option<bool> {
    let is = |names: &[&str]| names.iter().any(|name| text.eq_ignore_ascii_case(name));
    if is(&["true", "t", "yes", "y", "1"]) {
        Some(true)
    } else if is(&["false", "f", "no", "n", "0"]) {
        Some(false)
    } else {
        None
    }
}

fn parse_number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Date32Array, Int64Array, NullArray, TimestampNanosecondArray};

    use super::*;

    fn text(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn text_that_says_so_is_taken() {
        let booleans = Values::read(
            Kind::Boolean,
            &text(&[Some("TRUE"), Some("no"), Some(" "), None]),
        )
        .unwrap();
        let rows: Vec<_> = (0..4).map(|row| booleans.boolean(row)).collect();
        assert_eq!(rows, [Some(true), Some(false), None, None]);
        let numbers = Values::read(Kind::Number, &text(&[Some(" 0.5"), Some("1")])).unwrap();
        assert_eq!(
            (numbers.number(0), numbers.number(1)),
            (Some(0.5), Some(1.0))
        );
        let times = Values::read(Kind::Time, &text(&[Some("1970-01-02"), Some("")])).unwrap();
        assert_eq!((times.time(0), times.time(1)), (Some(86_400_000_000), None));
    }

    #[test]
    fn types_of_other_writers_are_taken() {
        let integers: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None]));
        let ids = Values::read(Kind::Text, &integers).unwrap();
        assert_eq!((ids.text(0), ids.text(1)), (Some("7"), None));
        let dates: ArrayRef = Arc::new(Date32Array::from(vec![1]));
        assert_eq!(
            Values::read(Kind::Time, &dates).unwrap().time(0),
            Some(86_400_000_000)
        );
        let nanoseconds: ArrayRef =
            Arc::new(TimestampNanosecondArray::from(vec![1_500_000]).with_timezone("+08:00"));
        assert_eq!(
            Values::read(Kind::Time, &nanoseconds).unwrap().time(0),
            Some(1_500)
        );
        let nothing: ArrayRef = Arc::new(NullArray::new(2));
        assert_eq!(Values::read(Kind::Time, &nothing).unwrap().time(1), None);
    }

    #[test]
    fn wrong_values_are_found_and_not_repeated() {
        for (kind, value) in [
            (Kind::Boolean, "maybe"),
            (Kind::Time, "tomorrow"),
            (Kind::Number, "NaN"),
        ] {
            let error = Values::read(kind, &text(&[None, Some(value)])).unwrap_err();
            assert_eq!(error.row, Some(1));
            assert!(!error.message.contains(value), "{}", error.message);
        }
        let integers: ArrayRef = Arc::new(Int64Array::from(vec![1]));
        let error = Values::read(Kind::Time, &integers).unwrap_err();
        let message = "has the type Int64, not a time (RFC 3339 or a date, UTC)".to_owned();
        assert_eq!(error, WrongValue { row: None, message });
    }
}
