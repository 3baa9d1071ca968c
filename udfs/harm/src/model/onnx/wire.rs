//! As much of the protobuf encoding as it takes to look at the outermost message of an ONNX file
//! and to add entries to it (Protocol Buffers, "Encoding"; ONNX, `onnx.proto`).

use super::super::bytes::{BadBytes, Reader, Result};

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub(in super::super) struct Field<'a> {
    pub(in super::super) number: u32,
    pub(in super::super) value: Value<'a>,
    /// All bytes of it, the tag included.
    pub(in super::super) whole: &'a [u8],
    /// Where it starts.
    pub(in super::super) at: usize,
}

#[derive(Debug, Clone, Copy)]
pub(in super::super) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// 32 or 64 bits that nothing here asks for.
    Fixed,
}

/// The fields of a message, in order; after the first error there are no more.
pub(in super::super) fn fields(bytes: &[u8]) -> impl Iterator<Item = Result<Field<'_>>> {
    let mut reader = Reader::new(bytes);
    std::iter::from_fn(move || {
        if reader.left() == 0 {
            return None;
        }
        let field = field(bytes, &mut reader);
        if field.is_err() {
            // The same error for ever would be no end.
            reader = Reader::new(&[]);
        }
        Some(field)
    })
}

fn field<'a>(bytes: &'a [u8], reader: &mut Reader<'a>) -> Result<Field<'a>> {
    let at = bytes.len() - reader.left();
    let tag = varint(reader, "a tag")?;
    let bad = |message: String| BadBytes { at, message };
    let number = u32::try_from(tag >> 3)
        .ok()
        .filter(|number| (1..1 << 29).contains(number))
        .ok_or_else(|| bad("a tag that no field can have".to_owned()))?;
    let value = match tag & 7 {
        0 => Value::Number(varint(reader, &format!("field {number}"))?),
        1 => {
            reader.take(8, &format!("field {number}"))?;
            Value::Fixed
        }
        2 => {
            let length = varint(reader, &format!("the length of field {number}"))?;
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            Value::Bytes(reader.take(length, &format!("field {number}"))?)
        }
        5 => {
            reader.take(4, &format!("field {number}"))?;
            Value::Fixed
        }
        other => return Err(bad(format!("field {number} has the wire type {other}"))),
    };
    let end = bytes.len() - reader.left();
    Ok(Field {
        number,
        value,
        whole: &bytes[at..end],
        at,
    })
}

fn varint(reader: &mut Reader<'_>, what: &str) -> Result<u64> {
    let mut value = 0;
    for shift in (0..70).step_by(7) {
        let byte = reader.u8(what)?;
        let part = u64::from(byte & 0x7f);
        if shift == 63 && part > 1 {
            break;
        }
        value |= part << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    reader.fail(format!("{what} has more than 64 bits"))
}

pub(in super::super) fn put_varint(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// Adds a field that is bytes, text or a message.
pub(in super::super) fn put_bytes(into: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_varint(into, u64::from(number) << 3 | 2);
    put_varint(into, bytes.len() as u64);
    into.extend(bytes);
}

/// Adds a field that is a number.
#[cfg(all(test, feature = "onnx"))]
pub(in super::super) fn put_number(into: &mut Vec<u8>, number: u32, value: u64) {
    put_varint(into, u64::from(number) << 3);
    put_varint(into, value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_put_is_read() {
        let mut bytes = Vec::new();
        put_bytes(&mut bytes, 14, b"text");
        put_varint(&mut bytes, 1 << 3);
        put_varint(&mut bytes, u64::MAX);
        bytes.extend([5 << 3 | 5, 1, 2, 3, 4, 6 << 3 | 1, 1, 2, 3, 4, 5, 6, 7, 8]);
        let all: Vec<Field<'_>> = fields(&bytes).collect::<Result<_>>().expect("valid");
        let numbers: Vec<u32> = all.iter().map(|field| field.number).collect();
        assert_eq!(numbers, [14, 1, 5, 6]);
        assert!(matches!(all[0].value, Value::Bytes(b"text")));
        assert!(matches!(all[1].value, Value::Number(u64::MAX)));
        let whole: Vec<u8> = all.iter().flat_map(|field| field.whole).copied().collect();
        assert_eq!(whole, bytes);
        for end in 1..bytes.len() {
            let cut = fields(&bytes[..end]).collect::<Result<Vec<_>>>();
            let whole = all.iter().any(|field| field.at == end);
            assert_eq!(cut.is_ok(), whole, "{end}");
        }
    }

    #[test]
    fn more_than_64_bits_are_an_error() {
        let mut bytes = vec![8];
        bytes.extend([0xff; 9]);
        bytes.push(2);
        let error = fields(&bytes)
            .next()
            .expect("a field")
            .expect_err("too long");
        assert!(error.message.contains("more than 64 bits"));
        let reserved = fields(&[0]).next().expect("a field").expect_err("field 0");
        assert!(reserved.message.contains("no field can have"));
    }

    proptest! {
        #[test]
        fn any_bytes_end(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let read: usize = fields(&bytes).flatten().map(|field| field.whole.len()).sum();
            prop_assert!(read <= bytes.len());
        }
    }
}
