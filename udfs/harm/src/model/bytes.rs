//! Reading numbers off a byte slice without ever trusting a size before the bytes are there.

/// What went wrong, with the byte it went wrong at.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadBytes {
    pub(super) at: usize,
    pub(super) message: String,
}

pub(super) type Result<T> = std::result::Result<T, BadBytes>;

/// A cursor over the bytes of a model.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub(super) fn fail<T>(&self, message: impl Into<String>) -> Result<T> {
        Err(BadBytes {
            at: self.at,
            message: message.into(),
        })
    }

    /// The next `count` bytes, called `what` in errors.
    pub(super) fn take(&mut self, count: usize, what: &str) -> Result<&'a [u8]> {
        let left = self.left();
        if count > left {
            return self.fail(format!(
                "the file ends within {what}: {count} bytes are needed, {left} are left"
            ));
        }
        let taken = &self.bytes[self.at..self.at + count];
        self.at += count;
        Ok(taken)
    }

    /// The next `count` items of `N` bytes each.
    pub(super) fn take_many<const N: usize>(
        &mut self,
        count: usize,
        what: &str,
    ) -> Result<&'a [[u8; N]]> {
        let Some(length) = count.checked_mul(N) else {
            return self.fail(format!("{what} would be larger than memory"));
        };
        Ok(self.take(length, what)?.as_chunks().0)
    }

    fn number<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        Ok(self.take_many::<N>(1, what)?[0])
    }

    pub(super) fn u8(&mut self, what: &str) -> Result<u8> {
        Ok(self.number::<1>(what)?[0])
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32> {
        Ok(u32::from_le_bytes(self.number(what)?))
    }

    pub(super) fn i32(&mut self, what: &str) -> Result<i32> {
        Ok(i32::from_le_bytes(self.number(what)?))
    }

    pub(super) fn u64(&mut self, what: &str) -> Result<u64> {
        Ok(u64::from_le_bytes(self.number(what)?))
    }

    pub(super) fn i64(&mut self, what: &str) -> Result<i64> {
        Ok(i64::from_le_bytes(self.number(what)?))
    }

    /// A truth value of one byte, 0 or 1.
    pub(super) fn bool(&mut self, what: &str) -> Result<bool> {
        match self.u8(what)? {
            0 => Ok(false),
            1 => Ok(true),
            other => self.fail(format!("{what} is neither 0 nor 1 but {other}")),
        }
    }

    /// A signed 32-bit count that must not be negative.
    pub(super) fn count32(&mut self, what: &str) -> Result<usize> {
        let value = self.i32(what)?;
        match usize::try_from(value) {
            Ok(value) => Ok(value),
            Err(_) => self.fail(format!("{what} is negative: {value}")),
        }
    }

    /// A signed 64-bit count that must not be negative.
    pub(super) fn count64(&mut self, what: &str) -> Result<usize> {
        let value = self.i64(what)?;
        match usize::try_from(value) {
            Ok(value) => Ok(value),
            Err(_) => self.fail(format!("{what} is negative or too large: {value}")),
        }
    }

    /// `count` 32-bit numbers; an error when one is not finite or beyond 1e9, which no trained
    /// weight is and with which sums could overflow.
    pub(super) fn weights(&mut self, count: usize, what: &str) -> Result<Vec<f32>> {
        let start = self.at;
        let raw = self.take_many::<4>(count, what)?;
        let weights: Vec<f32> = raw.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
        match weights
            .iter()
            .position(|weight| weight.is_nan() || weight.abs() > 1e9)
        {
            None => Ok(weights),
            Some(position) => Err(BadBytes {
                at: start + position * 4,
                message: format!("{what} holds {}, which is no weight", weights[position]),
            }),
        }
    }

    /// The bytes up to the next zero, which is consumed.
    pub(super) fn until_zero(&mut self, what: &str) -> Result<&'a [u8]> {
        match self.bytes[self.at..].iter().position(|byte| *byte == 0) {
            Some(length) => {
                let taken = &self.bytes[self.at..self.at + length];
                self.at += length + 1;
                Ok(taken)
            }
            None => self.fail(format!("the file ends within {what}")),
        }
    }
}
