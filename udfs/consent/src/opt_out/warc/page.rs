//! Pages: what of them carries a signal.

use url::Url;

use crate::signals::{HtmlSignals, html_signals};

/// Whether a media type is that of HTML.
pub(super) fn is_html(media_type: &str) -> bool {
    matches!(media_type, "text/html" | "application/xhtml+xml")
}

/// Whether the root element of an XML document is `rsl`, with a prefix or without.
pub(super) fn is_rsl(xml: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&xml[..xml.len().min(64 << 10)]);
    let mut rest = start.trim_start_matches('\u{FEFF}').trim_start();
    // Declarations and comments before the root element.
    loop {
        let end = if rest.starts_with("<!--") {
            "-->"
        } else if rest.starts_with("<?") || rest.starts_with("<!") {
            ">"
        } else {
            break;
        };
        let Some(at) = rest.find(end) else {
            return false;
        };
        rest = rest[at + end.len()..].trim_start();
    }
    let Some(tag) = rest.strip_prefix('<') else {
        return false;
    };
    let end = tag.find(|c: char| c.is_whitespace() || c == '>' || c == '/');
    let name = &tag[..end.unwrap_or(tag.len())];
    name.rsplit(':').next() == Some("rsl")
}

/// An address that may be relative to `base`.
pub(super) fn resolve(base: &str, link: &str) -> Option<String> {
    let target = Url::parse(base).ok()?.join(link).ok()?;
    Some(target.into())
}

/// A page of the elements of `html` that carry a signal and nothing else; `None` when there are
/// none. Its signals are those of `html`.
///
/// # Errors
/// When reading stopped before the head was over, the page may have signals that were not seen.
pub(super) fn minimal(html: &[u8], is_cut: bool) -> Result<Option<String>, String> {
    let signals = html_signals(html);
    if signals.truncated || (is_cut && !has_body(html)) {
        return Err("the head of the page is not whole".into());
    }
    let text = write(&signals);
    Ok((!text.is_empty()).then_some(text))
}

/// Whether the body begins in what was read: all signals stand before.
fn has_body(html: &[u8]) -> bool {
    let is_start =
        |part: &[u8]| part.eq_ignore_ascii_case(b"<body") || part.eq_ignore_ascii_case(b"</head");
    html.windows(5).any(is_start) || html.windows(6).any(is_start)
}

fn write(signals: &HtmlSignals) -> String {
    let mut html = String::new();
    let mut meta = |attribute: &str, name: &str, content: &str| {
        let (name, content) = (escape(name), escape(content));
        html.push_str(&format!(
            "<meta {attribute}=\"{name}\" content=\"{content}\">\n"
        ));
    };
    for (name, content) in &signals.robots {
        meta("name", name, content);
    }
    if let Some(reservation) = &signals.tdm_reservation {
        meta("name", "tdm-reservation", reservation);
    }
    if let Some(policy) = &signals.tdm_policy {
        meta("name", "tdm-policy", policy);
    }
    for usage in &signals.content_usage {
        meta("http-equiv", "Content-Usage", usage);
    }
    for link in &signals.rsl_links {
        html.push_str(&format!(
            "<link rel=\"license\" type=\"application/rsl+xml\" href=\"{}\">\n",
            escape(link)
        ));
    }
    for xml in &signals.rsl_inline {
        html.push_str(&format!(
            "<script type=\"application/rsl+xml\">{xml}</script>\n"
        ));
    }
    html
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn roots() {
        for (xml, expected) in [
            ("<rsl xmlns=\"https://rslstandard.org/rsl\">", true),
            (
                "\u{FEFF}<?xml version=\"1.0\"?>\n<!-- > a --> <!DOCTYPE rsl> <r:rsl/>",
                true,
            ),
            ("<rsl>", true),
            ("<rss version=\"2.0\">", false),
            ("<rslx>", false),
            ("rsl", false),
            ("<!-- <rsl>", false),
            ("", false),
        ] {
            assert_eq!(is_rsl(xml.as_bytes()), expected, "{xml}");
        }
    }

    #[test]
    fn pages_without_signals_and_cut_pages() {
        assert_eq!(
            minimal(b"<html><head><title>a</title><body>", false),
            Ok(None)
        );
        assert!(minimal(b"<html><head><title>a", true).is_err());
        assert_eq!(minimal(b"<html><head></head><p>", true), Ok(None));
        let found = minimal(b"<META NAME=robots CONTENT='noai'><p>", false);
        let expected = "<meta name=\"robots\" content=\"noai\">\n";
        assert_eq!(found, Ok(Some(expected.into())));
    }

    proptest! {
        #[test]
        fn the_signals_of_the_minimal_page_are_those_of_the_page(
            values in prop::collection::vec("[ -~\u{e9}\u{8def}\n]{0,12}", 5),
        ) {
            let html = format!(
                "<meta name=robots content=\"{}\"><meta name='TDM-Reservation' content='{}'>\
                 <meta name=tdm-policy content=\"{}\"><meta http-equiv=content-usage content=\"{}\">\
                 <link rel=license type=application/rsl+xml href=\"{}\">",
                values[0], values[1], values[2], values[3], values[4],
            );
            let signals = html_signals(html.as_bytes());
            prop_assert_eq!(html_signals(write(&signals).as_bytes()), signals);
        }
    }
}
