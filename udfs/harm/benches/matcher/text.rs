//! Documents and keywords made by code: words of two invented vocabularies, drawn by Zipf's law.
//!
//! The most common Chinese characters and English words are the real ones, the rest are drawn at
//! random, so that a table of real frequencies is partly right and partly surprised, as it is on
//! real text.

use std::collections::HashSet;

/// A small generator of uniform numbers (xorshift with a multiplier).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    pub fn pick<'a, T: ?Sized>(&mut self, items: &[&'a T]) -> &'a T {
        items[self.below(items.len())]
    }
}

const CHARACTERS: &str = "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生\
能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进\
好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点";

const WORDS: &str = "the of and to in a is that it was for on are as with his they at be this from I \
have or by one had not but what all were when we there can an your which their said if do will each \
about how up out them then she many some so these would other into has more her two like him see time \
could no make than first been its who now people my made over did down only way find use may water long \
little very after words called just where most know get through back much before go good new write our \
used me man too any day same right look think also around another came come work three word must because \
does part even place well such here take why things help put years different away again off went old number";

const CLOSES: [&str; 6] = ["，", "，", "。", "，", "、", "！"];

/// The words of a language, the most common first, and how they are joined.
pub struct Vocabulary {
    words: Vec<String>,
    chinese: bool,
}

impl Vocabulary {
    pub fn chinese() -> Self {
        let mut random = Random::new(11);
        let mut characters: Vec<char> = CHARACTERS.chars().filter(|c| !c.is_whitespace()).collect();
        let common = characters.len();
        let mut seen: HashSet<char> = characters.iter().copied().collect();
        while characters.len() < common + 3300 {
            let character =
                char::from_u32(0x4E00 + random.below(0x5200) as u32).expect("a character");
            if seen.insert(character) {
                characters.push(character);
            }
        }
        let mut words: Vec<String> = characters[..120].iter().map(char::to_string).collect();
        let mut taken: HashSet<String> = words.iter().cloned().collect();
        while words.len() < 200_000 {
            let length = [2, 2, 2, 2, 2, 2, 3, 3, 4, 1][random.below(10)];
            let word: String = (0..length)
                .map(|_| characters[zipf(&mut random, characters.len(), 60.0)])
                .collect();
            if taken.insert(word.clone()) {
                words.push(word);
            }
        }
        Self {
            words,
            chinese: true,
        }
    }

    pub fn english() -> Self {
        // About as often as English words have them.
        const STARTS: &str = "t t t s s s s c c c p p p d d m m r r r b b f f h l l n n w g g v j k y z \
            st st tr pr ch sh th cl gr pl fr br sp cr qu bl dr fl sc sl wh sw gl kn str - - - - -";
        const VOWELS: &str =
            "e e e e e e a a a a i i i i o o o o u u ea ou io ai ee oo ie au oi ia eu ue";
        const ENDS: &str = "- - - - - - - n n n r r r s s t t l l nt st ng ck m d c p g b v x z rt ld ss ll \
            ct mp nd rm rn lt ft sk nk ph tch";
        const SUFFIXES: &str =
            "- - - - - s s ed ed ing ing ly er tion ment al ness able ous ive ity ism ful est y e";
        let [starts, vowels, ends, suffixes] = [STARTS, VOWELS, ENDS, SUFFIXES].map(|parts| {
            let part = |part| if part == "-" { "" } else { part };
            parts.split_whitespace().map(part).collect::<Vec<&str>>()
        });
        let mut random = Random::new(12);
        let mut words: Vec<String> = WORDS.split_whitespace().map(str::to_owned).collect();
        let mut taken: HashSet<String> = words.iter().cloned().collect();
        while words.len() < 100_000 {
            let mut word = String::new();
            for _ in 0..1 + random.below(3) {
                word += random.pick(&starts);
                word += random.pick(&vowels);
                word += random.pick(&ends);
            }
            word += random.pick(&suffixes);
            if taken.insert(word.clone()) {
                words.push(word);
            }
        }
        Self {
            words,
            chinese: false,
        }
    }

    fn common_word(&self, random: &mut Random) -> &str {
        &self.words[zipf(random, self.words.len(), 2.7)]
    }

    /// A keyword: 2 to 8 characters, or 1 to 3 words of at least four letters together.
    fn keyword(&self, random: &mut Random) -> String {
        if self.chinese {
            let length = [2, 2, 3, 3, 4, 4, 5, 8][random.below(8)];
            let mut keyword = String::new();
            while keyword.chars().count() < length {
                let word = &self.words[random.below(self.words.len())];
                keyword.extend(word.chars().take(length - keyword.chars().count()));
            }
            return keyword;
        }
        loop {
            let words: Vec<&str> = (0..1 + random.below(3))
                .map(|_| self.words[zipf(random, self.words.len(), 3000.0)].as_str())
                .collect();
            let keyword = words.join(" ");
            if keyword.len() >= 4 {
                return keyword;
            }
        }
    }
}

/// An index below `bound` by Zipf's law, flattened at the front by `shift`.
fn zipf(random: &mut Random, bound: usize, shift: f64) -> usize {
    let span = ((bound as f64 + shift) / shift).ln();
    let value = shift * (random.unit() * span).exp() - shift;
    (value as usize).min(bound - 1)
}

/// Distinct keywords, four of five Chinese; ones for which `unwanted` holds are left out.
pub fn keywords(
    count: usize,
    chinese: &Vocabulary,
    english: &Vocabulary,
    unwanted: &mut dyn FnMut(&[String]) -> Vec<bool>,
) -> Vec<String> {
    let mut random = Random::new(21);
    let mut taken = HashSet::new();
    let mut keywords: Vec<String> = Vec::new();
    while keywords.len() < count {
        let mut more = Vec::new();
        while more.len() < count + count / 2 {
            let vocabulary = if random.below(5) < 4 {
                chinese
            } else {
                english
            };
            let keyword = vocabulary.keyword(&mut random);
            if taken.insert(keyword.clone()) {
                more.push(keyword);
            }
        }
        let unwanted = unwanted(&more);
        let left = count - keywords.len();
        let wanted = more
            .into_iter()
            .zip(unwanted)
            .filter(|(_, unwanted)| !unwanted);
        keywords.extend(wanted.map(|(keyword, _)| keyword).take(left));
    }
    keywords
}

/// What a corpus is written in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Chinese,
    English,
    /// Documents in Chinese, in English, and in both with addresses and code between.
    Mixed,
}

/// Documents of about 2 KB, `bytes` together. At every character one of `keywords` starts with
/// probability `density`.
pub fn documents(
    language: Language,
    bytes: usize,
    seed: u64,
    chinese: &Vocabulary,
    english: &Vocabulary,
    keywords: &[String],
    density: f64,
) -> Vec<String> {
    // Apart, so that the rest of the text is the same with any keywords and without.
    let (mut random, mut chosen) = (Random::new(seed), Random::new(!seed));
    let is_chinese = |keyword: &&str| !keyword.is_ascii();
    let (chinese_keywords, english_keywords): (Vec<&str>, Vec<&str>) =
        keywords.iter().map(String::as_str).partition(is_chinese);
    let mut documents = Vec::new();
    let mut written = 0;
    while written < bytes {
        let kind = match language {
            Language::Mixed => match random.unit() {
                part if part < 0.48 => Language::Chinese,
                part if part < 0.78 => Language::English,
                _ => Language::Mixed,
            },
            language => language,
        };
        let length = 400 + random.below(3200);
        let mut text = String::new();
        let mut length_without = 0;
        let mut clause = 0;
        let mut in_chinese = kind != Language::English;
        while length_without < length {
            let vocabulary = if in_chinese { chinese } else { english };
            let word = vocabulary.common_word(&mut random);
            let chance = density * (word.chars().count() + usize::from(!in_chinese)) as f64;
            let own = if in_chinese {
                &chinese_keywords
            } else {
                &english_keywords
            };
            length_without += word.len();
            if !own.is_empty() && chosen.unit() < chance {
                text += chosen.pick(own);
            } else {
                text += word;
            }
            clause += 1;
            if clause > 5 && random.below(6) == 0 {
                clause = 0;
                if in_chinese {
                    text += random.pick(&CLOSES);
                } else {
                    text += random.pick(&[", ", ". ", ". ", "; "]);
                }
                if kind == Language::Mixed {
                    in_chinese = random.below(2) == 0;
                    if random.below(8) == 0 {
                        text += &format!(
                            " https://{}.example/{}?id={} ",
                            word,
                            random.below(900),
                            random.below(9999)
                        );
                    }
                }
                if random.below(6) == 0 {
                    text.push('\n');
                }
            } else if !in_chinese {
                text.push(' ');
            } else if random.below(40) == 0 {
                text += &random.below(2000).to_string();
            }
        }
        written += text.len();
        documents.push(text);
    }
    documents
}
