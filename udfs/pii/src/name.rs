//! Names after a label and a colon.

use crate::kind::Kind;
use crate::label::Label;
use crate::scan::Scan;

/// Common surnames of one character.
const SURNAMES: &str = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余\
于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃\
武钱戴严莫孔向常汤康易乔赖文洪施鲍柯颜殷倪霍翟葛岳齐辛关伍欧阮裴宁耿尤游祝柳章鲁聂喻温焦庄季涂詹岑凌舒\
张張劉陳楊黃趙吳孫馬羅鄭許韓鄧馮蕭葉蘇呂盧鍾陸範賈鄒閆龍賀顧龔萬錢戴嚴湯喬賴顏齊關歐寧魯聶溫莊";

/// Surnames of two characters.
const COMPOUND: &[&str] = &[
    "欧阳", "歐陽", "上官", "司马", "司馬", "诸葛", "諸葛", "司徒", "夏侯", "皇甫", "尉迟", "公孙",
    "慕容", "令狐", "端木", "东方", "南宫", "独孤",
];

/// Names of form fields that follow a name without a space.
const FIELDS: &[&str] = &[
    "性别", "性別", "年龄", "年齡", "电话", "電話", "手机", "手機", "身份", "证件", "民族", "出生",
    "生日", "住址", "地址", "先生", "女士", "小姐", "同学", "老师", "联系", "聯絡", "籍贯", "学历",
    "职务", "职业", "单位", "部门", "微信", "邮箱", "护照", "学号", "工号", "班级", "专业", "公司",
    "于", "的", "在", "已", "因", "与", "及", "和", "诉",
];

/// What stands in a name field when there is no name.
const EMPTY: &[&str] = &[
    "无", "未知", "匿名", "不详", "保密", "暂无", "没有", "必填", "选填", "测试", "示例",
];

/// Words before `name` that make it a person's.
const WHOSE: &[&str] = &[
    "full",
    "patient",
    "student",
    "contact",
    "customer",
    "client",
    "employee",
    "applicant",
    "guest",
    "member",
    "cardholder",
    "legal",
    "my",
    "your",
    "his",
    "her",
    "first",
    "last",
    "given",
    "family",
    "middle",
    "maiden",
    "passenger",
    "real",
    "candidate",
    "tenant",
    "guardian",
    "parent",
    "child",
    "child's",
    "patient's",
    "recipient",
    "holder",
    "and",
    "the",
    "emergency",
    "contact's",
    "account",
    "beneficiary",
    "insured",
    "driver",
    "teacher",
    "witness",
    "name",
];

/// Capitalised words that are no part of a person's name.
const NOT_NAMES: &[&str] = &[
    "String",
    "None",
    "Null",
    "Unknown",
    "Anonymous",
    "Test",
    "Required",
    "Optional",
    "Enter",
    "Your",
    "The",
    "Please",
    "Address",
    "Phone",
    "Email",
    "Date",
    "Inc",
    "Ltd",
    "Llc",
    "Corp",
    "Company",
    "University",
    "School",
    "Hospital",
    "Department",
    "Bank",
    "Street",
    "True",
    "False",
    "Not",
    "This",
    "Section",
    "Type",
    "Value",
    "Default",
    "Example",
];

fn is_han(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' | '\u{20000}'..='\u{3FFFF}')
}

impl Scan<'_> {
    /// The name that begins at `start`.
    pub(crate) fn name(&mut self, label: Label, start: usize) {
        self.count(96);
        match self.char_at(start) {
            Some(c) if is_han(c) => self.han_name(label, start),
            Some(c) if c.is_ascii_uppercase() => self.latin_name(label, start),
            _ => {}
        }
    }

    fn han_name(&mut self, label: Label, start: usize) {
        let text = &self.text[start..];
        // Names of other peoples are joined by a dot: 阿里木·买买提.
        let run = text
            .char_indices()
            .take(16)
            .find(|&(_, c)| !is_han(c) && c != '·' && c != '•')
            .map_or_else(|| boundary(text, 16), |(offset, _)| offset);
        let mut run = &text[..run];
        if let Some(cut) = FIELDS
            .iter()
            .filter_map(|field| {
                run.char_indices()
                    .skip(2)
                    .map(|(at, _)| at)
                    .find(|&at| run[at..].starts_with(field))
            })
            .min()
        {
            run = &run[..cut];
        }
        let run = run.trim_end_matches(['·', '•']);
        let length = run.chars().count();
        let dotted = run.contains(['·', '•']);
        let compound = COMPOUND.iter().any(|surname| run.starts_with(surname));
        let surname = run.chars().next().is_some_and(|c| SURNAMES.contains(c));
        let fits = match (dotted, compound, surname) {
            (true, ..) => (3..=15).contains(&length),
            (_, true, _) => (3..=4).contains(&length),
            (_, _, true) => (2..=4).contains(&length),
            _ => (2..=3).contains(&length),
        };
        // `张某` and `李某某` are names made unrecognisable already.
        if !fits || run.contains('某') || EMPTY.iter().any(|empty| run.starts_with(empty)) {
            return;
        }
        let known = dotted || compound || surname;
        // After a role (患者：…) a line of speech is as likely: only a short name with a known
        // surname counts.
        let is_role = !matches!(label.word, "姓名" | "名字" | "真名" | "户名" | "戶名");
        if is_role && !(known && (length <= 3 || dotted || compound)) && label.word != "name" {
            return;
        }
        self.push(Kind::Name, start, start + run.len(), known, Some(label));
    }

    fn latin_name(&mut self, label: Label, start: usize) {
        if label.word.ends_with("name") && !self.is_persons_name(label) {
            return;
        }
        let is_part = |byte: &u8| byte.is_ascii_alphabetic() || matches!(byte, b'\'' | b'-');
        let mut end = start;
        let mut words = 0;
        let mut at = start;
        while words < 4 && self.byte(at).is_ascii_uppercase() {
            let rest = &self.bytes[at..];
            let length = rest
                .iter()
                .take(24)
                .take_while(|byte| is_part(byte))
                .count();
            let is_initial = length == 1;
            let word = self.text[at..at + length].trim_end_matches(['-', '\'']);
            let shouts = word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase());
            if NOT_NAMES
                .iter()
                .any(|other| word.eq_ignore_ascii_case(other))
                || shouts && words == 0 && word.len() > 12
            {
                return;
            }
            // A word with a colon after it is the next field, not a part of the name.
            let mut next = at + length;
            if self.byte(next) == b':' {
                break;
            }
            words += 1;
            end = at + word.len();
            if is_initial && self.byte(next) == b'.' {
                next += 1;
            }
            if self.byte(next) != b' ' {
                if self.byte(next).is_ascii_digit()
                    || self.byte(next) == b'_'
                    || self.byte(next) == b'/'
                {
                    return;
                }
                break;
            }
            at = next + 1;
        }
        let single = matches!(
            label.word,
            "first name" | "last name" | "surname" | "given name" | "family name"
        );
        if words >= 2 || words == 1 && single {
            self.push(Kind::Name, start, end, false, Some(label));
        }
    }

    /// `Name:` at the start of a line or sentence, or after a word that makes it a person's; not
    /// `File name:` or `Domain name:`.
    fn is_persons_name(&self, label: Label) -> bool {
        if label.word != "name" {
            return true;
        }
        let before = self.text[..label.start].trim_end_matches([' ', '_']);
        if before.len() + 1 < label.start {
            return before.is_empty() || before.ends_with('\n');
        }
        let length = before
            .bytes()
            .rev()
            .take(16)
            .take_while(|byte| byte.is_ascii_alphabetic() || *byte == b'\'')
            .count();
        if length == 0 {
            return true;
        }
        let word = before[before.len() - length..].to_ascii_lowercase();
        WHOSE.contains(&word.as_str())
    }
}

/// The offset of character `count`, or the end.
fn boundary(text: &str, count: usize) -> usize {
    text.char_indices()
        .nth(count)
        .map_or(text.len(), |(offset, _)| offset)
}
