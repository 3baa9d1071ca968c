//! The line a record of separated text begins on.
//!
//! The csv crate counts lines as well, but gives the line on which the previous record ended:
//! one too few after CRLF, and too few after blank lines.

use std::cell::RefCell;
use std::io::{self, Read};
use std::rc::Rc;

/// Bytes kept behind before they are let go.
const SLACK: usize = 64 * 1024;

/// The bytes a reader has been given and not come back for.
#[derive(Debug)]
struct Window {
    bytes: Vec<u8>,
    /// The offset of the first byte kept.
    start: u64,
    /// How far lines are counted, as an index in `bytes`.
    counted: usize,
    /// The line at `counted`.
    line: u64,
}

/// Passes bytes on and remembers them until their lines are counted.
pub(super) struct Remembered<R> {
    inner: R,
    window: Rc<RefCell<Window>>,
}

/// Answers on which line a record begins.
pub(super) struct LineCounter {
    window: Rc<RefCell<Window>>,
}

/// A reader over `inner`, and the counter of its lines.
pub(super) fn remembered<R: Read>(inner: R) -> (Remembered<R>, LineCounter) {
    let window = Rc::new(RefCell::new(Window {
        bytes: Vec::new(),
        start: 0,
        counted: 0,
        line: 1,
    }));
    (
        Remembered {
            inner,
            window: Rc::clone(&window),
        },
        LineCounter { window },
    )
}

impl<R: Read> Read for Remembered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.window
            .borrow_mut()
            .bytes
            .extend_from_slice(&buffer[..length]);
        Ok(length)
    }
}

impl LineCounter {
    /// The line, from 1, of the first byte at or after `offset` that does not end a line. Offsets
    /// must not descend.
    pub(super) fn line_from(&self, offset: u64) -> u64 {
        let mut window = self.window.borrow_mut();
        let Window {
            bytes,
            start,
            counted,
            line,
        } = &mut *window;
        let mut until = (offset.saturating_sub(*start) as usize).clamp(*counted, bytes.len());
        until += bytes[until..]
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        *line += bytes[*counted..until]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count() as u64;
        *counted = until;
        if *counted >= SLACK {
            bytes.drain(..*counted);
            *start += *counted as u64;
            *counted = 0;
        }
        *line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_was_passed_on() {
        let text = b"head\r\n\r\na\n\"b\nb\"\r\nc";
        let (mut reader, lines) = remembered(&text[..]);
        reader.read_to_end(&mut Vec::new()).unwrap();
        let at = |part: &str| {
            text.windows(part.len())
                .position(|bytes| bytes == part.as_bytes())
        };
        assert_eq!(lines.line_from(0), 1);
        assert_eq!(lines.line_from(at("\r\n\r").unwrap() as u64 + 1), 3);
        assert_eq!(lines.line_from(at("\"b").unwrap() as u64), 4);
        assert_eq!(lines.line_from(at("\r\nc").unwrap() as u64), 6);
    }

    #[test]
    fn lets_counted_bytes_go() {
        let text = "x\n".repeat(3 * SLACK);
        let (mut reader, lines) = remembered(text.as_bytes());
        let mut buffer = [0; 1000];
        let mut offset = 0;
        loop {
            let length = reader.read(&mut buffer).unwrap();
            if length == 0 {
                break;
            }
            assert_eq!(lines.line_from(offset), offset / 2 + 1);
            offset += length as u64;
            assert!(lines.window.borrow().bytes.len() < 2 * SLACK);
        }
    }
}
