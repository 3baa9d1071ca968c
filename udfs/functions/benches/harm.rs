//! The harm functions at kernel level: one batch of 8,192 documents of about 2 KB, as Utf8 and
//! Utf8View, Chinese and English, of which one in a hundred holds a lexicon term.
//!
//! Each function stands beside two baselines over the same documents: counting characters (the
//! least anybody can do with a text) and finding the lexicon's terms as they are written with
//! daachorse alone (no normal forms, no boundaries, no masks, no scores). Only the release profile
//! of `cargo bench` is fair to them: the dev profile leaves what is generic here unoptimised.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use daachorse::DoubleArrayAhoCorasick;
use datafusion::arrow::array::{Array, ArrayRef, StringArray, StringViewArray};
use datafusion::arrow::datatypes::Field;
use datafusion::common::config::ConfigOptions;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF};
use datafusion::prelude::SessionContext;
use tamis_functions::{Resources, register_all};

const ROWS: usize = 8192;
const DOCUMENT_BYTES: usize = 2048;
const SEED: u64 = 20_260_131;

/// A linear congruential generator (Knuth, MMIX): the same documents everywhere, forever.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

/// Documents of one language: words until the length is reached, a lexicon term in one of a
/// hundred.
fn documents(terms: &[&str], word: &dyn Fn(&mut Random, &mut String)) -> Vec<String> {
    let mut random = Random(SEED);
    (0..ROWS)
        .map(|row| {
            let mut text = String::with_capacity(DOCUMENT_BYTES + 64);
            while text.len() < DOCUMENT_BYTES {
                word(&mut random, &mut text);
                if row % 100 == 0 && text.len() >= DOCUMENT_BYTES {
                    text.push_str(terms[random.below(terms.len())]);
                }
            }
            text
        })
        .collect()
}

fn chinese(random: &mut Random, text: &mut String) {
    // The first thousand ideographs of the block stand for the frequent ones.
    for _ in 0..1 + random.below(12) {
        let ideograph = 0x4E00 + random.below(1000) as u32;
        text.extend(char::from_u32(ideograph));
    }
    text.push_str(["，", "。", "的", "了"][random.below(4)]);
}

fn english(random: &mut Random, text: &mut String) {
    for _ in 0..2 + random.below(9) {
        text.push((b'a' + random.below(26) as u8) as char);
    }
    text.push_str([" ", " ", " ", ", ", ". "][random.below(5)]);
}

fn call(function: &ScalarUDF, array: &ArrayRef, options: &Arc<ConfigOptions>) -> ColumnarValue {
    let field = Arc::new(Field::new("text", array.data_type().clone(), true));
    let fields = [field];
    let return_field = function
        .return_field_from_args(ReturnFieldArgs {
            arg_fields: &fields,
            scalar_arguments: &[None],
        })
        .unwrap();
    let arguments = ScalarFunctionArgs {
        args: vec![ColumnarValue::Array(Arc::clone(array))],
        arg_fields: fields.to_vec(),
        number_rows: array.len(),
        return_field,
        config_options: Arc::clone(options),
    };
    function.invoke_with_args(arguments).unwrap()
}

fn harm(criterion: &mut Criterion) {
    let ctx = SessionContext::new();
    let resources = Resources::builtin().unwrap();
    register_all(&ctx, &resources).unwrap();
    let options = Arc::clone(ctx.copied_config().options());
    let entries = resources.judge.lexicon().entries();
    let terms_in = |lang: &str| -> Vec<&str> {
        entries
            .iter()
            .filter(|entry| entry.lang == lang)
            .map(|entry| entry.term.as_str())
            .collect()
    };
    let mut distinct: Vec<&str> = entries.iter().map(|entry| entry.term.as_str()).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let daachorse = DoubleArrayAhoCorasick::<u32>::new(&distinct).unwrap();

    for (language, documents) in [
        ("zh", documents(&terms_in("zh"), &chinese)),
        ("en", documents(&terms_in("en"), &english)),
    ] {
        let mut group = criterion.benchmark_group(format!("harm/{language}"));
        let bytes: usize = documents.iter().map(String::len).sum();
        group.throughput(Throughput::Bytes(bytes as u64));
        group.sample_size(10);
        group.bench_function("baseline: count characters", |bencher| {
            bencher.iter(|| {
                documents
                    .iter()
                    .map(|text| black_box(text).chars().count())
                    .sum::<usize>()
            });
        });
        group.bench_function("baseline: daachorse, terms as written", |bencher| {
            bencher.iter(|| {
                let hits = |text: &String| daachorse.find_overlapping_iter(text).count();
                documents.iter().map(hits).sum::<usize>()
            });
        });
        let arrays: [ArrayRef; 2] = [
            Arc::new(StringArray::from_iter_values(&documents)),
            Arc::new(StringViewArray::from_iter_values(&documents)),
        ];
        for name in ["harm", "harm_score", "is_harmful", "normalize_text"] {
            let function = ctx.udf(name).unwrap();
            for array in &arrays {
                group.bench_function(format!("{name}({})", array.data_type()), |bencher| {
                    bencher.iter(|| black_box(call(&function, array, &options)));
                });
            }
        }
        group.finish();
    }
}

criterion_group!(benches, harm);
criterion_main!(benches);
