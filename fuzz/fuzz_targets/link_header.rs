//! Any text as a `Link` header: it hides no licence that stands in a field of its own, and means
//! nothing without the type of RSL.
#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use tamis_consent::opt_out::{OptOutRegistryBuilder, OptOutRules, SnapshotRow};
use tamis_consent::signals::AgentList;

static RULES: LazyLock<OptOutRules> =
    LazyLock::new(|| OptOutRules::new(Arc::new(AgentList::builtin().clone())));

const PAGE: &str = "https://a.example/page";
const PROHIBITS: &str = "<rsl xmlns=\"https://rslstandard.org/rsl\"><content url=\"/\"><license>\
    <prohibits type=\"usage\">all</prohibits></license></content></rsl>";
const LINK: &str = "<https://b.example/license.xml>; rel=\"license\"; type=\"application/rsl+xml\"";

/// The verdict for a page with these headers, in a registry that has the licence of another site.
fn verdict(headers: &str) -> &'static str {
    let mut builder = OptOutRegistryBuilder::new("any.parquet");
    for (kind, url, body) in [
        ("headers", PAGE, headers),
        ("rsl", "https://b.example/license.xml", PROHIBITS),
    ] {
        let row = SnapshotRow {
            url,
            fetched_at: 1,
            kind,
            status: Some(200),
            body: body.as_bytes(),
            sha256: None,
        };
        builder.push(String::new, row).expect("a row");
    }
    let registry = builder.finish("", "").expect("a registry");
    registry.check(Some(PAGE), 2, &RULES).verdict
}

static WITHOUT: LazyLock<&str> = LazyLock::new(|| verdict("Link: \r\n"));

fuzz_target!(|value: &str| {
    let value = value.replace(['\r', '\n'], " ");
    let alone = verdict(&format!("Link: {value}\r\n"));
    if !value.to_ascii_lowercase().contains("application/rsl+xml") {
        assert_eq!(alone, *WITHOUT);
    }
    let both = format!("Link: {value}\r\nLink: {LINK}\r\n");
    assert_eq!(verdict(&both), "disallowed");
    assert_eq!(verdict(&format!("Link: {LINK}, {value}\r\n")), "disallowed");
});
