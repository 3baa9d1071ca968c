//! `Link` header fields, RFC 8288.

/// The targets of the links in a `Link` field that name an RSL document: relation `license`,
/// type `application/rsl+xml`. As written, they may be relative.
///
/// A link without a type is not counted: most `license` links lead to the text of a licence.
pub(super) fn rsl_targets(field: &str) -> Vec<&str> {
    let mut targets = Vec::new();
    let mut rest = field;
    while let Some(start) = rest.find('<') {
        let Some(length) = rest[start..].find('>') else {
            break;
        };
        let target = rest[start + 1..start + length].trim();
        rest = &rest[start + length + 1..];
        let (mut is_license, mut is_rsl) = (false, false);
        // Parameters up to the comma that begins the next link.
        while let Some(after) = rest.trim_start().strip_prefix(';') {
            let (name, value, left) = parameter(after);
            rest = left;
            if name.eq_ignore_ascii_case("rel") {
                is_license |= value
                    .split_ascii_whitespace()
                    .any(|relation| relation.eq_ignore_ascii_case("license"));
            } else if name.eq_ignore_ascii_case("type") {
                let essence = value.split(';').next().unwrap_or_default();
                is_rsl |= essence.trim().eq_ignore_ascii_case("application/rsl+xml");
            }
        }
        if is_license && is_rsl && !target.is_empty() {
            targets.push(target);
        }
    }
    targets
}

/// The name and the value of a parameter, and what follows it.
fn parameter(text: &str) -> (&str, &str, &str) {
    let end = text.find(['=', ';', ',']).unwrap_or(text.len());
    let name = text[..end].trim();
    let Some(value) = text[end..].strip_prefix('=') else {
        return (name, "", &text[end..]);
    };
    let value = value.trim_start();
    if let Some(quoted) = value.strip_prefix('"') {
        // Neither a relation nor a media type has a quote inside.
        let end = quoted.find('"').unwrap_or(quoted.len());
        let rest = &quoted[end..];
        return (name, &quoted[..end], rest.strip_prefix('"').unwrap_or(rest));
    }
    let end = value.find([';', ',']).unwrap_or(value.len());
    (name, value[..end].trim(), &value[end..])
}

#[cfg(test)]
mod tests {
    use super::rsl_targets;

    #[test]
    fn typed_license_links_count() {
        for (field, expected) in [
            (
                r#"</l.xml>; rel="license"; type="application/rsl+xml""#,
                &["/l.xml"][..],
            ),
            (
                r#"</l.xml>;TYPE=application/rsl+xml;Rel=license"#,
                &["/l.xml"],
            ),
            (
                r#"</l.xml>; rel="next license"; type="application/rsl+xml;v=1""#,
                &["/l.xml"],
            ),
            (
                r#"</a,b>; rel=next, <https://e.x/l>; rel=license ; type = "application/rsl+xml", </c>; rel=x"#,
                &["https://e.x/l"],
            ),
            (
                r#"</a>; rel=license; type=application/rsl+xml, </b>; type=application/rsl+xml; rel=license"#,
                &["/a", "/b"],
            ),
            (r#"</l.xml>; rel="license""#, &[]),
            (
                r#"</l.xml>; rel="alternate"; type="application/rsl+xml""#,
                &[],
            ),
            (r#"</l.xml"#, &[]),
            (r#"<>; rel=license; type=application/rsl+xml"#, &[]),
            (
                r#"</l.xml>; title="a, b; c"; rel=license; type="application/rsl+xml"#,
                &["/l.xml"],
            ),
            ("", &[]),
        ] {
            assert_eq!(rsl_targets(field), expected, "{field}");
        }
    }
}
