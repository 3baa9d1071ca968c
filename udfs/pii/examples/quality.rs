//! Precision and recall for each kind over a generated corpus, as a Markdown table.
//!
//! `cargo run --release -p tamis-pii --example quality`. The corpus is seeded: each document is
//! ordinary text in Chinese or English with at most one identifier, written in one of several
//! ways, or with something that only looks like one. Some ways are known to be beyond the
//! detectors and count against recall. A finding is right when kind and span are both exact.

use std::collections::BTreeMap;

use tamis_pii::{Detector, Kind};

#[path = "../tests/generate/mod.rs"]
mod generate;

use generate::{LETTERS_AND_DIGITS, Random};

const DOCUMENTS: usize = 60_000;

const CHINESE: &[&str] = &[
    "今天的会议推迟到下午",
    "天气预报说明天有雨",
    "这本书讲的是唐代历史",
    "他们决定一起去爬山",
    "请大家注意安全",
    "市场调查显示需求上升",
    "新版软件修复了若干问题",
    "学校组织了春游",
    "这道菜的做法很简单",
    "比赛在周末举行",
    "患者需要按时服药",
    "银行下调了利率",
    "微信是一款聊天软件",
    "快递一般三天到",
    "研究人员发表了论文",
];
const ENGLISH: &[&str] = &[
    "The meeting has been moved to the afternoon",
    "Rain is expected tomorrow",
    "We went hiking last weekend",
    "The report covers the first quarter",
    "Please keep the receipt",
    "She writes about local history",
    "The patch fixes several issues",
    "Tickets sell out quickly",
    "Dinner was served at seven",
    "Patients should take the medicine daily",
    "The library opens on Monday",
];

/// Identifiers of a kind; the text around them has `#` where they stand.
fn identifier(kind: Kind, random: &mut Random) -> (String, String) {
    let r = random;
    let (value, templates): (String, &[&str]) = match kind {
        Kind::CnResidentId => (
            generate::resident_id(r),
            &[
                "身份证号#",
                "证件号码：#。",
                "号码#请核对",
                "ID number # was given",
                "（#）",
                "身份证\n#",
            ],
        ),
        Kind::BankCard => {
            let card = generate::bank_card(r);
            let card = if r.below(3) == 0 && card.len() == 16 {
                fours(&card)
            } else {
                card
            };
            (
                card,
                &[
                    "卡号#",
                    "转到#上",
                    "pay with # today",
                    "银行卡：#",
                    "卡#（招行）",
                ],
            )
        }
        Kind::CnPhone => {
            let number = generate::mobile(r);
            let (a, b, c) = (&number[..3], &number[3..7], &number[7..]);
            let number = match r.below(8) {
                0 => format!("{a} {b} {c}"),
                1 => format!("{a}-{b}-{c}"),
                2 => format!("+86 {number}"),
                3 => format!("0571-8{}", r.digits(7)),
                4 => full_width(&number),
                // Pairs of digits are not read.
                5 if r.below(3) == 0 => {
                    format!("{} {} {} {}", a, &number[3..6], &number[6..9], &number[9..])
                }
                _ => number,
            };
            (
                number,
                &[
                    "电话#打我",
                    "手机：#",
                    "联系#即可",
                    "请拨打#。",
                    "call # please",
                    "#（同微信）",
                ],
            )
        }
        Kind::Phone => {
            let line = format!("555-01{}", r.digits(2));
            let number = match r.below(6) {
                0 => format!("+1 415-{line}"),
                1 => format!("(212) {line}"),
                2 => format!("646-{line}"),
                3 => format!("+44 20 7946 0{}", r.digits(3)),
                4 => format!("+852 5{} {}", r.digits(3), r.digits(4)),
                _ => format!("+1 (303) {line}"),
            };
            (
                number,
                &[
                    "call # today",
                    "Phone: #",
                    "reach me at #.",
                    "电话#",
                    "their line is #",
                ],
            )
        }
        Kind::Email => {
            let user = r.symbols("abcdefghijklmnopqrstuvwxyz", 6);
            let (address, separator) = match r.below(12) {
                // Spelled out addresses are not read.
                0 => (format!("{user} at example dot com"), ""),
                1 => (full_width(&format!("{user}@example.com")), ""),
                2 => (format!("{user}.{}@mail.example.co.uk", r.digits(2)), ""),
                _ => (format!("{user}@example.cn"), ""),
            };
            (
                format!("{address}{separator}"),
                &[
                    "邮箱#欢迎来信",
                    "write to #.",
                    "发到#，谢谢",
                    "<#>",
                    "Email: #",
                ],
            )
        }
        Kind::HkId => (
            generate::hk_id(r),
            &["香港身份证#", "HKID: #", "holder # signed", "持#的人"],
        ),
        Kind::MoId => {
            let number = format!(
                "{}{}({})",
                r.pick(&["1", "5", "7"]),
                r.digits(6),
                r.digits(1)
            );
            (number, &["澳门身份证#", "澳門居民身份證：#", "Macau ID: #"])
        }
        Kind::TwId => (
            generate::tw_id(r),
            &[
                "國民身分證#",
                "身分證字號：#",
                "持有#的人",
                "Taiwan ID # on file",
            ],
        ),
        Kind::TravelPermit => {
            let letter = r.pick(&["H", "M", "C"]);
            (
                format!("{letter}{}", r.digits(8)),
                &[
                    "通行证号码：#",
                    "回乡证#",
                    "travel permit: #",
                    "港澳通行证 #",
                ],
            )
        }
        Kind::CnPassport => {
            let start = r.pick(&["E", "G", "EA", "EB"]);
            (
                format!("{start}{}", r.digits(9 - start.len())),
                &["护照号#", "护照：#", "passport no. #", "持护照（#）出境"],
            )
        }
        Kind::Passport => {
            let start = r.pick(&["AB", "TR", "K", "X"]);
            (
                format!("{start}{}", r.digits(7)),
                &["passport number #", "外国护照：#", "Passport: #"],
            )
        }
        Kind::UsSsn => {
            let number = format!(
                "{}-{:02}-{:04}",
                100 + r.below(500),
                1 + r.below(98),
                1 + r.below(9998)
            );
            (
                number,
                &[
                    "SSN #",
                    "social security number is #.",
                    "on file: #",
                    "SSN：#",
                ],
            )
        }
        Kind::Iban => {
            let account = generate::iban(r);
            let account = if r.below(2) == 0 {
                fours(&account)
            } else {
                account
            };
            (account, &["IBAN #", "pay to # now", "账户#", "IBAN: #"])
        }
        Kind::CryptoWallet => {
            let address = match r.below(2) {
                0 => generate::bitcoin(r),
                _ => format!("0x{}", r.symbols("0123456789abcdef", 40)),
            };
            (address, &["钱包#", "send to #.", "地址：#", "BTC/ETH #"])
        }
        Kind::SocialCreditCode => (
            generate::social_credit(r),
            &["统一社会信用代码#", "代码：#", "公司#注册", "USCC #"],
        ),
        Kind::Qq => {
            let number = format!("{}{}", 1 + r.below(9), r.digits(8));
            // The last way has no label that is read.
            (
                number,
                &["QQ：#", "加QQ#", "qq号#", "我的扣扣#", "QQ号码是#", "秋秋#"],
            )
        }
        Kind::Wechat => {
            let id = format!(
                "{}_{}",
                r.symbols("abcdefghijklmnopqrstuvwxyz", 5),
                r.digits(3)
            );
            (
                id,
                &[
                    "微信：#",
                    "加微信#咨询",
                    "WeChat: #",
                    "微信号是#",
                    "vx：#",
                    "威信 #",
                ],
            )
        }
        Kind::Ipv4 => {
            let start = r.pick(&["203.0.113", "198.51.100", "192.0.2"]);
            (
                format!("{start}.{}", 10 + r.below(240)),
                &["来自#的请求", "IP：#", "from # port 22", "http://#/x"],
            )
        }
        Kind::Ipv6 => {
            let tail = r.symbols("0123456789abcdef", 4).replace('0', "1");
            (
                format!("2001:db8::{tail}"),
                &["来自#的请求", "IPv6 #", "host # is up", "[#]:443"],
            )
        }
        Kind::CnPlate => {
            let province = r.pick(&["京", "沪", "粤", "浙", "川"]);
            let serial = match r.below(3) {
                0 => format!("D{}", r.digits(5)),
                1 => format!("{}K{}", r.digits(2), r.digits(2)),
                _ => r.digits(5),
            };
            let dot = r.pick(&["", "", "·"]);
            (
                format!("{province}B{dot}{serial}"),
                &["车牌#", "#违章停车", "车号：#", "a car, #, left"],
            )
        }
        Kind::Address => {
            let house = 1 + r.below(300);
            let place = match r.below(5) {
                0 => format!("浙江省杭州市西湖区文三路{house}号"),
                1 => format!("上海市浦东新区世纪大道{house}号{}室", 101 + r.below(900)),
                2 => format!(
                    "南京市玄武区珠江路{house}号2栋3单元{}室",
                    101 + r.below(900)
                ),
                3 => format!("{house} Main Street, Springfield, IL 62704"),
                // A street in a city, without what else makes an address.
                _ => format!("文三路{house}号"),
            };
            (
                place,
                &[
                    "住在#。",
                    "地址：#",
                    "寄到#，谢谢",
                    "lives at #.",
                    "他租了#的房子",
                ],
            )
        }
        Kind::Name => {
            let han = format!(
                "{}{}",
                r.pick(&["王", "李", "陈", "欧阳"]),
                r.pick(&["伟", "小明", "静"])
            );
            let latin = format!(
                "{} {}",
                r.pick(&["John", "Mary", "Alice"]),
                r.pick(&["Smith", "Stone", "Field"])
            );
            match r.below(4) {
                // Names in running text are not read.
                0 if r.below(2) == 0 => (han, &["我遇到了#。", "#说他不来"]),
                0 | 1 => (latin, &["Name: #", "Full name: #\n", "Patient: #."]),
                _ => (
                    han,
                    &["姓名：#", "联系人：#，", "收件人：# ", "姓名:#性别:男"],
                ),
            }
        }
        Kind::ApiKey => {
            let key = match r.below(3) {
                0 => format!("ghp_{}", r.symbols(LETTERS_AND_DIGITS, 36)),
                1 => format!("AKIA{}", r.symbols("ABCDEFGHJKLMNPQRSTUVWXYZ234567", 16)),
                _ => format!("sk-{}", r.symbols(LETTERS_AND_DIGITS, 48)),
            };
            (key, &["key #", "密钥#泄露", "export K=#", "token: #"])
        }
        _ => {
            let body = r.symbols(LETTERS_AND_DIGITS, 64);
            let key = format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----");
            (key, &["密钥：\n#\n", "#", "key:\n#\nend"])
        }
    };
    let template = r.pick(templates).to_owned();
    (value, template)
}

/// Something that looks like an identifier and is none.
fn decoy(random: &mut Random) -> String {
    let r = random;
    let mobile = generate::mobile(r);
    let card = generate::bank_card(r);
    match r.below(24) {
        0 => format!("订单号{mobile}"),
        1 => format!("订单编号：{card}"),
        2 => format!("order #{card}"),
        3 => format!("时间戳1{}", r.digits(12)),
        4 => format!("流水{}", r.digits(18)),
        5 => format!(
            "版本{}.{}.{}.{}",
            r.below(20),
            r.below(20),
            r.below(20),
            r.below(200)
        ),
        6 => format!("ISBN 978730{}", r.digits(7)),
        7 => format!("¥{}.{}", r.digits(6), r.digits(2)),
        8 => format!(
            "2023-{:02}-{:02} {:02}:{:02}:{:02}",
            1 + r.below(12),
            1 + r.below(28),
            r.below(24),
            r.below(60),
            r.below(60)
        ),
        9 => format!("commit {}", r.symbols("0123456789abcdef", 40)),
        10 => {
            let hex = |r: &mut Random, count| r.symbols("0123456789abcdef", count);
            format!(
                "{}-{}-4{}-a{}-{}",
                hex(r, 8),
                hex(r, 4),
                hex(r, 3),
                hex(r, 3),
                hex(r, 12)
            )
        }
        11 => format!(
            "{} {} {} {}",
            r.digits(4),
            r.digits(3),
            r.digits(2),
            r.digits(3)
        ),
        12 => format!("img_{mobile}.jpg"),
        13 => format!("热线400-{}-{}", r.digits(3), r.digits(4)),
        14 => format!("QQ群：{}", r.digits(9)),
        15 => format!("型号A{}", r.digits(9)),
        16 => "国务院令第138号".to_owned(),
        17 => format!("http://example.com/item/{}", r.digits(16)),
        18 => format!("logo@{}x.png", 1 + r.below(3)),
        19 => format!("{}.{}%", r.digits(2), r.digits(9)),
        20 => "File name: Annual Report".to_owned(),
        // Numbers drawn at random, of the lengths that identifiers have.
        21 => r.digits(16),
        22 => r.digits(18),
        _ => {
            let count = 9 + r.below(4);
            r.digits(count)
        }
    }
}

fn fours(text: &str) -> String {
    let groups: Vec<&str> = (0..text.len())
        .step_by(4)
        .map(|at| &text[at..text.len().min(at + 4)])
        .collect();
    groups.join(" ")
}

fn full_width(text: &str) -> String {
    let wide = |c: char| {
        if c.is_ascii_graphic() {
            char::from_u32(c as u32 + 0xFEE0)
        } else {
            Some(c)
        }
    };
    text.chars().filter_map(wide).collect()
}

#[derive(Default)]
struct Tally {
    present: usize,
    found: usize,
    right: usize,
}

fn main() {
    let detector = Detector::builtin();
    let mut random = Random(20_261_124);
    let mut tallies: BTreeMap<Kind, Tally> = BTreeMap::new();
    let mut decoys = 0;
    for _ in 0..DOCUMENTS {
        let filler = if random.below(2) == 0 {
            CHINESE
        } else {
            ENGLISH
        };
        let mut text = format!(
            "{}{}",
            random.pick(filler),
            random.pick(&["。", "，", ". ", "\n"])
        );
        let mut expected = None;
        if random.below(3) == 0 {
            text.push_str(&decoy(&mut random));
            decoys += 1;
        } else {
            let kind = Kind::ALL[random.below(Kind::ALL.len())];
            let (value, template) = identifier(kind, &mut random);
            let (before, after) = template.split_once('#').expect("a template has a place");
            text.push_str(before);
            expected = Some((kind, text.len(), text.len() + value.len()));
            text.push_str(&value);
            text.push_str(after);
            tallies.entry(kind).or_default().present += 1;
        }
        text.push_str(random.pick(&["。", "\n", "；", ". "]));
        text.push_str(random.pick(filler));
        for finding in detector.find(&text) {
            let tally = tallies.entry(finding.kind).or_default();
            tally.found += 1;
            tally.right +=
                usize::from(expected == Some((finding.kind, finding.start, finding.end)));
        }
    }
    println!("{DOCUMENTS} documents, {decoys} of them with a decoy only.\n");
    println!("| kind | present | found | right | precision | recall |");
    println!("|---|---:|---:|---:|---:|---:|");
    let share = |part: usize, whole: usize| {
        if whole == 0 {
            "–".to_owned()
        } else {
            format!("{:.3}", part as f64 / whole as f64)
        }
    };
    let mut all = Tally::default();
    let row = |name: &str, tally: &Tally| {
        let Tally {
            present,
            found,
            right,
        } = *tally;
        println!(
            "| {name} | {present} | {found} | {right} | {} | {} |",
            share(right, found),
            share(right, present)
        );
    };
    for (kind, tally) in &tallies {
        row(&format!("`{kind}`"), tally);
        all.present += tally.present;
        all.found += tally.found;
        all.right += tally.right;
    }
    row("all", &all);
}
