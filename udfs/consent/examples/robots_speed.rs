//! How long one question to a parsed robots.txt takes, and what a host costs in memory.
//!
//! `cargo run --release -p tamis-consent --example robots_speed`

use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

use tamis_consent::signals::{AgentList, Robots};

fn main() {
    let small = "User-agent: *\nDisallow: /wp-admin/\nAllow: /wp-admin/admin-ajax.php\n\
                 Disallow: /*?replytocom=\n\nSitemap: https://example.org/sitemap.xml\n";
    let mut managed =
        String::from("User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n\n");
    for agent in AgentList::builtin().training() {
        write!(managed, "User-agent: {}\nDisallow: /\n\n", agent.agent).expect("written");
    }
    let mut shop = String::from("User-agent: *\n");
    for number in 0..100 {
        write!(
            shop,
            "Disallow: /catalog/{number}/\nDisallow: /*?sort={number}&\n"
        )
        .expect("written");
    }
    let url = "https://www.example.org/2024/05/a-longer-title-of-an-article?utm_source=feed";
    let encoded = "https://www.example.org/wiki/%E4%B8%AD%E6%96%87?oldid=1";
    for (name, text) in [("small", small), ("managed", &managed), ("shop", &shop)] {
        let robots = Robots::parse(text.as_bytes());
        let bytes = size_of::<Robots>() + robots.heap_bytes();
        let parse = nanoseconds(5_000, || {
            black_box(Robots::parse(black_box(text.as_bytes())));
        });
        println!(
            "{name}: {} bytes of text, {bytes} in memory, parsed in {parse} ns",
            text.len()
        );
        for (what, url) in [("plain", url), ("encoded", encoded)] {
            let allowed = nanoseconds(200_000, || {
                black_box(robots.allowed(black_box(url), black_box("GPTBot")));
            });
            let usage = nanoseconds(200_000, || {
                black_box(robots.content_signal(black_box(url), black_box("*"), "ai-train"));
            });
            println!("  {what} URL: allowed {allowed} ns, content_signal {usage} ns");
        }
    }
}

/// The time of one call, from the fastest of many batches: the others were interrupted.
fn nanoseconds(times: u32, mut work: impl FnMut()) -> u128 {
    let batches = 100;
    let calls = times / batches;
    let batch = |_| {
        let start = Instant::now();
        for _ in 0..calls {
            work();
        }
        start.elapsed().as_nanos() / u128::from(calls)
    };
    (0..batches).map(batch).min().unwrap_or_default()
}
