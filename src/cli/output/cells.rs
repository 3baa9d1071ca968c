//! The text of single values, the same in every format for reading.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, StringBuilder};
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::writer::{EncoderOptions, NullableEncoder, make_encoder};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};

/// The texts of one batch.
pub(crate) struct Cells<'a> {
    columns: Vec<Column<'a>>,
}

enum Column<'a> {
    Plain {
        array: &'a ArrayRef,
        text: ArrayFormatter<'a>,
    },
    Nested(NullableEncoder<'a>),
}

impl<'a> Cells<'a> {
    /// Prepares a batch. Nested values become JSON text.
    pub(crate) fn new(
        batch: &'a RecordBatch,
        fields: &'a [FieldRef],
        json: &'a EncoderOptions,
        plain: &'a FormatOptions<'a>,
    ) -> Result<Self, ArrowError> {
        let columns = batch.columns().iter().zip(fields).map(|(array, field)| {
            Ok(if is_nested(array.data_type()) {
                Column::Nested(make_encoder(field, array, json)?)
            } else {
                Column::Plain {
                    array,
                    text: ArrayFormatter::try_new(array, plain)?,
                }
            })
        });
        Ok(Self {
            columns: columns.collect::<Result<_, ArrowError>>()?,
        })
    }

    /// The text of a value; `None` for NULL.
    pub(crate) fn text(&mut self, column: usize, row: usize) -> Option<String> {
        match &mut self.columns[column] {
            // A dictionary can hold NULL among its values.
            Column::Plain { array, text } => {
                (!is_null(array, row)).then(|| text.value(row).to_string())
            }
            Column::Nested(encoder) => {
                if encoder.is_null(row) {
                    return None;
                }
                let mut bytes = Vec::new();
                encoder.encode(row, &mut bytes);
                Some(String::from_utf8_lossy(&bytes).into_owned())
            }
        }
    }
}

fn is_null(array: &ArrayRef, row: usize) -> bool {
    match array.data_type() {
        DataType::Dictionary(_, _) => array
            .logical_nulls()
            .is_some_and(|nulls| nulls.is_null(row)),
        DataType::Null => true,
        _ => array.is_null(row),
    }
}

/// Lists, structs, maps: what has no plain text form.
pub(crate) fn is_nested(kind: &DataType) -> bool {
    kind.is_nested()
}

/// Whether values stand at the right side of a column.
pub(crate) fn is_numeric(kind: &DataType) -> bool {
    kind.is_numeric()
}

/// JSON with every field written, NULL as `null`.
pub(crate) fn json_options() -> EncoderOptions {
    EncoderOptions::default().with_explicit_nulls(true)
}

/// How plain values are written: times in ISO 8601, an impossible value as the error it is.
pub(crate) fn plain_options<'a>() -> FormatOptions<'a> {
    FormatOptions::new().with_display_error(true)
}

/// A batch whose columns JSON can hold: what has no JSON form (durations inside unions and the
/// like) becomes text.
pub(crate) fn for_json(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let json = json_options();
    let schema = batch.schema();
    let mut columns = Vec::with_capacity(batch.num_columns());
    let mut fields = Vec::with_capacity(batch.num_columns());
    for (array, field) in batch.columns().iter().zip(schema.fields()) {
        if make_encoder(field, array, &json).is_ok() {
            columns.push(Arc::clone(array));
            fields.push(Arc::clone(field));
        } else {
            let options = plain_options();
            let text = ArrayFormatter::try_new(array, &options)?;
            let mut builder = StringBuilder::new();
            for row in 0..array.len() {
                if array.is_null(row) {
                    builder.append_null();
                } else {
                    builder.append_value(text.value(row).to_string());
                }
            }
            columns.push(Arc::new(builder.finish()));
            fields.push(Arc::new(
                field
                    .as_ref()
                    .clone()
                    .with_data_type(DataType::Utf8)
                    .with_nullable(true),
            ));
        }
    }
    let schema = Arc::new(datafusion::arrow::datatypes::Schema::new(fields));
    let options =
        datafusion::arrow::array::RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema, columns, &options)
}
