//! Licence addresses: hosts that publish licence texts under names of their own.

use crate::creative_commons;
use crate::names::{self, Name};

/// Hosts whose addresses are known without `https://` too.
const HOSTS: &[&str] = &[
    "creativecommons.org",
    "spdx.org",
    "opensource.org",
    "gnu.org",
    "apache.org",
    "choosealicense.com",
    "mozilla.org",
    "opendatacommons.org",
    "license.coscl.org.cn",
    "unlicense.org",
    "wtfpl.net",
    "eclipse.org",
    "cdla.dev",
    "licenses.nuget.org",
    "tldrlegal.com",
    "boost.org",
    "llama.meta.com",
    "llama.com",
    "ai.google.dev",
];

/// The address in `text` without scheme, `www.`, query, fragment, file suffix and closing slash,
/// in lower case; `None` when the text is no address.
pub(crate) fn normalise(text: &str) -> Option<String> {
    if text.contains(char::is_whitespace) {
        return None;
    }
    let lower = text.trim_matches(['<', '>', '"', '\'']).to_lowercase();
    let (schemed, rest) = match lower
        .strip_prefix("https://")
        .or_else(|| lower.strip_prefix("http://"))
        .or_else(|| lower.strip_prefix("//"))
    {
        Some(rest) => (true, rest),
        None => (false, lower.as_str()),
    };
    let rest = rest.strip_prefix("www.").unwrap_or(rest);
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if host.is_empty() || !(schemed || HOSTS.contains(&host)) {
        return None;
    }
    let mut path = path.trim_end_matches('/');
    for suffix in [".html", ".htm", ".txt", ".php", ".json", ".md", ".rdf"] {
        path = path.strip_suffix(suffix).unwrap_or(path);
    }
    let path: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if path.is_empty() {
        return Some(host.to_owned());
    }
    Some(format!("{host}/{}", path.join("/")))
}

/// Reads a normalised address by what its host means by it.
pub(crate) fn read(address: &str) -> Option<Name> {
    let (host, path) = address.split_once('/')?;
    match host {
        "creativecommons.org" => read_creative_commons(path),
        "spdx.org" => read_named(path.strip_prefix("licenses/")?),
        "licenses.nuget.org" => read_named(path),
        "opensource.org" => read_named(
            path.strip_prefix("licenses/")
                .or_else(|| path.strip_prefix("license/"))?,
        ),
        "choosealicense.com" => read_named(path.strip_prefix("licenses/")?),
        "gnu.org" => {
            let path = path
                .strip_prefix("licenses/")
                .or_else(|| path.strip_prefix("copyleft/"))?;
            read_gnu(path.strip_prefix("old-licenses/").unwrap_or(path))
        }
        "apache.org" => {
            let version = path.strip_prefix("licenses/license-")?;
            read_named(&format!("apache-{version}"))
        }
        "mozilla.org" => {
            let (_, version) = path.rsplit_once("mpl/")?;
            read_named(&format!("mpl-{version}"))
        }
        "github.com" | "raw.githubusercontent.com" | "gitlab.com" | "gitee.com" => read_file(path),
        _ => None,
    }
}

/// A licence file in a repository, where its name says which: `LICENSE-MIT`,
/// `licenses/BSD-3-Clause`, `LICENSES/CC0-1.0`. A plain `LICENSE` may hold any.
fn read_file(path: &str) -> Option<Name> {
    let (directories, file) = path.rsplit_once('/')?;
    for head in ["license-", "licence-", "license.", "licence."] {
        if let Some(name) = file.strip_prefix(head) {
            return read_named(name);
        }
    }
    let is_collection = directories.ends_with("/licenses")
        || directories.starts_with("spdx/license-list-data/") && directories.ends_with("/text");
    is_collection.then(|| read_named(file))?
}

fn read_creative_commons(path: &str) -> Option<Name> {
    if let Some(path) = path.strip_prefix("licenses/") {
        if path == "publicdomain" {
            return Name::of_id("CC-PDDC");
        }
        return creative_commons::read_address(path);
    }
    let path = path.strip_prefix("publicdomain/")?;
    let (kind, rest) = path.split_once('/')?;
    let version = rest.split('/').next()?;
    match (kind, version) {
        ("zero", "1.0") => Name::of_id("CC0-1.0"),
        ("mark", "1.0") => Name::of_id("CC-PDM-1.0"),
        _ => None,
    }
}

/// `gpl-3.0`, `gpl-3.0.en`, `gpl-3.0-standalone`; without a number it is the family.
fn read_gnu(path: &str) -> Option<Name> {
    let mut slug = path;
    if let Some((before, language)) = slug.rsplit_once('.')
        && language.starts_with(|c: char| c.is_ascii_alphabetic())
    {
        slug = before;
    }
    slug = slug.strip_suffix("-standalone").unwrap_or(slug);
    ["gpl", "lgpl", "agpl", "fdl"]
        .iter()
        .any(|family| slug.split('-').next() == Some(family))
        .then(|| names::read_slug(slug))?
}

/// The last part of an address as a name; `apache-2-0` is `apache-2.0`.
fn read_named(slug: &str) -> Option<Name> {
    if slug.contains('/') {
        return None;
    }
    names::read_slug(slug).or_else(|| {
        let mut dotted = String::with_capacity(slug.len());
        let bytes = slug.as_bytes();
        for (index, character) in slug.char_indices() {
            let between_digits = character == '-'
                && index > 0
                && bytes[index - 1].is_ascii_digit()
                && bytes.get(index + 1).is_some_and(u8::is_ascii_digit);
            dotted.push(if between_digits { '.' } else { character });
        }
        names::read_slug(&dotted)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_what_does_not_matter() {
        for text in [
            "https://www.gnu.org/licenses/gpl-3.0.html#section1",
            "http://gnu.org/licenses/gpl-3.0",
            "GNU.org/licenses/GPL-3.0.txt",
            "https://www.gnu.org//licenses/gpl-3.0.html?x=1",
        ] {
            assert_eq!(
                normalise(text).as_deref(),
                Some("gnu.org/licenses/gpl-3.0"),
                "{text}"
            );
        }
        for text in [
            "MIT/Apache-2.0",
            "gpl-3.0",
            "see https://x.example/ here",
            "https://",
        ] {
            assert_eq!(normalise(text), None, "{text}");
        }
    }

    #[test]
    fn an_unknown_address_names_nothing() {
        for text in [
            "https://example.org/licenses/mit",
            "https://opensource.org/licenses",
            "https://opensource.org/licenses/alphabetical/mit",
            "https://creativecommons.org/publicdomain/zero/2.0/",
            "https://www.gnu.org/licenses/license-list.html",
        ] {
            let address = normalise(text).expect("an address");
            assert_eq!(read(&address), None, "{text}");
        }
    }
}
