//! `docs/lexicon.md` says how many terms the starter lexicon has. With `TAMIS_REWRITE_DOCS=1` the
//! numbers are written anew.

use std::path::Path;

use tamis_harm::{CheckOptions, Judge, Lexicon, LexiconRules, Taxonomy, Thresholds, check_lexicon};

const FROM: &str = "<!-- counts -->\n";
const TO: &str = "<!-- end of counts -->\n";

#[test]
fn the_page_counts_the_starter_lexicon() {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pack = std::fs::read_to_string(project.join("sql/gb45654/pack.toml")).expect("the pack");
    let judge = Judge::new(
        Taxonomy::builtin(),
        Lexicon::builtin(),
        Thresholds::builtin(),
    )
    .expect("the built-in resources fit each other");
    let rules = LexiconRules::from_pack_toml("pack.toml", &pack, judge.taxonomy()).expect("rules");
    let check = check_lexicon(&judge, &rules, None, &CheckOptions::default()).expect("answers");
    let mut counts = format!(
        "\n{} distinct terms that name a risk, and {} that mask:\n\n| risk | | terms | asked for |\n|---|---|---:|---:|\n",
        check.total, check.allow
    );
    for count in &check.risks {
        let risk = &judge.taxonomy().risks()[count.risk];
        let asked = count.minimum.map(|minimum| minimum.to_string());
        counts.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            risk.id,
            risk.en,
            count.terms,
            asked.unwrap_or_default()
        ));
    }
    counts.push('\n');
    let path = project.join("docs/lexicon.md");
    let page = std::fs::read_to_string(&path).expect("the page");
    let (head, rest) = page.split_once(FROM).expect("the mark before the counts");
    let (_, tail) = rest.split_once(TO).expect("the mark behind the counts");
    let current = format!("{head}{FROM}{counts}{TO}{tail}");
    if std::env::var_os("TAMIS_REWRITE_DOCS").is_some() {
        std::fs::write(&path, current).expect("written");
    } else {
        assert!(
            page == current,
            "docs/lexicon.md counts another lexicon: run the tests with TAMIS_REWRITE_DOCS=1"
        );
    }
}
