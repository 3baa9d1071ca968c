//! The normalised spelling of a licence name: what two spellings of one name have in common.

/// Words that say "licence" or "version" and nothing else.
const FILLERS: &[&str] = &[
    "the", "license", "licence", "licenses", "licences", "version", "ver",
];

/// The same in Chinese, at the end of a run of Han characters; longest first.
const HAN_SUFFIXES: &[&str] = &[
    "进行许可",
    "许可协议",
    "许可条款",
    "授权条款",
    "授权协议",
    "许可证",
    "许可",
    "协议",
    "授权",
    "条款",
];

/// How Chinese sentences lead up to a name.
const HAN_PREFIXES: &[&str] = &[
    "本作品采用",
    "本作品遵循",
    "本数据集采用",
    "本项目采用",
    "本项目遵循",
    "本项目基于",
    "本软件采用",
    "本软件遵循",
    "本仓库采用",
    "本文档采用",
    "本文章采用",
    "本文采用",
    "本书采用",
    "本站采用",
    "采用",
    "遵循",
    "基于",
];

/// How Chinese says "or later"; longest first.
const HAN_OR_LATER: &[&str] = &[
    "或任何更新版本",
    "或任何以后版本",
    "或任何更高版本",
    "或者更高版本",
    "或更高版本",
    "或更新版本",
    "或以后版本",
    "或之后版本",
    "或后续版本",
    "及更高版本",
    "及更新版本",
    "及以后版本",
    "及之后版本",
    "及后续版本",
    "或以上版本",
    "及以上版本",
    "或更高",
    "或以上",
    "及以上",
    "以上版本",
    "以上",
];

/// Traditional characters that occur in licence names, and their simplified forms.
const TRADITIONAL: &[(char, char)] = &[
    ('蘭', '兰'),
    ('寬', '宽'),
    ('鬆', '松'),
    ('許', '许'),
    ('證', '证'),
    ('協', '协'),
    ('議', '议'),
    ('條', '条'),
    ('權', '权'),
    ('創', '创'),
    ('識', '识'),
    ('業', '业'),
    ('標', '标'),
    ('國', '国'),
    ('際', '际'),
    ('繹', '绎'),
    ('開', '开'),
    ('眾', '众'),
    ('較', '较'),
    ('檔', '档'),
    ('採', '采'),
    ('進', '进'),
    ('灣', '湾'),
    ('陸', '陆'),
    ('數', '数'),
    ('據', '据'),
    ('資', '资'),
    ('聯', '联'),
    ('門', '门'),
    ('類', '类'),
    ('後', '后'),
    ('僅', '仅'),
    ('無', '无'),
    ('獻', '献'),
    ('屬', '属'),
];

/// The normalised spelling of `text` (already folded): lower-case words and numbers separated by
/// single spaces, without "license", "version" and the like; `2.0` is `2`; every way to say
/// "or later" is `+` after the number; `/ ; | & *` stay as a `/` of their own, since they may
/// separate two names. Empty when nothing is left.
pub(crate) fn key(text: &str) -> String {
    let mut words = join_or_later(words(text));
    words.retain(|word| !FILLERS.contains(&word.as_str()));
    words.join(" ")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letters,
    Number,
    Han,
}

fn kind(character: char) -> Option<Kind> {
    if character.is_ascii_digit() {
        Some(Kind::Number)
    } else if is_han(character) {
        Some(Kind::Han)
    } else if character.is_alphanumeric() {
        Some(Kind::Letters)
    } else {
        None
    }
}

fn is_han(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}')
}

fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut chars = text.chars().peekable();
    // Adjacent to the previous word, without a separator between.
    let mut adjacent = false;
    while let Some(&first) = chars.peek() {
        let Some(run_kind) = kind(first) else {
            chars.next();
            match first {
                '+' => words.push("+".into()),
                '>' => words.push(">".into()),
                '/' | ';' | '|' | '&' | '*' => words.push("/".into()),
                // An apostrophe or a point inside a word does not part it.
                '\'' => continue,
                _ => {}
            }
            adjacent = false;
            continue;
        };
        let mut run = String::new();
        while let Some(&character) = chars.peek() {
            if kind(character) == Some(run_kind) || (character == '\'' && run_kind == Kind::Letters)
            {
                chars.next();
                if character != '\'' {
                    run.extend(character.to_lowercase().map(simplified));
                }
            } else if character == '.' && run_kind == Kind::Number {
                let mut after = chars.clone();
                after.next();
                if after.peek().is_some_and(char::is_ascii_digit) {
                    chars.next();
                    run.push('.');
                } else {
                    break;
                }
            } else {
                break;
            }
        }
        match run_kind {
            Kind::Letters => words.push(run),
            Kind::Number => {
                drop_version_mark(&mut words, adjacent);
                words.push(number(&run).to_owned());
            }
            Kind::Han => push_han(&mut words, &run),
        }
        adjacent = true;
    }
    words
}

/// `v2`, `gplv2`, `v 2` and `v. 2` lose the `v`.
fn drop_version_mark(words: &mut Vec<String>, adjacent: bool) {
    let Some(last) = words.last_mut() else { return };
    if last == "v" {
        words.pop();
    } else if adjacent
        && last.len() > 1
        && last.is_ascii()
        && let Some(name) = last.strip_suffix('v')
    {
        *last = name.to_owned();
    }
}

fn number(run: &str) -> &str {
    let mut number = run;
    while let Some(shorter) = number.strip_suffix(".0") {
        number = shorter;
    }
    number
}

fn simplified(character: char) -> char {
    TRADITIONAL
        .iter()
        .find(|(traditional, _)| *traditional == character)
        .map_or(character, |(_, simplified)| *simplified)
}

/// Adds a run of Han characters: without "licence", "version N" as a number, "or later" as `+`.
fn push_han(words: &mut Vec<String>, run: &str) {
    let mut rest = run;
    let after_number = words
        .last()
        .is_some_and(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    if after_number {
        // "2 版 …", "2.0 版本 …": the number's unit.
        rest = rest.strip_prefix('版').unwrap_or(rest);
        rest = rest.strip_prefix('本').unwrap_or(rest);
        if let Some(prefix) = HAN_OR_LATER.iter().find(|form| rest.starts_with(**form)) {
            words.push("+".into());
            rest = &rest[prefix.len()..];
        }
    }
    if words.is_empty()
        && let Some(prefix) = HAN_PREFIXES.iter().find(|form| rest.starts_with(**form))
    {
        rest = &rest[prefix.len()..];
    }
    // "第二版": a number written out, possibly with "or later" behind it.
    if let Some((before, after)) = rest.split_once('第') {
        push_han_name(words, before);
        let mut characters = after.chars();
        if let Some(digit) = characters.next().and_then(han_digit) {
            words.push(digit.to_string());
            push_han(words, characters.as_str());
        } else {
            push_han_name(words, after);
        }
        return;
    }
    push_han_name(words, rest);
}

fn push_han_name(words: &mut Vec<String>, name: &str) {
    let mut name = name;
    // "版本 2": the word before the number.
    name = name.strip_suffix("版本").unwrap_or(name);
    while let Some(suffix) = HAN_SUFFIXES.iter().find(|suffix| name.ends_with(**suffix)) {
        name = &name[..name.len() - suffix.len()];
    }
    match name {
        "" => {}
        "仅" | "仅此版本" => words.push("only".into()),
        name => words.push(name.to_owned()),
    }
}

fn han_digit(character: char) -> Option<char> {
    "一二三四五"
        .chars()
        .zip("12345".chars())
        .find(|(han, _)| *han == character)
        .map(|(_, digit)| digit)
}

/// Writes every "or later" as `+` and moves the `>` of `>= 2` behind its number as `+`.
fn join_or_later(words: Vec<String>) -> Vec<String> {
    const LATER: &[&str] = &["later", "newer", "above", "higher", "greater"];
    let mut joined = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        if words[at] == ">" {
            if let Some(number) = words.get(at + 1) {
                joined.push(number.clone());
            }
            joined.push("+".into());
            at += 2;
            continue;
        }
        if words[at] == "or" || words[at] == "and" {
            let mut end = at + 1;
            let is = |index: usize, word: &str| words.get(index).is_some_and(|w| w == word);
            if is(end, "at") && is(end + 1, "your") && is(end + 2, "option") {
                end += 3;
            }
            if is(end, "any") {
                end += 1;
            }
            if words
                .get(end)
                .is_some_and(|word| LATER.contains(&word.as_str()))
            {
                end += 1;
                if is(end, "version") || is(end, "versions") {
                    end += 1;
                }
                joined.push("+".into());
                at = end;
                continue;
            }
        }
        joined.push(words[at].clone());
        at += 1;
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_agree() {
        for text in [
            "Apache-2.0",
            "apache 2",
            "APACHE_2.0",
            "Apache License, Version 2.0",
            "Apache v2",
            "apache v. 2.0",
            "the Apache Licence (Version 2.0)",
        ] {
            assert_eq!(key(text), "apache 2", "{text}");
        }
        assert_eq!(key("GPLv2+"), "gpl 2 +");
        assert_eq!(key("GPL (>= 2)"), "gpl 2 +");
        assert_eq!(key("GPL-2.0-or-later"), "gpl 2 +");
        assert_eq!(
            key("GPL 2 or (at your option) any later version"),
            "gpl 2 +"
        );
        assert_eq!(key("python-2.0.1"), "python 2.0.1");
        assert_eq!(key("MIT/0"), "mit / 0");
        assert_eq!(key("License"), "");
    }

    #[test]
    fn chinese_spellings_agree() {
        for text in [
            "木兰宽松许可证第2版",
            "木兰宽松许可证，第二版",
            "木兰宽松许可证 v2",
            "木蘭寬鬆許可證 第2版",
            "《木兰宽松许可证 2.0版》",
            "采用木兰宽松许可证 版本 2",
        ] {
            assert_eq!(key(&crate::fold::fold(text)), "木兰宽松 2", "{text}");
        }
        assert_eq!(key("通用公共许可证第三版或更高版本"), "通用公共 3 +");
        assert_eq!(key("GPL 2.0 及以后版本"), "gpl 2 +");
    }
}
