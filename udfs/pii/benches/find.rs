//! How fast personal information is found: documents of about 2 KB, ordinary Chinese, ordinary
//! English, and Chinese with an identifier every forty characters, one core.
//!
//! Beside each stands a plain memchr pass over the same documents in the same run, which is as
//! fast as bytes can be read. Only the release profile of `cargo bench` is meaningful.

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tamis_pii::Detector;

const DOCUMENTS: usize = 2000;
const DOCUMENT_BYTES: usize = 2048;

const CHINESE: &[&str] = &[
    "今天",
    "天气",
    "很好",
    "我们",
    "一起",
    "去",
    "公园",
    "散步",
    "，",
    "。",
    "的",
    "了",
    "在",
    "是",
    "经济",
    "发展",
    "需要",
    "长期",
    "努力",
    "研究",
    "表明",
    "这种",
    "方法",
    "有效",
    "，",
    "的",
    "地区",
    "市场",
    "价格",
    "上涨",
    "百分之五",
    "公司",
    "发布",
    "新产品",
    "用户",
    "反馈",
    "良好",
    "，",
    "和",
    "历史",
    "文化",
    "传统",
    "节日",
    "人们",
    "喜欢",
    "吃",
    "饺子",
    "。",
    "学校",
    "老师",
    "学生",
    "考试",
    "科学家",
    "发现",
    "一颗",
    "行星",
    "距离",
    "地球",
    "光年",
    "，",
    "微信",
    "号召",
    "大家",
    "：",
    "“",
    "”",
    "电影",
    "导演",
    "表示",
    "作品",
    "讲述",
    "普通",
    "生活",
    "故事",
    "、",
    "因此",
    "但是",
    "如果",
    "虽然",
    "城市",
    "交通",
    "拥堵",
    "地铁",
    "建设",
    "加快",
    "，",
    "手机",
    "电话",
    "信息",
    "安全",
    "。",
];

const ENGLISH: &[&str] = &[
    "the",
    "of",
    "and",
    "to",
    "a",
    "in",
    "that",
    "it",
    "was",
    "for",
    "on",
    "are",
    "with",
    "they",
    "be",
    "at",
    "one",
    "have",
    "this",
    "from",
    "by",
    "hot",
    "but",
    "some",
    "what",
    "there",
    "we",
    "can",
    "out",
    "other",
    "were",
    "all",
    "your",
    "when",
    "up",
    "use",
    "word",
    "how",
    "said",
    "an",
    "each",
    "she",
    "which",
    "do",
    "their",
    "time",
    "if",
    "will",
    "way",
    "about",
    "many",
    "then",
    "them",
    "would",
    "write",
    "like",
    "so",
    "these",
    "her",
    "long",
    "make",
    "thing",
    "see",
    "him",
    "two",
    "has",
    "look",
    "more",
    "day",
    "could",
    "go",
    "come",
    "did",
    "my",
    "sound",
    "no",
    "most",
    "number",
    "who",
    "over",
    "know",
    "water",
    "than",
    "call",
    "first",
    "people",
    "may",
    "down",
    "side",
    "been",
    "now",
    "find",
    "Government",
    "London",
    "research",
    "well-known",
    "However",
    "Kingdom",
    "values",
    "vision",
    "January",
    "Germany",
];

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

fn chinese(random: &mut Random, text: &mut String) {
    match random.below(120) {
        0 => text.push_str(&format!(
            "{}年{}月",
            1990 + random.below(40),
            1 + random.below(12)
        )),
        1 => text.push_str(&format!("{}.{}%", random.below(90), random.below(10))),
        _ => text.push_str(CHINESE[random.below(CHINESE.len())]),
    }
}

fn english(random: &mut Random, text: &mut String) {
    match random.below(150) {
        0 => text.push_str(&format!("{} ", 1900 + random.below(130))),
        1 => text.push_str(&format!("{}.{} ", random.below(90), random.below(10))),
        2 => text.push_str("note: "),
        _ => {
            text.push_str(ENGLISH[random.below(ENGLISH.len())]);
            text.push_str([" ", " ", " ", " ", " ", " ", " ", " ", ", ", ". "][random.below(10)]);
        }
    }
}

fn dense(random: &mut Random, text: &mut String) {
    for _ in 0..15 {
        text.push_str(CHINESE[random.below(CHINESE.len())]);
    }
    let eight = 10_000_000 + random.below(90_000_000);
    match random.below(6) {
        0 => text.push_str(&format!("手机138{eight}")),
        1 => text.push_str(&format!("邮箱user{eight}@example.com")),
        2 => text.push_str(&format!("QQ：{eight}")),
        3 => text.push_str(&format!(
            "姓名：张{}，",
            ["三", "小明", "伟"][random.below(3)]
        )),
        4 => text.push_str("住在浙江省杭州市西湖区文三路138号"),
        _ => text.push_str(&format!("护照E{eight}")),
    }
}

/// Writes the next word or identifier.
type Writer = fn(&mut Random, &mut String);

fn documents(word: Writer) -> Vec<String> {
    let mut random = Random(20_260_131);
    let document = |_| {
        let mut text = String::with_capacity(DOCUMENT_BYTES + 128);
        while text.len() < DOCUMENT_BYTES {
            word(&mut random, &mut text);
        }
        text
    };
    (0..DOCUMENTS).map(document).collect()
}

fn find_all(detector: &Detector, documents: &[String]) -> usize {
    let count = |text: &String| detector.find(black_box(text)).len();
    documents.iter().map(count).sum()
}

fn memchr_all(documents: &[String]) -> usize {
    let count = |text: &String| memchr::memchr(0, black_box(text.as_bytes())).map_or(0, |_| 1);
    documents.iter().map(count).sum()
}

/// The best of a few passes, in MB/s.
fn rate(bytes: usize, pass: impl Fn() -> usize) -> f64 {
    let seconds = |_| {
        let start = Instant::now();
        black_box(pass());
        start.elapsed().as_secs_f64()
    };
    let best = (0..15).map(seconds).fold(f64::INFINITY, f64::min);
    bytes as f64 / best / 1e6
}

fn find(criterion: &mut Criterion) {
    let detector = Detector::builtin();
    let generators: [(&str, Writer); 3] = [
        ("ordinary zh", chinese),
        ("ordinary en", english),
        ("dense", dense),
    ];
    for (name, word) in generators {
        let documents = documents(word);
        let bytes: usize = documents.iter().map(String::len).sum();
        let found = find_all(&detector, &documents);
        let ours = rate(bytes, || find_all(&detector, &documents));
        let plain = rate(bytes, || memchr_all(&documents));
        println!(
            "{name}: {ours:.0} MB/s, {found} findings in {:.1} MB; memchr {plain:.0} MB/s, ratio {:.3}",
            bytes as f64 / 1e6,
            ours / plain
        );
        let mut group = criterion.benchmark_group(format!("find/{name}"));
        group
            .throughput(Throughput::Bytes(bytes as u64))
            .sample_size(10);
        group.bench_function("find", |bencher| {
            bencher.iter(|| find_all(&detector, &documents));
        });
        group.bench_function("memchr", |bencher| bencher.iter(|| memchr_all(&documents)));
        group.finish();
    }
}

criterion_group!(benches, find);
criterion_main!(benches);
