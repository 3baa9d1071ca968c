use super::super::bytes::{Reader, Result};

/// What official fastText puts at the end of every line.
const END_OF_LINE: &[u8] = b"</s>";
const LABEL_PREFIX: &str = "__label__";
/// Longer n-grams than this are in no sensible model and would make texts quadratic to read.
const MAX_NGRAM: usize = 32;
/// Words of a language need a few dozen steps at most to a free slot of a table half full; a file
/// made to collide is refused.
const MOST_PROBES: usize = 4096;

/// The words and labels of a model, and how a text becomes rows of its input matrix.
#[derive(Debug)]
pub(super) struct Dictionary {
    /// All words, one after the other.
    words: Vec<u8>,
    /// Ends of the words.
    ends: Vec<usize>,
    /// Open-addressed by hash: index of a word plus one; 0 is free.
    slots: Vec<u32>,
    end_of_line: Option<u32>,
    /// Labels without their prefix.
    pub(super) labels: Vec<String>,
    pub(super) label_counts: Vec<u64>,
    word_ngrams: usize,
    min_chars: usize,
    max_chars: usize,
    buckets: u64,
    /// The n-grams that were kept, with their rows after those of the words, by n-gram; `None`
    /// when all were.
    kept: Option<Vec<(u32, u32)>>,
}

/// What the header of the model says about n-grams.
#[derive(Debug, Clone, Copy)]
pub(super) struct NgramOptions {
    pub(super) word_ngrams: usize,
    pub(super) min_chars: usize,
    pub(super) max_chars: usize,
    pub(super) buckets: usize,
}

impl Dictionary {
    pub(super) fn read(reader: &mut Reader<'_>, options: NgramOptions) -> Result<Self> {
        if options.word_ngrams > MAX_NGRAM || options.max_chars > MAX_NGRAM {
            return reader.fail(format!("n-grams longer than {MAX_NGRAM} are not read"));
        }
        let size = reader.count32("the size of the dictionary")?;
        let word_count = reader.count32("the number of words")?;
        let label_count = reader.count32("the number of labels")?;
        reader.i64("the number of tokens")?;
        let kept_count = reader.i64("the number of kept n-grams")?;
        if word_count.checked_add(label_count) != Some(size) {
            return reader.fail("words and labels do not add up to the size of the dictionary");
        }
        // An entry takes ten bytes at least.
        if size > reader.left() / 10 {
            return reader.fail(format!(
                "a dictionary of {size} entries does not fit the file"
            ));
        }
        let mut dictionary = Self {
            words: Vec::new(),
            ends: Vec::with_capacity(word_count),
            slots: vec![0; (word_count * 2).next_power_of_two().max(2)],
            end_of_line: None,
            labels: Vec::with_capacity(label_count),
            label_counts: Vec::with_capacity(label_count),
            word_ngrams: options.word_ngrams,
            min_chars: options.min_chars,
            max_chars: options.max_chars,
            buckets: options.buckets as u64,
            kept: None,
        };
        for index in 0..size {
            let word = reader.until_zero("a word of the dictionary")?;
            let count = reader.count64("the count of a word")?;
            let is_label = reader.bool("the kind of a word")?;
            if is_label != (index >= word_count) {
                return reader.fail("words and labels are mixed");
            }
            if is_label {
                let Ok(label) = std::str::from_utf8(word) else {
                    return reader.fail("a label is not UTF-8");
                };
                let label = label.strip_prefix(LABEL_PREFIX).unwrap_or(label);
                dictionary.labels.push(label.to_owned());
                dictionary.label_counts.push(count as u64);
            } else if !dictionary.add(word) {
                return reader.fail("too many words fall together in the dictionary");
            }
        }
        dictionary.end_of_line = dictionary.find(END_OF_LINE, hash(END_OF_LINE));
        if kept_count >= 0 {
            dictionary.kept = Some(read_kept(reader, kept_count)?);
        }
        Ok(dictionary)
    }

    /// Adds a word; `false` when finding it would take too long.
    fn add(&mut self, word: &[u8]) -> bool {
        self.words.extend_from_slice(word);
        self.ends.push(self.words.len());
        let mask = self.slots.len() - 1;
        let home = hash(word) as usize & mask;
        let free = (home..home + self.slots.len().min(MOST_PROBES))
            .map(|slot| slot & mask)
            .find(|slot| self.slots[*slot] == 0);
        if let Some(slot) = free {
            self.slots[slot] = self.ends.len() as u32;
        }
        free.is_some()
    }

    fn word(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.words[start..self.ends[index]]
    }

    fn find(&self, word: &[u8], hash: u32) -> Option<u32> {
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        // At least half of the slots are free.
        while self.slots[slot] != 0 {
            let index = self.slots[slot] - 1;
            if self.word(index as usize) == word {
                return Some(index);
            }
            slot = (slot + 1) & mask;
        }
        None
    }

    /// How many rows the input matrix must have.
    pub(super) fn rows(&self) -> usize {
        let ngrams = match &self.kept {
            Some(kept) => kept.len(),
            None => self.buckets as usize,
        };
        self.ends.len().saturating_add(ngrams)
    }

    /// Gives `rows` the rows of the input matrix that stand for `text`, one line, in the order of
    /// the official implementation.
    ///
    /// Two things differ from it, since a text is not to hide itself: a line break or `</s>` in
    /// the text does not end it, and what begins like a label is a word.
    pub(super) fn rows_of(&self, text: &str, scratch: &mut Vec<u32>, rows: &mut Vec<u32>) {
        rows.clear();
        scratch.clear();
        let tokens = text
            .as_bytes()
            .split(|byte| matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r' | 0))
            .filter(|token| !token.is_empty() && *token != END_OF_LINE);
        for token in tokens {
            let hash = hash(token);
            rows.extend(self.find(token, hash));
            self.character_ngrams(token, rows);
            scratch.push(hash);
        }
        rows.extend(self.end_of_line);
        scratch.push(hash(END_OF_LINE));
        self.word_ngrams(scratch, rows);
    }

    fn character_ngrams(&self, token: &[u8], rows: &mut Vec<u32>) {
        if self.max_chars == 0 {
            return;
        }
        let marked = [b"<", token, b">"].concat();
        let begins = |at: usize| marked.get(at).is_none_or(|byte| byte & 0xc0 != 0x80);
        for start in (0..marked.len()).filter(|start| begins(*start)) {
            let mut end = start;
            for length in 1..=self.max_chars {
                if end == marked.len() {
                    break;
                }
                end += 1;
                while !begins(end) {
                    end += 1;
                }
                let mark_alone = length == 1 && (start == 0 || end == marked.len());
                if length >= self.min_chars && !mark_alone {
                    self.push(u64::from(hash(&marked[start..end])), rows);
                }
            }
        }
    }

    fn word_ngrams(&self, hashes: &[u32], rows: &mut Vec<u32>) {
        // The official code keeps hashes as signed numbers and widens them.
        let widened = |hash: u32| hash as i32 as i64 as u64;
        for (start, first) in hashes.iter().enumerate() {
            let mut hash = widened(*first);
            for next in hashes[start + 1..]
                .iter()
                .take(self.word_ngrams.saturating_sub(1))
            {
                hash = hash.wrapping_mul(116_049_371).wrapping_add(widened(*next));
                self.push(hash, rows);
            }
        }
    }

    fn push(&self, hash: u64, rows: &mut Vec<u32>) {
        if self.buckets == 0 {
            return;
        }
        // The number of buckets is a signed 32-bit number, so this fits.
        let mut ngram = (hash % self.buckets) as u32;
        if let Some(kept) = &self.kept {
            match kept.binary_search_by_key(&ngram, |pair| pair.0) {
                Ok(found) => ngram = kept[found].1,
                Err(_) => return,
            }
        }
        rows.push(self.ends.len() as u32 + ngram);
    }
}

fn read_kept(reader: &mut Reader<'_>, count: i64) -> Result<Vec<(u32, u32)>> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut kept = Vec::new();
    for [first, second] in reader
        .take_many::<8>(count, "the kept n-grams")?
        .iter()
        .map(|pair| {
            let (numbers, _) = pair.as_chunks::<4>();
            [numbers[0], numbers[1]].map(u32::from_le_bytes)
        })
    {
        if second as usize >= count {
            return reader.fail(format!("a kept n-gram is row {second} of {count}"));
        }
        kept.push((first, second));
    }
    kept.sort_unstable();
    Ok(kept)
}

/// FNV-1a of 32 bits over bytes widened with their sign, as the official code computes it.
fn hash(bytes: &[u8]) -> u32 {
    bytes.iter().fold(2_166_136_261, |hash: u32, byte| {
        (hash ^ (*byte as i8 as u32)).wrapping_mul(16_777_619)
    })
}
