//! The pass over the bytes that picks out the places worth reading.

use crate::detector::Detector;
use crate::finding::Candidate;
use crate::kind::Kind;
use crate::label::{Class, Label};

/// What a byte may begin.
const NOTHING: u8 = 0;
const DIGIT: u8 = 1;
const AT: u8 = 2;
const COLON: u8 = 3;
const UNDERSCORE: u8 = 4;
const DASH: u8 = 5;
const TWO_BYTES: u8 = 6;
const THREE_BYTES: u8 = 7;
const FOUR_BYTES: u8 = 8;

static BYTES: [u8; 256] = byte_table();

const fn byte_table() -> [u8; 256] {
    let mut table = [NOTHING; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'@' => AT,
            b':' | b'=' => COLON,
            b'_' => UNDERSCORE,
            b'-' => DASH,
            0xC2..=0xDF => TWO_BYTES,
            0xE0..=0xEF => THREE_BYTES,
            0xF0..=0xF4 => FOUR_BYTES,
            _ => NOTHING,
        };
        byte += 1;
    }
    table
}

/// One bit for each character of three bytes that is looked at more closely.
static CHARACTERS: [u64; 1024] = character_table();

const fn character_table() -> [u64; 1024] {
    const RANGES: &[(u32, u32)] = &[
        ('微' as u32, '微' as u32),
        ('薇' as u32, '薇' as u32),
        ('号' as u32, '号' as u32),
        ('號' as u32, '號' as u32),
        ('：' as u32, '：' as u32),
        // Read as ASCII or removed by `narrow`.
        (0x180B, 0x180F),
        (0x200B, 0x200F),
        (0x2010, 0x2015),
        (0x202A, 0x202E),
        (0x2060, 0x206F),
        (0x2212, 0x2212),
        (0xFEFF, 0xFEFF),
        (0xFF10, 0xFF19),
        ('＠' as u32, '＠' as u32),
        (0xFF21, 0xFF3A),
        (0xFF41, 0xFF5A),
    ];
    let mut table = [0; 1024];
    let mut range = 0;
    while range < RANGES.len() {
        let (mut code, last) = RANGES[range];
        while code <= last {
            table[(code / 64) as usize] |= 1u64 << (code % 64);
            code += 1;
        }
        range += 1;
    }
    table
}

/// The text holds characters that must be read as ASCII first.
#[derive(Debug)]
pub(crate) struct Wide;

/// One pass over one text.
pub(crate) struct Scan<'a> {
    pub(crate) detector: &'a Detector,
    pub(crate) text: &'a str,
    pub(crate) bytes: &'a [u8],
    pub(crate) found: Vec<Candidate>,
    /// End of the last run of letters and digits that was read.
    token_end: usize,
    /// End of the last number found; parts of it are not read again.
    pub(crate) number_end: usize,
    /// End of the last run of hexadecimal digits and colons that was read.
    pub(crate) hextets_end: usize,
    /// End of the last address found.
    pub(crate) address_end: usize,
    /// Where the next footer of a key begins, as far as it was looked for.
    pub(crate) key_footer: usize,
    /// Bytes read besides the pass itself.
    #[cfg(test)]
    steps: std::cell::Cell<usize>,
}

impl<'a> Scan<'a> {
    pub(crate) fn new(detector: &'a Detector, text: &'a str) -> Self {
        Self {
            detector,
            text,
            bytes: text.as_bytes(),
            found: Vec::new(),
            token_end: 0,
            number_end: 0,
            hextets_end: 0,
            address_end: 0,
            key_footer: 0,
            #[cfg(test)]
            steps: std::cell::Cell::new(0),
        }
    }

    /// Reads the text. `is_narrow`: full-width characters were dealt with.
    ///
    /// Every place that is picked out reads a bounded number of characters around it, or runs on
    /// from where the last one of its sort ended, so the time is linear in the text.
    ///
    /// # Errors
    /// `Wide` when the text has to be narrowed first; what was found so far is void.
    pub(crate) fn run(mut self, is_narrow: bool) -> Result<Vec<Candidate>, Wide> {
        self.pass(is_narrow)?;
        Ok(self.found)
    }

    fn pass(&mut self, is_narrow: bool) -> Result<(), Wide> {
        let bytes = self.bytes;
        let mut at = 0;
        while at < bytes.len() {
            at = match BYTES[usize::from(bytes[at])] {
                NOTHING => skip_plain(bytes, at + 1),
                THREE_BYTES => match skip_characters(bytes, at) {
                    (next, None) => next,
                    (next, Some(code)) => self.character(next, code, is_narrow)?,
                },
                DIGIT => self.token(at),
                AT => self.email(at),
                COLON => {
                    self.after_colon(at, at + 1);
                    at + 1
                }
                UNDERSCORE => self.underscore(at),
                DASH => self.dash(at),
                TWO_BYTES => {
                    let hides = bytes[at] == 0xC2
                        && (bytes[at + 1] == 0xAD
                            || bytes[at + 1] == 0xA0 && at > 0 && bytes[at - 1].is_ascii_digit());
                    if hides && !is_narrow {
                        return Err(Wide);
                    }
                    at + 2
                }
                FOUR_BYTES => {
                    // Mathematical letters and digits, U+1D400 to U+1D7FF.
                    let mathematical = bytes[at..].starts_with(&[0xF0, 0x9D])
                        && matches!(bytes[at + 2], 0x90..=0x9F);
                    if mathematical && !is_narrow {
                        return Err(Wide);
                    }
                    at + 4
                }
                _ => at + 1,
            };
        }
        self.words();
        Ok(())
    }

    /// The places that only letters give away: prefixes of keys, names of a chat program.
    fn words(&mut self) {
        let detector = self.detector;
        for found in detector.words.find_iter(self.bytes) {
            match WORDS[found.pattern().as_usize()].1 {
                Word::Key => self.key(found.end()),
                Word::WebToken => self.web_token(found.start()),
                Word::MailKey => self.mail_key(found.start()),
                Word::Chat => self.chat_word(found.start(), found.end()),
                Word::ChatId => self.generated_id(found.start()),
            }
        }
    }

    fn character(&mut self, at: usize, code: u32, is_narrow: bool) -> Result<usize, Wide> {
        match char::from_u32(code) {
            Some('：') => self.after_colon(at, at + 3),
            Some('微' | '薇') => self.chat_character(at),
            Some('号' | '號') => self.counted_in_han(at),
            Some('\u{2010}'..='\u{2015}' | '\u{2212}') => {
                let joins = at > 0
                    && self.bytes[at - 1].is_ascii_digit()
                    && self.byte(at + 3).is_ascii_digit();
                if joins && !is_narrow {
                    return Err(Wide);
                }
            }
            _ if !is_narrow => return Err(Wide),
            _ => {}
        }
        Ok(at + 3)
    }

    /// Reads the run of ASCII letters and digits around a digit; returns where it ends.
    fn token(&mut self, at: usize) -> usize {
        let mut start = at;
        while start > self.token_end && self.bytes[start - 1].is_ascii_alphanumeric() {
            start -= 1;
        }
        let mut end = at;
        let mut only_digits = start == at;
        while let Some(byte) = self
            .bytes
            .get(end)
            .filter(|byte| byte.is_ascii_alphanumeric())
        {
            only_digits &= byte.is_ascii_digit();
            end += 1;
        }
        self.token_end = end;
        self.count(end - start);
        if start >= self.number_end {
            if only_digits {
                self.number(start, end);
            } else {
                self.word(start, end);
            }
        }
        end
    }

    /// Counts bytes read, for the test that the time is linear.
    #[cfg_attr(not(test), expect(unused_variables, clippy::unused_self))]
    pub(crate) fn count(&self, bytes: usize) {
        #[cfg(test)]
        self.steps.set(self.steps.get() + bytes);
    }

    /// The byte at `index`, 0 beyond the text.
    pub(crate) fn byte(&self, index: usize) -> u8 {
        self.bytes.get(index).copied().unwrap_or(0)
    }

    /// The byte before `index`, 0 at the start.
    pub(crate) fn byte_before(&self, index: usize) -> u8 {
        index.checked_sub(1).map_or(0, |before| self.bytes[before])
    }

    pub(crate) fn char_before(&self, index: usize) -> Option<char> {
        self.text[..index].chars().next_back()
    }

    pub(crate) fn char_at(&self, index: usize) -> Option<char> {
        self.text[index..].chars().next()
    }

    pub(crate) fn label_before(&self, start: usize) -> Option<Label> {
        self.count(64);
        self.detector.labels.before(self.text, start)
    }

    pub(crate) fn label_near(&self, start: usize, classes: &[Class]) -> Option<Label> {
        self.count(24 * 8);
        self.detector.labels.near(self.text, start, classes)
    }

    /// Adds a candidate.
    pub(crate) fn push(
        &mut self,
        kind: Kind,
        start: usize,
        end: usize,
        valid: bool,
        label: Option<Label>,
    ) {
        self.found.push(Candidate {
            kind,
            start,
            end,
            valid,
            label: label
                .filter(|label| label.class != Class::Other)
                .map(|label| label.word),
        });
    }

    /// Adds a candidate made of digits; what it covers is not read again.
    pub(crate) fn push_number(
        &mut self,
        kind: Kind,
        start: usize,
        end: usize,
        valid: bool,
        label: Option<Label>,
    ) {
        self.push(kind, start, end, valid, label);
        self.number_end = self.number_end.max(end);
    }
}

/// What a word of `WORDS` begins.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Word {
    Key,
    WebToken,
    MailKey,
    Chat,
    ChatId,
}

/// Words looked for as they stand, none the beginning of another.
pub(crate) const WORDS: &[(&str, Word)] = &[
    ("AKIA", Word::Key),
    ("ASIA", Word::Key),
    ("AKID", Word::Key),
    ("LTAI", Word::Key),
    ("AIza", Word::Key),
    ("eyJ", Word::WebToken),
    ("SG.", Word::MailKey),
    ("wechat", Word::Chat),
    ("Wechat", Word::Chat),
    ("WeChat", Word::Chat),
    ("weChat", Word::Chat),
    ("WECHAT", Word::Chat),
    ("weixin", Word::Chat),
    ("Weixin", Word::Chat),
    ("WeiXin", Word::Chat),
    ("WEIXIN", Word::Chat),
    ("v信", Word::Chat),
    ("V信", Word::Chat),
    ("wxid_", Word::ChatId),
];

/// The first byte from `at` on that may begin something.
fn skip_plain(bytes: &[u8], mut at: usize) -> usize {
    let class = |byte: u8| BYTES[usize::from(byte)];
    while let Some(&[a, b, c, d, e, f, g, h]) = bytes.get(at..).and_then(<[u8]>::first_chunk) {
        let low = class(a) | class(b) | class(c) | class(d);
        let high = class(e) | class(f) | class(g) | class(h);
        if low | high != NOTHING {
            break;
        }
        at += 8;
    }
    while bytes.get(at).is_some_and(|&byte| class(byte) == NOTHING) {
        at += 1;
    }
    at
}

/// Skips characters of three bytes from `at` on, up to one that is looked at more closely (then
/// with its code) or to a character of another length.
fn skip_characters(bytes: &[u8], mut at: usize) -> (usize, Option<u32>) {
    while let Some(&[first @ 0xE0..=0xEF, second, third]) =
        bytes.get(at..).and_then(<[u8]>::first_chunk)
    {
        let bits = |byte: u8, mask: u8| u32::from(byte & mask);
        let code = bits(first, 0x0F) << 12 | bits(second, 0x3F) << 6 | bits(third, 0x3F);
        if CHARACTERS[(code / 64) as usize] >> (code % 64) & 1 != 0 {
            return (at, Some(code));
        }
        at += 3;
    }
    (at, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes read besides the pass, for each byte of a text made of `piece`.
    fn steps_a_byte(piece: &str, bytes: usize) -> usize {
        let text = piece.repeat(bytes / piece.len());
        let detector = Detector::builtin();
        let mut scan = Scan::new(&detector, &text);
        scan.pass(true).expect("nothing is wide any more");
        scan.steps.get() / text.len()
    }

    /// Whatever is repeated, each byte causes a bounded number of reads: a quadratic search would
    /// read millions.
    #[test]
    fn the_work_is_linear() {
        for piece in ["1", "@", "省市区"] {
            let steps = steps_a_byte(piece, 10_000_000);
            assert!(steps < 500, "{piece:?} repeated: {steps} reads a byte");
        }
        for piece in [
            "1 ",
            "1-",
            "1.",
            "1号",
            "一号",
            "一",
            "a1",
            "1a ",
            "a@",
            "a@a.",
            "@a.",
            ":",
            "a:",
            "：",
            "1:",
            "::",
            "a::b",
            "-",
            "_",
            "-----BEGIN PRIVATE KEY-----",
            "-----BEGIN ",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n",
            "eyJ",
            "eyJa.",
            "AKIA",
            "sk-",
            "ghp_",
            "微信",
            "微信a1",
            "wechat",
            "wxid_",
            "姓名：",
            "姓名：张",
            "Name: A ",
            "token=",
            "token=a1",
            "浙江省",
            "路1号",
            "市区路1号",
            "1号1",
            "(1",
            "(1)",
            "+1",
            "+1 ",
            "1 Main ",
            "1 Main Street ",
            "6222 ",
            "6222020200112233446 ",
            "bc1",
            "DE89 ",
            "银行卡",
            "京A1",
            "京A·1234",
            "电话：1",
            "138 1234 ",
            "é",
            "😀",
            "号",
            "第",
            "。",
            "=",
            "a=",
            "SG.",
        ] {
            let steps = steps_a_byte(piece, 300_000);
            assert!(steps < 500, "{piece:?} repeated: {steps} reads a byte");
        }
    }

    #[test]
    fn tables_hold_what_they_should() {
        assert_eq!(skip_plain(b"plain text, no more 1", 0), 20);
        assert_eq!(skip_plain(b"abc", 0), 3);
        assert_eq!(skip_characters("中文号".as_bytes(), 0), (6, Some(0x53F7)));
        assert_eq!(skip_characters("中a".as_bytes(), 0), (3, None));
        for (index, (word, _)) in WORDS.iter().enumerate() {
            let later = &WORDS[index + 1..];
            assert!(
                later.iter().all(|(other, _)| !other.starts_with(word)),
                "{word}"
            );
        }
    }
}
