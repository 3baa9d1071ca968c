//! Snapshots out of WARC files (ISO 28500): `.warc` and `.warc.gz`, versions 1.0 and 1.1.
//!
//! The reader is written here: an import has to say where in the file a record is broken, go
//! on behind it and hold no more than one capped body, which the crates at hand do not offer.
//!
//! What becomes a snapshot, of `response` records with an `http` or `https` target:
//!
//! - robots.txt, `/.well-known/tdmrep.json`, `/ai.txt` and `/.well-known/ai.txt` with their
//!   status, whatever it is; HTML in the place of the last three counts as 404. A redirect to
//!   the same site is passed over (what it leads to has a record of its own), as is 304, which
//!   brings no body.
//! - RSL documents: by content type, by their root element in any XML, or because a robots.txt
//!   or a `Link` field before them in the file points to them.
//! - Of every other answer one snapshot of the header fields that carry a signal, and for HTML
//!   one of the elements that do; none where there are none. Also from 304 (the fields alone).
//! - A `revisit` has no body: of a page its header fields count, of a file of the site nothing;
//!   the earlier snapshot ages.
//!
//! Nothing is lost in silence: a record that is broken is an error with its offset, its number
//! and its id, and is counted; the import goes on at the next record it can find. That search
//! may begin within a broken record, so an import that had errors should not be trusted more
//! than the crawl it comes from.

mod http;
mod input;
mod page;
mod record;

use std::collections::HashSet;
use std::fmt;
use std::io::{self, BufRead, Read};

use crate::address::Address;
use crate::keyed::Key;
use crate::signals::Robots;

use super::link::rsl_targets;
use super::snapshot::{Snapshot, SnapshotKind};
use http::HttpHead;
use input::RecordBytes;
use record::{Head, Problem, instant};

/// The most bytes of a robots.txt that are kept: what its parser reads.
const ROBOTS_LIMIT: usize = Robots::MAX_BYTES;
/// The most bytes of a tdmrep.json, an ai.txt, an RSL document.
const FILE_LIMIT: usize = 4 << 20;
/// The most bytes of a page that are looked at: what its parser reads.
const PAGE_LIMIT: usize = crate::signals::HTML_LIMIT;
/// The most bytes of an HTTP head.
const HTTP_HEAD_LIMIT: usize = 256 << 10;
/// How many links to RSL documents are remembered.
const MOST_LINKS: usize = 1 << 20;

/// A record that could not be used, or a file that could not be read further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarcError {
    /// Where the record begins in the file; of several in one gzip member, the member.
    pub offset: u64,
    /// Its number in the file, from 1.
    pub record: u64,
    /// Its `WARC-Record-ID`, when that could be read.
    pub record_id: Option<String>,
    /// What is wrong.
    pub message: String,
    /// The file itself could not be read: the import ends here.
    pub is_fatal: bool,
}

impl fmt::Display for WarcError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "record {} at offset {}",
            self.record, self.offset
        )?;
        if let Some(id) = &self.record_id {
            write!(formatter, " ({id})")?;
        }
        write!(formatter, ": {}", self.message)
    }
}

impl std::error::Error for WarcError {}

/// What an import met. All records are in `records`; `errors` of them were broken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WarcStatistics {
    /// Records that were begun.
    pub records: u64,
    /// Those of type `response` with an HTTP answer.
    pub responses: u64,
    /// Those of other types, or with a target that is not of the web.
    pub others: u64,
    /// `revisit` records.
    pub revisits: u64,
    /// Answers 304 for a file of a site.
    pub not_modified: u64,
    /// Redirects of a file of a site within that site.
    pub redirects: u64,
    /// HTML in the place of a tdmrep.json or ai.txt: the site's page for what it has not.
    pub pages_instead: u64,
    /// Answers that were cut at the limit of their kind.
    pub cut: u64,
    /// Snapshots that were given.
    pub snapshots: u64,
    /// Records that could not be used.
    pub errors: u64,
    /// Links to RSL documents that were not remembered, there were too many.
    pub links_forgotten: u64,
}

/// Reads the snapshots of a WARC file one by one, in bounded memory.
///
/// After an error the iterator goes on, unless the error is fatal.
pub struct WarcImport<R> {
    state: State<R>,
    /// Reversed: the next is the last.
    ready: Vec<Snapshot>,
    /// Pages that links to RSL documents lead to.
    links: HashSet<Key>,
    statistics: WarcStatistics,
}

enum State<R> {
    New(R),
    Open(RecordBytes<R>),
    Over,
}

impl<R: Read> WarcImport<R> {
    /// An import of the file that `reader` reads. gzip is recognised by its first bytes. The
    /// reader is asked for large pieces: it needs no buffer of its own.
    pub fn new(reader: R) -> Self {
        Self {
            state: State::New(reader),
            ready: Vec::new(),
            links: HashSet::new(),
            statistics: WarcStatistics::default(),
        }
    }

    /// What was met so far.
    pub fn statistics(&self) -> WarcStatistics {
        self.statistics
    }

    fn fatal(&mut self, error: &io::Error, offset: u64) -> WarcError {
        self.state = State::Over;
        self.statistics.errors += 1;
        WarcError {
            offset,
            record: self.statistics.records,
            record_id: None,
            message: format!("the file cannot be read: {error}"),
            is_fatal: true,
        }
    }

    /// Reads one record into `ready`. `None` at the end of the file.
    fn step(&mut self) -> Option<Result<(), WarcError>> {
        let mut input = match std::mem::replace(&mut self.state, State::Over) {
            State::Over => return None,
            State::Open(input) => input,
            State::New(reader) => match RecordBytes::new(reader) {
                Ok(input) => input,
                Err(error) => return Some(Err(self.fatal(&error, 0))),
            },
        };
        let mut record_id = None;
        let result = match input.advance() {
            Ok(false) => return None,
            Ok(true) => {
                self.statistics.records += 1;
                self.record(&mut input, &mut record_id)
            }
            Err(error) => {
                self.statistics.records += 1;
                Err(error.into())
            }
        };
        let Err(problem) = result else {
            self.state = State::Open(input);
            return Some(Ok(()));
        };
        let offset = input.offset();
        let resumed = if input.has_failed() {
            Err(io::Error::other(problem.message.clone()))
        } else if problem.is_past {
            Ok(())
        } else {
            input.resynchronise(problem.is_damaged)
        };
        if let Err(error) = resumed {
            return Some(Err(self.fatal(&error, offset)));
        }
        self.state = State::Open(input);
        self.statistics.errors += 1;
        Some(Err(WarcError {
            offset,
            record: self.statistics.records,
            record_id,
            message: problem.message,
            is_fatal: false,
        }))
    }

    fn record(
        &mut self,
        input: &mut RecordBytes<R>,
        record_id: &mut Option<String>,
    ) -> Result<(), Problem> {
        let head = Head::read(input)?;
        record_id.clone_from(&head.record_id);
        let mut block = Block {
            input,
            left: head.length,
        };
        let found = self.answer(&head, &mut block);
        match found {
            // What is wrong within a block does not hide where the next record begins.
            Err(problem) if problem.is_past => {
                block.close()?;
                Err(problem)
            }
            Err(problem) => Err(problem),
            Ok(snapshots) => {
                // Before anything is given: a block with a wrong length is none.
                block.close()?;
                self.statistics.snapshots += snapshots.len() as u64;
                self.ready.extend(snapshots.into_iter().rev());
                Ok(())
            }
        }
    }

    /// The snapshots in a record. A problem marked as past leaves the block readable.
    fn answer(&mut self, head: &Head, block: &mut Block<'_, R>) -> Result<Vec<Snapshot>, Problem> {
        let is_revisit = head.kind == "revisit";
        let is_http = head.content_type.starts_with("application/http");
        let target = head.target.as_deref();
        let address = target.and_then(Address::parse).filter(Address::is_http);
        let (Some(target), Some(address), true) = (
            target,
            address,
            (is_revisit || head.kind == "response") && is_http,
        ) else {
            self.statistics.others += 1;
            return Ok(Vec::new());
        };
        let fetched_at = head.date.as_deref().and_then(instant);
        let fetched_at =
            fetched_at.ok_or_else(|| Problem::past("no WARC-Date that names an instant"))?;
        if head.is_segment {
            return Err(Problem::past("the answer is split over several records"));
        }
        let mut bytes = Vec::new();
        block.read_http_head(&mut bytes)?;
        if is_revisit {
            self.statistics.revisits += 1;
            if bytes.is_empty() {
                return Ok(Vec::new());
            }
        } else {
            self.statistics.responses += 1;
        }
        let (http, length) = HttpHead::parse(&bytes).map_err(Problem::past)?;
        let mut answer = Answer {
            url: address.url(),
            address: &address,
            fetched_at,
            http,
            body: bytes.split_off(length),
            is_whole: !head.is_truncated,
            is_cut: false,
        };
        for link in answer.http.values("link").flat_map(rsl_targets) {
            remember(&mut self.links, &mut self.statistics, target, link);
        }
        if let Some(kind) = SnapshotKind::of_path(address.rest()) {
            if is_revisit || !self.is_told(&answer) {
                return Ok(Vec::new());
            }
            let limit = match kind {
                SnapshotKind::Robots => ROBOTS_LIMIT,
                _ => FILE_LIMIT,
            };
            let mut snapshot = self.file(kind, &mut answer, block, limit)?;
            // Such a page is no declaration of the site, and not a broken one either: the
            // site has no such file, as if the status had said so.
            let is_page = page::is_html(&answer.http.media_type())
                && snapshot.body.trim_ascii_start().starts_with(b"<");
            if is_page && kind != SnapshotKind::Robots {
                self.statistics.pages_instead += 1;
                answer.http.status = 404;
                snapshot = answer.snapshot(kind, Vec::new());
            }
            if kind == SnapshotKind::Robots {
                for link in Robots::of_status(snapshot.status, &snapshot.body).license_urls() {
                    remember(&mut self.links, &mut self.statistics, target, link);
                }
            }
            return Ok(vec![snapshot]);
        }
        let mut snapshots = Vec::new();
        snapshots.extend(answer.headers());
        let has_body = !is_revisit && answer.http.status != 304;
        let media_type = answer.http.media_type();
        if !has_body {
            return Ok(snapshots);
        }
        let is_rsl =
            media_type == "application/rsl+xml" || self.links.contains(&address.page_key());
        if is_rsl {
            snapshots.push(self.file(SnapshotKind::Rsl, &mut answer, block, FILE_LIMIT)?);
        } else if media_type.ends_with("/xml") {
            answer.read(block, FILE_LIMIT)?;
            if page::is_rsl(&answer.body) {
                snapshots.push(self.file(SnapshotKind::Rsl, &mut answer, block, FILE_LIMIT)?);
            }
        } else if page::is_html(&media_type) {
            answer.read(block, PAGE_LIMIT)?;
            self.statistics.cut += u64::from(answer.is_cut);
            let html = page::minimal(&answer.body, answer.is_cut || !answer.is_whole)
                .map_err(Problem::past)?;
            let body = html.map(String::into_bytes);
            snapshots.extend(body.map(|body| answer.snapshot(SnapshotKind::Html, body)));
        }
        Ok(snapshots)
    }

    /// Whether an answer to the request for a file of the site tells what the file says.
    fn is_told(&mut self, answer: &Answer<'_>) -> bool {
        let status = answer.http.status;
        if status == 304 {
            self.statistics.not_modified += 1;
            return false;
        }
        let location = answer.http.values("location").next();
        let target = location.and_then(|location| page::resolve(answer.url, location));
        let target = target.as_deref().and_then(Address::parse);
        let is_within = target.is_some_and(|target| target.site() == answer.address.site());
        if (300..400).contains(&status) && is_within {
            self.statistics.redirects += 1;
            return false;
        }
        true
    }

    /// A file of a site. Cut short, it might say less than it should: an error, but for
    /// robots.txt, whose reading ends at its limit.
    fn file(
        &mut self,
        kind: SnapshotKind,
        answer: &mut Answer<'_>,
        block: &mut Block<'_, R>,
        limit: usize,
    ) -> Result<Snapshot, Problem> {
        // The body of an error page says nothing.
        if !(200..300).contains(&answer.http.status) {
            return Ok(answer.snapshot(kind, Vec::new()));
        }
        answer.read(block, limit)?;
        if answer.is_cut {
            self.statistics.cut += 1;
        }
        let is_short = match kind {
            SnapshotKind::Robots => !answer.is_whole && answer.body.len() < limit,
            _ => !answer.is_whole || answer.is_cut,
        };
        if is_short {
            return Err(Problem::past(format!("the {} is not whole", kind.as_str())));
        }
        let body = std::mem::take(&mut answer.body);
        Ok(answer.snapshot(kind, body))
    }
}

fn remember(links: &mut HashSet<Key>, statistics: &mut WarcStatistics, base: &str, link: &str) {
    let Some(target) = page::resolve(base, link) else {
        return;
    };
    if links.len() < MOST_LINKS {
        links.extend(Address::parse(&target).map(|target| target.page_key()));
    } else {
        statistics.links_forgotten += 1;
    }
}

impl<R: Read> Iterator for WarcImport<R> {
    type Item = Result<Snapshot, WarcError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(snapshot) = self.ready.pop() {
                return Some(Ok(snapshot));
            }
            if let Err(error) = self.step()? {
                return Some(Err(error));
            }
        }
    }
}

impl<R> fmt::Debug for WarcImport<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WarcImport")
            .field("statistics", &self.statistics)
            .finish_non_exhaustive()
    }
}

/// The block of a record.
struct Block<'a, R> {
    input: &'a mut RecordBytes<R>,
    left: u64,
}

impl<R: Read> Block<'_, R> {
    /// Reads up to `most` bytes more.
    fn read(&mut self, into: &mut Vec<u8>, most: usize) -> Result<(), Problem> {
        let wanted = self.left.min(most as u64);
        let read = self.input.by_ref().take(wanted).read_to_end(into)? as u64;
        self.left -= read;
        if read < wanted {
            return Err(Problem::new("the record is cut off"));
        }
        Ok(())
    }

    /// Reads line by line to the empty line after an HTTP head, or to the block's end.
    fn read_http_head(&mut self, into: &mut Vec<u8>) -> Result<(), Problem> {
        while self.left > 0 && into.len() < HTTP_HEAD_LIMIT {
            let start = into.len();
            let most = self.left.min((HTTP_HEAD_LIMIT - start) as u64);
            let read = self.input.by_ref().take(most).read_until(b'\n', into)?;
            self.left -= read as u64;
            if read == 0 {
                return Err(Problem::new("the record is cut off"));
            }
            if matches!(&into[start..], b"\n" | b"\r\n") {
                break;
            }
        }
        Ok(())
    }

    /// Passes over the rest, and checks that the record ends here: two line ends (clause 4),
    /// or at least the end of the member or of the file.
    fn close(&mut self) -> Result<(), Problem> {
        let skipped = io::copy(&mut self.input.by_ref().take(self.left), &mut io::sink())?;
        if skipped < self.left {
            return Err(Problem::new("the record is cut off"));
        }
        self.left = 0;
        let mut end = Vec::new();
        self.input.by_ref().take(4).read_to_end(&mut end)?;
        match &end[..] {
            b"" | b"\r\n" | b"\r\n\r\n" => Ok(self.input.verify()?),
            _ => Err(Problem::new(
                "the record does not end where its Content-Length says",
            )),
        }
    }
}

/// An HTTP answer.
struct Answer<'a> {
    url: &'a str,
    address: &'a Address<'a>,
    fetched_at: i64,
    http: HttpHead,
    body: Vec<u8>,
    is_whole: bool,
    is_cut: bool,
}

impl Answer<'_> {
    fn snapshot(&self, kind: SnapshotKind, body: Vec<u8>) -> Snapshot {
        let status = Some(self.http.status);
        Snapshot::new(self.url.to_owned(), self.fetched_at, kind, status, body)
    }

    /// The header fields that carry a signal.
    fn headers(&self) -> Option<Snapshot> {
        let mut text = String::new();
        for name in super::content::SIGNAL_HEADERS {
            for value in self.http.values(name) {
                if name != "Link" || !rsl_targets(value).is_empty() {
                    text.push_str(&format!("{name}: {value}\r\n"));
                }
            }
        }
        let body = (!text.is_empty()).then(|| text.into_bytes());
        body.map(|body| self.snapshot(SnapshotKind::Headers, body))
    }

    /// Reads the body, once, and decodes it.
    fn read<R: Read>(&mut self, block: &mut Block<'_, R>, limit: usize) -> Result<(), Problem> {
        if block.left == 0 && self.body.is_empty() {
            return Ok(());
        }
        let coded = limit + HTTP_HEAD_LIMIT;
        block.read(&mut self.body, coded)?;
        let is_all = block.left == 0;
        let body = std::mem::take(&mut self.body);
        let (body, is_longer) = self
            .http
            .decode(body, is_all && self.is_whole, limit)
            .map_err(Problem::past)?;
        (self.body, self.is_cut) = (body, is_longer || !is_all);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
