use csv::{ReaderBuilder, StringRecord};
use tamis_resource::{ResourceError, Result};

use super::entry::{ALLOW, Entry, LEXICON_COLUMNS, MatchKind};
use crate::located_toml::malformed;

/// Reads a lexicon from delimited text with a header, UTF-8 with or without byte order mark.
///
/// Lines that begin with `#` are comments; a term that begins with one is quoted. Fields are
/// stripped of white space around them. The weight may be empty where the risk is `allow`.
/// Entries come with their place, `line 3`.
///
/// # Errors
/// Malformed, with the line, for text that is not UTF-8, a header without `term`, `risk` or
/// `weight` or with a name twice, a line with more or fewer fields than the header, a weight that
/// is not a number, an unknown `match`. What the entries mean is checked by
/// [`crate::Lexicon::new`].
pub fn parse_lexicon_csv(uri: &str, bytes: &[u8], delimiter: u8) -> Result<Vec<(String, Entry)>> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = 1 + count_lines(&bytes[..error.valid_up_to()]);
        malformed(uri, format!("line {line}"), "not UTF-8")
    })?;
    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .comment(Some(b'#'))
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut lines = Lines {
        text,
        byte: 0,
        line: 1,
    };
    let mut record = StringRecord::new();
    let mut columns: Option<Columns> = None;
    let mut entries = Vec::new();
    loop {
        let start = reader.position().byte() as usize;
        let line = lines.of_record_after(start);
        let wrong = |message: String| malformed(uri, format!("line {line}"), message);
        if !reader
            .read_record(&mut record)
            .map_err(|error| wrong(error.to_string()))?
        {
            break;
        }
        match &columns {
            None => columns = Some(Columns::find(&record).map_err(wrong)?),
            Some(columns) => {
                let entry = columns.entry(&record).map_err(wrong)?;
                entries.push((format!("line {line}"), entry));
            }
        }
    }
    match columns {
        Some(_) => Ok(entries),
        None => Err(no_header(uri)),
    }
}

fn no_header(uri: &str) -> ResourceError {
    malformed(
        uri,
        "line 1",
        format!(
            "empty; the first line names the columns: {}",
            LEXICON_COLUMNS.join(",")
        ),
    )
}

/// Where the known columns stand.
struct Columns {
    known: [Option<usize>; LEXICON_COLUMNS.len()],
    count: usize,
}

impl Columns {
    fn find(header: &StringRecord) -> Result<Self, String> {
        let mut known = [None; LEXICON_COLUMNS.len()];
        for (position, name) in header.iter().enumerate() {
            let column = LEXICON_COLUMNS
                .iter()
                .position(|known| *known == name.trim());
            if let Some(column) = column
                && known[column].replace(position).is_some()
            {
                return Err(format!("the column '{}' is named twice", name.trim()));
            }
        }
        for (name, position) in LEXICON_COLUMNS.iter().zip(known).take(3) {
            if position.is_none() {
                return Err(format!(
                    "the header has no column '{name}'; it names {}",
                    header.iter().collect::<Vec<_>>().join(", ")
                ));
            }
        }
        Ok(Self {
            known,
            count: header.len(),
        })
    }

    fn entry(&self, record: &StringRecord) -> Result<Entry, String> {
        if record.len() != self.count {
            return Err(format!(
                "{} fields where the header names {}",
                record.len(),
                self.count
            ));
        }
        let [term, risk, weight, match_kind, lang, variants, note] = self
            .known
            .map(|position| position.map_or("", |position| record[position].trim()));
        let weight = match (weight, risk) {
            ("", ALLOW) => 1.0,
            _ => weight
                .parse()
                .map_err(|_| format!("the weight '{weight}' is not a number"))?,
        };
        let match_kind = MatchKind::parse(match_kind)
            .ok_or_else(|| format!("unknown match '{match_kind}'; known: auto, word, substring"))?;
        Ok(Entry {
            term: term.to_owned(),
            risk: risk.to_owned(),
            weight,
            match_kind,
            lang: lang.to_owned(),
            variants: variants.to_owned(),
            note: note.to_owned(),
        })
    }
}

/// Counts lines; the reader's own numbers point at the comments before a record.
struct Lines<'a> {
    text: &'a str,
    byte: usize,
    line: usize,
}

impl Lines<'_> {
    /// The line of the first record at or after `byte`, past blank lines and comments. Ascending
    /// calls read the text once.
    fn of_record_after(&mut self, byte: usize) -> usize {
        let bytes = self.text.as_bytes();
        // A reader may stop between the two bytes of a line end.
        let byte = if byte > 0 && bytes[..byte].ends_with(b"\r") && bytes[byte..].starts_with(b"\n")
        {
            byte + 1
        } else {
            byte
        };
        let mut byte = byte.min(bytes.len());
        loop {
            let rest = &self.text[byte..];
            let line_end = rest.find('\n').map_or(rest.len(), |end| end + 1);
            let line = rest[..line_end].trim_end_matches(['\r', '\n']);
            if line_end == 0 || !(line.is_empty() || line.starts_with('#')) {
                break;
            }
            byte += line_end;
        }
        self.line += count_lines(&bytes[self.byte..byte]);
        self.byte = byte;
        self.line
    }
}

fn count_lines(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte == b'\n').count()
}
