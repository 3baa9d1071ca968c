//! Writes the table of traditional characters and their simplified forms from the character
//! dictionary of OpenCC (Apache-2.0), as the crate `hanconv` carries it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let one = |text: &str| {
        let mut characters = text.chars();
        characters.next().filter(|_| characters.next().is_none())
    };
    // The first of several simplified forms is the usual one.
    let pairs: BTreeMap<char, char> = hanconv::RawDictionary::TSCharacters
        .iter()
        .filter_map(|(from, to)| Some((one(from)?, one(to)?)))
        .filter(|(from, to)| from != to)
        .collect();
    let mut table = String::from("&[\n");
    for (&from, &first) in &pairs {
        // Simplifying twice must change nothing.
        let mut to = first;
        for _ in 0..pairs.len() {
            match pairs.get(&to) {
                Some(&next) if next != from => to = next,
                _ => break,
            }
        }
        assert!(
            !pairs.contains_key(&to),
            "{from} and {to} stand for each other"
        );
        writeln!(table, "    ({from:?}, {to:?}),").expect("written");
    }
    table.push_str("]\n");
    let out = env::var_os("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("simplified.rs"), table).expect("the table is written");
}
