//! Array plumbing shared by all functions: any Arrow string type in, documents out, nulls put back.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use datafusion::common::{ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs};

/// The values of a text column by row; `None` is NULL, also when the null stands in a
/// dictionary's values.
pub(crate) fn texts(array: &dyn Array) -> Result<Vec<Option<&str>>> {
    Ok(match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().collect(),
        DataType::Utf8View => array.as_string_view().iter().collect(),
        DataType::Dictionary(_, _) => {
            let dictionary = array.as_any_dictionary();
            let values = texts(dictionary.values().as_ref())?;
            if values.is_empty() {
                return Ok(vec![None; array.len()]);
            }
            let nulls = dictionary.keys().nulls();
            let keys = dictionary.normalized_keys();
            keys.into_iter()
                .enumerate()
                .map(|(row, key)| match nulls {
                    Some(nulls) if nulls.is_null(row) => None,
                    _ => values[key],
                })
                .collect()
        }
        DataType::Null => vec![None; array.len()],
        other => return internal_err!("a text argument has the type {other}"),
    })
}

/// The first `N` arguments by row; `None` where one of them is NULL.
pub(crate) fn rows<const N: usize>(arguments: &[ArrayRef]) -> Result<Vec<Option<[&str; N]>>> {
    let columns = arguments[..N].iter().map(|column| texts(column.as_ref()));
    let columns: Vec<Vec<Option<&str>>> = columns.collect::<Result<_>>()?;
    let row = |row: usize| {
        let mut values = [""; N];
        for (value, column) in values.iter_mut().zip(&columns) {
            *value = column[row]?;
        }
        Some(values)
    };
    Ok((0..arguments[0].len()).map(row).collect())
}

/// Runs `kernel` over the arguments as arrays of equal length; a call with literals alone is run
/// for one row and gives a scalar.
pub(crate) fn evaluate(
    arguments: &ScalarFunctionArgs,
    kernel: impl FnOnce(&[ArrayRef]) -> Result<ArrayRef>,
) -> Result<ColumnarValue> {
    let is_scalar = |value: &ColumnarValue| matches!(value, ColumnarValue::Scalar(_));
    let all_scalar = arguments.args.iter().all(is_scalar);
    let rows = if all_scalar { 1 } else { arguments.number_rows };
    let arrays: Vec<ArrayRef> = arguments
        .args
        .iter()
        .map(|value| value.to_array(rows))
        .collect::<Result<_>>()?;
    let result = kernel(&arrays)?;
    Ok(if all_scalar {
        ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?)
    } else {
        ColumnarValue::Array(result)
    })
}

/// Runs a kernel that gives one value for each document over a text column; NULL gives NULL.
///
/// A dictionary's values are judged once each, unless most of them are not used.
pub(crate) fn map_texts(
    array: &dyn Array,
    kernel: &dyn Fn(&[&str]) -> Result<ArrayRef>,
) -> Result<ArrayRef> {
    if let DataType::Dictionary(_, _) = array.data_type() {
        let dictionary = array.as_any_dictionary();
        if dictionary.values().len() <= dictionary.keys().len() {
            let results = map_texts(dictionary.values().as_ref(), kernel)?;
            return Ok(take(&results, dictionary.keys(), None)?);
        }
    }
    let rows = texts(array)?;
    let documents: Vec<&str> = rows.iter().flatten().copied().collect();
    let results = kernel(&documents)?;
    if results.len() != documents.len() {
        return internal_err!(
            "{} results for {} documents",
            results.len(),
            documents.len()
        );
    }
    if documents.len() == rows.len() {
        return Ok(results);
    }
    let mut next = 0;
    let places: UInt32Array = rows
        .iter()
        .map(|row| {
            row.map(|_| {
                next += 1;
                next - 1
            })
        })
        .collect();
    Ok(take(&results, &places, None)?)
}

/// The distinct keys of `rows` in order of first appearance, and for each row which one it has.
///
/// Lookups whose answers repeat (licences, sources) are made once and spread with `take`.
pub(crate) fn distinct<K: Copy + Eq + Hash>(
    rows: impl IntoIterator<Item = K>,
) -> (Vec<K>, UInt32Array) {
    let mut keys = Vec::new();
    let mut known: HashMap<K, u32> = HashMap::new();
    let places = rows
        .into_iter()
        .map(|key| {
            *known.entry(key).or_insert_with(|| {
                keys.push(key);
                (keys.len() - 1) as u32
            })
        })
        .collect::<Vec<u32>>();
    (keys, places.into())
}

/// Spreads one result for each distinct key over the rows.
pub(crate) fn spread(results: ArrayRef, places: &UInt32Array) -> Result<ArrayRef> {
    Ok(take(&results, places, None)?)
}

/// A column of NULLs or texts.
pub(crate) fn text_array<'a>(values: impl IntoIterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<arrow::array::StringArray>())
}

/// A column of NULLs or Booleans.
pub(crate) fn booleans(values: impl IntoIterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.into_iter().collect::<arrow::array::BooleanArray>())
}

/// A column of preferences: `y`, `n` or NULL.
pub(crate) fn preferences(values: impl IntoIterator<Item = Option<bool>>) -> ArrayRef {
    text_array(
        values
            .into_iter()
            .map(|value| value.map(|yes| if yes { "y" } else { "n" })),
    )
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, Int64Array, StringArray};
    use arrow::compute::cast;
    use arrow::datatypes::Int32Type;

    use super::*;

    const ROWS: [Option<&str>; 4] = [Some("a"), None, Some(""), Some("𝒳丽")];

    fn every_type() -> Vec<ArrayRef> {
        let utf8: ArrayRef = Arc::new(StringArray::from_iter(ROWS));
        let dictionary = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        [DataType::LargeUtf8, DataType::Utf8View, dictionary]
            .into_iter()
            .map(|to| cast(&utf8, &to).unwrap())
            .chain([Arc::clone(&utf8)])
            .collect()
    }

    fn lengths(documents: &[&str]) -> Result<ArrayRef> {
        let lengths = documents.iter().map(|text| text.chars().count() as i64);
        Ok(Arc::new(Int64Array::from_iter_values(lengths)))
    }

    #[test]
    fn every_string_type_reads_alike() {
        for array in every_type() {
            assert_eq!(texts(&array).unwrap(), ROWS, "{}", array.data_type());
            let counted = map_texts(&array, &lengths).unwrap();
            let expected = Int64Array::from(vec![Some(1), None, Some(0), Some(2)]);
            assert_eq!(counted.as_primitive(), &expected, "{}", array.data_type());
        }
    }

    #[test]
    fn nulls_among_the_values_of_a_dictionary_are_nulls() {
        let values = Arc::new(StringArray::from(vec![None, Some("b")]));
        let keys = arrow::array::Int32Array::from(vec![Some(1), Some(0), None, Some(1)]);
        let array = DictionaryArray::<Int32Type>::new(keys, values);
        assert_eq!(texts(&array).unwrap(), [Some("b"), None, None, Some("b")]);
        let counted = map_texts(&array, &lengths).unwrap();
        assert_eq!(
            counted.as_primitive(),
            &Int64Array::from(vec![Some(1), None, None, Some(1)])
        );
    }

    #[test]
    fn a_row_with_a_null_is_none() {
        let one: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("c")]));
        let two: ArrayRef = Arc::new(StringArray::from(vec![Some("x"), Some("y"), None]));
        let columns = [one, two];
        let found = rows::<2>(&columns).unwrap();
        assert_eq!(found, [Some(["a", "x"]), None, None]);
    }

    #[test]
    fn a_dictionary_without_values_is_null() {
        let keys = arrow::array::Int32Array::from(vec![None, None]);
        let values = Arc::new(StringArray::from(Vec::<&str>::new()));
        let array = DictionaryArray::<Int32Type>::new(keys, values);
        assert_eq!(texts(&array).unwrap(), [None, None]);
        assert_eq!(map_texts(&array, &lengths).unwrap().null_count(), 2);
    }

    #[test]
    fn distinct_keys_are_looked_up_once() {
        let (keys, places) = distinct([Some("b"), None, Some("b"), Some("a"), None]);
        assert_eq!(keys, [Some("b"), None, Some("a")]);
        assert_eq!(places.values(), &[0, 1, 0, 2, 1]);
        let answers = text_array(keys.iter().map(|key| key.or(Some("-"))));
        let rows = spread(answers, &places).unwrap();
        let rows: Vec<_> = texts(&rows).unwrap().into_iter().flatten().collect();
        assert_eq!(rows, ["b", "-", "b", "a", "-"]);
    }
}
