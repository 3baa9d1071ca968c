//! What a snapshot said, parsed once.

use std::sync::OnceLock;

use crate::signals::{
    AgentsApart, AiTxt, Permission, Robots, Rsl, Tdm, TdmRules, c2pa_training, header_values,
    html_signals, tdm,
};

use super::bodies::Place;
use super::link::rsl_targets;
use super::snapshot::SnapshotKind;

/// The header fields that carry a signal.
pub(super) const SIGNAL_HEADERS: [&str; 6] = [
    "X-Robots-Tag",
    "TDM-Reservation",
    "TDM-Policy",
    "Content-Usage",
    "Content-Signal",
    "Link",
];

/// A body that some snapshots share.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) kind: SnapshotKind,
    /// Where its digest and its rules lie.
    pub(super) place: Place,
    pub(super) content: Content,
}

impl Document {
    /// Reads a little of what lies in this place, so that a later look does not wait; gives any
    /// number.
    #[inline]
    pub(super) fn touch(&self) -> u64 {
        self.kind as u64 ^ u64::from(matches!(self.content, Content::Robots(_)))
    }

    /// About the bytes the content holds on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        match &self.content {
            Content::Robots(apart) => apart.get().map_or(0, AgentsApart::heap_bytes),
            Content::TdmRep(rules) => rules.heap_bytes(),
            Content::AiTxt(file) => size_of::<AiTxt>() + file.heap_bytes(),
            Content::Rsl(document) => document.heap_bytes(),
            Content::Page(signals) => signals.heap_bytes(),
            Content::C2pa(_) | Content::Absent | Content::Unreachable(_) | Content::Unseen(_) => 0,
        }
    }
}

#[derive(Debug)]
pub(super) enum Content {
    /// The agents that stand for all, see [`super::OptOutRegistry`]'s `agents_apart`. The rules
    /// lie with those of other bodies.
    Robots(OnceLock<AgentsApart>),
    TdmRep(TdmRules),
    AiTxt(Box<AiTxt>),
    Rsl(Rsl),
    Page(Box<PageSignals>),
    C2pa(Option<Permission>),
    /// The site has no such file.
    Absent,
    /// A server that failed with a status or did not answer when its robots.txt was asked for:
    /// that forbids everything (RFC 9309, section 2.3.1.4), though no rule does.
    Unreachable(Option<u16>),
    /// Nobody knows what the file says: a redirect that was not followed, a failing server.
    Unseen(u16),
}

/// What the headers or the elements of a page say.
#[derive(Debug, Default)]
pub(super) struct PageSignals {
    /// Values of `X-Robots-Tag`, or of meta elements with the agent they are for.
    pub(super) robots: Vec<(Option<String>, String)>,
    pub(super) tdm: Option<Tdm>,
    pub(super) content_usage: Vec<String>,
    pub(super) content_signal: Vec<String>,
    pub(super) rsl_links: Vec<String>,
    pub(super) rsl_inline: Vec<Rsl>,
}

impl PageSignals {
    fn of_headers(headers: &str) -> Self {
        let values = |name: &str| header_values(headers, name).map(str::to_owned).collect();
        let tags: Vec<String> = values("X-Robots-Tag");
        Self {
            robots: tags.into_iter().map(|tag| (None, tag)).collect(),
            tdm: tdm(Some(headers), None, None, ""),
            content_usage: values("Content-Usage"),
            content_signal: values("Content-Signal"),
            rsl_links: header_values(headers, "Link")
                .flat_map(rsl_targets)
                .map(str::to_owned)
                .collect(),
            rsl_inline: Vec::new(),
        }
    }

    fn of_html(html: &[u8]) -> Self {
        let signals = html_signals(html);
        let agent = |name: String| (name != "robots").then_some(name);
        Self {
            robots: signals
                .robots
                .into_iter()
                .map(|(name, content)| (agent(name), content))
                .collect(),
            tdm: tdm(None, Some(&String::from_utf8_lossy(html)), None, ""),
            content_usage: signals.content_usage,
            content_signal: Vec::new(),
            rsl_links: signals.rsl_links,
            rsl_inline: signals
                .rsl_inline
                .iter()
                .map(|xml| Rsl::parse(xml))
                .collect(),
        }
    }

    fn heap_bytes(&self) -> usize {
        let texts = [&self.content_usage, &self.content_signal, &self.rsl_links];
        let of = |texts: &Vec<String>| {
            texts.capacity() * size_of::<String>()
                + texts.iter().map(String::capacity).sum::<usize>()
        };
        let tags = self.robots.iter().map(|(agent, tag)| {
            size_of::<(Option<String>, String)>()
                + tag.capacity()
                + agent.as_ref().map_or(0, String::capacity)
        });
        let documents = self.rsl_inline.iter();
        let documents = documents.map(|document| size_of::<Rsl>() + document.heap_bytes());
        size_of::<Self>()
            + texts.into_iter().map(of).sum::<usize>()
            + tags.sum::<usize>()
            + documents.sum::<usize>()
    }
}

impl Content {
    /// Reads a body; of a robots.txt its rules, too. A status counts for the kinds of a site
    /// alone: what came with a page speaks of that page whatever its status was.
    pub(super) fn read(
        kind: SnapshotKind,
        status: Option<u16>,
        body: &[u8],
    ) -> (Self, Option<Robots>) {
        if let (SnapshotKind::Robots, Some(200..=299 | 400..=499)) = (kind, status) {
            let rules = Robots::of_status(status, body);
            return (Self::Robots(OnceLock::new()), Some(rules));
        }
        (Self::read_other(kind, status, body), None)
    }

    fn read_other(kind: SnapshotKind, status: Option<u16>, body: &[u8]) -> Self {
        match (kind, status) {
            (SnapshotKind::Robots, Some(status @ 300..=399)) => return Self::Unseen(status),
            (SnapshotKind::Robots, status) => return Self::Unreachable(status),
            (_, None | Some(200..=299)) => {}
            (_, Some(400..=499)) if kind.is_of_site() => return Self::Absent,
            (_, Some(status)) if kind.is_of_site() => return Self::Unseen(status),
            _ => {}
        }
        let text = || String::from_utf8_lossy(body);
        match kind {
            SnapshotKind::Robots | SnapshotKind::TdmRep => Self::TdmRep(TdmRules::parse(body)),
            SnapshotKind::AiTxt => Self::AiTxt(Box::new(AiTxt::parse(&text()))),
            SnapshotKind::Rsl => Self::Rsl(Rsl::parse(&text())),
            SnapshotKind::Headers => Self::Page(Box::new(PageSignals::of_headers(&text()))),
            SnapshotKind::Html => Self::Page(Box::new(PageSignals::of_html(body))),
            SnapshotKind::C2pa => Self::C2pa(c2pa_training(&text())),
        }
    }
}
