//! Any text as a URL: the short way to read it agrees with the long one, a registry (alone and in
//! a batch) and a block list answer it, and an address that is listed is found.
#![no_main]

use std::sync::{Arc, LazyLock};

use tamis_consent::opt_out::{OptOutRegistry, OptOutRegistryBuilder, OptOutRules, SnapshotRow};
use tamis_consent::signals::AgentList;
use tamis_consent::{BlockListBuilder, BlockRow, both_ways_agree, registrable_domain};

static REGISTRY: LazyLock<(OptOutRegistry, OptOutRules)> = LazyLock::new(|| {
    let mut builder = OptOutRegistryBuilder::new("fuzz");
    for (kind, url, body) in [
        (
            "robots.txt",
            "a.example",
            "User-agent: *\nDisallow: /*x\nContent-Usage: /y train-ai=n\n",
        ),
        (
            "tdmrep.json",
            "a.example",
            "[{\"location\":\"/z*\",\"tdm-reservation\":1}]",
        ),
        ("headers", "https://a.example/a?b", "X-Robots-Tag: noai\r\n"),
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
    let rules = OptOutRules::new(Arc::new(AgentList::builtin().clone()));
    (builder.finish("", "").expect("a registry"), rules)
});

libfuzzer_sys::fuzz_target!(|text: &str| {
    assert!(both_ways_agree(text));
    let (registry, rules) = &*REGISTRY;
    let check = registry.check(Some(text), 2, rules);
    let mut batch = Vec::new();
    registry.check_batch(
        &[(Some(text), 2), (None, 2), (Some(text), 0)],
        rules,
        &mut batch,
    );
    assert_eq!(
        batch,
        [Some(text), None, Some(text)]
            .into_iter()
            .zip([2, 2, 0])
            .map(|(url, at)| registry.check(url, at, rules))
            .collect::<Vec<_>>()
    );
    assert!(["allowed", "disallowed", "conditional", "unknown"].contains(&check.verdict));
    let verdict_of = |kind: &str, entry: &str| {
        let mut list = BlockListBuilder::new("fuzz");
        let row = BlockRow {
            entry,
            kind,
            listed_at: None,
            removed_at: None,
            reason_code: None,
            source: None,
        };
        list.push(String::new, row).ok()?;
        let list = list.finish("", "").expect("a list");
        Some(list.check(Some(text), None, 0).verdict)
    };
    if !text.ends_with('*') {
        assert_ne!(verdict_of("url", text), Some("not_listed"));
    }
    match registrable_domain(text) {
        Some(domain) => assert!(matches!(
            verdict_of("domain", &domain),
            None | Some("listed")
        )),
        None => assert_eq!(check.verdict, "unknown"),
    }
});
