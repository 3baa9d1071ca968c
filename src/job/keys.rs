//! The key index of a unit: which row ids, texts, urls and subjects stand in which of its files.
//!
//! `trace` finds a row by it, and `purge` the files that hold a withdrawn subject, without reading data.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::error::{JobError, Result};
use super::key_filter::KeyFilter;
use super::output::Output;
use super::receipt::{OutputFile, VERDICTS};
use super::spec::Layout;
use super::writer::{DataWriter, Destination};

const KINDS: [&str; 4] = ["row", "subject", "text", "url"];

/// Rows of a row group of the index: what a lookup of one key decodes.
const ROW_GROUP_ROWS: u64 = 1 << 16;

/// What a key is made of, in the order of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// `prov_row_id`.
    Row,
    /// `prov_subject_ref`.
    Subject,
    /// `prov_text_sha256`.
    Text,
    /// `prov_url`.
    Url,
}

/// A kind and the first 64 bits of the hash, ref or id.
pub type Key = (KeyKind, u64);

impl KeyKind {
    const ALL: [Self; 4] = [Self::Row, Self::Subject, Self::Text, Self::Url];

    /// Its name in the index.
    pub fn name(self) -> &'static str {
        KINDS[self as usize]
    }
}

/// Keys collected while a unit is written: kind, key, verdict (the unit has one file a verdict).
#[derive(Debug, Default)]
pub struct KeyIndex {
    keys: Vec<(KeyKind, u64, u8)>,
}

/// The first 64 bits of a hexadecimal digest or ref.
pub fn key_of_hex(hex: &str) -> Option<u64> {
    u64::from_str_radix(hex.get(..16)?, 16).ok()
}

/// The key of a url.
pub fn key_of_url(url: &str) -> u64 {
    let hash = blake3::hash(url.as_bytes());
    u64::from_be_bytes(hash.as_bytes()[..8].try_into().unwrap_or_default())
}

impl KeyIndex {
    /// Adds the keys of rows written to the unit's file of a verdict.
    pub fn add(&mut self, batch: &RecordBatch, verdict: &str) {
        let verdict = VERDICTS
            .iter()
            .position(|known| *known == verdict)
            .unwrap_or_default();
        let verdict = u8::try_from(verdict).unwrap_or_default();
        let columns = [
            (KeyKind::Row, "prov_row_id"),
            (KeyKind::Subject, "prov_subject_ref"),
            (KeyKind::Text, "prov_text_sha256"),
            (KeyKind::Url, "prov_url"),
        ];
        for (kind, name) in columns {
            let Some(array) = batch
                .column_by_name(name)
                .and_then(|array| array.as_string_opt::<i32>())
            else {
                continue;
            };
            for value in array.iter().flatten() {
                let key = if kind == KeyKind::Url {
                    Some(key_of_url(value))
                } else {
                    key_of_hex(value)
                };
                self.keys.extend(key.map(|key| (kind, key, verdict)));
            }
        }
    }

    /// Takes over the entries of a written index, but for those of some verdicts.
    pub fn add_written(&mut self, batch: &RecordBatch, without: &[String]) -> Option<()> {
        let [kinds, keys, verdicts] = [0, 1, 2].map(|index| batch.column(index).as_string::<i32>());
        for row in 0..batch.num_rows() {
            let verdict = verdicts.value(row);
            if without.iter().any(|left_out| left_out == verdict) {
                continue;
            }
            let kind = KeyKind::ALL
                .into_iter()
                .find(|kind| kind.name() == kinds.value(row))?;
            let verdict = VERDICTS.iter().position(|known| *known == verdict)?;
            let key = u64::from_str_radix(keys.value(row), 16).ok()?;
            self.keys.push((kind, key, u8::try_from(verdict).ok()?));
        }
        Some(())
    }

    /// The filter over the keys.
    pub fn filter(&mut self) -> KeyFilter {
        self.keys.sort_unstable();
        self.keys.dedup();
        KeyFilter::of(self.keys.iter().map(|(kind, key, _)| (*kind, *key)))
    }

    /// Writes the index as Parquet, sorted: kind, key (16 hex digits), verdict.
    pub async fn write(
        mut self,
        output: &Output,
        path: String,
        layout: &Layout,
        destination: Destination,
    ) -> Result<OutputFile> {
        self.keys.sort_unstable();
        self.keys.dedup();
        let layout = Layout {
            row_group_rows: ROW_GROUP_ROWS,
            ..layout.clone()
        };
        let mut writer = DataWriter::new(output, path, &schema(), &[], &layout, destination)?;
        for chunk in self.keys.chunks(8192) {
            let kinds: StringArray = chunk.iter().map(|(kind, ..)| Some(kind.name())).collect();
            let keys: StringArray = chunk
                .iter()
                .map(|(_, key, _)| Some(format!("{key:016x}")))
                .collect();
            let verdicts: StringArray = chunk
                .iter()
                .map(|(.., verdict)| Some(VERDICTS[usize::from(*verdict)]))
                .collect();
            writer
                .write(&RecordBatch::try_new(
                    schema(),
                    vec![Arc::new(kinds), Arc::new(keys), Arc::new(verdicts)],
                )?)
                .await?;
        }
        Ok(writer.finish().await?.0)
    }
}

/// The verdict under which a key index has a row id, if it has it.
pub fn verdict_of_row(batch: &RecordBatch, row_id: &str) -> Result<Option<String>> {
    let wanted = key_of_hex(row_id)
        .filter(|_| row_id.len() == 32)
        .ok_or_else(|| {
            JobError::usage(format!(
                "`{row_id}` is not a row id: it has 32 hexadecimal digits"
            ))
        })?;
    let wanted = format!("{wanted:016x}");
    let [kinds, keys, verdicts] = [0, 1, 2].map(|index| batch.column(index).as_string::<i32>());
    Ok((0..batch.num_rows())
        .find(|row| kinds.value(*row) == "row" && keys.value(*row) == wanted)
        .map(|row| verdicts.value(row).to_owned()))
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("kind", DataType::Utf8, false),
        Field::new("key", DataType::Utf8, false),
        Field::new("verdict", DataType::Utf8, false),
    ]))
}
