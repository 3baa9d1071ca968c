use std::collections::{BTreeMap, HashSet};

use csv::{ReaderBuilder, StringRecord, WriterBuilder};
use tamis_resource::{Result, nearest};
use tamis_text::fold;

use super::{ALLOW, Entry, LEXICON_COLUMNS, MatchKind, parse_variants};
use crate::located_toml::malformed;
use crate::taxonomy::Taxonomy;

/// What the entries of an imported list get that the list does not say.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryDefaults {
    /// The weight of every entry, in (0, 1].
    pub weight: f64,
    /// Where the terms may match.
    pub match_kind: MatchKind,
    /// Language of the terms; informative.
    pub lang: String,
    /// The forms of a text that still match, as in the column `variants`.
    pub variants: String,
    /// For the reader of the lexicon.
    pub note: String,
}

/// A list that was read.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Imported {
    /// The entries, each with its place, in the order of the list.
    pub entries: Vec<(String, Entry)>,
    /// Terms left out because an earlier one for the same risk folds to the same.
    pub duplicates: usize,
    /// Terms left out because their category is mapped to `skip`.
    pub skipped: usize,
    /// The places of terms left out because nothing of them is left when they are folded.
    pub empty: Vec<String>,
}

impl Imported {
    fn push(&mut self, seen: &mut HashSet<(String, String)>, place: String, entry: Entry) {
        let folded = fold(&entry.term).trim().to_owned();
        if folded.is_empty() {
            self.empty.push(place);
        } else if seen.insert((folded, entry.risk.clone())) {
            self.entries.push((place, entry));
        } else {
            self.duplicates += 1;
        }
    }
}

/// Which risk the categories of a list stand for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CategoryMap {
    /// Risk id by folded category; `None` leaves its terms out.
    by_category: BTreeMap<String, Option<String>>,
    otherwise: Option<Option<String>>,
}

const SKIP: &str = "skip";
const EVERY_OTHER: &str = "*";

impl CategoryMap {
    /// Reads pairs `CATEGORY=RISK`. The risk may be `allow`, or `skip` to leave the terms out; the
    /// category `*` stands for every other one. Categories are compared folded.
    ///
    /// # Errors
    /// A message for a pair without `=`, an unknown risk, a category given twice.
    pub fn parse<'a>(
        pairs: impl IntoIterator<Item = &'a str>,
        taxonomy: &Taxonomy,
    ) -> Result<Self, String> {
        let mut map = Self::default();
        for pair in pairs {
            // A category may hold the sign itself, a risk cannot.
            let (category, risk) = pair.rsplit_once('=').ok_or_else(|| {
                format!("'{pair}' is not CATEGORY=RISK, such as porn=A1f or other=skip")
            })?;
            let (category, risk) = (category.trim(), risk.trim());
            let risk = match risk {
                SKIP => None,
                risk => Some(known_risk(risk, taxonomy)?.to_owned()),
            };
            let twice = match category {
                EVERY_OTHER => map.otherwise.replace(risk).is_some(),
                category => map
                    .by_category
                    .insert(fold(category).into_owned(), risk)
                    .is_some(),
            };
            if twice {
                return Err(format!("the category '{category}' is mapped twice"));
            }
        }
        Ok(map)
    }

    fn risk(&self, category: &str) -> Option<&Option<String>> {
        let by_category = self.by_category.get(&*fold(category));
        by_category.or(self.otherwise.as_ref())
    }
}

fn known_risk<'a>(risk: &'a str, taxonomy: &Taxonomy) -> Result<&'a str, String> {
    match risk == ALLOW || taxonomy.index(risk).is_some() {
        true => Ok(risk),
        false => Err(taxonomy.unknown(risk)),
    }
}

/// Reads a plain word list, one term a line, for one risk (or `allow`).
///
/// UTF-8 with or without byte order mark. Blank lines and lines that begin with `#` are left out,
/// and so are white space and commas after a term, which some lists carry. Terms that fold to the
/// same count once.
///
/// # Errors
/// Malformed, with the line, for text that is not UTF-8; for an unknown risk, an unknown form in
/// the variants or a weight outside (0, 1]; and for a list without a term.
pub fn parse_word_list(
    uri: &str,
    bytes: &[u8],
    risk: &str,
    defaults: &EntryDefaults,
    taxonomy: &Taxonomy,
) -> Result<Imported> {
    let option = |message: String| malformed(uri, "import options", message);
    known_risk(risk, taxonomy).map_err(option)?;
    defaults.check().map_err(option)?;
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    let mut imported = Imported::default();
    let mut seen = HashSet::new();
    for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        let place = format!("line {number}");
        let line = std::str::from_utf8(line)
            .map_err(|_| malformed(uri, &*place, "not UTF-8; convert the list to UTF-8 first"))?;
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let term = line.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | '，'));
        imported.push(&mut seen, place, defaults.entry(term, risk));
    }
    not_empty(uri, imported)
}

/// Reads a list in delimited text with a column of terms and a column of categories.
///
/// Columns are named as in the header, or given by number from 1; when both are numbers, the text
/// has no header. Lines may have more or fewer fields than others, as long as they have these two.
/// Blank terms are left out, and terms that fold to the same count once for a risk.
///
/// # Errors
/// Malformed, with the line, for text that is not UTF-8, a column that is not there, a line
/// without one of the two, broken quotes; for categories the map does not know, all of them named;
/// for an unknown form in the variants or a weight outside (0, 1]; and for a list without a term.
pub fn parse_categorised(
    uri: &str,
    bytes: &[u8],
    delimiter: u8,
    columns: (&str, &str),
    map: &CategoryMap,
    defaults: &EntryDefaults,
) -> Result<Imported> {
    defaults
        .check()
        .map_err(|message| malformed(uri, "import options", message))?;
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(bytes);
    let number = |name: &str| name.parse::<usize>().ok().filter(|number| *number > 0);
    let mut places = match (number(columns.0), number(columns.1)) {
        (Some(term), Some(category)) => Some((term - 1, category - 1)),
        _ => None,
    };
    let mut imported = Imported::default();
    let mut seen = HashSet::new();
    let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
    let mut record = StringRecord::new();
    loop {
        let more = reader.read_record(&mut record).map_err(|error| {
            let line = error.position().map_or(1, csv::Position::line);
            let message = match error.kind() {
                csv::ErrorKind::Utf8 { .. } => "not UTF-8; convert the list first".to_owned(),
                _ => error.to_string(),
            };
            malformed(uri, format!("line {line}"), message)
        })?;
        if !more {
            break;
        }
        let place = format!("line {}", record.position().map_or(1, csv::Position::line));
        let wrong = |message: String| malformed(uri, place.as_str(), message);
        let Some((term, category)) = places else {
            let term = column(&record, columns.0).map_err(wrong)?;
            places = Some((term, column(&record, columns.1).map_err(wrong)?));
            continue;
        };
        let field = |column: usize| {
            record.get(column).map(str::trim).ok_or_else(|| {
                let fields = record.len();
                wrong(format!(
                    "only {fields} fields; column {} is needed",
                    column + 1
                ))
            })
        };
        let (term, category) = (field(term)?, field(category)?);
        if term.is_empty() {
            continue;
        }
        match map.risk(category) {
            Some(Some(risk)) => imported.push(&mut seen, place, defaults.entry(term, risk)),
            Some(None) => imported.skipped += 1,
            None => *unknown.entry(category.to_owned()).or_default() += 1,
        }
    }
    if !unknown.is_empty() {
        let named: Vec<String> = unknown
            .iter()
            .map(|(category, terms)| format!("'{category}' ({terms})"))
            .collect();
        return Err(malformed(
            uri,
            "categories",
            format!(
                "no risk is given for {}; map each to a risk or to {SKIP}",
                named.join(", ")
            ),
        ));
    }
    not_empty(uri, imported)
}

fn not_empty(uri: &str, imported: Imported) -> Result<Imported> {
    match imported.entries.is_empty() {
        true => Err(malformed(uri, "line 1", "the list holds no term")),
        false => Ok(imported),
    }
}

fn column(header: &StringRecord, name: &str) -> Result<usize, String> {
    let names = || header.iter().map(str::trim);
    names().position(|known| known == name).ok_or_else(|| {
        let hint = match nearest(name, names()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("it names {}", names().collect::<Vec<_>>().join(", ")),
        };
        format!("the header has no column '{name}'; {hint}")
    })
}

impl EntryDefaults {
    fn check(&self) -> Result<(), String> {
        if !(self.weight > 0.0 && self.weight <= 1.0) {
            return Err(format!("a weight lies in (0, 1], not {}", self.weight));
        }
        parse_variants(&self.variants).map(|_| ())
    }

    fn entry(&self, term: &str, risk: &str) -> Entry {
        Entry {
            term: term.to_owned(),
            risk: risk.to_owned(),
            weight: self.weight,
            match_kind: self.match_kind,
            lang: self.lang.clone(),
            variants: self.variants.clone(),
            note: self.note.clone(),
        }
    }
}

/// Writes entries as a lexicon in CSV, which [`crate::parse_lexicon_csv`] reads back as they are.
/// `updated`, a date, becomes the comment that [`crate::lexicon_updated`] finds.
pub fn write_lexicon_csv<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    updated: Option<&str>,
) -> String {
    let mut writer = WriterBuilder::new()
        .comment(Some(b'#'))
        .from_writer(Vec::new());
    let written = std::iter::once(LEXICON_COLUMNS.map(str::to_owned)).chain(
        entries.into_iter().map(|entry| {
            [
                entry.term.clone(),
                entry.risk.clone(),
                entry.weight.to_string(),
                entry.match_kind.as_str().to_owned(),
                entry.lang.clone(),
                entry.variants.clone(),
                entry.note.clone(),
            ]
        }),
    );
    for record in written {
        writer
            .write_record(&record)
            .expect("memory takes every record of seven fields");
    }
    let bytes = writer.into_inner().expect("memory takes every record");
    let text = String::from_utf8(bytes).expect("text was written");
    match updated {
        Some(date) => format!("# updated: {date}\n{text}"),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexicon::{lexicon_updated, parse_lexicon_csv};

    fn defaults() -> EntryDefaults {
        EntryDefaults {
            weight: 0.5,
            match_kind: MatchKind::Auto,
            lang: "zh".into(),
            variants: String::new(),
            note: String::new(),
        }
    }

    fn terms(imported: &Imported) -> Vec<(&str, &str, &str)> {
        imported
            .entries
            .iter()
            .map(|(place, entry)| (place.as_str(), &*entry.term, &*entry.risk))
            .collect()
    }

    #[test]
    fn word_lists() {
        let read = |bytes: &[u8], risk: &str| {
            parse_word_list("w.txt", bytes, risk, &defaults(), &Taxonomy::builtin())
        };
        let text = "\u{FEFF}# ours\r\n冰毒批发\r\n\r\n  rob the bank , \nＲＯＢ the bank\n枪支，\n\u{200B}\n";
        let imported = read(text.as_bytes(), "A1h").expect("reads");
        assert_eq!(
            terms(&imported),
            [
                ("line 2", "冰毒批发", "A1h"),
                ("line 4", "rob the bank", "A1h"),
                ("line 6", "枪支", "A1h"),
            ]
        );
        assert_eq!((imported.duplicates, imported.skipped), (1, 0));
        assert_eq!(imported.empty, ["line 7"]);
        assert_eq!(imported.entries[0].1, defaults().entry("冰毒批发", "A1h"));
        assert_eq!(read(b"a\n", ALLOW).expect("reads").entries[0].1.risk, ALLOW);
        let error = |bytes: &[u8], risk: &str| read(bytes, risk).unwrap_err().to_string();
        assert_eq!(
            error(b"a\n\xC3\n", "A1a"),
            "w.txt, line 2: not UTF-8; convert the list to UTF-8 first"
        );
        assert!(error(b"a\n", "A9a").contains("unknown risk 'A9a'"));
        assert_eq!(
            error(b"# a\n", "A1a"),
            "w.txt, line 1: the list holds no term"
        );
    }

    #[test]
    fn options_are_checked_before_anything_is_read() {
        for (wrong, message) in [
            (
                EntryDefaults {
                    weight: 0.0,
                    ..defaults()
                },
                "w.txt, import options: a weight lies in (0, 1], not 0",
            ),
            (
                EntryDefaults {
                    variants: "case|wide".into(),
                    ..defaults()
                },
                "w.txt, import options: unknown form 'wide' in variants",
            ),
        ] {
            let error = parse_word_list("w.txt", b"a", "A1a", &wrong, &Taxonomy::builtin());
            let error = error.unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    fn map(pairs: &[&str]) -> Result<CategoryMap, String> {
        CategoryMap::parse(pairs.iter().copied(), &Taxonomy::builtin())
    }

    #[test]
    fn lists_with_categories() {
        let read = |text: &[u8], columns, map: &CategoryMap| {
            parse_categorised("w.csv", text, b',', columns, map, &defaults())
        };
        let text = "id,词,类别,更多\n1,冰毒批发,毒品,x\n2,\"a, b\",PORN,y,z\n3,,毒品\n\
                    4,天气,无,\n5,冰毒批发,毒品,\n6,冰毒批发,porn,\n";
        let categories = map(&["毒品=A1h", "porn=A1f", "无=skip"]).expect("a map");
        let imported = read(text.as_bytes(), ("词", "类别"), &categories).expect("reads");
        assert_eq!(
            terms(&imported),
            [
                ("line 2", "冰毒批发", "A1h"),
                ("line 3", "a, b", "A1f"),
                ("line 7", "冰毒批发", "A1f"),
            ]
        );
        assert_eq!((imported.duplicates, imported.skipped), (1, 1));

        let every = map(&["*=A1h"]).expect("a map");
        let numbered = read(b"x,a,1\ny,b,2\n", ("2", "1"), &every).expect("reads");
        assert_eq!(
            terms(&numbered),
            [("line 1", "a", "A1h"), ("line 2", "b", "A1h")]
        );

        let error = |text: &[u8], columns, map: &CategoryMap| {
            read(text, columns, map).unwrap_err().to_string()
        };
        assert_eq!(
            error(
                text.as_bytes(),
                ("词", "类别"),
                &map(&["porn=A1f"]).expect("a map")
            ),
            "w.csv, categories: no risk is given for '无' (1), '毒品' (2); map each to a risk or to skip"
        );
        assert_eq!(
            error(b"word,type\na,b\n", ("wrod", "type"), &every),
            "w.csv, line 1: the header has no column 'wrod'; did you mean 'word'?"
        );
        assert_eq!(
            error(b"word,type\na\n", ("word", "type"), &every),
            "w.csv, line 2: only 1 fields; column 2 is needed"
        );
        assert_eq!(
            error(b"word,type\na,\xFF\n", ("word", "type"), &every),
            "w.csv, line 2: not UTF-8; convert the list first"
        );
        assert_eq!(
            error(b"word,type\n", ("word", "type"), &every),
            "w.csv, line 1: the list holds no term"
        );
    }

    #[test]
    fn category_maps() {
        assert_eq!(
            map(&["porn"]).unwrap_err(),
            "'porn' is not CATEGORY=RISK, such as porn=A1f or other=skip"
        );
        assert!(
            map(&["porn=A1x"])
                .unwrap_err()
                .starts_with("unknown risk 'A1x'")
        );
        assert_eq!(
            map(&["Porn=A1f", "porn=A1h"]).unwrap_err(),
            "the category 'porn' is mapped twice"
        );
        assert!(
            map(&["*=skip", "*=A1a"])
                .unwrap_err()
                .contains("'*' is mapped twice")
        );
        let map = map(&["a=b=A1a", "*=allow"]).expect("a map");
        assert_eq!(map.risk("A=B"), Some(&Some("A1a".to_owned())));
        assert_eq!(map.risk("else"), Some(&Some("allow".to_owned())));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let entries: Vec<Entry> = ["#hash", "a, \"b\"", "傻逼", " x"]
            .into_iter()
            .zip(["A1a", "allow", "A4a", "A1h"])
            .map(|(term, risk)| Entry {
                note: "two\nlines".into(),
                variants: "case|width".into(),
                ..defaults().entry(term.trim(), risk)
            })
            .collect();
        let text = write_lexicon_csv(&entries, Some("2026-01-31"));
        assert_eq!(lexicon_updated(text.as_bytes()), Some("2026-01-31"));
        let read: Vec<Entry> = parse_lexicon_csv("w.csv", text.as_bytes(), b',')
            .expect("reads")
            .into_iter()
            .map(|(_, entry)| entry)
            .collect();
        assert_eq!(read, entries);
        assert!(write_lexicon_csv(&[], None).starts_with("term,risk,weight"));
    }
}
