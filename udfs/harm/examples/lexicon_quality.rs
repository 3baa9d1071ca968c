//! How often the built-in lexicon alone is right on COLD, as a Markdown table.
//!
//! `cargo run --release -p tamis-harm --example lexicon_quality`; the data lies in
//! `../shared/data/cold`, or where `TAMIS_COLD` says. A comment is flagged when some risk reaches
//! its threshold. With `--entries N`, also the entries that hit N clean comments or more in either
//! part, with how many offensive ones they hit.

use tamis_harm::{Judge, Lexicon, Taxonomy, Thresholds};

#[path = "../tests/cold_data/mod.rs"]
mod cold;

use cold::Comment;

fn main() {
    let Some(folder) = cold::folder() else {
        std::process::exit(2);
    };
    let judge = Judge::new(
        Taxonomy::builtin(),
        Lexicon::builtin(),
        Thresholds::builtin(),
    )
    .expect("the built-in resources fit each other");
    let (train, dev) = cold::train_and_dev(&folder);
    println!("| part | topic | comments | offensive | flagged | right | precision | recall |");
    println!("|---|---|---:|---:|---:|---:|---:|---:|");
    for (part, comments) in [("train", &train), ("dev", &dev)] {
        let texts: Vec<&str> = comments.iter().map(|comment| &*comment.text).collect();
        let flags = judge.is_harmful(&texts, None).expect("no classifier");
        for topic in ["race", "gender", "region", "all"] {
            let rows = comments
                .iter()
                .zip(&flags)
                .filter(|(comment, _)| topic == "all" || comment.topic == topic);
            let (mut count, mut offensive, mut flagged, mut right) = (0, 0, 0, 0);
            for (comment, &flag) in rows {
                count += 1;
                offensive += u32::from(comment.offensive);
                flagged += u32::from(flag);
                right += u32::from(flag && comment.offensive);
            }
            println!(
                "| {part} | {topic} | {count} | {offensive} | {flagged} | {right} | {:.3} | {:.3} |",
                f64::from(right) / f64::from(flagged.max(1)),
                f64::from(right) / f64::from(offensive.max(1)),
            );
        }
    }
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("--entries") {
        let least = arguments.next().and_then(|number| number.parse().ok());
        list_entries(&judge, &[train, dev].concat(), least.unwrap_or(1));
    }
}

fn list_entries(judge: &Judge, comments: &[Comment], least: usize) {
    let texts: Vec<&str> = comments.iter().map(|comment| &*comment.text).collect();
    let mut hits = vec![(0, 0); judge.lexicon().entries().len()];
    judge
        .assess(&texts, &mut |document, assessment| {
            let mut entries: Vec<usize> = assessment.hits.iter().map(|hit| hit.entry).collect();
            entries.sort_unstable();
            entries.dedup();
            for entry in entries {
                match comments[document].offensive {
                    true => hits[entry].1 += 1,
                    false => hits[entry].0 += 1,
                }
            }
        })
        .expect("no classifier");
    let mut entries: Vec<usize> = (0..hits.len())
        .filter(|&entry| hits[entry].0 >= least)
        .collect();
    entries.sort_by_key(|&entry| std::cmp::Reverse(hits[entry].0));
    println!("\n| term | risk | weight | clean | offensive |");
    println!("|---|---|---:|---:|---:|");
    for entry in entries {
        let (clean, offensive) = hits[entry];
        let entry = &judge.lexicon().entries()[entry];
        println!(
            "| {} | {} | {} | {clean} | {offensive} |",
            entry.term, entry.risk, entry.weight
        );
    }
}
