use serde::Deserialize;
use tamis_resource::Result;

use super::entry::{ALLOW, Entry, MatchKind};
use crate::located_toml::malformed;

#[derive(Deserialize)]
struct Line {
    term: String,
    risk: String,
    weight: Option<f64>,
    #[serde(rename = "match")]
    match_kind: Option<MatchKind>,
    lang: Option<String>,
    variants: Option<String>,
    note: Option<String>,
}

/// Reads a lexicon from one JSON object per line, with the names of
/// [`crate::LEXICON_COLUMNS`] as keys; blank lines are skipped, unknown keys ignored.
///
/// Absent or null keys take the defaults of the columns; the weight may be absent where the risk
/// is `allow`. Entries come with their place, `line 3`.
///
/// # Errors
/// Malformed, with the line, for text that is not UTF-8 or JSON, a missing term, risk or weight,
/// a value of the wrong type. What the entries mean is checked by [`crate::Lexicon::new`].
pub fn parse_lexicon_ndjson(uri: &str, bytes: &[u8]) -> Result<Vec<(String, Entry)>> {
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    let mut entries = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        let place = format!("line {number}");
        let line = std::str::from_utf8(line).map_err(|_| malformed(uri, &*place, "not UTF-8"))?;
        if line.trim().is_empty() {
            continue;
        }
        let line: Line = serde_json::from_str(line).map_err(|error| {
            // Its own position ends in "at line 1 column …", which would mislead.
            let message = error.to_string();
            let what = message.split(" at line ").next().unwrap_or_default();
            malformed(uri, &*place, format!("{what} (column {})", error.column()))
        })?;
        let weight = match line.weight {
            Some(weight) => weight,
            None if line.risk == ALLOW => 1.0,
            None => return Err(malformed(uri, place, "missing field `weight`")),
        };
        entries.push((
            place,
            Entry {
                term: line.term,
                risk: line.risk,
                weight,
                match_kind: line.match_kind.unwrap_or_default(),
                lang: line.lang.unwrap_or_default(),
                variants: line.variants.unwrap_or_default(),
                note: line.note.unwrap_or_default(),
            },
        ));
    }
    Ok(entries)
}
