//! Measures an opt-out registry: load time, memory, lookups per second.
//!
//! `cargo run --release -p tamis-consent --example opt_out_scale [HOSTS [RUNS]]`
//!
//! With several runs each figure is their median, with the lowest and the highest.
//!
//! Hosts are synthetic. One in ten has a robots.txt of its own, the others share some hundred
//! bodies as sites on common software do; one in five has closed its pages to crawlers for
//! training. One thread; times are the CPU seconds of that thread (Linux).

use std::error::Error;
use std::fs;
use std::sync::Arc;

use tamis_consent::opt_out::{
    OptOutAnswers, OptOutQuestion, OptOutRegistry, OptOutRegistryBuilder, OptOutRules,
    OptOutSignal, SnapshotRow,
};
use tamis_consent::signals::AgentList;

const AT: i64 = 1_700_000_000_000_000;
const LOOKUPS: usize = 2_000_000;
/// How many are asked at a time.
const BATCH: usize = 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let hosts: usize = match std::env::args().nth(1) {
        Some(text) => text.parse()?,
        None => 1_000_000,
    };
    let runs: usize = match std::env::args().nth(2) {
        Some(text) => text.parse()?,
        None => 1,
    };
    let mut body_bytes = 0;
    let started = cpu_seconds()?;
    let mut builder = OptOutRegistryBuilder::new("synthetic");
    for number in 0..hosts {
        let (body, url) = (body(number), host(number));
        body_bytes += body.len();
        builder.push(
            String::new,
            SnapshotRow {
                url: &url,
                fetched_at: AT - 1,
                kind: "robots.txt",
                status: Some(200),
                body: body.as_bytes(),
                sha256: None,
            },
        )?;
    }
    let registry = builder.finish("1", "00")?;
    println!(
        "{hosts} hosts, {:.0} bytes of robots.txt each, {} different; load {:.1} CPU-s",
        body_bytes as f64 / hosts as f64,
        registry.bodies(),
        cpu_seconds()? - started
    );
    println!(
        "registry: {:.0} MB, {:.0} bytes a host",
        registry.memory_bytes() as f64 / 1e6,
        registry.memory_bytes() as f64 / hosts as f64
    );
    let hits: Vec<String> = (0..LOOKUPS)
        .map(|number| {
            let host = host(number * 7_919_993 % hosts);
            format!("https://{host}/archive/2026/11/article-{number}.html?page=2")
        })
        .collect();
    let misses: Vec<String> = (0..LOOKUPS)
        .map(|number| format!("https://www.stranger-{number}.example/archive/{number}.html"))
        .collect();
    let rules = OptOutRules::new(Arc::new(AgentList::builtin().clone()));
    println!("{} training agents", rules.agents.training().count());
    for (name, urls, batch) in [
        ("one by one, hits, first", &hits, 1),
        ("one by one, hits", &hits, 1),
        ("one by one, misses", &misses, 1),
        ("batches, hits", &hits, BATCH),
        ("batches, misses", &misses, BATCH),
    ] {
        let mut measured = Vec::with_capacity(runs);
        for _ in 0..runs.max(1) {
            measured.push(measure(&registry, &rules, urls, batch)?);
        }
        measured.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
        let of = |place: usize| measured[place].per_second / 1e6;
        let Counts { verdicts, told, .. } = &measured[0];
        println!(
            "{name}: {:.2} M lookups/s ({:.2} to {:.2}; allowed {}, disallowed {}, unknown {}; \
             {:.0} bytes of evidence each)",
            of(measured.len() / 2),
            of(0),
            of(measured.len() - 1),
            verdicts[0],
            verdicts[1],
            verdicts[2],
            *told as f64 / LOOKUPS as f64
        );
    }
    Ok(())
}

/// What one run over all URLs gave.
struct Counts {
    per_second: f64,
    verdicts: [usize; 3],
    told: usize,
}

fn measure(
    registry: &OptOutRegistry,
    rules: &OptOutRules,
    urls: &[String],
    batch: usize,
) -> Result<Counts, Box<dyn Error>> {
    let (mut verdicts, mut told) = ([0_usize; 3], 0);
    let mut count = |verdict: &str, signals: &[OptOutSignal]| {
        verdicts[match verdict {
            "allowed" => 0,
            "disallowed" => 1,
            _ => 2,
        }] += 1;
        // Every part of the answer is looked at.
        for signal in signals {
            let texts = signal.signal.len() + signal.value.len() + signal.sha256.len();
            told += texts + usize::from(signal.fetched_at < AT);
        }
    };
    let (mut questions, mut answers) = (Vec::new(), OptOutAnswers::default());
    let started = cpu_seconds()?;
    for urls in urls.chunks(batch) {
        if let [url] = urls {
            let check = registry.check(Some(url), AT, rules);
            count(check.verdict, &check.signals);
            continue;
        }
        questions.clear();
        questions.extend(urls.iter().map(|url| OptOutQuestion {
            url: Some(url.as_str()),
            from: AT,
            until: AT,
        }));
        answers.clear();
        registry.answer_batch(&questions, rules, &mut answers);
        for (verdict, signals) in answers.iter() {
            count(verdict, signals);
        }
    }
    Ok(Counts {
        per_second: LOOKUPS as f64 / (cpu_seconds()? - started),
        verdicts,
        told,
    })
}

fn host(number: usize) -> String {
    format!("www.site-{number}.example")
}

fn body(number: usize) -> String {
    let mut body = String::from("# robots.txt\n");
    if number.is_multiple_of(5) {
        for agent in [
            "GPTBot",
            "CCBot",
            "ClaudeBot",
            "Google-Extended",
            "Bytespider",
        ] {
            body.push_str(&format!("User-agent: {agent}\nDisallow: /\n\n"));
        }
    }
    body.push_str("User-agent: *\n");
    let kind = if number.is_multiple_of(10) {
        number
    } else {
        number % 97
    };
    for line in 0..8 + number % 7 {
        body.push_str(&format!("Disallow: /private/{kind}/{line}/\n"));
    }
    body.push_str("Disallow: /*?sort=\nAllow: /wp-admin/admin-ajax.php\n");
    body.push_str("Sitemap: https://www.site.example/sitemap.xml\n");
    body
}

/// What this thread has run so far.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().ok_or("empty schedstat")?;
    Ok(nanoseconds.parse::<f64>()? / 1e9)
}
