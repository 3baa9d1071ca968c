//! How fast classifiers score: `cargo bench -p tamis-harm --bench model`, MB of UTF-8 a second of
//! one core, batches of generated Chinese, English and mixed documents of 2 KB.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::time::Instant;

use tamis_harm::{LabelledText, Model, ModelOptions, Segmentation, Taxonomy, TrainOptions, train};

const DOCUMENT_BYTES: usize = 2048;
const DOCUMENTS: usize = 1024;
const ROUNDS: usize = 10;

/// xorshift64*, so that every run measures the same texts.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit
    }
}

/// Words drawn so that the first are far more frequent, with punctuation between.
fn text(random: &mut Random, words: &[String], gap: &str, bytes: usize) -> String {
    let mut text = String::new();
    while text.len() < bytes {
        let range = 1 + random.below(words.len());
        text.push_str(&words[random.below(range)]);
        match random.below(9) {
            0 => text.push('，'),
            1 => text.push('。'),
            _ => text.push_str(gap),
        }
    }
    text
}

fn chinese_words(random: &mut Random) -> Vec<String> {
    (0..4000)
        .map(|_| {
            (0..1 + random.below(3))
                .filter_map(|_| char::from_u32(0x4e00 + random.below(3500) as u32))
                .collect()
        })
        .collect()
}

fn english_words(random: &mut Random) -> Vec<String> {
    (0..4000)
        .map(|_| {
            (0..2 + random.below(8))
                .map(|_| char::from(b'a' + random.below(26) as u8))
                .collect()
        })
        .collect()
}

/// Time this thread spent computing where the system says so, else time that passed: a busy
/// machine is not to look like a slow model.
struct Clock {
    started: Instant,
    computed: Option<f64>,
}

impl Clock {
    fn start() -> Self {
        Self {
            started: Instant::now(),
            computed: Self::computed(),
        }
    }

    fn computed() -> Option<f64> {
        let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
        Some(text.split(' ').next()?.parse::<f64>().ok()? / 1e9)
    }

    fn seconds(&self) -> f64 {
        match (self.computed, Self::computed()) {
            (Some(before), Some(after)) if after > before => after - before,
            _ => self.started.elapsed().as_secs_f64(),
        }
    }
}

fn measure(what: &str, model: &Model, documents: &[String]) {
    let documents: Vec<&str> = documents.iter().map(String::as_str).collect();
    let bytes: usize = documents.iter().map(|document| document.len()).sum();
    let clock = Clock::start();
    for _ in 0..ROUNDS {
        let mut sum = 0.0;
        model
            .probabilities(&documents, &mut |_, found| sum += found[0])
            .expect("answers");
        black_box(sum);
    }
    println!(
        "{what:<44} {:>7.1} MB/s",
        (ROUNDS * bytes) as f64 / 1e6 / clock.seconds()
    );
}

fn main() {
    let mut random = Random(42);
    let (chinese, english) = (chinese_words(&mut random), english_words(&mut random));
    let mut documents = |words: &[String], gap: &str| -> Vec<String> {
        (0..DOCUMENTS)
            .map(|_| text(&mut random, words, gap, DOCUMENT_BYTES))
            .collect()
    };
    let zh = documents(&chinese, "");
    let en = documents(&english, " ");
    let mixed = documents(&[&chinese[..2000], &english[..2000]].concat(), " ");

    let taxonomy = Taxonomy::builtin();
    let rows: Vec<LabelledText> = (0..30_000)
        .map(|row| LabelledText {
            text: text(&mut random, &[&chinese[..], &english[..]].concat(), "", 150),
            risks: if row % 2 == 0 {
                vec![row / 2 % 3]
            } else {
                vec![]
            },
        })
        .collect();
    let options = TrainOptions {
        most_steps: 3,
        folds: 2,
        ..TrainOptions::default()
    };
    let mut go_on = |_| ControlFlow::Continue(());
    let one: Vec<LabelledText> = rows
        .iter()
        .map(|row| LabelledText {
            text: row.text.clone(),
            risks: row.risks.iter().map(|_| 0).collect(),
        })
        .collect();
    for (what, rows) in [("linear, one risk", &one), ("linear, three risks", &rows)] {
        let trained = train(rows, &[], &taxonomy, &options, &mut go_on).expect("trains");
        let features = trained.report.features;
        for (language, documents) in [("zh", &zh), ("en", &en), ("mixed", &mixed)] {
            let what = format!("{what}, {features} n-grams, {language}");
            measure(&what, &trained.model, documents);
        }
    }
    let options = ModelOptions {
        segmentation: Some(Segmentation::Characters),
        labels: BTreeMap::new(),
        ..ModelOptions::default()
    };
    // The fixture's size does not matter for the work of a feature, its rows fit a cache.
    let bytes = fasttext_file(16, 2_000_000, &chinese);
    let model = Model::from_bytes("bench", &bytes, &taxonomy, &options).expect("a valid file");
    for (language, documents) in [("zh", &zh), ("en", &en), ("mixed", &mixed)] {
        measure(
            &format!("fastText, 16 dimensions, {language}"),
            &model,
            documents,
        );
    }
}

/// A fastText file of full size: every Han character a word, word pairs and triples in buckets.
fn fasttext_file(dimensions: i32, buckets: i32, words: &[String]) -> Vec<u8> {
    let mut characters: Vec<char> = words.iter().flat_map(|word| word.chars()).collect();
    characters.sort_unstable();
    characters.dedup();
    let count = characters.len() as i32;
    let mut bytes = Vec::new();
    let number = |bytes: &mut Vec<u8>, value: i32| bytes.extend(value.to_le_bytes());
    for value in [
        793_712_314,
        12,
        dimensions,
        5,
        5,
        1,
        5,
        3,
        3,
        3,
        buckets,
        0,
        0,
        100,
    ] {
        number(&mut bytes, value);
    }
    bytes.extend(1e-4_f64.to_le_bytes());
    for value in [count + 2, count, 2] {
        number(&mut bytes, value);
    }
    bytes.extend(1_000_000_i64.to_le_bytes());
    bytes.extend((-1_i64).to_le_bytes());
    for character in characters {
        let mut buffer = [0; 4];
        bytes.extend(character.encode_utf8(&mut buffer).as_bytes());
        bytes.push(0);
        bytes.extend(10_i64.to_le_bytes());
        bytes.push(0);
    }
    for label in ["__label__A4a", "__label__clean"] {
        bytes.extend(label.as_bytes());
        bytes.push(0);
        bytes.extend(10_i64.to_le_bytes());
        bytes.push(1);
    }
    for rows in [i64::from(count + buckets), 2] {
        bytes.push(0);
        bytes.extend(rows.to_le_bytes());
        bytes.extend(i64::from(dimensions).to_le_bytes());
        for cell in 0..rows * i64::from(dimensions) {
            bytes.extend(((cell % 7) as f32 / 10.0 - 0.3).to_le_bytes());
        }
    }
    bytes
}
