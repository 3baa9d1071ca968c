//! Runs of digits joined by single separators.

/// At most this many groups are read: the longest form has six.
const MOST_GROUPS: usize = 7;
const MOST_DIGITS: usize = 40;

/// Groups of digits from one place on: `138 1234 5678` has three.
#[derive(Debug)]
pub(crate) struct Groups {
    count: usize,
    lengths: [usize; MOST_GROUPS],
    ends: [usize; MOST_GROUPS],
    separators: [u8; MOST_GROUPS],
    digits: [u8; MOST_DIGITS],
    /// Offset into `digits` where each group ends.
    sums: [usize; MOST_GROUPS],
}

impl Groups {
    /// Reads groups of digits joined by single spaces, hyphens or full stops.
    pub(crate) fn read(bytes: &[u8], start: usize) -> Self {
        let mut groups = Self {
            count: 0,
            lengths: [0; MOST_GROUPS],
            ends: [0; MOST_GROUPS],
            separators: [0; MOST_GROUPS],
            digits: [0; MOST_DIGITS],
            sums: [0; MOST_GROUPS],
        };
        let mut at = start;
        let mut sum = 0;
        while groups.count < MOST_GROUPS {
            let length = bytes[at..]
                .iter()
                .take(MOST_DIGITS)
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            if length == 0 || sum + length > MOST_DIGITS {
                break;
            }
            groups.digits[sum..sum + length].copy_from_slice(&bytes[at..at + length]);
            sum += length;
            at += length;
            groups.lengths[groups.count] = length;
            groups.sums[groups.count] = sum;
            groups.ends[groups.count] = at;
            groups.count += 1;
            match bytes.get(at) {
                Some(&separator @ (b' ' | b'-' | b'.'))
                    if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) =>
                {
                    groups.separators[groups.count - 1] = separator;
                    at += 1;
                }
                _ => break,
            }
        }
        groups
    }

    pub(crate) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn lengths(&self) -> &[usize] {
        &self.lengths[..self.count]
    }

    /// Where group `index` ends in the text.
    pub(crate) fn end(&self, index: usize) -> usize {
        self.ends[index]
    }

    /// The separator after group `index`, 0 when it is the last.
    pub(crate) fn separator(&self, index: usize) -> u8 {
        self.separators[index]
    }

    /// The digits of the groups `from..to`.
    pub(crate) fn digits(&self, from: usize, to: usize) -> &[u8] {
        let start = from.checked_sub(1).map_or(0, |index| self.sums[index]);
        &self.digits[start..self.sums[to - 1]]
    }

    /// The separator that joins all the groups `from..to`, 0 for one group; `None` when they
    /// differ.
    pub(crate) fn uniform(&self, from: usize, to: usize) -> Option<u8> {
        let separators = &self.separators[from..to - 1];
        match separators.first() {
            None => Some(0),
            Some(&first) => separators
                .iter()
                .all(|&other| other == first)
                .then_some(first),
        }
    }

    /// Whether the groups from `from` on have these lengths and one separator, and what follows
    /// does not carry the number on: a space may, a hyphen or full stop with a digit may not.
    pub(crate) fn matches(&self, from: usize, lengths: &[usize]) -> bool {
        let to = from + lengths.len();
        to <= self.count
            && self.lengths[from..to] == *lengths
            && self.uniform(from, to).is_some()
            && matches!(self.separators[to - 1], 0 | b' ')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_groups() {
        let groups = Groups::read(b"138 1234-5678.9 x", 0);
        assert_eq!(groups.lengths(), [3, 4, 4, 1]);
        assert_eq!(groups.digits(1, 3), b"12345678");
        assert_eq!(groups.end(1), 8);
        assert_eq!(groups.uniform(0, 2), Some(b' '));
        assert_eq!(groups.uniform(0, 3), None);
        assert!(groups.matches(0, &[3]), "a space may follow");
        assert!(!groups.matches(1, &[4]), "a hyphen carries on");
    }

    #[test]
    fn long_runs_stop() {
        assert_eq!(Groups::read(&[b'1'; 60], 0).count(), 1);
        assert_eq!(Groups::read(b"1 1 1 1 1 1 1 1 1 1", 0).count(), MOST_GROUPS);
    }
}
