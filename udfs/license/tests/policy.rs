//! Verdicts, reasons, obligations, and what a policy file must not be.

use tamis_license::{LicensePolicy, Permission, Verdict};
use tamis_resource::{ResourceError, sha256_hex};

fn check(raw: &str, use_case: &str) -> (&'static str, String, String) {
    let check = LicensePolicy::builtin()
        .check(Some(raw), use_case)
        .expect("a use");
    (
        check.verdict.as_str(),
        check.reason,
        check.obligations.join(" "),
    )
}

#[test]
fn verdicts_say_why_and_what_is_owed() {
    for (raw, use_case, verdict, reason, obligations) in [
        (
            "MIT",
            "train-commercial",
            "allow",
            "MIT allows train-commercial",
            "attribution notice",
        ),
        (
            "cc0",
            "redistribute",
            "allow",
            "CC0-1.0 allows redistribute",
            "",
        ),
        (
            "CC BY-NC 4.0",
            "train-commercial",
            "deny",
            "CC-BY-NC-4.0: commercial use is denied",
            "",
        ),
        (
            "CC BY-NC 4.0",
            "train-research",
            "allow",
            "CC-BY-NC-4.0 allows train-research",
            "attribution non-commercial notice",
        ),
        (
            "CC BY-NC 4.0",
            "redistribute",
            "review",
            "CC-BY-NC-4.0: commercial use is denied",
            "attribution non-commercial notice",
        ),
        (
            "CC BY-ND 4.0",
            "redistribute",
            "deny",
            "CC-BY-ND-4.0: making derivatives is denied",
            "",
        ),
        (
            "CC BY-ND 4.0",
            "train-research",
            "review",
            "CC-BY-ND-4.0: AI training is conditional",
            "attribution no-derivatives notice",
        ),
        (
            "AGPL-3.0",
            "train-commercial",
            "review",
            "AGPL-3.0-only: asks for share-alike",
            "attribution network-disclosure notice share-alike source-disclosure",
        ),
        (
            "GPL-3.0",
            "redistribute",
            "allow",
            "GPL-3.0-only allows redistribute",
            "attribution notice share-alike source-disclosure",
        ),
        (
            "CC BY",
            "train-commercial",
            "review",
            "raw names the CC-BY family but no version",
            "",
        ),
        (
            "bsd",
            "redistribute",
            "review",
            "raw names the BSD family but no version",
            "",
        ),
        (
            "nobody knows this",
            "redistribute",
            "missing",
            "raw names no known licence",
            "",
        ),
        ("  ", "redistribute", "missing", "no licence is stated", ""),
        (
            "MIT\u{1}",
            "redistribute",
            "missing",
            "raw holds control characters",
            "",
        ),
        (
            "LicenseRef-secret-name",
            "redistribute",
            "missing",
            "the policy has no rule for a licence reference",
            "",
        ),
        (
            "Abstyles",
            "redistribute",
            "review",
            "Abstyles: the policy has no reading of this licence yet",
            "",
        ),
        // OR: the branch that owes least of the best ones.
        (
            "MIT OR CC0-1.0",
            "redistribute",
            "allow",
            "CC0-1.0 allows redistribute",
            "",
        ),
        (
            "GPL-3.0-only OR CC-BY-NC-4.0",
            "train-commercial",
            "review",
            "GPL-3.0-only: asks for share-alike",
            "attribution notice share-alike source-disclosure",
        ),
        // AND: all duties, and the reason for the worst.
        (
            "MIT AND MPL-2.0",
            "redistribute",
            "allow",
            "MIT allows redistribute; MPL-2.0 allows redistribute",
            "attribution notice share-alike source-disclosure",
        ),
        (
            "CC-BY-NC-4.0 AND LicenseRef-x",
            "train-commercial",
            "deny",
            "CC-BY-NC-4.0: commercial use is denied",
            "",
        ),
        (
            "CC-BY-NC-4.0 OR LicenseRef-x",
            "train-commercial",
            "missing",
            "the policy has no rule for a licence reference",
            "",
        ),
    ] {
        let expected = (verdict, reason.to_owned(), obligations.to_owned());
        assert_eq!(check(raw, use_case), expected, "{raw} {use_case}");
    }
    let none = LicensePolicy::builtin()
        .check(None, "redistribute")
        .expect("a use");
    assert_eq!((none.verdict, none.spdx), (Verdict::Missing, None));
}

/// What single licences say, read in their texts.
#[test]
fn rows_are_what_the_texts_say() {
    let policy = LicensePolicy::builtin();
    let rows: Vec<_> = policy.rows().collect();
    for (id, permissions, duties) in [
        // Deployment as a service publishes changes (2.0, 1.4 and 2.2 c); before, any use did.
        (
            "APSL-1.0",
            "aaa",
            "attribution network-disclosure notice share-alike source-disclosure",
        ),
        (
            "APSL-1.1",
            "aaa",
            "attribution network-disclosure notice share-alike source-disclosure",
        ),
        (
            "APSL-1.2",
            "aaa",
            "attribution network-disclosure notice share-alike source-disclosure",
        ),
        (
            "APSL-2.0",
            "aaa",
            "attribution network-disclosure notice share-alike source-disclosure",
        ),
        (
            "NPOSL-3.0",
            "caa",
            "attribution network-disclosure notice share-alike source-disclosure",
        ),
        (
            "OSL-3.0",
            "aaa",
            "attribution network-disclosure notice share-alike source-disclosure",
        ),
        (
            "RHeCos-1.1",
            "aaa",
            "attribution notice share-alike source-disclosure",
        ),
        ("Condor-1.1", "aaa", "attribution notice"),
        ("Bitstream-Charter", "aaa", "attribution notice"),
        ("Baekmuk", "aaa", "attribution notice"),
        ("Bitstream-Vera", "cca", "attribution notice"),
        ("ParaType-Free-Font-1.3", "cca", "attribution notice"),
        ("Lucida-Bitmap-Fonts", "cca", "attribution notice"),
        ("OFL-1.1", "cca", "attribution notice share-alike"),
        ("CC-SA-1.0", "aaa", "notice share-alike"),
        (
            "Artistic-1.0",
            "caa",
            "attribution notice source-disclosure",
        ),
        (
            "Artistic-2.0",
            "caa",
            "attribution notice source-disclosure",
        ),
        ("Ruby", "aaa", "attribution notice source-disclosure"),
        (
            "Vim",
            "aca",
            "attribution notice share-alike source-disclosure",
        ),
        ("LPPL-1.0", "aca", "attribution notice"),
        ("LPPL-1.2", "aca", "attribution notice"),
        ("LPPL-1.3a", "aaa", "attribution notice source-disclosure"),
        ("LPPL-1.3c", "aaa", "attribution notice source-disclosure"),
        (
            "LicenseRef-tamis-Llama-2",
            "cad",
            "attribution field-of-use notice",
        ),
        (
            "LicenseRef-tamis-Llama-3",
            "cad",
            "attribution field-of-use notice",
        ),
        (
            "LicenseRef-tamis-Llama-3.1",
            "cac",
            "attribution field-of-use notice",
        ),
        (
            "LicenseRef-tamis-Grok-2-Community",
            "cad",
            "attribution field-of-use notice",
        ),
        ("LicenseRef-tamis-CC-NC-1.0", "daa", "non-commercial notice"),
        (
            "LicenseRef-tamis-CC-NC-SA-1.0",
            "daa",
            "non-commercial notice share-alike",
        ),
        ("LicenseRef-tamis-CC-ND-1.0", "adc", "no-derivatives notice"),
        (
            "LicenseRef-tamis-CC-NC-ND-1.0",
            "ddc",
            "no-derivatives non-commercial notice",
        ),
    ] {
        let row = rows.iter().find(|row| row.id == id).expect(id);
        let stated = [row.commercial, row.derivatives, row.ai_training];
        let first: String = stated
            .iter()
            .map(|permission| permission.map_or("-", |p| &p.as_str()[..1]))
            .collect();
        let mut expected: Vec<&str> = duties.split(' ').collect();
        expected.sort_unstable();
        assert_eq!(
            (first.as_str(), &row.duties),
            (permissions, &expected),
            "{id}"
        );
    }
}

/// `LicenseRef-tamis-CC-…` is a port that Creative Commons published and SPDX gives no id; whoever
/// writes anything else there has invented it.
#[test]
fn only_ports_that_were_published_belong_to_a_family() {
    for (raw, verdict) in [
        ("LicenseRef-tamis-CC-BY-3.0-CN", "allow"),
        ("licenseref-tamis-cc-by-3.0-cn", "allow"),
        ("LicenseRef-tamis-CC-BY-SA-2.5-HK", "review"),
        ("LicenseRef-tamis-CC-BY-NC-3.0-TW", "deny"),
        ("LicenseRef-tamis-CC-BY-whatever", "missing"),
        ("LicenseRef-tamis-CC-BY-9.9-XX", "missing"),
        ("LicenseRef-tamis-CC-BY-9.9-CN", "missing"),
        ("LicenseRef-tamis-CC-BY-3.0-XX", "missing"),
        ("LicenseRef-tamis-CC-BY-4.0-CN", "missing"),
        ("LicenseRef-tamis-CC-BY-4.0", "missing"),
        // SPDX has ids for these.
        ("LicenseRef-tamis-CC-BY-3.0-DE", "missing"),
        ("LicenseRef-tamis-CC-BY-3.0", "missing"),
        ("LicenseRef-tamis-CC-BY-SA-whatever", "missing"),
        ("LicenseRef-tamis-CC-BY-SA-ND-3.0-CN", "missing"),
        ("LicenseRef-tamis-CC-BY-NC-9.9-XX", "missing"),
        ("LicenseRef-tamis-CC-BY-3.0-CN-CN", "missing"),
        ("LicenseRef-tamis-CC-BY-3-CN", "missing"),
        ("LicenseRef-tamis-CC-BY-3.0--CN", "missing"),
    ] {
        assert_eq!(check(raw, "train-commercial").0, verdict, "{raw}");
    }
    // Families of a policy of one's own do not change what the reference is.
    let own = LicensePolicy::from_toml(
        "own.toml",
        &format!("{USES}{RULE}{ALL}").replace("CC-BY-*", "LicenseRef-tamis-CC-*"),
    )
    .expect("a policy");
    let verdict = |raw: &str| own.check(Some(raw), "keep").expect("a use").verdict;
    assert_eq!(verdict("LicenseRef-tamis-CC-BY-3.0-CN"), Verdict::Allow);
    assert_eq!(verdict("LicenseRef-tamis-CC-BY-mine"), Verdict::Missing);
}

#[test]
fn long_strings_are_refused_and_never_quoted() {
    let (verdict, reason, _) = check(&"MIT OR ".repeat(1_000), "train-commercial");
    assert_eq!(verdict, "missing");
    assert_eq!(reason, "raw is longer than 4096 bytes and was not read");
    let name = format!("LicenseRef-{}", "x".repeat(200));
    let policy = LicensePolicy::BUILTIN_TOML
        .replace("\"LicenseRef-tamis-H-Research\"", &format!("\"{name}\""));
    let policy = LicensePolicy::from_toml("own.toml", &policy).expect("a policy");
    let check = policy
        .check(Some(&name), "train-commercial")
        .expect("a use");
    assert_eq!(
        check.reason,
        "a licence reference: commercial use is denied"
    );
    let many = ["MIT", "ISC", "Zlib", "NCSA", "NTP"].join(" AND ");
    let check = policy.check(Some(&many), "redistribute").expect("a use");
    assert!(check.reason.ends_with("; and 2 more"), "{}", check.reason);
}

#[test]
fn an_unknown_use_is_an_error_with_the_known_ones() {
    let policy = LicensePolicy::builtin();
    assert_eq!(
        policy.uses(),
        ["redistribute", "train-commercial", "train-research"]
    );
    let error = policy
        .check(None, "train-comercial")
        .expect_err("no such use");
    assert_eq!(
        error,
        ResourceError::UnknownName {
            kind: "use",
            name: "train-comercial".into(),
            known: "redistribute, train-commercial, train-research".into(),
            nearest: Some("train-commercial".into()),
        }
    );
}

#[test]
fn identity_is_the_text() {
    let policy = LicensePolicy::builtin();
    assert_eq!(policy.identity().uri, "builtin:license_policy");
    assert_eq!(policy.identity().version, "1");
    assert_eq!(
        policy.identity().sha256,
        sha256_hex(LicensePolicy::BUILTIN_TOML.as_bytes())
    );
}

const USES: &str = "version = \"7\"\n[uses.keep]\ntitle = \"t\"\nneeds = [\"commercial\"]\n";
const RULE: &str = "[[rules]]\nname = \"r\"\nlicenses = [\"MIT\", \"CC-BY-*\", \"CC-BY-NC-*\"]\n";
const ALL: &str = "commercial = \"allowed\"\nderivatives = \"allowed\"\nai_training = \"denied\"\n\
    attribution = false\nshare_alike = false\nnetwork = false\n";

#[test]
fn a_policy_stands_alone() {
    let policy =
        LicensePolicy::from_toml("own.toml", &format!("{USES}{RULE}{ALL}")).expect("a policy");
    assert_eq!(policy.identity().version, "7");
    let verdict = |raw: &str| policy.check(Some(raw), "keep").expect("a use").verdict;
    assert_eq!(verdict("MIT"), Verdict::Allow);
    assert_eq!(verdict("CC BY 4.0"), Verdict::Allow);
    assert_eq!(verdict("ISC"), Verdict::Review);
    assert_eq!(verdict("MIT AND ISC"), Verdict::Review);
    assert_eq!(
        policy.check(Some("ISC"), "keep").expect("a use").reason,
        "ISC: the policy has no rule for this licence"
    );
}

#[test]
fn the_longest_family_decides_and_an_id_beats_it() {
    let deny = ALL.replace("commercial = \"allowed\"", "commercial = \"denied\"");
    let text = format!(
        "{USES}[[rules]]\nname = \"a\"\nlicenses = [\"CC-BY-*\", \"CC-BY-NC-3.0\"]\n{ALL}\
         [[rules]]\nname = \"b\"\nlicenses = [\"CC-BY-NC-*\", \"CC-BY-1.0\"]\n{deny}"
    );
    let policy = LicensePolicy::from_toml("own.toml", &text).expect("a policy");
    for (raw, verdict) in [
        ("CC-BY-4.0", Verdict::Allow),
        ("CC-BY-NC-4.0", Verdict::Deny),
        ("CC-BY-NC-3.0", Verdict::Allow),
        ("CC-BY-1.0", Verdict::Deny),
    ] {
        assert_eq!(
            policy.check(Some(raw), "keep").expect("a use").verdict,
            verdict,
            "{raw}"
        );
    }
}

#[test]
fn malformed_policies_are_located() {
    let without = |line: &str| format!("{USES}{RULE}{}", ALL.replace(line, ""));
    for (text, location) in [
        ("version = \"1\"\n[uses\n".to_owned(), "line 2"),
        ("version = \"1\"\nuses = {}\n".to_owned(), "key uses"),
        (
            USES.replace("[\"commercial\"]", "[]"),
            "key uses.keep.needs",
        ),
        (
            USES.replace("\"commercial\"", "\"share_alike\""),
            "key uses.keep.needs",
        ),
        (USES.replace("\"commercial\"", "\"comercial\""), "line 4"),
        (format!("{USES}{RULE}{ALL}speed = 1\n"), "line 14"),
        (
            format!("{USES}{RULE}{}", ALL.replace("denied", "no")),
            "line 10",
        ),
        (
            without("ai_training = \"denied\"\n"),
            "key rules.r.ai_training",
        ),
        (without("share_alike = false\n"), "key rules.r.share_alike"),
        (
            format!("{USES}{RULE}{ALL}review = \"why\"\n"),
            "key rules.r.review",
        ),
        (
            format!("{USES}{RULE}review = \" \"\n"),
            "key rules.r.review",
        ),
        (
            format!("{USES}{RULE}{ALL}").replace("CC-BY-*", "*"),
            "key rules.r.licenses",
        ),
        (
            format!("{USES}{RULE}{ALL}").replace("CC-BY-*", "MIT"),
            "key rules.r.licenses",
        ),
        (
            format!("{USES}{RULE}{ALL}").replace("CC-BY-*", "CC-BY-NC-*"),
            "key rules.r.licenses",
        ),
        (
            format!("{USES}{RULE}{ALL}").replace("MIT", "GPL-2.0"),
            "key rules.r.licenses",
        ),
        (
            format!("{USES}{RULE}{ALL}").replace("MIT", "mit"),
            "key rules.r.licenses",
        ),
        (
            format!("{USES}{RULE}{ALL}").replace("MIT", "MIT OR ISC"),
            "key rules.r.licenses",
        ),
    ] {
        match LicensePolicy::from_toml("own.toml", &text) {
            Err(ResourceError::Malformed {
                uri,
                location: found,
                message,
            }) => {
                assert_eq!(
                    (uri.as_str(), found.as_str()),
                    ("own.toml", location),
                    "{message}\n{text}"
                );
            }
            other => panic!("{other:?}\n{text}"),
        }
    }
}

#[test]
fn rows_cover_the_list_and_agree_with_the_check() {
    let policy = LicensePolicy::builtin();
    let rows: Vec<_> = policy.rows().collect();
    let listed = spdx::identifiers::LICENSES
        .iter()
        .filter(|license| license.name != "NOASSERTION");
    let (mut references, mut listed) = (
        rows.iter().filter(|row| row.id.starts_with("LicenseRef-")),
        listed,
    );
    assert!(references.by_ref().count() >= 20);
    for row in &rows {
        assert!(row.rule.is_some(), "{}: no rule", row.id);
        assert!(
            !row.name.is_empty() && row.uses.len() == policy.uses().len(),
            "{}",
            row.id
        );
        let stated = [row.commercial, row.derivatives, row.ai_training];
        let reviewed = stated.iter().all(Option::is_none);
        assert!(reviewed || stated.iter().all(Option::is_some), "{}", row.id);
        assert!(!reviewed || row.duties.is_empty(), "{}", row.id);
        for judged in &row.uses {
            let check = policy
                .check(Some(&row.id), &judged.use_case)
                .expect("a use");
            assert_eq!(
                (judged.verdict, &judged.reason),
                (check.verdict, &check.reason)
            );
            assert!(!reviewed || judged.verdict == Verdict::Review, "{}", row.id);
        }
        if row.id.starts_with("LicenseRef-") {
            continue;
        }
        let license = listed.next().expect("a licence of the list");
        assert_eq!(
            (row.id.as_str(), row.name.as_str()),
            (license.name, license.full_name)
        );
        let deprecated = license.flags & spdx::flags::IS_DEPRECATED != 0;
        assert_eq!(row.deprecated, deprecated, "{}", row.id);
        // Net-SNMP was a collection of licences.
        assert_eq!(
            row.successor.is_some(),
            deprecated && row.id != "Net-SNMP",
            "{}",
            row.id
        );
    }
    assert!(listed.next().is_none(), "a licence without a row");
}

#[test]
fn a_row_says_what_a_licence_allows() {
    let policy = LicensePolicy::builtin();
    let row = policy
        .rows()
        .find(|row| row.id == "GPL-2.0+")
        .expect("a row");
    assert_eq!(row.successor.as_deref(), Some("GPL-2.0-or-later"));
    assert_eq!(row.rule.as_deref(), Some("strong-copyleft"));
    assert_eq!(row.commercial, Some(Permission::Allowed));
    assert_eq!(
        row.duties,
        ["attribution", "notice", "share-alike", "source-disclosure"]
    );
    let unread = policy
        .rows()
        .find(|row| row.id == "Abstyles")
        .expect("a row");
    assert_eq!(
        (unread.rule.as_deref(), unread.commercial),
        (Some("unread"), None)
    );
}
