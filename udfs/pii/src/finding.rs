use crate::kind::{Kind, Sensitive};

/// One piece of personal information in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Where it begins, in bytes of the text, on a character border.
    pub start: usize,
    /// Where it ends, in bytes, half-open, on a character border.
    pub end: usize,
    /// Whether the kind's checksum holds, or, for kinds without one, its published structure.
    pub valid: bool,
    /// The sensitivity of the kind or of the words around it.
    pub sensitive: Option<Sensitive>,
    /// The words that raised it: the label before it and the word that makes it sensitive, as
    /// this crate spells them.
    pub context: Vec<&'static str>,
}

/// A finding before overlaps are settled.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) valid: bool,
    pub(crate) label: Option<&'static str>,
}

/// Sorts candidates by place and keeps, among those that overlap, the one whose kind has
/// precedence, then the longer, then the earlier.
pub(crate) fn settle(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by_key(|candidate| (candidate.start, candidate.end));
    let overlap = candidates
        .windows(2)
        .any(|pair| pair[1].start < pair[0].end);
    if !overlap {
        return candidates;
    }
    let mut settled = Vec::with_capacity(candidates.len());
    let mut cluster: Vec<Candidate> = Vec::new();
    let mut reach = 0;
    for candidate in candidates {
        if candidate.start >= reach {
            settle_cluster(&mut cluster, &mut settled);
        }
        reach = reach.max(candidate.end);
        cluster.push(candidate);
    }
    settle_cluster(&mut cluster, &mut settled);
    settled
}

fn settle_cluster(cluster: &mut Vec<Candidate>, settled: &mut Vec<Candidate>) {
    if cluster.len() > 1 {
        cluster.sort_by_key(|candidate| {
            let length = candidate.end - candidate.start;
            (candidate.kind, std::cmp::Reverse(length), candidate.start)
        });
        // Spans taken so far, by start: a new one is compared with its two neighbours.
        let mut taken = std::collections::BTreeMap::new();
        cluster.retain(|candidate| {
            let before = taken.range(..candidate.end).next_back();
            let free = before.is_none_or(|(_, &end)| end <= candidate.start);
            if free {
                taken.insert(candidate.start, candidate.end);
            }
            free
        });
        cluster.sort_by_key(|candidate| candidate.start);
    }
    settled.append(cluster);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(kind: Kind, start: usize, end: usize) -> Candidate {
        Candidate {
            kind,
            start,
            end,
            valid: true,
            label: None,
        }
    }

    #[test]
    fn precedence_then_length() {
        let settled = settle(vec![
            candidate(Kind::Address, 0, 10),
            candidate(Kind::Email, 8, 20),
            candidate(Kind::Name, 0, 4),
            candidate(Kind::Qq, 30, 35),
            candidate(Kind::Qq, 30, 38),
        ]);
        let kept: Vec<_> = settled.iter().map(|c| (c.kind, c.start, c.end)).collect();
        assert_eq!(
            kept,
            [(Kind::Name, 0, 4), (Kind::Email, 8, 20), (Kind::Qq, 30, 38)]
        );
    }

    #[test]
    fn touching_spans_stay() {
        let settled = settle(vec![
            candidate(Kind::Address, 5, 9),
            candidate(Kind::Address, 0, 5),
        ]);
        assert_eq!(settled.len(), 2);
        assert_eq!(settled[0].start, 0);
    }
}
