//! The built-in lexicon against COLD, where that lies beside the project.

use tamis_harm::{Judge, Lexicon, Taxonomy, Thresholds};

#[path = "cold_data/mod.rs"]
mod cold;

/// What it flags on the part held back is offensive three times in four, at whatever recall.
#[test]
fn the_lexicon_alone_is_precise() {
    let Some(folder) = cold::folder() else {
        return;
    };
    let judge = Judge::new(
        Taxonomy::builtin(),
        Lexicon::builtin(),
        Thresholds::builtin(),
    )
    .expect("the built-in resources fit each other");
    let (_, dev) = cold::train_and_dev(&folder);
    for topic in ["race", "gender", "region"] {
        assert!(dev.iter().any(|comment| comment.topic == topic), "{topic}");
    }
    let texts: Vec<&str> = dev.iter().map(|comment| &*comment.text).collect();
    let flags = judge.is_harmful(&texts, None).expect("answers");
    let flagged = flags.iter().filter(|&&flag| flag).count();
    let right = flags
        .iter()
        .zip(&dev)
        .filter(|(flag, comment)| **flag && comment.offensive)
        .count();
    assert!(flagged >= 40, "{flagged} flagged of {}", dev.len());
    let precision = right as f64 / flagged as f64;
    assert!(precision >= 0.75, "{right} of {flagged} are offensive");
}
