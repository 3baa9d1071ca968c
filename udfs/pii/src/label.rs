//! The words that say what the number after them is.

use tamis_text::is_word_char;

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

const LABELS: &[(Class, &[&str])] = &[
    (
        Class::Id,
        &[
            "身份证",
            "身份證",
            "身分证",
            "身分證",
            "公民身份",
            "证件",
            "證件",
            "居住证",
            "居住證",
            "身份",
            "id card",
            "idcard",
            "identity card",
            "identity",
            "resident id",
            "national id",
            "citizen id",
            "id",
            "id no",
            "identification",
        ],
    ),
    (
        Class::HkId,
        &[
            "香港身份证",
            "香港身份證",
            "香港居民身份证",
            "香港居民身份證",
            "hkid",
            "hkid card",
            "hong kong id",
            "hong kong id card",
            "hong kong identity card",
        ],
    ),
    (
        Class::MoId,
        &[
            "澳门身份证",
            "澳門身份證",
            "澳门居民身份证",
            "澳門居民身份證",
            "bir",
            "macau id",
            "macao id",
            "macau id card",
            "macao id card",
            "macau identity card",
            "macao identity card",
            "macau resident id",
            "macao resident id",
        ],
    ),
    (
        Class::TwId,
        &[
            "台湾身份证",
            "台灣身份證",
            "臺灣身份證",
            "國民身分證",
            "国民身份证",
            "台灣身分證",
            "身分證統一編號",
            "taiwan id",
            "taiwan id card",
            "居留证",
            "居留證",
        ],
    ),
    (Class::Passport, &["护照", "護照", "passport"]),
    (
        Class::Permit,
        &[
            "通行证",
            "通行證",
            "回乡证",
            "回鄉證",
            "台胞证",
            "台胞證",
            "臺胞證",
            "travel permit",
            "home return permit",
            "entry permit",
            "exit-entry permit",
        ],
    ),
    (
        Class::Phone,
        &[
            "电话",
            "電話",
            "手机",
            "手機",
            "联系方式",
            "聯絡方式",
            "聯繫方式",
            "热线",
            "熱線",
            "致电",
            "致電",
            "拨打",
            "撥打",
            "传真",
            "傳真",
            "座机",
            "手机号",
            "打给",
            "来电",
            "联系我",
            "tel",
            "telephone",
            "phone",
            "phone number",
            "mobile",
            "mobile phone",
            "cell",
            "cell phone",
            "cellphone",
            "call",
            "call me",
            "call me at",
            "reach me at",
            "fax",
            "whatsapp",
            "mob",
            "text me at",
            "telefon",
            "contact number",
        ],
    ),
    (
        Class::Card,
        &[
            "卡号",
            "卡號",
            "银行卡",
            "銀行卡",
            "信用卡",
            "储蓄卡",
            "儲蓄卡",
            "借记卡",
            "账号",
            "帐号",
            "賬號",
            "帳號",
            "账户",
            "帐户",
            "賬戶",
            "帳戶",
            "card",
            "credit card",
            "debit card",
            "bank card",
            "account",
            "acct",
            "card number",
            "银联卡",
        ],
    ),
    (
        Class::Ip,
        &[
            "ip",
            "ip地址",
            "ip address",
            "ip addr",
            "ipv4",
            "ipv6",
            "ipv4地址",
        ],
    ),
    (
        Class::Qq,
        &[
            "qq",
            "扣扣",
            "企鹅号",
            "加q",
            "qq号",
            "qq號",
            "qq number",
            "oicq",
        ],
    ),
    (
        Class::Wechat,
        &[
            "微信",
            "微信号",
            "微信號",
            "薇信",
            "微信id",
            "wechat",
            "wechat id",
            "weixin",
            "weixin id",
            "wx",
            "vx",
            "v信",
            "加v",
            "加微",
            "wxid",
        ],
    ),
    (
        Class::Ssn,
        &[
            "ssn",
            "social security",
            "social security number",
            "soc sec",
        ],
    ),
    (Class::Iban, &["iban"]),
    (
        Class::Wallet,
        &["钱包地址", "錢包地址", "钱包", "wallet", "wallet address"],
    ),
    (
        Class::Secret,
        &[
            "api_key",
            "apikey",
            "api key",
            "api-key",
            "secret",
            "secret_key",
            "secretkey",
            "secret key",
            "access_key",
            "accesskey",
            "access key",
            "accesskeysecret",
            "access_token",
            "access token",
            "auth_token",
            "client_secret",
            "token",
            "bearer",
            "authorization",
            "密钥",
            "密鑰",
            "秘钥",
            "令牌",
            "secret access key",
            "secret_access_key",
            "app_secret",
            "appsecret",
            "private_token",
        ],
    ),
    (
        Class::Credit,
        &[
            "统一社会信用代码",
            "统一信用代码",
            "社会信用代码",
            "信用代码",
            "統一社會信用代碼",
            "unified social credit code",
            "social credit code",
            "credit code",
            "uscc",
            "税号",
            "纳税人识别号",
            "纳税识别号",
        ],
    ),
    (
        Class::Address,
        &[
            "地址",
            "住址",
            "住在",
            "家住",
            "居住在",
            "居住地",
            "户籍地",
            "户籍",
            "戶籍",
            "现住",
            "寄到",
            "寄往",
            "送到",
            "住所",
            "收货地址",
            "家在",
            "address",
            "home address",
            "mailing address",
            "lives at",
            "live at",
            "ship to",
            "residing at",
        ],
    ),
    (
        Class::Name,
        &[
            "姓名",
            "名字",
            "联系人",
            "聯絡人",
            "聯繫人",
            "收件人",
            "收货人",
            "收貨人",
            "寄件人",
            "患者",
            "病人",
            "申请人",
            "申請人",
            "法定代表人",
            "法人代表",
            "户主",
            "戶主",
            "监护人",
            "監護人",
            "持卡人",
            "户名",
            "戶名",
            "真名",
            "当事人",
            "當事人",
            "委托人",
            "代理人",
            "家长",
            "投保人",
            "被保险人",
            "受益人",
            "借款人",
            "承租人",
            "出租人",
            "报案人",
            "死者",
            "原告",
            "被告",
            "被告人",
            "学生",
            "老师",
            "name",
            "full name",
            "patient",
            "contact person",
            "recipient",
            "cardholder",
            "applicant",
            "first name",
            "last name",
            "surname",
            "given name",
            "family name",
        ],
    ),
    (
        Class::Other,
        &[
            "订单",
            "訂單",
            "单号",
            "單號",
            "订单号",
            "编号",
            "編號",
            "流水号",
            "流水",
            "运单",
            "运单号",
            "型号",
            "批号",
            "序列号",
            "货号",
            "案号",
            "合同号",
            "合同",
            "发票",
            "发票号",
            "版本",
            "版本号",
            "条码",
            "条形码",
            "时间戳",
            "金额",
            "價格",
            "价格",
            "总额",
            "合计",
            "总计",
            "邮编",
            "学号",
            "工号",
            "群",
            "群号",
            "qq群",
            "微信群",
            "qq群号",
            "交易号",
            "交易",
            "专利",
            "专利号",
            "库存",
            "产品",
            "商品",
            "第",
            "总共",
            "超过",
            "书号",
            "刊号",
            "批准文号",
            "国药准字",
            "单据",
            "凭证",
            "工单",
            "房号",
            "客户号",
            "会员号",
            "档案号",
            "车架号",
            "物流",
            "isbn",
            "issn",
            "doi",
            "order",
            "order id",
            "order number",
            "invoice",
            "tracking",
            "tracking number",
            "version",
            "ver",
            "v",
            "serial",
            "serial number",
            "sku",
            "model",
            "part",
            "part number",
            "ticket",
            "timestamp",
            "price",
            "amount",
            "total",
            "build",
            "release",
            "rev",
            "firmware",
            "section",
            "sec",
            "chapter",
            "figure",
            "table",
            "rfc",
            "transaction",
            "transaction id",
            "txid",
            "item",
            "product",
            "batch",
            "lot",
            "upc",
            "ean",
            "barcode",
            "imei",
            "patent",
            "case",
            "docket",
            "commit",
            "job id",
            "task id",
            "message id",
            "event id",
            "trace id",
            "request id",
            "user id",
            "user_id",
            "userid",
            "session id",
            "order_id",
            "orderid",
            "trade_no",
            "update",
            "revision",
        ],
    ),
];

/// Words between a label and its value.
const FILLERS: &[&str] = &[
    "号码",
    "號碼",
    "号",
    "號",
    "码",
    "碼",
    "是",
    "为",
    "為",
    "就是",
    "分别是",
    "number",
    "num",
    "no",
    "nr",
    "is",
    "are",
    "was",
];

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
