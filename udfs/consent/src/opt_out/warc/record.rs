//! The head of a WARC record (ISO 28500:2017, clauses 4 and 5) and its date.

use std::io::{BufRead, Read};

/// More than any head needs; a limit on what a damaged file can make us hold.
const MOST_HEAD_BYTES: u64 = 256 << 10;

/// The fields of a record that an import looks at.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) kind: String,
    pub(super) record_id: Option<String>,
    pub(super) target: Option<String>,
    pub(super) date: Option<String>,
    pub(super) content_type: String,
    pub(super) length: u64,
    pub(super) is_truncated: bool,
    pub(super) is_segment: bool,
}

/// Why a record cannot be used.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) message: String,
    /// The bytes of a gzip member could not be decoded.
    pub(super) is_damaged: bool,
    /// The record was read to its end: the next one begins where the input is.
    pub(super) is_past: bool,
}

impl Problem {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            is_damaged: false,
            is_past: false,
        }
    }

    pub(super) fn past(message: impl Into<String>) -> Self {
        Self {
            is_past: true,
            ..Self::new(message)
        }
    }
}

impl From<std::io::Error> for Problem {
    fn from(error: std::io::Error) -> Self {
        Self {
            is_damaged: true,
            ..Self::new(error.to_string())
        }
    }
}

impl Head {
    /// Reads a head up to the empty line after it.
    pub(super) fn read(input: &mut impl BufRead) -> Result<Self, Problem> {
        let mut input = input.take(MOST_HEAD_BYTES);
        let version = line(&mut input)?;
        if version != "WARC/1.0" && version != "WARC/1.1" {
            let start: String = version.chars().take(40).collect();
            return Err(Problem::new(format!(
                "expected WARC/1.0 or WARC/1.1, found {start:?}"
            )));
        }
        let mut fields: Vec<(String, String)> = Vec::new();
        loop {
            let line = line(&mut input)?;
            if line.is_empty() {
                break;
            }
            if line.starts_with([' ', '\t']) {
                // A folded line goes on with the value before it.
                if let Some((_, value)) = fields.last_mut() {
                    value.push(' ');
                    value.push_str(line.trim());
                    continue;
                }
            }
            let Some((name, value)) = line.split_once(':') else {
                return Err(Problem::new("a line of the record's head has no colon"));
            };
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut head = Self::default();
        let mut length = None;
        for (name, value) in fields {
            match name.as_str() {
                "warc-type" => head.kind = value.to_ascii_lowercase(),
                "warc-record-id" => head.record_id = Some(value),
                // Written with angle brackets by some tools: the grammar of WARC/1.0 has them.
                "warc-target-uri" => {
                    let bare = value
                        .strip_prefix('<')
                        .and_then(|rest| rest.strip_suffix('>'));
                    head.target = Some(bare.unwrap_or(&value).to_owned());
                }
                "warc-date" => head.date = Some(value),
                "content-type" => head.content_type = value.to_ascii_lowercase(),
                "warc-truncated" => head.is_truncated = true,
                "warc-segment-number" => head.is_segment = true,
                "content-length" => {
                    let number = value.bytes().all(|byte| byte.is_ascii_digit());
                    let number = number.then(|| value.parse::<u64>().ok()).flatten();
                    if length.is_some_and(|known| number != Some(known)) {
                        return Err(Problem::new("two values for Content-Length"));
                    }
                    length = number;
                }
                _ => {}
            }
        }
        head.length = length.ok_or_else(|| Problem::new("no readable Content-Length"))?;
        Ok(head)
    }
}

fn line(input: &mut (impl BufRead + Sized)) -> Result<String, Problem> {
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        return Err(Problem::new("the record's head is cut off or too long"));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

/// Microseconds UTC of a `WARC-Date`: `2026-11-24T08:00:00Z`, in WARC/1.1 with up to nine
/// decimals of a second. The shorter forms of 1.1 (a day, a year) name no instant.
pub(super) fn instant(date: &str) -> Option<i64> {
    let date = date.strip_suffix('Z')?;
    let (whole, fraction) = date.split_once('.').unwrap_or((date, ""));
    let bytes = whole.as_bytes();
    if bytes.len() != 19 || fraction.len() > 9 {
        return None;
    }
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if !separators.iter().all(|(at, byte)| bytes[*at] == *byte) {
        return None;
    }
    let digits = |text: &[u8]| {
        text.iter().try_fold(0_i64, |number, byte| {
            byte.is_ascii_digit()
                .then(|| number * 10 + i64::from(byte - b'0'))
        })
    };
    let number = |from: usize, to: usize| digits(&bytes[from..to]);
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        2 => 28 + i64::from(is_leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // Second 60 is a leap second.
    if !(1..=days_in_month).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let micros = digits(format!("{fraction:0<9}").as_bytes())? / 1000;
    // Days since 1970-01-01 with the year beginning in March (proleptic Gregorian calendar).
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = year * 365 + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (month * 153 + 2) / 5
        + day
        - 1
        - 719_468;
    Some((days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000 + micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (date, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T00:00:00Z", Some(951_782_400_000_000)),
            ("2026-11-24T08:00:00Z", Some(1_795_507_200_000_000)),
            ("1969-12-31T23:59:59Z", Some(-1_000_000)),
            ("1970-01-01T00:00:00.5Z", Some(500_000)),
            ("1970-01-01T00:00:00.123456789Z", Some(123_456)),
            ("1900-02-29T00:00:00Z", None),
            ("2026-13-01T00:00:00Z", None),
            ("2026-11-31T00:00:00Z", None),
            ("2026-11-24T24:00:00Z", None),
            ("2026-11-24T08:00:00", None),
            ("2026-11-24", None),
            ("2026-11-24T08:00:00.1234567890Z", None),
            ("2026-1１-24T08:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(instant(date), expected, "{date}");
        }
    }

    #[test]
    fn heads() {
        let text = "WARC/1.1\r\nwarc-type: Response\r\nWARC-Target-URI: <http://a/>\r\n\
                    X: 1\r\n 2\r\nContent-Length : 12\r\nContent-Length: 12\r\n\r\nrest";
        let mut input = text.as_bytes();
        let head = Head::read(&mut input).expect("a head");
        assert_eq!((head.kind.as_str(), head.length), ("response", 12));
        assert_eq!(head.target.as_deref(), Some("http://a/"));
        assert_eq!(input, b"rest");
        for (text, problem) in [
            ("WARC/0.9\r\n\r\n", "expected WARC/1.0"),
            (
                "WARC/1.0\r\nWARC-Type: x\r\n\r\n",
                "no readable Content-Length",
            ),
            (
                "WARC/1.0\r\nContent-Length: +1\r\n\r\n",
                "no readable Content-Length",
            ),
            (
                "WARC/1.0\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                "two values",
            ),
            ("WARC/1.0\r\nabc\r\n\r\n", "no colon"),
            ("WARC/1.0\r\nContent-Length: 1\r\n", "cut off"),
        ] {
            let found = Head::read(&mut text.as_bytes()).expect_err("a problem");
            assert!(found.message.contains(problem), "{found:?}");
        }
    }
}
