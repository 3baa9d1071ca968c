//! One allocation for everything a robots.txt says.
//!
//! Six counts, then the records of fixed length one kind after the other, then the text they
//! point into. A lookup reads the beginning and, of the access rules of a group, one after the
//! other until one matches; the text only where the first bytes of a pattern are those of the
//! path.

use super::{Scope, SignalKind};
use crate::signals::path::Target;

/// A piece of the shared text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::signals) struct Span {
    pub(in crate::signals) start: u32,
    pub(in crate::signals) len: u32,
}

impl Span {
    pub(in crate::signals) fn of(self, text: &[u8]) -> &[u8] {
        let start = self.start as usize;
        &text[start..start + self.len as usize]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::signals) struct AgentGroup {
    /// In lower case.
    pub(in crate::signals) token: Span,
    pub(in crate::signals) group: u32,
}

/// Where the rules of a group end; they begin where those of the one before end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::signals) struct Group {
    pub(in crate::signals) access_end: u32,
    pub(in crate::signals) signals_end: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::signals) struct AccessRule {
    pub(in crate::signals) pattern: Span,
    /// The line, and in the two highest bits whether it allows and has wildcards.
    bits: u32,
    /// The first bytes of the pattern up to its first wildcard, filled up with zeros, which no
    /// pattern has.
    head: u32,
}

const ALLOWS: u32 = 1 << 31;
const HAS_WILDCARDS: u32 = 1 << 30;
const HEAD: usize = size_of::<u32>();

impl AccessRule {
    /// `octets` is what the pattern stands for in the text.
    pub(in crate::signals) fn new(pattern: Span, octets: &[u8], line: u32, allow: bool) -> Self {
        let wildcards = octets.contains(&b'*') || octets.ends_with(b"$");
        let flag = |set: bool, flag: u32| if set { flag } else { 0 };
        let literal = match memchr::memchr(b'*', octets) {
            Some(star) => &octets[..star],
            None => octets.strip_suffix(b"$").unwrap_or(octets),
        };
        Self {
            pattern,
            // A file within the limit has fewer lines than 2^30.
            bits: line | flag(allow, ALLOWS) | flag(wildcards, HAS_WILDCARDS),
            head: Target::head_of(literal),
        }
    }

    pub(in crate::signals) fn allows(self) -> bool {
        self.bits & ALLOWS != 0
    }

    pub(super) fn line(self) -> usize {
        (self.bits & !(ALLOWS | HAS_WILDCARDS)) as usize
    }

    #[inline]
    pub(super) fn matches(self, text: &[u8], target: &Target) -> bool {
        if !target.may_begin_with(self.head) {
            return false;
        }
        let pattern = self.pattern;
        if self.bits & HAS_WILDCARDS != 0 {
            target.matches(pattern.of(text))
        } else {
            let is_head = pattern.len as usize <= HEAD && target.is_one_form();
            is_head || target.starts_with(pattern.of(text))
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::signals) struct SignalRule {
    pub(in crate::signals) kind: SignalKind,
    pub(in crate::signals) pattern: Span,
    pub(in crate::signals) value: Span,
}

/// A record of `N` bytes.
pub(super) trait Record<const N: usize>: Copy {
    fn write(self) -> [u8; N];
    fn read(bytes: &[u8; N]) -> Self;
}

/// Numbers as bytes and back.
macro_rules! record {
    ($type:ty, $length:literal, $numbers:literal, $write:expr, $read:expr) => {
        impl Record<$length> for $type {
            fn write(self) -> [u8; $length] {
                let numbers: [u32; $numbers] = $write(self);
                let mut bytes = [0; $length];
                for (place, number) in bytes.as_chunks_mut().0.iter_mut().zip(numbers) {
                    *place = number.to_le_bytes();
                }
                bytes
            }

            #[inline]
            fn read(bytes: &[u8; $length]) -> Self {
                let number = |at: usize| {
                    let at = at * 4;
                    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
                };
                $read(std::array::from_fn::<u32, $numbers, _>(number))
            }
        }
    };
}

record!(
    Group,
    8,
    2,
    |group: Self| [group.access_end, group.signals_end],
    |[access_end, signals_end]: [u32; 2]| Self {
        access_end,
        signals_end
    }
);
record!(
    AgentGroup,
    12,
    3,
    |entry: Self| [entry.token.start, entry.token.len, entry.group],
    |[start, len, group]: [u32; 3]| Self {
        token: Span { start, len },
        group
    }
);
record!(
    AccessRule,
    16,
    4,
    |rule: Self| [rule.pattern.start, rule.pattern.len, rule.bits, rule.head],
    |[start, len, bits, head]: [u32; 4]| Self {
        pattern: Span { start, len },
        bits,
        head
    }
);
record!(
    SignalRule,
    20,
    5,
    |rule: Self| {
        let (pattern, value) = (rule.pattern, rule.value);
        let kind = u32::from(rule.kind == SignalKind::ContentSignal);
        [pattern.start, pattern.len, value.start, value.len, kind]
    },
    |[start, len, value_start, value_len, kind]: [u32; 5]| Self {
        kind: match kind {
            0 => SignalKind::ContentUsage,
            _ => SignalKind::ContentSignal,
        },
        pattern: Span { start, len },
        value: Span {
            start: value_start,
            len: value_len
        },
    }
);
record!(
    Span,
    8,
    2,
    |span: Self| [span.start, span.len],
    |[start, len]: [u32; 2]| Self { start, len }
);

/// The counts: groups, agents, access rules, signals, licences, and scope with truncation.
const HEADER: usize = 24;

/// What a file is put together from.
pub(in crate::signals) struct Parts {
    pub(in crate::signals) scope: Scope,
    pub(in crate::signals) truncated: bool,
    /// Group 0 holds what stands before the first group.
    pub(in crate::signals) groups: Vec<Group>,
    /// In the order of [`super::compare`]; an agent with several groups stands several times.
    pub(in crate::signals) agents: Vec<AgentGroup>,
    /// Of each group, the longest pattern first, and `Allow` before `Disallow`.
    pub(in crate::signals) access: Vec<AccessRule>,
    pub(in crate::signals) signals: Vec<SignalRule>,
    pub(in crate::signals) licenses: Vec<Span>,
    /// Tokens, patterns and preferences, one after the other.
    pub(in crate::signals) text: Vec<u8>,
}

impl Parts {
    pub(in crate::signals) fn flatten(&self) -> Box<[u8]> {
        let flags = self.scope as u32 | u32::from(self.truncated) << 8;
        let counts = [
            self.groups.len() as u32,
            self.agents.len() as u32,
            self.access.len() as u32,
            self.signals.len() as u32,
            self.licenses.len() as u32,
            flags,
        ];
        let mut bytes = Vec::with_capacity(
            HEADER
                + self.groups.len() * 8
                + self.agents.len() * 12
                + self.access.len() * 16
                + self.signals.len() * 20
                + self.licenses.len() * 8
                + self.text.len(),
        );
        bytes.extend(counts.into_iter().flat_map(u32::to_le_bytes));
        bytes.extend(self.groups.iter().flat_map(|record| record.write()));
        bytes.extend(self.agents.iter().flat_map(|record| record.write()));
        bytes.extend(self.access.iter().flat_map(|record| record.write()));
        bytes.extend(self.signals.iter().flat_map(|record| record.write()));
        bytes.extend(self.licenses.iter().flat_map(|record| record.write()));
        bytes.extend_from_slice(&self.text);
        bytes.into_boxed_slice()
    }
}

/// Records that are read where they lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Table<'a, const N: usize>(&'a [[u8; N]]);

impl<'a, const N: usize> Table<'a, N> {
    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub(super) fn get<T: Record<N>>(self, place: u32) -> T {
        T::read(&self.0[place as usize])
    }

    /// The records between two places; `None` where there is no such piece.
    #[inline]
    pub(super) fn part(self, start: u32, end: u32) -> Option<Self> {
        self.0.get(start as usize..end as usize).map(Self)
    }

    #[inline]
    pub(super) fn iter<T: Record<N>>(self) -> impl Iterator<Item = T> + use<'a, T, N> {
        self.0.iter().map(T::read)
    }

    pub(super) fn partition_point<T: Record<N>>(self, is_before: impl Fn(T) -> bool) -> usize {
        self.0.partition_point(|bytes| is_before(T::read(bytes)))
    }
}

pub(super) type Groups<'a> = Table<'a, 8>;
pub(super) type Agents<'a> = Table<'a, 12>;
pub(super) type Access<'a> = Table<'a, 16>;
pub(super) type Signals<'a> = Table<'a, 20>;
pub(super) type Licenses<'a> = Table<'a, 8>;

/// A flat robots.txt taken apart again, without copying.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) scope: Scope,
    pub(super) truncated: bool,
    pub(super) groups: Groups<'a>,
    pub(super) agents: Agents<'a>,
    pub(super) access: Access<'a>,
    pub(super) signals: Signals<'a>,
    pub(super) licenses: Licenses<'a>,
    pub(super) text: &'a [u8],
}

impl<'a> View<'a> {
    #[inline]
    pub(super) fn of(bytes: &'a [u8]) -> Self {
        let (header, rest) = bytes.split_at(HEADER);
        let (counts, _) = header.as_chunks::<4>();
        let count = |place: usize| u32::from_le_bytes(counts[place]);
        let (groups, rest) = records(rest, count(0));
        let (agents, rest) = records(rest, count(1));
        let (access, rest) = records(rest, count(2));
        let (signals, rest) = records(rest, count(3));
        let (licenses, text) = records(rest, count(4));
        let flags = count(5);
        Self {
            scope: match flags & 0xFF {
                0 => Scope::Rules,
                1 => Scope::AllAllowed,
                _ => Scope::AllDisallowed,
            },
            truncated: flags >> 8 != 0,
            groups,
            agents,
            access,
            signals,
            licenses,
            text,
        }
    }

    /// Where the signals and the access rules of a group begin.
    #[inline]
    pub(super) fn starts(&self, group: u32) -> (u32, u32) {
        match group.checked_sub(1) {
            Some(before) => {
                let before: Group = self.groups.get(before);
                (before.signals_end, before.access_end)
            }
            None => (0, 0),
        }
    }
}

#[inline]
fn records<const N: usize>(bytes: &[u8], count: u32) -> (Table<'_, N>, &[u8]) {
    let (records, rest) = bytes.split_at(count as usize * N);
    (Table(records.as_chunks().0), rest)
}
