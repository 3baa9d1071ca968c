//! Words that make an identifier near them sensitive.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use tamis_text::on_word_boundaries;

use crate::kind::{Kind, Sensitive};

/// How many characters before and after a finding are read.
pub const WINDOW: usize = 40;

const WORDS: &[(Sensitive, &[&str])] = &[
    (
        Sensitive::Minor,
        &[
            "未成年",
            "未满十四",
            "未满14",
            "不满十四",
            "儿童",
            "兒童",
            "幼儿园",
            "幼兒園",
            "幼儿",
            "小学生",
            "小學生",
            "小学",
            "婴儿",
            "嬰兒",
            "学龄前",
            "under 14",
            "under 13",
            "toddler",
            "kindergarten",
            "preschool",
            "elementary school",
            "primary school",
            "minor child",
            "aged 5",
            "aged 6",
            "aged 7",
            "aged 8",
            "aged 9",
            "aged 10",
            "aged 11",
            "aged 12",
            "aged 13",
        ],
    ),
    (
        Sensitive::Health,
        &[
            "病历",
            "病歷",
            "诊断",
            "診斷",
            "确诊",
            "確診",
            "患者",
            "患有",
            "乙肝",
            "艾滋",
            "癌",
            "肿瘤",
            "腫瘤",
            "糖尿病",
            "高血压",
            "抑郁症",
            "憂鬱症",
            "精神病",
            "住院",
            "手术",
            "手術",
            "处方",
            "處方",
            "化疗",
            "化療",
            "怀孕",
            "懷孕",
            "流产",
            "病情",
            "体检",
            "門診",
            "门诊",
            "就诊",
            "医保",
            "残疾",
            "梅毒",
            "性病",
            "hiv",
            "aids",
            "cancer",
            "diagnosis",
            "diagnosed",
            "patient",
            "prescription",
            "medical record",
            "diabetes",
            "chemotherapy",
            "pregnant",
            "pregnancy",
            "hospitalized",
            "surgery",
            "psychiatric",
            "depression",
            "tumor",
            "hepatitis",
            "health record",
            "health insurance",
        ],
    ),
    (
        Sensitive::Biometric,
        &[
            "指纹",
            "指紋",
            "人脸识别",
            "人臉識別",
            "人脸",
            "虹膜",
            "声纹",
            "掌纹",
            "基因检测",
            "基因",
            "面部识别",
            "fingerprint",
            "facial recognition",
            "face recognition",
            "iris scan",
            "voiceprint",
            "biometric",
            "biometrics",
            "dna test",
            "retina scan",
        ],
    ),
    (
        Sensitive::Religion,
        &[
            "宗教信仰",
            "信仰",
            "佛教",
            "基督教",
            "天主教",
            "伊斯兰教",
            "伊斯蘭教",
            "道教",
            "穆斯林",
            "教徒",
            "基督徒",
            "受洗",
            "皈依",
            "religion",
            "religious",
            "christian",
            "muslim",
            "buddhist",
            "catholic",
            "jewish",
            "hindu",
            "baptized",
            "church member",
        ],
    ),
    (
        Sensitive::Finance,
        &[
            "银行账户",
            "银行卡",
            "存款",
            "贷款",
            "貸款",
            "征信",
            "开户",
            "開戶",
            "余额",
            "工资",
            "薪资",
            "房贷",
            "欠款",
            "借款",
            "理财",
            "bank account",
            "account balance",
            "loan",
            "mortgage",
            "credit score",
            "salary",
            "debt",
            "savings account",
        ],
    ),
    (
        Sensitive::Location,
        &[
            "行踪",
            "行蹤",
            "行程",
            "轨迹",
            "軌跡",
            "实时位置",
            "定位",
            "航班",
            "车次",
            "入住酒店",
            "入住",
            "住宿记录",
            "出行记录",
            "whereabouts",
            "itinerary",
            "gps location",
            "location history",
            "real-time location",
            "checked in at",
            "flight",
        ],
    ),
    (
        Sensitive::Identity,
        &[
            "残疾人",
            "少数民族",
            "犯罪记录",
            "前科",
            "刑满释放",
            "吸毒",
            "同性恋",
            "政治面貌",
            "难民",
            "criminal record",
            "convicted",
            "asylum",
            "refugee",
            "disability",
            "disabled",
            "sexual orientation",
        ],
    ),
];

/// Finds the words of the table in the characters around a finding.
#[derive(Debug)]
pub(crate) struct Surroundings {
    automaton: AhoCorasick,
    words: Vec<(Sensitive, &'static str)>,
}

impl Surroundings {
    pub(crate) fn new() -> Self {
        let words: Vec<(Sensitive, &'static str)> = WORDS
            .iter()
            .flat_map(|&(topic, words)| words.iter().map(move |&word| (topic, word)))
            .collect();
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::DFA))
            .build(words.iter().map(|(_, word)| word).chain(AGES))
            .expect("a few hundred short words fit any automaton");
        Self { automaton, words }
    }

    /// The sensitivity of a finding of this kind at `start..end`, and the word that decided.
    ///
    /// In this order: a word about minors near it; the kind's own, when that is an account; the
    /// nearest word of another topic; the kind's own.
    pub(crate) fn judge(
        &self,
        text: &str,
        kind: Kind,
        start: usize,
        end: usize,
    ) -> (Option<Sensitive>, Option<&'static str>) {
        let own = kind.inherent();
        if !kind.is_personal() {
            return (own, None);
        }
        let mut nearest: Option<(usize, Sensitive, &'static str)> = None;
        let mut consider = |distance: usize, topic: Sensitive, word: &'static str| {
            let rank = |distance, topic| (topic != Sensitive::Minor, distance, topic);
            if nearest.is_none_or(|(known, known_topic, _)| {
                rank(distance, topic) < rank(known, known_topic)
            }) {
                nearest = Some((distance, topic, word));
            }
        };
        let from = before(text, start);
        let to = after(text, end);
        for (offset, window, is_before) in [
            (from, &text[from..start], true),
            (end, &text[end..to], false),
        ] {
            for found in self.automaton.find_iter(window) {
                let (word_start, word_end) = (offset + found.start(), offset + found.end());
                let distance = if is_before {
                    start - word_end
                } else {
                    word_start - end
                };
                match self.words.get(found.pattern().as_usize()) {
                    Some(&(topic, word)) if on_word_boundaries(text, word_start, word_end) => {
                        consider(distance, topic, word);
                    }
                    Some(_) => {}
                    None if is_child_age(&window[..found.start()]) => {
                        let word = AGES[found.pattern().as_usize() - self.words.len()];
                        consider(distance, Sensitive::Minor, word);
                    }
                    None => {}
                }
            }
        }
        match (nearest, own) {
            (Some((_, Sensitive::Minor, word)), _) => (Some(Sensitive::Minor), Some(word)),
            (_, Some(Sensitive::Finance)) | (None, _) => (own, None),
            (Some((_, topic, word)), _) => (Some(topic), Some(word)),
        }
    }
}

/// Words after the number of years somebody has lived.
const AGES: &[&str] = &["岁", "歲", "周岁", "years old", "year old", "-year-old"];

/// Whether a text ends with an age below fourteen, written with digits.
fn is_child_age(before: &str) -> bool {
    let number = before.trim_end_matches(' ');
    let digits = number.bytes().rev().take_while(u8::is_ascii_digit).count();
    let age = number[number.len() - digits..].parse::<u32>();
    (1..=2).contains(&digits) && age.is_ok_and(|age| age < 14)
}

fn before(text: &str, start: usize) -> usize {
    text[..start]
        .char_indices()
        .rev()
        .take(WINDOW)
        .last()
        .map_or(start, |(index, _)| index)
}

fn after(text: &str, end: usize) -> usize {
    text[end..]
        .char_indices()
        .nth(WINDOW)
        .map_or(text.len(), |(index, _)| end + index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(kind: Kind, text: &str) -> Option<Sensitive> {
        let start = text.find('#').expect("# stands for the finding");
        Surroundings::new().judge(text, kind, start, start + 1).0
    }

    #[test]
    fn topics() {
        assert_eq!(
            judge(Kind::CnPhone, "确诊乙肝，电话#"),
            Some(Sensitive::Health)
        );
        assert_eq!(
            judge(Kind::Email, "# was diagnosed"),
            Some(Sensitive::Health)
        );
        assert_eq!(judge(Kind::Email, "impatiently #"), None);
        assert_eq!(judge(Kind::CnPhone, "孩子8岁，#"), Some(Sensitive::Minor));
        assert_eq!(judge(Kind::CnPhone, "先生38岁，#"), None);
        assert_eq!(judge(Kind::BankCard, "患者 #"), Some(Sensitive::Finance));
        assert_eq!(judge(Kind::BankCard, "小学生 #"), Some(Sensitive::Minor));
        assert_eq!(judge(Kind::CnResidentId, "#"), Some(Sensitive::Identity));
        assert_eq!(judge(Kind::SocialCreditCode, "患者 #"), None);
    }

    #[test]
    fn the_window_ends() {
        let far = format!("癌{}#", "中".repeat(WINDOW));
        assert_eq!(judge(Kind::Email, &far), None);
        let near = format!("癌{}#", "中".repeat(WINDOW - 1));
        assert_eq!(judge(Kind::Email, &near), Some(Sensitive::Health));
    }
}
