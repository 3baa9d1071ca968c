//! A JSON tree for signals: what a signal must not leave open is an error here.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Longer documents are not read. Such a signal is malformed for its caller.
const LIMIT: usize = 8 << 20;

/// A JSON value. A name that stands twice in an object makes the document malformed: RFC 8259,
/// section 4, leaves open which one counts, and a signal must say one thing.
#[derive(Debug, PartialEq)]
pub(crate) enum Json {
    /// Null, true or false.
    Word,
    Number(f64),
    String(String),
    Array(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

impl Json {
    /// The document in `bytes`; a byte order mark is skipped. `None` for anything that is not
    /// one JSON value in UTF-8, nests deeper than 127 levels or is longer than 8 MiB.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        if bytes.len() > LIMIT {
            return None;
        }
        serde_json::from_slice(bytes).ok()
    }

    pub(crate) fn as_object(&self) -> Option<&BTreeMap<String, Json>> {
        match self {
            Self::Object(map) => Some(map),
            _ => None,
        }
    }

    pub(crate) fn as_array(&self) -> Option<&[Json]> {
        match self {
            Self::Array(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Word)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Word)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Number(number as f64))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Number(number as f64))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Json, E> {
        Ok(Json::Number(number))
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::String(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, LIMIT};

    #[test]
    fn one_value_and_no_doubt() {
        assert_eq!(Json::parse(b"\xEF\xBB\xBF[1]"), Json::parse(b"[1]"));
        assert!(Json::parse(b"{\"a\":1,\"b\":{\"a\":1}}").is_some());
        for malformed in ["", " ", "{", "[1,]", "{\"a\":1,\"a\":1}", "1 2", "\u{0}1"] {
            assert_eq!(Json::parse(malformed.as_bytes()), None, "{malformed}");
        }
        assert_eq!(Json::parse(b"\"\xff\""), None);
    }

    #[test]
    fn depth_and_length_are_bounded() {
        let deep = |n| [vec![b'['; n], vec![b']'; n]].concat();
        assert!(Json::parse(&deep(100)).is_some());
        assert_eq!(Json::parse(&deep(10_000)), None);
        assert_eq!(Json::parse(&vec![b' '; LIMIT + 1]), None);
    }
}
