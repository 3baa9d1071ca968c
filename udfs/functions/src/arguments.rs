//! What the functions accept, and the types DataFusion casts arguments to before a call.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::plan_err;
use datafusion::error::Result;
use datafusion::logical_expr::{Signature, Volatility};

use crate::results::text_list_type;

/// The time zone of every instant in results.
pub(crate) const UTC: &str = "+00:00";

/// One argument of a function: its kind, with its name for errors.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Argument {
    /// Utf8, LargeUtf8, Utf8View or a dictionary of them.
    Text(&'static str),
    /// A number, taken as Float64.
    Number(&'static str),
    /// A timestamp of any unit and zone, a date, or text that is one; without a zone it is UTC.
    Time(&'static str),
    /// The same, but dates and texts reach the function as they are, as a date stands for all of
    /// its day: see [`crate::instants::spans`].
    Span(&'static str),
    /// A Boolean.
    Flag(&'static str),
    /// A list of texts, or one text with commas between them.
    Names(&'static str),
}

/// Instants as the functions compute with them and return them.
pub(crate) fn instant_type() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

/// The signature of all functions: arguments are checked by [`coerce`]. Immutable, because a
/// function is built from resources with a digest and a fixed `as_of`.
pub(crate) fn signature() -> Signature {
    Signature::user_defined(Volatility::Immutable)
}

/// Checks the arguments of a call; of `arguments` the first `required` must be there.
pub(crate) fn coerce(
    function: &str,
    arguments: &[Argument],
    required: usize,
    types: &[DataType],
) -> Result<Vec<DataType>> {
    if !(required..=arguments.len()).contains(&types.len()) {
        let names: Vec<&str> = arguments.iter().map(Argument::name).collect();
        let optional = match &names[required..] {
            [] => String::new(),
            optional => format!(" [, {}]", optional.join(" [, ")) + &"]".repeat(optional.len() - 1),
        };
        return plan_err!(
            "{function}({}{optional}) was called with {} arguments",
            names[..required].join(", "),
            types.len()
        );
    }
    arguments
        .iter()
        .zip(types)
        .map(|(argument, data_type)| argument.coerced(function, data_type))
        .collect()
}

impl Argument {
    fn name(&self) -> &'static str {
        match self {
            Self::Text(name)
            | Self::Number(name)
            | Self::Time(name)
            | Self::Span(name)
            | Self::Flag(name)
            | Self::Names(name) => name,
        }
    }

    fn coerced(&self, function: &str, data_type: &DataType) -> Result<DataType> {
        let (accepted, wanted) = match self {
            Self::Text(_) => {
                if is_text(data_type) {
                    return Ok(data_type.clone());
                }
                (
                    matches!(data_type, DataType::Null).then_some(DataType::Utf8),
                    "text",
                )
            }
            Self::Number(_) => (
                (data_type.is_numeric() || matches!(data_type, DataType::Null))
                    .then_some(DataType::Float64),
                "a number",
            ),
            Self::Time(_) | Self::Span(_) => {
                let accepted = is_text(data_type)
                    || matches!(
                        data_type,
                        DataType::Timestamp(_, _)
                            | DataType::Date32
                            | DataType::Date64
                            | DataType::Null
                    );
                let is_instant = matches!(data_type, DataType::Timestamp(_, _) | DataType::Null);
                (
                    accepted.then(|| match self {
                        Self::Span(_) if !is_instant => data_type.clone(),
                        _ => instant_type(),
                    }),
                    "a timestamp, a date or text that is one",
                )
            }
            Self::Names(_) => (
                match data_type {
                    DataType::List(item)
                    | DataType::LargeList(item)
                    | DataType::FixedSizeList(item, _)
                        if is_text(item.data_type()) || item.data_type().is_null() =>
                    {
                        Some(text_list_type())
                    }
                    DataType::Null => Some(DataType::Utf8),
                    text if is_text(text) => Some(text.clone()),
                    _ => None,
                },
                "a list of texts, or text with commas between the names",
            ),
            Self::Flag(_) => (
                matches!(data_type, DataType::Boolean | DataType::Null)
                    .then_some(DataType::Boolean),
                "a Boolean",
            ),
        };
        match accepted {
            Some(coerced) => Ok(coerced),
            None => plan_err!(
                "{function}: argument {} must be {wanted}, not {data_type}; cast it if it stands for one",
                self.name()
            ),
        }
    }
}

/// Whether values of this type are read as text without a cast.
pub(crate) fn is_text(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => true,
        DataType::Dictionary(_, values) => is_text(values),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARGUMENTS: &[Argument] = &[
        Argument::Text("subject"),
        Argument::Text("purpose"),
        Argument::Time("at"),
    ];

    #[test]
    fn text_types_stay_as_they_are() {
        let dictionary =
            DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::LargeUtf8));
        for data_type in [
            DataType::Utf8,
            DataType::LargeUtf8,
            DataType::Utf8View,
            dictionary,
        ] {
            let coerced = coerce("f", ARGUMENTS, 1, std::slice::from_ref(&data_type)).unwrap();
            assert_eq!(coerced, [data_type]);
        }
        assert_eq!(
            coerce("f", ARGUMENTS, 1, &[DataType::Null]).unwrap(),
            [DataType::Utf8]
        );
    }

    #[test]
    fn times_become_instants() {
        for data_type in [
            DataType::Timestamp(TimeUnit::Second, None),
            DataType::Timestamp(TimeUnit::Nanosecond, Some("+08:00".into())),
            DataType::Date32,
            DataType::Utf8View,
        ] {
            let types = [DataType::Utf8, DataType::Utf8, data_type];
            assert_eq!(
                coerce("f", ARGUMENTS, 1, &types).unwrap()[2],
                instant_type()
            );
        }
    }

    #[test]
    fn dates_and_texts_that_are_spans_stay_as_they_are() {
        let coerced = |data_type| coerce("f", &[Argument::Span("at")], 1, &[data_type]);
        for data_type in [DataType::Date32, DataType::Date64, DataType::Utf8View] {
            assert_eq!(coerced(data_type.clone()).unwrap(), [data_type]);
        }
        for data_type in [
            DataType::Null,
            DataType::Timestamp(TimeUnit::Nanosecond, None),
        ] {
            assert_eq!(coerced(data_type).unwrap(), [instant_type()]);
        }
        assert!(coerced(DataType::Int64).is_err());
    }

    #[test]
    fn errors_name_the_argument() {
        let error = |types: &[DataType]| coerce("f", ARGUMENTS, 1, types).unwrap_err().to_string();
        assert!(error(&[]).contains("f(subject [, purpose [, at]]) was called with 0 arguments"));
        let many = vec![DataType::Utf8; 4];
        assert!(error(&many).contains("was called with 4 arguments"));
        assert!(
            error(&[DataType::Int64]).contains(
                "f: argument subject must be text, not Int64; cast it if it stands for one"
            )
        );
        let at = [DataType::Utf8, DataType::Utf8, DataType::Int64];
        assert!(error(&at).contains("argument at must be a timestamp, a date or text that is one"));
    }
}
