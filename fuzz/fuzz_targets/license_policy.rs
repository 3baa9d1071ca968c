//! Any text as a licence policy, alone and behind a sound beginning: an error that names the file,
//! or a policy that judges; a comment at its end changes no verdict.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tamis_license::{LicensePolicy, Verdict};

const BEGINNING: &str = "version = \"1\"\n[uses.train]\ntitle = \"t\"\n\
    needs = [\"commercial\", \"ai_training\"]\nreview_on = [\"network\"]\n";
const RULE: &str = "[[rules]]\nname = \"r\"\ncommercial = \"allowed\"\nderivatives = \"denied\"\n\
    ai_training = \"allowed\"\nattribution = true\nshare_alike = false\nnetwork = false\n\
    licenses = [";
const LICENSES: [&str; 6] = [
    "MIT",
    "CC BY-NC 4.0",
    "GPL-2.0+ AND (MIT OR Zlib)",
    "LicenseRef-tamis-CC-BY-3.0-CN",
    "LicenseRef-tamis-CC-BY-anything",
    "no licence at all",
];

fn judge(text: &str) -> Option<Vec<Verdict>> {
    let policy = match LicensePolicy::from_toml("any.toml", text) {
        Ok(policy) => policy,
        Err(error) => {
            assert!(error.to_string().starts_with("any.toml, "), "{error}");
            return None;
        }
    };
    assert!(!policy.uses().is_empty());
    let mut verdicts = Vec::new();
    for use_case in policy.uses() {
        let none = policy.check(None, use_case).expect("a use");
        assert_eq!(none.verdict, Verdict::Missing);
        for raw in LICENSES {
            let check = policy.check(Some(raw), use_case).expect("a use");
            assert!(check.verdict < Verdict::Review || !raw.ends_with("-anything"));
            assert!(check.verdict == Verdict::Missing || check.spdx.is_some());
            verdicts.push(check.verdict);
        }
    }
    Some(verdicts)
}

fuzz_target!(|input: &str| {
    for text in [
        input.to_owned(),
        format!("{BEGINNING}{input}"),
        format!("{BEGINNING}{RULE}{input}"),
    ] {
        if let Some(verdicts) = judge(&text) {
            assert_eq!(judge(&format!("{text}\n# end")), Some(verdicts));
        }
    }
});
