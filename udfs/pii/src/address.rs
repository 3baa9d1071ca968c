//! Chinese addresses, by administrative suffixes, road and house.

use crate::kind::Kind;
use crate::label::Class;
use crate::scan::Scan;

/// Characters read before the house number.
const BEFORE: usize = 48;

/// Provinces, municipalities and regions as an address begins with them.
const PROVINCES: &[&str] = &[
    "北京",
    "天津",
    "上海",
    "重庆",
    "河北",
    "山西",
    "辽宁",
    "吉林",
    "黑龙江",
    "江苏",
    "浙江",
    "安徽",
    "福建",
    "江西",
    "山东",
    "河南",
    "湖北",
    "湖南",
    "广东",
    "海南",
    "四川",
    "贵州",
    "云南",
    "陕西",
    "甘肃",
    "青海",
    "台湾",
    "内蒙古",
    "广西",
    "西藏",
    "宁夏",
    "新疆",
    "香港",
    "澳门",
    "臺灣",
    "台北",
    "臺北",
    "重慶",
    "廣東",
    "廣西",
    "澳門",
];

/// Ends of the names of administrative units.
const LEVELS: &[&str] = &[
    "省",
    "自治区",
    "市",
    "自治州",
    "州",
    "盟",
    "区",
    "區",
    "县",
    "縣",
    "旗",
    "镇",
    "鎮",
    "乡",
    "鄉",
    "街道",
    "村",
    "社区",
];

/// Ends of the names of streets and housing estates, right before a number.
const ROADS: &[&str] = &[
    "路", "街", "大道", "道", "巷", "弄", "胡同", "里", "段", "村", "组", "小区", "园", "苑",
    "新村", "花园", "公寓", "家园", "社区", "广场", "城", "庄", "屯", "坊", "湾", "府", "大厦",
    "院", "队",
];

/// Ends that look like a street and are none.
const NOT_ROADS: &[&str] = &[
    "报道",
    "频道",
    "知道",
    "渠道",
    "通道",
    "轨道",
    "味道",
    "这里",
    "那里",
    "哪里",
    "公里",
    "阶段",
    "手段",
    "法院",
    "医院",
    "学院",
    "剧院",
    "电影院",
    "研究院",
    "国务院",
    "线路",
    "思路",
    "铁路",
];

/// What follows a number within a house, longest first.
const UNITS: &[&str] = &[
    "号楼", "号院", "號樓", "单元", "單元", "支弄", "号", "號", "弄", "栋", "棟", "幢", "座", "楼",
    "樓", "层", "層", "室", "户", "戶", "组", "门",
];

/// Units that are parts of a building.
const PARTS: &[&str] = &[
    "单元", "單元", "栋", "棟", "幢", "座", "楼", "樓", "层", "層", "室", "户", "戶", "号楼",
];

/// Words after which a place begins.
const LEADS: &[&str] = &[
    "住在", "在", "是", "为", "址", "的", "了", "到", "住", "寄", "往", "我", "你", "他", "她",
];

fn is_han_numeral(c: char) -> bool {
    "一二三四五六七八九十百零〇".contains(c)
}

/// Whether a level of administration or a street can end in `c`.
fn is_end_of_place(c: char) -> bool {
    "省区市州盟區县縣旗镇鎮乡鄉道村路街巷弄同里段组园苑寓场城庄屯坊湾府厦院队".contains(c)
}

fn is_place(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{3007}' | '0'..='9' | 'A'..='Z' | 'a'..='z' | '-' | ' ' | '（' | '）' | '(' | ')')
}

impl Scan<'_> {
    /// A number `start..end` with a Chinese character after it; true when it is of an address.
    pub(crate) fn counted(&mut self, start: usize, end: usize) -> bool {
        if !self.unit_at(end) || matches!(self.char_before(start), Some('第' | '月' | '-')) {
            return false;
        }
        self.address(start)
    }

    /// `号` after a number in Chinese numerals.
    pub(crate) fn counted_in_han(&mut self, at: usize) {
        let numerals = self.text[..at]
            .chars()
            .rev()
            .take(6)
            .take_while(|&c| is_han_numeral(c))
            .count();
        let start = at - numerals * 3;
        if numerals > 0 && !matches!(self.char_before(start), Some('第' | '月')) {
            self.address(start);
        }
    }

    fn unit_at(&self, at: usize) -> bool {
        let rest = &self.text[at..];
        UNITS.iter().any(|unit| rest.starts_with(unit)) && !rest.starts_with("号线")
    }

    /// An address whose first number begins at `number`.
    fn address(&mut self, number: usize) -> bool {
        if number < self.address_end {
            return false;
        }
        self.count(4 * BEFORE);
        let (window, label) = self.place_before(number);
        let window_text = &self.text[window..number];
        if label.is_none() && !window_text.contains(is_end_of_place) {
            return false;
        }
        let begin = self.first_place(window, number, label.is_some());
        let place = &self.text[begin..number];
        if place.is_empty() {
            return false;
        }
        let levels = levels(place);
        let has_road = ROADS.iter().any(|road| place.ends_with(road))
            && !NOT_ROADS.iter().any(|other| place.ends_with(other));
        let (end, parts, has_house) = self.house(number);
        if end == number {
            return false;
        }
        let believed = levels >= 1 && has_road && (has_house || parts > 0)
            || levels >= 2 && parts > 0
            || has_road && has_house && parts > 0
            || label.is_some() && (has_road || levels >= 1 || parts >= 2);
        if !believed {
            return false;
        }
        let valid = levels >= 2 && has_road;
        self.address_end = end;
        self.push_number(Kind::Address, begin, end, valid, label);
        true
    }

    /// Where the run of characters an address may have begins, and the label before it.
    fn place_before(&self, number: usize) -> (usize, Option<crate::label::Label>) {
        let mut begin = number;
        let mut next = ' ';
        for (index, c) in self.text[..number].char_indices().rev().take(BEFORE) {
            // A bracket or a space joins only within the address.
            if index < self.address_end || !is_place(c) || c == ' ' && next == ' ' {
                break;
            }
            begin = index;
            next = c;
        }
        let window = &self.text[begin..number];
        begin += window.len() - window.trim_start_matches([' ', '-', ')', '）']).len();
        let label = self
            .label_before(begin)
            .filter(|label| label.class == Class::Address);
        if label.is_some() {
            return (begin, label);
        }
        // `住在` and the like stand in the run itself.
        for (index, last) in self.text[begin..number].char_indices().rev() {
            // The last characters of the labels there are.
            if !"址在住地籍到往所".contains(last) {
                continue;
            }
            let at = begin + index + last.len_utf8();
            let found = self.detector.labels.ending_at(self.text, at);
            if let Some(label) = found.filter(|label| label.class == Class::Address) {
                let rest = &self.text[at..number];
                return (at + rest.len() - rest.trim_start().len(), Some(label));
            }
        }
        (begin, None)
    }

    /// Where the place begins: at the first province no lead-in word follows, else after the last
    /// lead-in before the first administrative unit.
    fn first_place(&self, window: usize, number: usize, labelled: bool) -> usize {
        let place = &self.text[window..number];
        let leads_after = |from: usize| place[from..].contains(['在', '到', '是', '了', '的']);
        let province = PROVINCES
            .iter()
            .flat_map(|province| place.match_indices(province).map(|(at, _)| at))
            .filter(|&at| !leads_after(at))
            .min();
        if let Some(at) = province
            && (at == 0 || !labelled)
        {
            return window + at;
        }
        if labelled {
            return window;
        }
        let Some(first) = place
            .char_indices()
            .map(|(at, _)| at)
            .filter(|&at| at >= 6)
            .find(|&at| LEVELS.iter().any(|level| place[at..].starts_with(level)))
        else {
            let lead = last_lead(place, place.len());
            return window + lead;
        };
        let lead = last_lead(place, first);
        let name = place[lead..first].trim_start_matches([' ', '（', '(', '-']);
        let begin = first - name.len();
        // A name of a unit has two to six characters; of a longer run the last two are meant.
        if name.chars().count() > 6 {
            let two: usize = name.chars().rev().take(2).map(char::len_utf8).sum();
            return window + first - two;
        }
        window + begin
    }

    /// Reads `138号2幢3单元501室` from the first number on: where it ends, how many parts of a
    /// building it names, whether it has a house number.
    fn house(&self, number: usize) -> (usize, usize, bool) {
        let (mut at, mut end, mut parts, mut has_house) = (number, number, 0, false);
        for step in 0..8 {
            let mut after = self.after_number(at);
            if after == at {
                // The name of a building between two numbers: 东方大厦12楼.
                let named = self.after_building(at);
                if step == 0 || named == at {
                    break;
                }
                after = self.after_number(named);
                if after == named {
                    break;
                }
            }
            let rest = &self.text[after..];
            let Some(unit) = UNITS.iter().find(|unit| rest.starts_with(**unit)) else {
                // A last number needs no unit: 3单元501.
                let digits = after - at;
                if parts > 0 && (3..=4).contains(&digits) && self.bytes[at].is_ascii_digit() {
                    end = after;
                    parts += 1;
                }
                break;
            };
            parts += usize::from(PARTS.contains(unit));
            has_house |= !PARTS.contains(unit) || *unit == "号楼";
            at = after + unit.len();
            end = at;
            if self.byte(at) == b' ' {
                at += 1;
            }
        }
        (end, parts, has_house)
    }

    /// The end of the number at `at`: digits with letters and one hyphen, or Chinese numerals.
    fn after_number(&self, at: usize) -> usize {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
        let ascii = self.bytes[at..]
            .iter()
            .take(9)
            .take_while(|byte| is_part(byte))
            .count();
        if ascii > 0 {
            return if ascii <= 8 { at + ascii } else { at };
        }
        let han = self.text[at..]
            .chars()
            .take(7)
            .take_while(|&c| is_han_numeral(c))
            .count();
        at + han * 3
    }

    /// The end of the name of a building or estate at `at`, up to ten characters.
    fn after_building(&self, at: usize) -> usize {
        const ENDS: &[&str] = &[
            "大厦", "小区", "花园", "公寓", "广场", "中心", "家园", "苑", "园", "城", "府", "院",
            "楼", "村", "里", "座", "湾", "庭",
        ];
        let mut end = at;
        for c in self.text[at..].chars().take(10) {
            if !matches!(c, '\u{4E00}'..='\u{9FFF}') {
                break;
            }
            end += c.len_utf8();
            let name = &self.text[at..end];
            let next_is_number = self.after_number(end) > end;
            if next_is_number && ENDS.iter().any(|word| name.ends_with(word)) {
                return end;
            }
        }
        at
    }
}

/// How many levels of administration the place names: each suffix counts once, after at least one
/// other character.
fn levels(place: &str) -> usize {
    let province = PROVINCES.iter().any(|province| place.starts_with(province));
    let count = |suffixes: &[&str]| {
        suffixes
            .iter()
            .any(|suffix| place.find(suffix).is_some_and(|at| at >= 3))
    };
    usize::from(province || count(&["省", "自治区"]))
        + usize::from(count(&["市", "自治州", "盟"]))
        + usize::from(count(&["区", "區", "县", "縣", "旗"]))
        + usize::from(count(&["镇", "鎮", "乡", "鄉", "街道"]))
}

/// The end of the last lead-in word in `place[..limit]`.
fn last_lead(place: &str, limit: usize) -> usize {
    LEADS
        .iter()
        .filter_map(|lead| place[..limit].rfind(lead).map(|at| at + lead.len()))
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_ends_in_a_known_character() {
        for word in LEVELS.iter().chain(ROADS) {
            assert!(word.ends_with(is_end_of_place), "{word}");
        }
    }
}
