//! `license_detect` over documents of 64 KB, beside a plain `memchr` pass over the same bytes for
//! a byte that does not occur: the least anybody can do with a document.
//!
//! `prose`: no word that has to do with licences. `mentions`: a sentence that speaks about
//! licences in every kilobyte, none of which is a grant. `header`: a licence header before code.
//! `text`: the full text of the GPL. The release profile of `cargo bench` is the one to measure.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tamis_license::license_detect;

const DOCUMENT_BYTES: usize = 64 << 10;

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

/// Words that make prose of everyday letters, "-ission", "-ense" and "re-" among them.
const ENGLISH: &[&str] = &[
    "the",
    "of",
    "mission",
    "sense",
    "expense",
    "river",
    "silence",
    "because",
    "commission",
    "remember",
    "which",
    "people",
    "redefine",
    "city",
    "under",
    "this",
    "distribution",
    "work",
    "immense",
    "and",
    "a",
    "in",
    "software",
    "terms",
    "public",
    "general",
    "warm",
    "program",
];
const CHINESE: &[&str] = &[
    "数据", "研究", "的", "人们", "许多", "可以", "城市", "，", "。", "协会", "议题", "软件",
    "使用", "我们", "发展", "和", "经济", "了", "证明", "公共",
];
const MENTIONS: &[&str] = &[
    "The licence of this library was discussed at length, since the authors had licensed it twice. ",
    "Permission was asked for, and the license was granted under the usual conditions. ",
    "Some say that redistribution needs a license; others read the warranty first. ",
    "软件的许可证由作者选择，双方也可以另行签订协议。",
];

fn document(words: &[&str], space: &str, mentions: bool) -> String {
    let mut random = Random(20_260_131);
    let mut text = String::with_capacity(DOCUMENT_BYTES + 256);
    let mut mentioned = 0;
    while text.len() < DOCUMENT_BYTES {
        text.push_str(words[random.below(words.len())]);
        text.push_str(space);
        if mentions && text.len() / 1_024 > mentioned {
            mentioned += 1;
            text.push_str(MENTIONS[random.below(MENTIONS.len())]);
        }
    }
    text
}

fn detect(criterion: &mut Criterion) {
    let header = "// This program is free software: you can redistribute it and/or modify\n\
        // it under the terms of the GNU General Public License as published by\n\
        // the Free Software Foundation, either version 3 of the License, or\n\
        // (at your option) any later version.\n";
    let english = document(ENGLISH, " ", false);
    let documents = [
        ("prose/english", english.clone()),
        ("prose/chinese", document(CHINESE, "", false)),
        ("mentions/english", document(ENGLISH, " ", true)),
        ("header", format!("{header}{english}")),
        (
            "text",
            spdx::license_id("GPL-3.0-only").map_or_else(String::new, |id| id.text().into()),
        ),
    ];
    for (name, document) in documents {
        let found = license_detect(&document);
        let is_licensed = name == "header" || name == "text";
        assert_eq!(found.is_some(), is_licensed, "{name}: {found:?}");
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(document.len() as u64));
        group.bench_function("memchr", |bencher| {
            bencher.iter(|| memchr::memchr(0, black_box(document.as_bytes())));
        });
        group.bench_function("license_detect", |bencher| {
            bencher.iter(|| license_detect(black_box(&document)));
        });
        group.finish();
    }
}

criterion_group!(benches, detect);
criterion_main!(benches);
