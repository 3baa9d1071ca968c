//! Field values out of a block of HTTP header text (RFC 9112, section 5).

/// The values of the field `name` in `headers`, in their order, without the white space
/// around them.
///
/// `headers` is the text of a header block: `name: value` lines ending in CRLF or LF, with
/// or without the status line. Names are compared without regard to case. A line that begins
/// with a space or a tab continues the value before it (RFC 9112, section 5.2); as nothing is
/// copied, such a value is given with its line break inside, so split it at white space. White
/// space before the colon, which the RFC forbids, is tolerated: a field that a proxy would
/// have repaired still counts. The block ends at an empty line, unless another status line
/// follows it: the blocks of a chain of redirects all count.
pub fn header_values<'a>(headers: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let name = name.to_owned();
    fields(headers)
        .filter(move |(found, _)| found.eq_ignore_ascii_case(&name))
        .map(|(_, value)| value)
}

fn fields(headers: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = headers.trim_start_matches(['\r', '\n']);
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = field_end(rest);
            let field = rest[..end].trim_end_matches(['\r', '\n']);
            rest = &rest[end..];
            if field.is_empty() {
                rest = rest.trim_start_matches(['\r', '\n']);
                if !starts_with_status(rest) {
                    rest = "";
                }
                continue;
            }
            if field.starts_with([' ', '\t']) {
                // A continuation of nothing.
                continue;
            }
            if let Some((name, value)) = field.split_once(':') {
                return Some((name.trim(), value.trim()));
            }
        }
        None
    })
}

/// Where the field at the start of `text` ends, with its line end and its continuation lines.
fn field_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut end = 0;
    loop {
        match text[end..].find('\n') {
            None => return text.len(),
            Some(at) => end += at + 1,
        }
        if !matches!(bytes.get(end), Some(b' ' | b'\t')) {
            return end;
        }
    }
}

fn starts_with_status(text: &str) -> bool {
    text.get(..5)
        .is_some_and(|start| start.eq_ignore_ascii_case("HTTP/"))
}

#[cfg(test)]
mod tests {
    use super::header_values;

    fn values(headers: &str, name: &str) -> Vec<String> {
        header_values(headers, name).map(str::to_owned).collect()
    }

    #[test]
    fn names_without_case_and_values_trimmed() {
        let block =
            "HTTP/1.1 200 OK\r\nTDM-Reservation:  1 \r\nX: y\r\ntdm-reservation:0\r\n\r\nbody: 1";
        assert_eq!(values(block, "tdm-reservation"), ["1", "0"]);
        assert_eq!(values(block, "TDM-RESERVATION"), ["1", "0"]);
        assert!(values(block, "body").is_empty());
        assert!(values(block, "tdm").is_empty());
    }

    #[test]
    fn folded_lines_belong_to_their_field() {
        let block = "A: one,\r\n two\n\tthree\nB: 2\n";
        assert_eq!(values(block, "a"), ["one,\r\n two\n\tthree"]);
        assert_eq!(values(block, "b"), ["2"]);
        assert!(values(" a: 1\n", "a").is_empty(), "folds nothing");
    }

    #[test]
    fn redirect_chains_count_whole() {
        let block = "HTTP/1.1 301 Moved\r\nA: 1\r\n\r\nHTTP/2 200\r\nA: 2\r\n\r\n<html>\nA: 3";
        assert_eq!(values(block, "a"), ["1", "2"]);
    }

    #[test]
    fn odd_input() {
        assert_eq!(values("\r\n\nA : 1", "a"), ["1"]);
        assert_eq!(values("A:", "a"), [""]);
        assert!(values("", "a").is_empty());
        assert!(values("\u{0}\n:\n", "a").is_empty());
        assert_eq!(values("\u{e9}: x\nA: \u{e9}\n\u{e9}", "a"), ["\u{e9}"]);
    }
}
