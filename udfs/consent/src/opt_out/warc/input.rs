//! The bytes of a WARC file: plain, or gzip with a member for each record.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

const CHUNK: usize = 64 << 10;
/// How far back a search for the next record can begin: about the longest usual record.
const REWIND: usize = 1 << 20;

/// A reader that knows its offset and can go back to a mark that is not too far away.
struct Input<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Where the buffer begins in the file.
    start: u64,
    position: usize,
    mark: Option<usize>,
    has_failed: bool,
}

impl<R: Read> Input<R> {
    fn offset(&self) -> u64 {
        self.start + self.position as u64
    }

    fn set_mark(&mut self) {
        self.mark = Some(self.position);
    }

    /// Goes to the byte after the mark, or stays when that is gone.
    fn rewind(&mut self) {
        if let Some(mark) = self.mark.take() {
            self.position = self.position.min(mark + 1);
        }
    }

    fn fill(&mut self) -> io::Result<usize> {
        let keep = match self.mark {
            Some(mark) if self.position - mark <= REWIND => mark,
            _ => {
                self.mark = None;
                self.position
            }
        };
        self.buffer.drain(..keep);
        self.start += keep as u64;
        self.position -= keep;
        self.mark = self.mark.map(|_| 0);
        let length = self.buffer.len();
        self.buffer.resize(length + CHUNK, 0);
        let result = loop {
            match self.reader.read(&mut self.buffer[length..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.has_failed |= result.is_err();
        self.buffer
            .truncate(length + *result.as_ref().unwrap_or(&0));
        result
    }

    /// The next `count` bytes, fewer only at the end.
    fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.buffer.len() - self.position < count && self.fill()? > 0 {}
        let end = self.buffer.len().min(self.position + count);
        Ok(&self.buffer[self.position..end])
    }

    /// Goes to the next place where `found` holds of the bytes there, or to the end.
    fn search(&mut self, window: usize, found: impl Fn(&[u8]) -> bool) -> io::Result<()> {
        loop {
            let bytes = self.peek(window)?;
            if bytes.is_empty() || found(bytes) {
                return Ok(());
            }
            self.position += 1;
        }
    }
}

impl<R: Read> Read for Input<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let from = self.fill_buf()?;
        let count = from.len().min(into.len());
        into[..count].copy_from_slice(&from[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Input<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.position == self.buffer.len() {
            self.fill()?;
        }
        Ok(&self.buffer[self.position..])
    }

    fn consume(&mut self, count: usize) {
        self.position += count;
    }
}

enum State<R> {
    Plain(Input<R>),
    BetweenMembers(Input<R>),
    Member(Box<BufReader<GzDecoder<Input<R>>>>),
    /// Only while the state changes.
    Moving,
}

/// The text of the records. It ends with each gzip member, until [`RecordBytes::advance`].
pub(super) struct RecordBytes<R> {
    state: State<R>,
    /// Where the record at hand begins in the file; of several in a gzip member, the member.
    offset: u64,
}

impl<R: Read> RecordBytes<R> {
    pub(super) fn new(reader: R) -> io::Result<Self> {
        let mut input = Input {
            reader,
            buffer: Vec::new(),
            start: 0,
            position: 0,
            mark: None,
            has_failed: false,
        };
        let state = if input.peek(2)? == [0x1F, 0x8B] {
            State::BetweenMembers(input)
        } else {
            State::Plain(input)
        };
        Ok(Self { state, offset: 0 })
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Whether it was reading the file itself that failed, and not its content.
    pub(super) fn has_failed(&self) -> bool {
        match &self.state {
            State::Plain(input) | State::BetweenMembers(input) => input.has_failed,
            State::Member(decoder) => decoder.get_ref().get_ref().has_failed,
            State::Moving => true,
        }
    }

    /// After the last record of a gzip member: checks the member's check sum, before anything
    /// of it is used. Of several records in a member only the last is checked.
    pub(super) fn verify(&mut self) -> io::Result<()> {
        if let State::Member(decoder) = &mut self.state {
            decoder.fill_buf()?;
        }
        Ok(())
    }

    /// Goes to the start of the next record, past blank lines and ends of members. `false`:
    /// there is none.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        loop {
            let bytes = self.fill_buf()?;
            let blank = bytes
                .iter()
                .take_while(|byte| matches!(byte, b'\r' | b'\n'));
            let (blank, is_over) = (blank.count(), bytes.is_empty());
            let is_found = blank < bytes.len();
            self.consume(blank);
            if is_found {
                if let State::Plain(input) = &mut self.state {
                    self.offset = input.offset();
                    input.set_mark();
                }
                return Ok(true);
            }
            if is_over && !self.begin_member()? {
                return Ok(false);
            }
        }
    }

    /// Begins the next gzip member; `false` at the end of the file.
    fn begin_member(&mut self) -> io::Result<bool> {
        self.leave_member();
        let State::BetweenMembers(input) = &mut self.state else {
            return Ok(false);
        };
        self.offset = input.offset();
        match input.peek(2)? {
            [] => Ok(false),
            [0x1F, 0x8B] => {
                input.set_mark();
                if let State::BetweenMembers(input) =
                    std::mem::replace(&mut self.state, State::Moving)
                {
                    let decoder = BufReader::with_capacity(CHUNK / 4, GzDecoder::new(input));
                    self.state = State::Member(Box::new(decoder));
                }
                Ok(true)
            }
            _ => {
                input.set_mark();
                Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "no gzip member where one should begin",
                ))
            }
        }
    }

    fn leave_member(&mut self) {
        self.state = match std::mem::replace(&mut self.state, State::Moving) {
            State::Member(decoder) => State::BetweenMembers(decoder.into_inner().into_inner()),
            state => state,
        };
    }

    /// After a record that cannot be read, goes to where the next may begin.
    ///
    /// Of a plain file that is the next line `WARC/1.`, of a gzip file the rest of the member,
    /// or the next member when the member is damaged. The search begins in the broken record
    /// itself: a wrong length may have swallowed what follows.
    pub(super) fn resynchronise(&mut self, is_damaged: bool) -> io::Result<()> {
        if let State::Plain(input) = &mut self.state {
            input.rewind();
            let is_start = |bytes: &[u8]| bytes[0] == b'\n' && bytes[1..].starts_with(b"WARC/1.");
            return input.search(8, is_start);
        }
        if !is_damaged && matches!(self.state, State::Member(_)) {
            match self.skip_to_record() {
                Err(_) if !self.has_failed() => {}
                result => return result,
            }
        }
        self.leave_member();
        if let State::BetweenMembers(input) = &mut self.state {
            input.rewind();
            // RFC 1952: magic, method deflate, no reserved flags.
            let is_start =
                |bytes: &[u8]| matches!(bytes, [0x1F, 0x8B, 8, flags] if flags & 0xE0 == 0);
            input.search(4, is_start)?;
        }
        Ok(())
    }

    /// Within a member that is intact: to the next line that begins a record, or to its end.
    fn skip_to_record(&mut self) -> io::Result<()> {
        let mut line = Vec::new();
        loop {
            // What was read of a line that begins a record cannot be given back, so look at
            // the buffer before reading. A start cut by the buffer's end is passed over.
            let bytes = self.fill_buf()?;
            if bytes.is_empty() || bytes.starts_with(b"WARC/1.") {
                return Ok(());
            }
            line.clear();
            self.take(CHUNK as u64).read_until(b'\n', &mut line)?;
        }
    }
}

impl<R: Read> Read for RecordBytes<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match &mut self.state {
            State::Plain(input) => input.read(into),
            State::Member(decoder) => decoder.read(into),
            State::BetweenMembers(_) | State::Moving => Ok(0),
        }
    }
}

impl<R: Read> BufRead for RecordBytes<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match &mut self.state {
            State::Plain(input) => input.fill_buf(),
            State::Member(decoder) => decoder.fill_buf(),
            State::BetweenMembers(_) | State::Moving => Ok(&[]),
        }
    }

    fn consume(&mut self, count: usize) {
        match &mut self.state {
            State::Plain(input) => input.consume(count),
            State::Member(decoder) => decoder.consume(count),
            State::BetweenMembers(_) | State::Moving => {}
        }
    }
}
