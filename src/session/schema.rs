//! One schema for files that do not quite agree.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{
    DataType, Field, FieldRef, Fields, Schema, SchemaRef, TimeUnit,
};

/// Two files whose columns cannot be read as one type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "column '{column}' is {first_type} in {first_file} and {second_type} in {second_file}: \
     there is no type for both. Cast one of them, or read the files one by one"
)]
pub struct SchemaConflict {
    /// The column, or `column.field` inside a struct.
    pub column: String,
    /// A file that has the one type, and that type.
    pub first_file: String,
    /// See [`Self::first_file`].
    pub first_type: String,
    /// A file that has the other type, and that type.
    pub second_file: String,
    /// See [`Self::second_file`].
    pub second_type: String,
}

/// What may become of types that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Widening {
    /// Only types that hold every value of both: wider integers, floats, strings, times.
    Lossless,
    /// For files of text, whose types are guesses: also any plain type with text is text.
    Guessed,
}

/// Unifies the schemas of files, named for messages. Columns keep the order in which they first
/// appear; one that some file lacks is nullable. Integers widen, single and double floats,
/// string and binary forms, time units and decimals unify, structs and lists unify inside.
///
/// # Errors
/// [`SchemaConflict`] for a column whose types no type holds.
pub fn unify<'a>(
    files: impl IntoIterator<Item = (&'a str, &'a Schema)>,
    widening: Widening,
) -> Result<SchemaRef, SchemaConflict> {
    let mut order: Vec<FieldRef> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut first_files: Vec<&str> = Vec::new();
    let mut seen_in: Vec<usize> = Vec::new();
    let mut count = 0;
    for (file, schema) in files {
        count += 1;
        for field in schema.fields() {
            match places.get(field.name()) {
                None => {
                    places.insert(field.name().clone(), order.len());
                    order.push(Arc::clone(field));
                    first_files.push(file);
                    seen_in.push(1);
                }
                Some(&place) => {
                    seen_in[place] += 1;
                    let known = &order[place];
                    let unified =
                        unify_fields(known, field, widening).map_err(|clash| SchemaConflict {
                            column: clash.column,
                            first_file: first_files[place].to_owned(),
                            first_type: clash.first.to_string(),
                            second_file: file.to_owned(),
                            second_type: clash.second.to_string(),
                        })?;
                    order[place] = unified;
                }
            }
        }
    }
    let fields = order.into_iter().zip(seen_in).map(|(field, seen)| {
        if seen < count && !field.is_nullable() {
            Arc::new(field.as_ref().clone().with_nullable(true))
        } else {
            field
        }
    });
    Ok(Arc::new(Schema::new(Fields::from_iter(fields))))
}

struct Clash {
    column: String,
    first: DataType,
    second: DataType,
}

fn unify_fields(
    first: &FieldRef,
    second: &FieldRef,
    widening: Widening,
) -> Result<FieldRef, Clash> {
    let nullable = first.is_nullable() || second.is_nullable();
    let clash = |inner: Option<Clash>| match inner {
        Some(inner) => Clash {
            column: format!("{}.{}", first.name(), inner.column),
            ..inner
        },
        None => Clash {
            column: first.name().clone(),
            first: first.data_type().clone(),
            second: second.data_type().clone(),
        },
    };
    let data_type = unify_types(first.data_type(), second.data_type(), widening).map_err(clash)?;
    if nullable == first.is_nullable() && data_type == *first.data_type() {
        return Ok(Arc::clone(first));
    }
    let field =
        Field::new(first.name(), data_type, nullable).with_metadata(first.metadata().clone());
    Ok(Arc::new(field))
}

/// The type for both, or where inside them they clash (`None`: right here).
fn unify_types(a: &DataType, b: &DataType, widening: Widening) -> Result<DataType, Option<Clash>> {
    use DataType::*;
    if a == b {
        return Ok(a.clone());
    }
    let is_large = |kind: &DataType| matches!(kind, LargeList(_) | LargeListView(_));
    let either_is_large = is_large(a) || is_large(b);
    let unified = match (a, b) {
        (Null, other) | (other, Null) => Some(other.clone()),
        (Dictionary(_, a), b) | (b, Dictionary(_, a)) => {
            return unify_types(a, b, widening);
        }
        (Struct(a), Struct(b)) => return unify_structs(a, b, widening).map(Struct).map_err(Some),
        (
            List(a) | LargeList(a) | ListView(a) | LargeListView(a),
            List(b) | LargeList(b) | ListView(b) | LargeListView(b),
        ) => {
            // Only the name of the element field may differ without meaning.
            let renamed = Arc::new(b.as_ref().clone().with_name(a.name()));
            let element = unify_fields(a, &renamed, widening).map_err(Some)?;
            Some(if either_is_large {
                LargeList(element)
            } else {
                List(element)
            })
        }
        _ if is_integer(a) && is_integer(b) => wider_integer(a, b),
        _ if is_float(a) && is_float(b) => Some(wider_float(a, b)),
        // Integers of up to 32 bits fit a double exactly.
        _ if (is_integer(a) && is_float(b)) || (is_float(a) && is_integer(b)) => {
            let integer = if is_integer(a) { a } else { b };
            let exact = !matches!(integer, Int64 | UInt64);
            (exact || widening == Widening::Guessed).then_some(Float64)
        }
        _ if is_text(a) && is_text(b) => Some(larger(a, b, Utf8View, LargeUtf8)),
        _ if is_binary(a) && is_binary(b) => Some(larger(a, b, BinaryView, LargeBinary)),
        (Date32, Date64) | (Date64, Date32) => Some(Date64),
        (Timestamp(a, zone_a), Timestamp(b, zone_b)) if zone_a == zone_b => {
            Some(Timestamp(finer(*a, *b), zone_a.clone()))
        }
        (Date32 | Date64, Timestamp(unit, None)) | (Timestamp(unit, None), Date32 | Date64) => {
            Some(Timestamp(*unit, None))
        }
        (Decimal128(precision_a, scale_a), Decimal128(precision_b, scale_b)) => {
            let scale = *scale_a.max(scale_b);
            let whole =
                (*precision_a as i16 - *scale_a as i16).max(*precision_b as i16 - *scale_b as i16);
            let precision = u8::try_from(whole + i16::from(scale)).ok();
            precision
                .filter(|precision| *precision <= 38)
                .map(|precision| Decimal128(precision, scale))
        }
        _ => None,
    };
    let unified = unified.or_else(|| {
        let plain = |kind: &DataType| !kind.is_nested();
        let text = plain(a) && plain(b) && widening == Widening::Guessed;
        text.then(|| {
            if is_text(a) {
                a.clone()
            } else if is_text(b) {
                b.clone()
            } else {
                Utf8
            }
        })
    });
    unified.ok_or(None)
}

fn unify_structs(a: &Fields, b: &Fields, widening: Widening) -> Result<Fields, Clash> {
    let mut fields: Vec<FieldRef> = Vec::with_capacity(a.len());
    for field in a {
        fields.push(match b.find(field.name()) {
            Some((_, other)) => unify_fields(field, other, widening)?,
            None => Arc::new(field.as_ref().clone().with_nullable(true)),
        });
    }
    let new = b.iter().filter(|field| a.find(field.name()).is_none());
    fields.extend(new.map(|field| Arc::new(field.as_ref().clone().with_nullable(true))));
    Ok(fields.into())
}

fn is_integer(kind: &DataType) -> bool {
    kind.is_integer()
}

fn is_float(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Float16 | DataType::Float32 | DataType::Float64
    )
}

fn is_text(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View
    )
}

fn is_binary(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView
    )
}

/// The view form when one of the two is a view, else the large form.
fn larger(a: &DataType, b: &DataType, view: DataType, large: DataType) -> DataType {
    if *a == view || *b == view {
        view
    } else {
        large
    }
}

fn wider_float(a: &DataType, b: &DataType) -> DataType {
    if *a == DataType::Float64 || *b == DataType::Float64 {
        DataType::Float64
    } else {
        DataType::Float32
    }
}

/// The smallest integer type that holds both; none holds a signed type and 64 unsigned bits.
fn wider_integer(a: &DataType, b: &DataType) -> Option<DataType> {
    use DataType::*;
    // (signed, bits)
    let shape = |kind: &DataType| match kind {
        Int8 => (true, 8),
        Int16 => (true, 16),
        Int32 => (true, 32),
        Int64 => (true, 64),
        UInt8 => (false, 8),
        UInt16 => (false, 16),
        UInt32 => (false, 32),
        _ => (false, 64),
    };
    let ((signed_a, bits_a), (signed_b, bits_b)) = (shape(a), shape(b));
    let signed = signed_a || signed_b;
    let need = |own_signed: bool, bits: u32| {
        if signed && !own_signed {
            bits * 2
        } else {
            bits
        }
    };
    let bits = need(signed_a, bits_a).max(need(signed_b, bits_b));
    Some(match (signed, bits) {
        (true, 8) => Int8,
        (true, 16) => Int16,
        (true, 32) => Int32,
        (true, 64) => Int64,
        (false, 8) => UInt8,
        (false, 16) => UInt16,
        (false, 32) => UInt32,
        (false, 64) => UInt64,
        _ => return None,
    })
}

fn finer(a: TimeUnit, b: TimeUnit) -> TimeUnit {
    let rank = |unit: &TimeUnit| match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 1,
        TimeUnit::Microsecond => 2,
        TimeUnit::Nanosecond => 3,
    };
    if rank(&a) >= rank(&b) { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DataType::*;

    fn one(kind: DataType) -> Schema {
        Schema::new(vec![Field::new("x", kind, false)])
    }

    fn both(a: DataType, b: DataType, widening: Widening) -> Option<DataType> {
        let (a, b) = (one(a), one(b));
        let there = unify([("a", &a), ("b", &b)], widening);
        let back = unify([("b", &b), ("a", &a)], widening);
        match (there, back) {
            (Ok(there), Ok(back)) => {
                assert_eq!(there.field(0).data_type(), back.field(0).data_type());
                Some(there.field(0).data_type().clone())
            }
            (Err(_), Err(_)) => None,
            other => panic!("unifying depends on the order: {other:?}"),
        }
    }

    #[test]
    fn a_type_for_both_or_none() {
        let cases = [
            (Int8, Int64, Some(Int64)),
            (UInt8, Int8, Some(Int16)),
            (UInt32, Int32, Some(Int64)),
            (UInt64, Int8, None),
            (Int32, Float32, Some(Float64)),
            (Int64, Float64, None),
            (Float16, Float32, Some(Float32)),
            (Utf8, LargeUtf8, Some(LargeUtf8)),
            (Utf8, Utf8View, Some(Utf8View)),
            (Utf8, Int32, None),
            (Null, Int32, Some(Int32)),
            (
                Dictionary(Box::new(Int32), Box::new(Utf8)),
                Utf8,
                Some(Utf8),
            ),
            (Date32, Date64, Some(Date64)),
            (
                Timestamp(TimeUnit::Second, None),
                Timestamp(TimeUnit::Microsecond, None),
                Some(Timestamp(TimeUnit::Microsecond, None)),
            ),
            (
                Timestamp(TimeUnit::Second, None),
                Timestamp(TimeUnit::Second, Some("UTC".into())),
                None,
            ),
            (Decimal128(5, 2), Decimal128(6, 0), Some(Decimal128(8, 2))),
            (Decimal128(38, 0), Decimal128(38, 10), None),
            (Boolean, Int8, None),
        ];
        for (a, b, expected) in cases {
            assert_eq!(
                both(a.clone(), b.clone(), Widening::Lossless),
                expected,
                "{a} {b}"
            );
        }
        assert_eq!(both(Int64, Float64, Widening::Guessed), Some(Float64));
        assert_eq!(both(Int64, Boolean, Widening::Guessed), Some(Utf8));
        assert_eq!(both(Int64, Utf8View, Widening::Guessed), Some(Utf8View));
    }

    #[test]
    fn columns_are_added_and_named_when_they_clash() {
        let inner = |kind| Struct(vec![Field::new("y", kind, false)].into());
        let a = Schema::new(vec![
            Field::new("id", Int32, false),
            Field::new("s", inner(Int8), false),
        ]);
        let b = Schema::new(vec![
            Field::new("s", inner(Int16), false),
            Field::new("new", Utf8, false),
        ]);
        let unified = unify([("a", &a), ("b", &b)], Widening::Lossless).unwrap();
        let names: Vec<_> = unified
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        assert_eq!(names, ["id", "s", "new"]);
        assert_eq!(*unified.field(1).data_type(), inner(Int16));
        let nullable: Vec<_> = unified
            .fields()
            .iter()
            .map(|field| field.is_nullable())
            .collect();
        assert_eq!(nullable, [true, false, true]);

        let c = Schema::new(vec![Field::new("s", inner(Boolean), false)]);
        let conflict = unify([("a", &a), ("c", &c)], Widening::Lossless).unwrap_err();
        assert_eq!(conflict.column, "s.y");
        assert!(
            conflict
                .to_string()
                .starts_with("column 's.y' is Int8 in a and Boolean in c")
        );
    }
}
