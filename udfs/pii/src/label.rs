//! The words that say what the number after them is.

mod words;

use tamis_text::is_word_char;
use words::{FILLERS, LABELS};

/// What a label announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Id,
    HkId,
    MoId,
    TwId,
    Passport,
    Permit,
    Phone,
    Card,
    Ip,
    Qq,
    Wechat,
    Ssn,
    Iban,
    Wallet,
    Secret,
    Credit,
    Address,
    Name,
    /// Something that is not personal: an order, a price, a version.
    Other,
}

/// A label found before a value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Label {
    pub(crate) class: Class,
    pub(crate) word: &'static str,
    /// Where the label begins, in bytes of the text.
    pub(crate) start: usize,
}

/// Finds labels by their last byte.
#[derive(Debug)]
pub(crate) struct LabelIndex {
    by_last_byte: Vec<Vec<(&'static str, Class)>>,
}

impl LabelIndex {
    pub(crate) fn new() -> Self {
        let mut by_last_byte = vec![Vec::new(); 256];
        for &(class, words) in LABELS {
            for &word in words {
                if let Some(&last) = word.as_bytes().last() {
                    by_last_byte[usize::from(last)].push((word, class));
                }
            }
        }
        for words in &mut by_last_byte {
            // The longest that fits wins; of one length the first named.
            words.sort_by_key(|(word, _): &(&str, Class)| std::cmp::Reverse(word.len()));
        }
        Self { by_last_byte }
    }

    /// The longest label that ends exactly at `end`.
    pub(crate) fn ending_at(&self, text: &str, end: usize) -> Option<Label> {
        let bytes = &text.as_bytes()[..end];
        let last = bytes.last()?.to_ascii_lowercase();
        self.by_last_byte[usize::from(last)]
            .iter()
            .find(|(word, _)| ends_with_word(text, end, word))
            .map(|&(word, class)| Label {
                class,
                word,
                start: end - word.len(),
            })
    }

    /// The label right before `position`, over at most a dozen fillers: spaces, colons, quotes,
    /// `号码`, `number`, `is` and a short remark in brackets.
    pub(crate) fn before(&self, text: &str, position: usize) -> Option<Label> {
        let mut end = position;
        for _ in 0..12 {
            if let Some(label) = self.ending_at(text, end) {
                return Some(label);
            }
            end = without_filler(text, end)?;
        }
        None
    }

    /// A label of one of the classes within 24 characters before `position`, in the same clause.
    pub(crate) fn near(&self, text: &str, position: usize, classes: &[Class]) -> Option<Label> {
        let mut after = char::MAX;
        for (index, character) in text[..position].char_indices().rev().take(24) {
            let stop = match character {
                '\n' | '。' | '！' | '？' | '；' | ';' | '!' | '?' => true,
                '.' => after == ' ',
                _ => false,
            };
            if stop {
                return None;
            }
            let end = index + character.len_utf8();
            if let Some(label) = self.ending_at(text, end)
                && classes.contains(&label.class)
            {
                return Some(label);
            }
            after = character;
        }
        None
    }
}

/// Whether `text[..end]` ends with the lower-case `word`, ASCII case aside, not inside a longer
/// word.
fn ends_with_word(text: &str, end: usize, word: &str) -> bool {
    let Some(start) = end.checked_sub(word.len()) else {
        return false;
    };
    if !text.as_bytes()[start..end].eq_ignore_ascii_case(word.as_bytes()) {
        return false;
    }
    let first_is_word = word.as_bytes()[0].is_ascii_alphanumeric();
    !first_is_word
        || !text[..start]
            .chars()
            .next_back()
            .is_some_and(|before| is_word_char(before) && before != '_')
}

/// The end of the text before one filler that ends at `end`.
fn without_filler(text: &str, end: usize) -> Option<usize> {
    let before = &text[..end];
    let last = before.chars().next_back()?;
    match last {
        ' ' | '\t' | '\n' | '\r' | '\u{3000}' | '\u{A0}' | ':' | '：' | '=' | '"' | '\'' | '“'
        | '”' | '‘' | '(' | '（' | '【' | '】' | '「' | '」' | '.' | '#' | '*' | '|' | '-'
        | '—' | '–' | '/' | '`' | '<' | '>' | '〈' | '＃' | '、' | '+' => {
            Some(end - last.len_utf8())
        }
        ')' | '）' => {
            let (open, _) = before
                .char_indices()
                .rev()
                .take(12)
                .find(|(_, character)| matches!(character, '(' | '（'))?;
            Some(open)
        }
        _ => FILLERS
            .iter()
            .find(|filler| ends_with_word(text, end, filler))
            .map(|filler| end - filler.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn before(text: &str) -> Option<(Class, &'static str)> {
        LabelIndex::new()
            .before(text, text.len())
            .map(|label| (label.class, label.word))
    }

    #[test]
    fn labels_before_a_value() {
        assert_eq!(before("身份证号码：").map(|l| l.0), Some(Class::Id));
        assert_eq!(before("Phone number is ").map(|l| l.0), Some(Class::Phone));
        assert_eq!(before("\"phone\": \"").map(|l| l.0), Some(Class::Phone));
        assert_eq!(before("订单号为").map(|l| l.0), Some(Class::Other));
        assert_eq!(before("编号：").map(|l| l.0), Some(Class::Other));
        assert_eq!(before("QQ群：").map(|l| l.0), Some(Class::Other));
        assert_eq!(before("手机（必填）：").map(|l| l.0), Some(Class::Phone));
        assert_eq!(before("order no. ").map(|l| l.0), Some(Class::Other));
    }

    #[test]
    fn no_label() {
        assert_eq!(before("grid: "), None);
        assert_eq!(before("[QQ]"), None);
        assert_eq!(before("今天是"), None);
        assert_eq!(before(""), None);
    }

    #[test]
    fn near_stops_at_the_clause() {
        let index = LabelIndex::new();
        let near = |text: &str| index.near(text, text.len(), &[Class::Card]).is_some();
        assert!(near("银行卡（招商银行，尾号见后）"));
        assert!(!near("银行卡丢了。数字"));
    }
}
