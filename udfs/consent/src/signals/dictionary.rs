//! Dictionaries of structured fields, RFC 9651 §4.2.2, as far as a preference needs them.

use super::lines::trim;

/// The value of a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A token.
    Token(&'a [u8]),
    /// Any other item, a list, or nothing, which is the Boolean true.
    Other,
}

/// The input is no dictionary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// All members in their order; of a repeated key the last one counts (RFC 9651 §3.2).
///
/// White space around the whole is not part of the field.
pub(super) fn members(input: &[u8]) -> Result<Vec<(&[u8], Value<'_>)>, Malformed> {
    let mut members = Vec::new();
    let mut input = Input { rest: trim(input) };
    if input.rest.is_empty() {
        return Ok(members);
    }
    loop {
        let key = input.key()?;
        let value = if input.take(b'=') {
            input.value()?
        } else {
            Value::Other
        };
        input.parameters()?;
        members.push((key, value));
        input.skip(b" \t");
        if input.rest.is_empty() {
            return Ok(members);
        }
        input.expect(b',')?;
        input.skip(b" \t");
        if input.rest.is_empty() {
            return Err(Malformed);
        }
    }
}

struct Input<'a> {
    rest: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        self.take(byte).then_some(()).ok_or(Malformed)
    }

    fn skip(&mut self, blanks: &[u8]) {
        self.take_while(|byte| blanks.contains(&byte));
    }

    fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|&byte| !wanted(byte));
        let (head, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        head
    }

    /// §4.2.3.3.
    fn key(&mut self) -> Result<&'a [u8], Malformed> {
        match self.rest.first() {
            Some(b'a'..=b'z' | b'*') => Ok(self.take_while(|byte| {
                byte.is_ascii_lowercase()
                    || byte.is_ascii_digit()
                    || matches!(byte, b'_' | b'-' | b'.' | b'*')
            })),
            _ => Err(Malformed),
        }
    }

    /// An item or an inner list, §4.2.1.1, without its parameters.
    fn value(&mut self) -> Result<Value<'a>, Malformed> {
        if !self.take(b'(') {
            return self.item();
        }
        loop {
            self.skip(b" ");
            if self.take(b')') {
                return Ok(Value::Other);
            }
            self.item()?;
            self.parameters()?;
            if !matches!(self.rest.first(), Some(b' ' | b')')) {
                return Err(Malformed);
            }
        }
    }

    /// §4.2.3.2.
    fn parameters(&mut self) -> Result<(), Malformed> {
        while self.take(b';') {
            self.skip(b" ");
            self.key()?;
            if self.take(b'=') {
                self.item()?;
            }
        }
        Ok(())
    }

    /// §4.2.3.1.
    fn item(&mut self) -> Result<Value<'a>, Malformed> {
        match self.rest.first() {
            Some(b'A'..=b'Z' | b'a'..=b'z' | b'*') => {
                return Ok(Value::Token(self.take_while(is_token_byte)));
            }
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'"') => self.string()?,
            Some(b':') => {
                self.take(b':');
                self.take_while(|byte| {
                    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
                });
                self.expect(b':')?;
            }
            Some(b'?') => {
                self.take(b'?');
                if !self.take(b'0') {
                    self.expect(b'1')?;
                }
            }
            Some(b'@') => {
                self.take(b'@');
                if self.number_is_decimal()? {
                    return Err(Malformed);
                }
            }
            Some(b'%') => {
                self.take(b'%');
                self.display_string()?;
            }
            _ => return Err(Malformed),
        }
        Ok(Value::Other)
    }

    fn number(&mut self) -> Result<(), Malformed> {
        self.number_is_decimal().map(|_| ())
    }

    /// §4.2.4: up to 15 digits, or up to 12 and a fraction of one to three.
    fn number_is_decimal(&mut self) -> Result<bool, Malformed> {
        self.take(b'-');
        let whole = self.take_while(|byte| byte.is_ascii_digit()).len();
        if !self.take(b'.') {
            return if (1..=15).contains(&whole) {
                Ok(false)
            } else {
                Err(Malformed)
            };
        }
        let fraction = self.take_while(|byte| byte.is_ascii_digit()).len();
        if (1..=12).contains(&whole) && (1..=3).contains(&fraction) {
            Ok(true)
        } else {
            Err(Malformed)
        }
    }

    /// §4.2.5.
    fn string(&mut self) -> Result<(), Malformed> {
        self.expect(b'"')?;
        loop {
            self.take_while(|byte| (b' '..=b'~').contains(&byte) && !matches!(byte, b'"' | b'\\'));
            if self.take(b'"') {
                return Ok(());
            }
            self.expect(b'\\')?;
            if !self.take(b'"') {
                self.expect(b'\\')?;
            }
        }
    }

    /// §4.2.10; whether the octets are UTF-8 is not looked at, nothing reads them.
    fn display_string(&mut self) -> Result<(), Malformed> {
        self.expect(b'"')?;
        loop {
            self.take_while(|byte| (b' '..=b'~').contains(&byte) && !matches!(byte, b'"' | b'%'));
            if self.take(b'"') {
                return Ok(());
            }
            self.expect(b'%')?;
            for _ in 0..2 {
                match self.rest.first() {
                    Some(b'0'..=b'9' | b'a'..=b'f') => self.rest = &self.rest[1..],
                    _ => return Err(Malformed),
                }
            }
        }
    }
}

/// §4.2.6.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed() {
        for (input, expected) in [
            ("", vec![]),
            (" a=y ", vec![("a", Some("y"))]),
            ("a=y,b=n", vec![("a", Some("y")), ("b", Some("n"))]),
            ("a=y\t, \tb;p=1;q", vec![("a", Some("y")), ("b", None)]),
            (
                "a=\"x\\\"y\\\\\", *b-1._=?0",
                vec![("a", None), ("*b-1._", None)],
            ),
            (
                "a=(1 2.5 tok;x \"s\"), b=()",
                vec![("a", None), ("b", None)],
            ),
            (
                "a=:aGk=:, b=@1659578233, c=%\"f%c3%bc\"",
                vec![("a", None), ("b", None), ("c", None)],
            ),
            ("a=-12.5, b=A/b:c", vec![("a", None), ("b", Some("A/b:c"))]),
        ] {
            let found: Vec<_> = members(input.as_bytes())
                .expect(input)
                .into_iter()
                .map(|(key, value)| match value {
                    Value::Token(token) => (key, Some(token)),
                    Value::Other => (key, None),
                })
                .collect();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(key, token)| (key.as_bytes(), token.map(str::as_bytes)))
                .collect();
            assert_eq!(found, expected, "{input}");
        }
    }

    #[test]
    fn malformed() {
        for input in [
            ",",
            "a,",
            "a,,b",
            "A=y",
            "a=",
            "a =y",
            "a= y",
            "1=y",
            "a=y b=n",
            "a=\"x",
            "a=\"\\x\"",
            "a=?2",
            "a=1.",
            "a=1.2345",
            "a=1234567890123456",
            "a=(1",
            "a=(1\t2)",
            "a=(1,2)",
            "a=:x",
            "a=@1.5",
            "a=%\"%C3\"",
            "a;",
            "a;=1",
            "a;P",
            "-a",
            "a=y;b= 1",
            "a=é",
            "é=y",
        ] {
            assert_eq!(members(input.as_bytes()), Err(Malformed), "{input}");
        }
    }
}
