//! The HTTP answer in a WARC record: its head, and its body decoded.

use std::borrow::Cow;
use std::io::Read;

use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

/// More header fields than any answer has.
const MOST_FIELDS: usize = 1024;

/// Status and header fields of an answer.
#[derive(Debug)]
pub(super) struct HttpHead {
    pub(super) status: u16,
    fields: Vec<(String, String)>,
}

impl HttpHead {
    /// Reads a head, and tells its length in bytes with the empty line. Tolerates what servers
    /// send (folded lines, white space before colons); a field whose name cannot be one is
    /// passed over.
    pub(super) fn parse(bytes: &[u8]) -> Result<(Self, usize), String> {
        // httparse knows HTTP/1 alone; crawlers write the answers of HTTP/2 in the same form.
        let is_newer = bytes.starts_with(b"HTTP/2") || bytes.starts_with(b"HTTP/3");
        let version = bytes.iter().position(|byte| *byte == b' ').unwrap_or(0);
        let text = if is_newer {
            Cow::Owned([b"HTTP/1.1", &bytes[version..]].concat())
        } else {
            Cow::Borrowed(bytes)
        };
        let mut config = httparse::ParserConfig::default();
        config
            .allow_obsolete_multiline_headers_in_responses(true)
            .allow_spaces_after_header_name_in_responses(true)
            .ignore_invalid_headers_in_responses(true);
        let mut headers = vec![httparse::EMPTY_HEADER; MOST_FIELDS];
        let mut response = httparse::Response::new(&mut headers);
        let length = match config.parse_response(&mut response, &text) {
            Ok(httparse::Status::Complete(length)) => length + bytes.len() - text.len(),
            Ok(httparse::Status::Partial) => return Err("the HTTP head is cut off".into()),
            Err(error) => return Err(format!("the HTTP head cannot be read: {error}")),
        };
        let head = Self {
            status: response.code.ok_or("the HTTP head has no status")?,
            fields: response
                .headers
                .iter()
                .map(|field| {
                    let value = String::from_utf8_lossy(field.value).replace(['\r', '\n'], " ");
                    (field.name.to_owned(), value.trim().to_owned())
                })
                .collect(),
        };
        Ok((head, length))
    }

    /// The values of a field.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |field: &&(String, String)| field.0.eq_ignore_ascii_case(name);
        self.fields
            .iter()
            .filter(named)
            .map(|field| field.1.as_str())
    }

    /// The media type without its parameters, in lower case; empty when there is none.
    pub(super) fn media_type(&self) -> String {
        let value = self.values("content-type").next().unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default();
        essence.trim().to_ascii_lowercase()
    }

    /// The body as it was before transfer and content codings, at most `limit` bytes of it,
    /// and whether it was longer.
    ///
    /// Crawlers often keep the fields and drop the coding, so a body that is not coded at all
    /// counts as it is. `is_whole`: the record holds the whole body; else an end in the middle
    /// of a coding is no error.
    pub(super) fn decode(
        &self,
        body: Vec<u8>,
        is_whole: bool,
        limit: usize,
    ) -> Result<(Vec<u8>, bool), String> {
        let mut body = body;
        let codings = |name| {
            let listed = self.values(name).flat_map(|value| value.split(','));
            let codings = listed.map(|coding| coding.trim().to_ascii_lowercase());
            codings.filter(|coding| !coding.is_empty() && coding != "identity")
        };
        let mut all: Vec<String> = codings("content-encoding").collect();
        all.extend(codings("transfer-encoding"));
        // The last coding applied is the first to undo.
        for coding in all.iter().rev() {
            body = match coding.as_str() {
                "chunked" => unchunk(body, is_whole)?,
                "gzip" | "x-gzip" if body.starts_with(&[0x1F, 0x8B]) => {
                    inflate(MultiGzDecoder::new(&body[..]), is_whole, limit)?
                }
                "deflate" if body.first().is_some_and(|byte| byte & 0x0F == 8) => {
                    inflate(ZlibDecoder::new(&body[..]), is_whole, limit)?
                }
                // Some servers leave the zlib frame out. Text does not decode by chance.
                "deflate" => match inflate(DeflateDecoder::new(&body[..]), is_whole, limit) {
                    Ok(inflated) if !inflated.is_empty() => inflated,
                    _ => body,
                },
                "gzip" | "x-gzip" => body,
                _ if is_plain_text(&body) => body,
                other => {
                    return Err(format!(
                        "the body has the coding {other:?}, which is not read"
                    ));
                }
            };
        }
        let is_longer = body.len() > limit;
        body.truncate(limit);
        Ok((body, is_longer))
    }
}

/// One byte more than `limit`, so that it shows when there is more.
fn inflate(decoder: impl Read, is_whole: bool, limit: usize) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    match decoder.take(limit as u64 + 1).read_to_end(&mut out) {
        Err(error) if is_whole || error.kind() != std::io::ErrorKind::UnexpectedEof => {
            Err(format!("the body cannot be decompressed: {error}"))
        }
        _ => Ok(out),
    }
}

/// RFC 9112, section 7.1.
fn unchunk(body: Vec<u8>, is_whole: bool) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = &body[..];
    loop {
        match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete((_, 0))) => return Ok(out),
            Ok(httparse::Status::Complete((start, size))) => {
                let chunk = &rest[start..];
                let size = usize::try_from(size).unwrap_or(usize::MAX);
                if size > chunk.len() {
                    if is_whole && out.is_empty() {
                        return Ok(body);
                    }
                    out.extend_from_slice(chunk);
                    rest = &[];
                } else {
                    out.extend_from_slice(&chunk[..size]);
                    rest = &chunk[size..];
                    rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
                }
            }
            // Not a chunk at the very start: the crawler has undone the coding.
            _ if out.is_empty() => return Ok(body),
            _ if !is_whole && rest.len() < 32 => return Ok(out),
            _ => return Err("the chunks of the body cannot be read".into()),
        }
    }
}

fn is_plain_text(body: &[u8]) -> bool {
    let is_control = |byte: &u8| *byte < b' ' && !matches!(byte, b'\t' | b'\r' | b'\n');
    !body.iter().any(is_control) && std::str::from_utf8(body).is_ok()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn decode(fields: &str, body: &[u8]) -> Result<(Vec<u8>, bool), String> {
        let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
        let (head, length) = HttpHead::parse(text.as_bytes()).expect("a head");
        assert_eq!(length, text.len());
        head.decode(body.to_vec(), true, 100)
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).expect("written");
        encoder.finish().expect("written")
    }

    #[test]
    fn bodies_are_decoded() {
        let text = b"User-agent: *".to_vec();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&text).expect("written");
        let zlib = zlib.finish().expect("written");
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(&text).expect("written");
        let raw = raw.finish().expect("written");
        let zipped = gzip(&text);
        let mut chunked = Vec::new();
        for part in zipped.chunks(10) {
            chunked.extend_from_slice(format!("{:x};x=y\r\n", part.len()).as_bytes());
            chunked.extend_from_slice(part);
            chunked.extend_from_slice(b"\r\n");
        }
        chunked.extend_from_slice(b"0\r\n\r\n");
        for (fields, body) in [
            ("A: 1", &text),
            ("Content-Encoding: gzip", &zipped),
            ("content-encoding: X-GZIP", &zipped),
            ("Content-Encoding: deflate", &zlib),
            ("Content-Encoding: deflate", &raw),
            (
                "Content-Encoding: gzip\r\nTransfer-Encoding: chunked",
                &chunked,
            ),
            ("Transfer-Encoding: gzip, chunked", &chunked),
            // The crawler has undone the codings and kept the fields.
            (
                "Content-Encoding: gzip\r\nTransfer-Encoding: chunked",
                &text,
            ),
            ("Content-Encoding: deflate", &text),
            ("Content-Encoding: br", &text),
            ("Content-Encoding: identity", &text),
        ] {
            assert_eq!(decode(fields, body), Ok((text.clone(), false)), "{fields}");
        }
    }

    #[test]
    fn bodies_that_cannot_be_decoded() {
        let zipped = gzip(&[b'a'; 50]);
        assert!(decode("Content-Encoding: gzip", &zipped[..zipped.len() - 9]).is_err());
        assert!(decode("Content-Encoding: br", &[0x1B, 0x00]).is_err());
        assert!(decode("Transfer-Encoding: chunked", b"1\r\na\r\nzz\r\n").is_err());
    }

    #[test]
    fn long_bodies_are_cut() {
        let zipped = gzip(&[b'a'; 101]);
        assert_eq!(
            decode("Content-Encoding: gzip", &zipped),
            Ok((vec![b'a'; 100], true))
        );
        let zipped = gzip(&[b'a'; 100]);
        assert_eq!(
            decode("Content-Encoding: gzip", &zipped),
            Ok((vec![b'a'; 100], false))
        );
    }

    #[test]
    fn heads_of_all_versions() {
        let text = b"HTTP/2 404\r\nA : 1\r\nB: x\r\n y\r\na: 2\r\n\r\nbody";
        let (head, length) = HttpHead::parse(text).expect("a head");
        assert_eq!(head.status, 404);
        assert_eq!(&text[length..], b"body");
        assert_eq!(head.values("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(
            head.values("b")
                .next()
                .map(|v| v.split_whitespace().count()),
            Some(2)
        );
        assert!(HttpHead::parse(b"HTTP/1.1 200 OK\r\nA: 1").is_err());
        assert!(HttpHead::parse(b"<html>").is_err());
    }
}
