//! Any bytes as robots.txt: the decision and the rule it names agree, an added rule for all
//! agents outside any group changes nothing.
#![no_main]

use tamis_consent::signals::Robots;

libfuzzer_sys::fuzz_target!(|input: (&str, &str, &[u8])| {
    let (url, agent, body) = input;
    let robots = Robots::parse(body);
    let allowed = robots.allowed(url, agent);
    if let Some(rule) = robots.deciding_rule(url, agent) {
        assert_eq!(rule.allow, allowed);
        assert!(rule.line > 0);
    }
    if !body.starts_with(b"\xFF\xFE") && !body.starts_with(b"\xFE\xFF") {
        let more = [b"Disallow: /\n", body].concat();
        assert_eq!(Robots::parse(&more).allowed(url, agent), allowed);
    }
    robots.content_usage(url, agent, "train-ai");
    robots.content_signal(url, agent, "ai-train");
    assert!(robots.heap_bytes() < 64 * (body.len() + 8));
});
