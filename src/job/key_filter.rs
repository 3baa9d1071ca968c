//! Filters that say which units may hold a key, so that a lookup does not read every key index.
//!
//! Each unit writes a split block Bloom filter over its keys (the layout of the Parquet format,
//! `BloomFilter.md`: blocks of 256 bits, one bit in each of eight 32-bit words). The commit cuts the
//! filters of all units into partitions by the first bits of the key and writes them, partition by
//! partition, into [`SUMMARY`]: a lookup reads the footer and the one partition its key falls into.
//! A filter may say "maybe" for a key that is not there (about one in a hundred), never the reverse.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{AsArray, BinaryArray, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectStoreExt;
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use parquet::file::statistics::Statistics;

use super::error::{JobError, Result};
use super::keys::Key;
use super::output::Output;
use super::reader::RangeReader;
use super::receipt::OutputFile;
use super::spec::Layout;
use super::writer::{DataWriter, Destination};

/// The filters of all units.
pub const SUMMARY: &str = "_tamis/keys.parquet";

/// Bits of filter for a key: about one false "maybe" in a hundred.
const BITS_PER_KEY: u64 = 10;
/// Bytes of a block.
const BLOCK: usize = 32;
/// Bytes a partition of the summary aims at: what a lookup reads.
const PARTITION_BYTES: u64 = 1 << 20;
const MOST_PARTITIONS: u64 = 1 << 15;
/// Bytes of filters in memory while the summary is written.
const ROUND_BYTES: u64 = 64 << 20;
/// Filters read at the same time.
const CONCURRENT: usize = 8;

/// The odd multipliers of the Parquet format, one for each word of a block.
const SALT: [u32; 8] = [
    0x47b6_137b,
    0x4497_4d91,
    0x8824_ad5b,
    0xa2b7_289d,
    0x7054_95c7,
    0x2df1_424b,
    0x9efc_4947,
    0x5c6b_fb31,
];

/// The filter of one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFilter {
    blocks: Vec<[u32; 8]>,
}

impl KeyFilter {
    /// A filter that says "maybe" for `keys`.
    pub fn of(keys: impl ExactSizeIterator<Item = Key>) -> Self {
        let bits = keys.len() as u64 * BITS_PER_KEY;
        let blocks = usize::try_from(bits.div_ceil(8 * BLOCK as u64).max(1)).unwrap_or(usize::MAX);
        let mut filter = Self {
            blocks: vec![[0; 8]; blocks],
        };
        for key in keys {
            let hash = hash(key);
            let block = usize::try_from(scale(hash, blocks as u64)).unwrap_or_default();
            for (word, bit) in filter.blocks[block].iter_mut().zip(mask(hash)) {
                *word |= bit;
            }
        }
        filter
    }

    /// The blocks one after the other, words little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.blocks
            .iter()
            .flatten()
            .flat_map(|word| word.to_le_bytes())
            .collect()
    }
}

/// Keys are the first bits of hashes already; kinds only need to differ.
fn hash((kind, key): Key) -> u64 {
    key ^ (kind as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Where a hash falls among `count` equal parts; grows with the hash.
fn scale(hash: u64, count: u64) -> u64 {
    ((hash >> 32) * count) >> 32
}

fn mask(hash: u64) -> [u32; 8] {
    let low = (hash & u64::from(u32::MAX)) as u32;
    SALT.map(|salt| 1 << (low.wrapping_mul(salt) >> 27))
}

/// The blocks of a filter of `blocks` that hashes of a range of partitions can fall into.
fn slice(partitions: Range<u64>, count: u64, blocks: u64) -> Range<u64> {
    let first = (partitions.start << 32) / count;
    let last = ((partitions.end << 32) / count).saturating_sub(1);
    ((first * blocks) >> 32)..((last * blocks) >> 32) + 1
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("partition", DataType::Int64, false),
        Field::new("unit", DataType::Utf8, false),
        Field::new("blocks", DataType::Int64, false),
        Field::new("first_block", DataType::Int64, false),
        Field::new("filter", DataType::Binary, false),
    ]))
}

/// Writes [`SUMMARY`] from the filters of all units (unit name and filter object). Memory stays
/// bounded: of many large filters the parts of a few partitions are read at a time.
pub async fn write_summary(
    output: &Output,
    job: &str,
    filters: &[(String, OutputFile)],
    layout: &Layout,
) -> Result<OutputFile> {
    let total: u64 = filters.iter().map(|(_, file)| file.bytes).sum();
    let count = total
        .div_ceil(PARTITION_BYTES)
        .max(1)
        .next_power_of_two()
        .min(MOST_PARTITIONS);
    let together = (ROUND_BYTES / (total / count).max(1)).clamp(1, count);
    let partitions = count.to_string();
    // A partition is a row group, so that a lookup finds it by its statistics.
    let layout = Layout {
        row_group_bytes: PARTITION_BYTES / 4,
        ..layout.clone()
    };
    let metadata = [
        ("tamis.job", job),
        ("tamis.partitions", partitions.as_str()),
    ];
    let mut writer = DataWriter::new(
        output,
        SUMMARY.to_owned(),
        &schema(),
        &metadata,
        &layout,
        Destination::Output,
    )?;
    let mut at = 0;
    while at < count {
        let round = at..(at + together).min(count);
        let parts: Vec<(u64, Bytes)> = stream::iter(filters)
            .map(|(_, file)| read_blocks(output, file, round.clone(), count))
            .buffered(CONCURRENT)
            .try_collect()
            .await?;
        for partition in round.clone() {
            let mut rows = Vec::with_capacity(filters.len());
            for ((name, file), (start, bytes)) in filters.iter().zip(&parts) {
                let blocks = file.bytes / BLOCK as u64;
                let wanted = slice(partition..partition + 1, count, blocks);
                let from = usize::try_from(wanted.start - start).unwrap_or(0) * BLOCK;
                let to = usize::try_from(wanted.end - start).unwrap_or(0) * BLOCK;
                let part = bytes.get(from..to).ok_or_else(|| damaged(output, file))?;
                rows.push((name.as_str(), signed(blocks), signed(wanted.start), part));
            }
            let batch = RecordBatch::try_new(
                schema(),
                vec![
                    Arc::new(Int64Array::from_value(signed(partition), rows.len())),
                    Arc::new(rows.iter().map(|row| Some(row.0)).collect::<StringArray>()),
                    Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>()),
                    Arc::new(rows.iter().map(|row| row.2).collect::<Int64Array>()),
                    Arc::new(BinaryArray::from_iter_values(rows.iter().map(|row| row.3))),
                ],
            )?;
            writer.write(&batch).await?;
        }
        at = round.end;
    }
    Ok(writer.finish().await?.0)
}

/// The blocks of one filter that a range of partitions needs, and the number of the first.
async fn read_blocks(
    output: &Output,
    file: &OutputFile,
    partitions: Range<u64>,
    count: u64,
) -> Result<(u64, Bytes)> {
    let blocks = slice(partitions, count, file.bytes / BLOCK as u64);
    let range = blocks.start * BLOCK as u64..blocks.end * BLOCK as u64;
    let bytes = output
        .store()
        .get_range(&output.path(&file.path), range)
        .await
        .map_err(|error| JobError::store(&error, &output.uri(&file.path)))?;
    Ok((blocks.start, bytes))
}

/// The names of the units that may hold each of `wanted`; units that hold none are left out.
pub async fn units_with(
    output: &Output,
    summary: &OutputFile,
    wanted: &BTreeSet<Key>,
) -> Result<BTreeMap<String, BTreeSet<Key>>> {
    let named = |error: parquet::errors::ParquetError| {
        JobError::failed(format!("{}: {error}", output.uri(&summary.path)))
    };
    let reader = RangeReader::new(output.store(), output.path(&summary.path), summary.bytes);
    let builder = ParquetRecordBatchStreamBuilder::new(reader)
        .await
        .map_err(named)?;
    let metadata = Arc::clone(builder.metadata());
    let count = metadata
        .file_metadata()
        .key_value_metadata()
        .into_iter()
        .flatten()
        .find(|entry| entry.key == "tamis.partitions")
        .and_then(|entry| entry.value.as_ref()?.parse::<u64>().ok())
        .filter(|count| (1..=MOST_PARTITIONS).contains(count))
        .ok_or_else(|| damaged(output, summary))?;
    let mut by_partition: BTreeMap<i64, Vec<Key>> = BTreeMap::new();
    for key in wanted {
        let partition = signed(scale(hash(*key), count));
        by_partition.entry(partition).or_default().push(*key);
    }
    let groups: Vec<usize> = (0..metadata.num_row_groups())
        .filter(
            |index| match metadata.row_group(*index).column(0).statistics() {
                Some(Statistics::Int64(found)) => found
                    .min_opt()
                    .zip(found.max_opt())
                    .is_none_or(|(min, max)| by_partition.range(*min..=*max).next().is_some()),
                _ => true,
            },
        )
        .collect();
    let mut found: BTreeMap<String, BTreeSet<Key>> = BTreeMap::new();
    let mut stream = builder.with_row_groups(groups).build().map_err(named)?;
    while let Some(batch) = stream.try_next().await.map_err(named)? {
        let [partitions, blocks, firsts] =
            [0, 2, 3].map(|index| batch.column(index).as_primitive::<Int64Type>());
        let units = batch.column(1).as_string::<i32>();
        let filters = batch.column(4).as_binary::<i32>();
        for row in 0..batch.num_rows() {
            let Some(keys) = by_partition.get(&partitions.value(row)) else {
                continue;
            };
            for key in keys {
                let hash = hash(*key);
                let block = scale(hash, u64::try_from(blocks.value(row)).unwrap_or(0));
                let from = usize::try_from(signed(block) - firsts.value(row)).unwrap_or(usize::MAX);
                let words = filters
                    .value(row)
                    .chunks_exact(BLOCK)
                    .nth(from)
                    .ok_or_else(|| damaged(output, summary))?;
                let mut words = words
                    .chunks_exact(4)
                    .map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]]));
                if mask(hash)
                    .iter()
                    .all(|bit| words.next().is_some_and(|word| word & bit != 0))
                {
                    let unit = units.value(row).to_owned();
                    found.entry(unit).or_default().insert(*key);
                }
            }
        }
    }
    Ok(found)
}

fn damaged(output: &Output, file: &OutputFile) -> JobError {
    JobError::failed(format!(
        "{}: is damaged; `tamis verify` says more",
        output.uri(&file.path)
    ))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::keys::KeyKind;
    use crate::session::stores::Stores;

    /// Distinct, well spread keys.
    fn key(number: u64) -> Key {
        let hash = blake3::hash(&number.to_le_bytes());
        let first = hash.as_bytes()[..8].try_into().unwrap();
        (KeyKind::Url, u64::from_be_bytes(first))
    }

    async fn summary(units: &[Range<u64>]) -> (tempfile::TempDir, Output, OutputFile) {
        let folder = tempfile::tempdir().unwrap();
        let stores = Stores::new(Default::default());
        let output = Output::open(&stores, folder.path().to_str().unwrap()).unwrap();
        let mut filters = Vec::new();
        for (index, numbers) in units.iter().enumerate() {
            let keys: Vec<Key> = numbers.clone().map(key).collect();
            let bytes = KeyFilter::of(keys.into_iter()).to_bytes();
            let path = format!("{index}.filter");
            let file = OutputFile {
                path: path.clone(),
                rows: None,
                bytes: bytes.len() as u64,
                sha256: String::new(),
            };
            output.put(&path, bytes).await.unwrap();
            filters.push((format!("unit-{index}"), file));
        }
        let file = write_summary(&output, "job", &filters, &Layout::default())
            .await
            .unwrap();
        (folder, output, file)
    }

    async fn hits(output: &Output, file: &OutputFile, keys: Range<u64>) -> usize {
        let wanted: BTreeSet<Key> = keys.map(key).collect();
        let found = units_with(output, file, &wanted).await.unwrap();
        found.values().map(BTreeSet::len).sum()
    }

    #[tokio::test]
    async fn every_key_is_found_and_few_others() {
        // The large unit makes several partitions; the small one has fewer blocks than there are partitions.
        let (_folder, output, file) = summary(&[0..2_000_000, 2_000_000..2_000_040, 0..0]).await;
        for range in [0..500, 2_000_000..2_000_040] {
            let wanted: BTreeSet<Key> = range.clone().map(key).collect();
            let found = units_with(&output, &file, &wanted).await.unwrap();
            let unit = format!("unit-{}", usize::from(range.start > 0));
            assert_eq!(found[&unit].len(), wanted.len(), "{range:?}");
        }
        let false_ones = hits(&output, &file, 3_000_000..3_010_000).await;
        assert!(
            false_ones < 300,
            "{false_ones} of 10,000 in each of 3 units"
        );
        // A lookup reads one partition, not all.
        let groups = 4;
        assert!(
            file.bytes > 2 << 20 && file.bytes < 5 << 20,
            "{}",
            file.bytes
        );
        let stored = output.get(&file.path).await.unwrap().unwrap();
        let builder =
            parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(stored).unwrap();
        assert_eq!(builder.metadata().num_row_groups(), groups);
    }

    #[test]
    fn kinds_differ() {
        let filter = KeyFilter::of([(KeyKind::Row, 7)].into_iter());
        assert_ne!(filter, KeyFilter::of([(KeyKind::Url, 7)].into_iter()));
        assert_eq!(filter.to_bytes().len(), BLOCK);
    }
}
