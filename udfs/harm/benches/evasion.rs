//! What finding disguised terms costs beside exact matching, in one interleaved run:
//! `cargo bench -p tamis-harm --bench evasion`. Texts and terms are made here.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use tamis_harm::{
    DaachorseMatcher, Entry, Judge, Lexicon, MatchKind, Matcher, Taxonomy, Thresholds,
};
use tamis_resource::Identity;
use tamis_text::{fold, normal_form};

const HAN: &str = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属圆包火住调满县局照参红细引听该铁价严";
const WORDS: &str = "the of and to in a is that for it as was with be by on not he his but at are this have from or had an they which one you were all her she there would their we him been has when who will no more if out so said what up its about into than them can only other new some could time these two may then do first any my now such like our over man me even most made after also did many before must through back years where much your way well down should because each just those people how too little state good very make world still own see men work long get here between both life being under never day same another know while last might us great old year off come since against go came right used take three";

struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) % end as u64) as usize
    }

    /// Small numbers more often, as words are.
    fn low(&mut self, end: usize) -> usize {
        self.below(end).min(self.below(end)).min(self.below(end))
    }
}

fn zh(random: &mut Random, bytes: usize) -> String {
    let han: Vec<char> = HAN.chars().collect();
    let mut text = String::new();
    while text.len() < bytes {
        for _ in 0..4 + random.below(14) {
            text.push(han[random.low(han.len())]);
        }
        text.push(['，', '，', '，', '。', '。', '、', '！'][random.below(7)]);
        match random.below(60) {
            0 => text.push('\n'),
            1 => text.push_str("2024年"),
            2 => text.push_str("“好”"),
            _ => {}
        }
    }
    text
}

fn en(random: &mut Random, bytes: usize) -> String {
    let words: Vec<&str> = WORDS.split(' ').collect();
    let mut text = String::new();
    while text.len() < bytes {
        let length = 6 + random.below(16);
        for at in 0..length {
            let word = words[random.low(words.len())];
            match at {
                0 => {
                    text.push_str(&word[..1].to_uppercase());
                    text.push_str(&word[1..]);
                }
                _ => text.push_str(word),
            }
            match random.below(40) {
                0..4 => text.push_str(", "),
                4 => text.push_str("'s "),
                5 => text.push('-'),
                6 => text.push_str(" 20 "),
                _ => text.push(' '),
            }
        }
        text.pop();
        text.push_str(if random.below(6) == 0 { ".\n" } else { ". " });
    }
    text
}

fn mixed(random: &mut Random, bytes: usize) -> String {
    let mut text = String::new();
    while text.len() < bytes {
        let length = 100 + random.below(200);
        text.push_str(&if random.below(2) == 0 {
            zh(random, length)
        } else {
            en(random, length)
        });
    }
    text
}

fn traditional(text: &str) -> String {
    text.chars()
        .map(|c| tamis_text::traditional(c).next().unwrap_or(c))
        .collect()
}

fn terms(random: &mut Random, count: usize) -> Vec<String> {
    let han: Vec<char> = HAN.chars().collect();
    let words: Vec<&str> = WORDS.split(' ').collect();
    let mut terms = std::collections::BTreeSet::new();
    while terms.len() < count {
        let term: String = if random.below(5) > 0 {
            (0..2 + random.below(5))
                .map(|_| han[han.len() / 3 + random.below(han.len() * 2 / 3)])
                .collect()
        } else {
            (0..2 + random.below(2))
                .map(|_| words[random.below(words.len())])
                .collect::<Vec<_>>()
                .join(" ")
        };
        terms.insert(term);
    }
    terms.into_iter().collect()
}

fn judge(terms: &[String], variants: &str) -> Judge {
    let entries = (1..)
        .zip(terms)
        .map(|(row, term)| {
            let entry = Entry {
                term: term.clone(),
                risk: "A1a".into(),
                weight: 0.5,
                match_kind: MatchKind::Auto,
                lang: String::new(),
                variants: variants.into(),
                note: String::new(),
            };
            (format!("row {row}"), entry)
        })
        .collect();
    let taxonomy = Taxonomy::builtin();
    let lexicon =
        Lexicon::new(Identity::of_bytes("bench", "", b""), entries, &taxonomy).expect("valid");
    Judge::new(taxonomy, Arc::new(lexicon), Thresholds::builtin()).expect("a judge")
}

fn main() {
    let mut random = Random(7);
    for count in [1_000, 10_000] {
        let terms = terms(&mut random, count);
        let patterns: Vec<&str> = terms.iter().map(String::as_str).collect();
        let exact = DaachorseMatcher::new(&patterns).expect("builds");
        let start = Instant::now();
        let default = judge(&terms, "");
        let built = start.elapsed();
        let by_sound = judge(&terms, "all");
        println!("\n{count} terms, built with variants in {built:.0?}");
        println!(
            "| text | exact | fold, then exact | normal form alone | harm score | by sound too | ratio | ratio by sound |"
        );
        println!("|---|---|---|---|---|---|---|---|");
        let kinds: [(&str, &dyn Fn(&mut Random) -> String); 4] = [
            ("zh", &|random| zh(random, 2000)),
            ("en", &|random| en(random, 2000)),
            ("mixed", &|random| mixed(random, 2000)),
            ("zh, traditional", &|random| traditional(&zh(random, 2000))),
        ];
        for (name, make) in kinds {
            let texts: Vec<String> = (0..1000).map(|_| make(&mut random)).collect();
            let documents: Vec<&str> = texts.iter().map(String::as_str).collect();
            let bytes: usize = texts.iter().map(String::len).sum();
            let mut hits = 0;
            let mut runs: [&mut dyn FnMut(); 5] = [
                &mut || {
                    exact.find_all(&documents, &mut |found| {
                        hits += black_box(found.end - found.start)
                    })
                },
                &mut || {
                    for batch in documents.chunks(128) {
                        let folded: Vec<_> = batch.iter().map(|text| fold(text)).collect();
                        let folded: Vec<&str> = folded.iter().map(|text| &**text).collect();
                        exact.find_all(&folded, &mut |found| {
                            black_box(found);
                        });
                    }
                },
                &mut || {
                    for text in &documents {
                        black_box(normal_form(text));
                    }
                },
                &mut || {
                    black_box(default.scores(&documents));
                },
                &mut || {
                    black_box(by_sound.scores(&documents));
                },
            ];
            let mut times: [Vec<f64>; 5] = Default::default();
            for _ in 0..9 {
                for (run, times) in runs.iter_mut().zip(&mut times) {
                    let start = Instant::now();
                    run();
                    times.push(start.elapsed().as_secs_f64());
                }
            }
            let medians = times.map(|mut times| {
                times.sort_by(f64::total_cmp);
                times[times.len() / 2]
            });
            let rate = |at: usize| format!("{:.0} MB/s", bytes as f64 / medians[at] / 1e6);
            println!(
                "| {name} | {} | {} | {} | {} | {} | {:.2} | {:.2} |",
                rate(0),
                rate(1),
                rate(2),
                rate(3),
                rate(4),
                medians[3] / medians[0],
                medians[4] / medians[0]
            );
        }
    }
}
