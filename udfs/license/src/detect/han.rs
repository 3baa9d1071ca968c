//! Chinese sentences by which a work says under which licence it stands ("本作品采用 … 许可协议").

use crate::fold::fold;
use crate::names::{self, Name};

use super::grants::{Grant, STATEMENT};
use super::words::{floor, is_han};

/// How Chinese sentences name the work and the licence it stands under.
const HAN_VERBS: &[&str] = &[
    "采用",
    "遵循",
    "基于",
    "根据",
    "依据",
    "使用",
    "遵守",
    "适用",
    "採用",
    "遵循了",
];
const HAN_WORKS: &[&str] = &[
    "作品",
    "文章",
    "文档",
    "数据集",
    "数据",
    "项目",
    "软件",
    "程序",
    "代码",
    "仓库",
    "库",
    "书",
    "站",
    "网站",
    "博客",
    "文件",
    "语料",
    "模型",
    "教程",
    "工具",
    "文",
    "站点",
    "專案",
    "軟體",
    "文檔",
    "網站",
    "內容",
    "内容",
    "资料",
    "课程",
    "页面",
    "图片",
];

/// Reads "本作品采用 … 许可协议" whose 许可 or 协议 starts at `start`.
/// A sentence that is read takes one from `budget`.
pub(super) fn read(text: &str, from: usize, start: usize, budget: &mut usize) -> Option<Grant> {
    const BACK: usize = 180;
    let back = floor(text, start.saturating_sub(BACK)).max(from);
    let before = &text[back..start];
    let this = before.rfind('本')?;
    let clause = &before[this + '本'.len_utf8()..];
    if clause.contains(['。', '\n', '！', '？']) {
        return None;
    }
    let behind_work = HAN_WORKS
        .iter()
        .filter_map(|work| clause.strip_prefix(work))
        .min_by_key(|rest| rest.len())?;
    let (between, name) = HAN_VERBS
        .iter()
        .filter_map(|verb| behind_work.split_once(verb))
        .min_by_key(|(between, _)| between.len())?;
    // Adverbs, not another subject.
    if between.chars().count() > 8 {
        return None;
    }
    *budget = budget.checked_sub(1)?;
    let name_start = start - name.len();
    let mut ends: Vec<usize> = text[start..]
        .char_indices()
        .take_while(|(_, c)| {
            is_han(*c) || c.is_ascii_alphanumeric() || " .,，（()）》-".contains(*c)
        })
        .take(16)
        .map(|(at, c)| start + at + c.len_utf8())
        .collect();
    while let Some(end) = ends.pop() {
        let spelling = fold(&text[name_start..end]);
        if let Some(Name::Expression(expression)) = names::read(spelling.trim()) {
            return Some(Grant {
                expression: expression.to_string(),
                confidence: STATEMENT,
                start: back + this,
                end,
                alternative: false,
            });
        }
    }
    None
}
