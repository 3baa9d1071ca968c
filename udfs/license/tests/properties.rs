//! What holds for every licence string.

use proptest::prelude::*;
use spdx::identifiers::{EXCEPTIONS, LICENSES};
use tamis_license::{Check, LicensePolicy, Verdict, license_id};

const DEPRECATED: u8 = spdx::flags::IS_DEPRECATED;
/// In the crate's list, and no licence.
const NOT_LICENSES: [&str; 1] = ["NOASSERTION"];
/// Deprecated without a successor: SPDX says to name the parts, which the id does not tell.
const WITHOUT_SUCCESSOR: [&str; 1] = ["Net-SNMP"];

fn is_current(expression: &str) -> bool {
    let expression = spdx::Expression::parse_mode(
        expression,
        spdx::ParseMode {
            allow_deprecated: false,
            ..spdx::ParseMode::STRICT
        },
    );
    expression.is_ok()
}

#[test]
fn every_current_id_is_itself() {
    for license in LICENSES {
        if license.flags & DEPRECATED != 0 || NOT_LICENSES.contains(&license.name) {
            continue;
        }
        let id = license.name;
        assert_eq!(license_id(id).as_deref(), Some(id));
        assert_eq!(
            license_id(&id.to_lowercase()).as_deref(),
            Some(id),
            "lower case"
        );
        assert_eq!(
            license_id(&id.to_uppercase()).as_deref(),
            Some(id),
            "upper case"
        );
        assert_eq!(
            license_id(&id.replace('-', " ")).as_deref(),
            Some(id),
            "spaces"
        );
    }
}

#[test]
fn every_deprecated_id_gives_a_current_expression() {
    let mut without = Vec::new();
    for license in LICENSES {
        if license.flags & DEPRECATED == 0 {
            continue;
        }
        let expression = license_id(license.name).expect(license.name);
        if expression == license.name {
            without.push(license.name);
            continue;
        }
        assert!(is_current(&expression), "{}: {expression}", license.name);
    }
    assert_eq!(without, WITHOUT_SUCCESSOR);
}

#[test]
fn every_exception_is_read_in_any_case() {
    for exception in EXCEPTIONS {
        let raw = format!("gpl-2.0-only with {}", exception.name.to_lowercase());
        let expression = license_id(&raw).expect(exception.name);
        assert!(is_current(&expression), "{expression}");
        if exception.flags & DEPRECATED == 0 {
            assert_eq!(expression, format!("GPL-2.0-only WITH {}", exception.name));
        }
    }
}

/// A title names its licence, or none where two licences share it; never another one.
#[test]
fn titles_never_name_another_license() {
    let mut unread = Vec::new();
    for license in LICENSES {
        if NOT_LICENSES.contains(&license.name) {
            continue;
        }
        match license_id(license.full_name) {
            Some(id) => assert_eq!(Some(id), license_id(license.name), "{}", license.full_name),
            None => unread.push(license.full_name),
        }
    }
    // "… v1.1 only - invariants" is the title of two ids.
    assert!(
        unread.iter().all(|title| title.ends_with("invariants")),
        "{unread:?}"
    );
}

#[test]
fn the_policy_judges_every_current_license_for_every_use() {
    let policy = LicensePolicy::builtin();
    let mut unruled = Vec::new();
    for license in LICENSES {
        if NOT_LICENSES.contains(&license.name) {
            continue;
        }
        for use_case in policy.uses() {
            let check = policy.check(Some(license.name), use_case).expect("a use");
            assert!(!check.reason.is_empty());
            assert_ne!(check.verdict, Verdict::Missing, "{}", license.name);
            if check.reason.contains("no rule") {
                unruled.push(license.name);
            }
        }
    }
    assert!(unruled.is_empty(), "no rule: {unruled:?}");
}

#[test]
fn hostile_input_is_bounded() {
    let policy = LicensePolicy::builtin();
    for raw in [
        "(".repeat(10_000),
        "(".repeat(4_096),
        format!("{}MIT{}", "(".repeat(2_000), ")".repeat(2_000)),
        "MIT OR ".repeat(580) + "MIT",
        "a or ".repeat(800),
        "x".repeat(1 << 20),
        "许".repeat(1 << 18),
        "MIT\0".repeat(1_000),
        "\0".repeat(1 << 20),
        "with ".repeat(800),
        "+".repeat(4_000),
        "第".repeat(1_300),
        "https://".repeat(500),
    ] {
        let check = policy.check(Some(&raw), "train-commercial").expect("a use");
        assert!(check.reason.len() < 200);
        if check.spdx.is_none() {
            assert_eq!(check.verdict, Verdict::Missing);
        }
    }
}

/// One licence of each kind of rule, one that nobody has read, and a reference no rule names.
const TERMS: [&str; 12] = [
    "MIT",
    "CC0-1.0",
    "CC-BY-4.0",
    "CC-BY-SA-4.0",
    "CC-BY-NC-4.0",
    "CC-BY-ND-4.0",
    "GPL-2.0-only",
    "AGPL-3.0-or-later",
    "LicenseRef-tamis-Llama-3",
    "LicenseRef-nobody-knows",
    "Abstyles",
    "GPL-2.0-or-later WITH Classpath-exception-2.0",
];

fn expression() -> impl Strategy<Value = String> {
    let term = proptest::sample::select(TERMS.to_vec()).prop_map(str::to_owned);
    term.prop_recursive(4, 16, 3, |inner| {
        (proptest::collection::vec(inner, 2..4), any::<bool>()).prop_map(|(parts, all)| {
            let operator = if all { ") AND (" } else { ") OR (" };
            format!("({})", parts.join(operator))
        })
    })
}

fn use_case() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["train-commercial", "train-research", "redistribute"])
}

fn check(raw: &str, use_case: &str) -> Check {
    LicensePolicy::builtin()
        .check(Some(raw), use_case)
        .expect("a use")
}

/// Everything but the expression as written, which keeps its order.
fn answer(raw: &str, use_case: &str) -> (Verdict, String, Vec<String>) {
    let check = check(raw, use_case);
    (check.verdict, check.reason, check.obligations)
}

/// Any string, and strings of pieces that occur in licence names.
fn raw() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "MIT",
        "mit",
        "CC",
        "BY",
        "NC",
        "SA",
        "4.0",
        "3.0",
        "2",
        "GPL",
        "LGPL",
        "v2",
        "+",
        "-",
        " ",
        "(",
        ")",
        " AND ",
        " or ",
        " WITH ",
        "license",
        "Apache",
        "许可证",
        "木兰宽松",
        "第",
        "二",
        "版",
        "署名",
        "非商业性使用",
        "或更高版本",
        "LicenseRef-x",
        ":",
        "/",
        "https://",
        "classpath exception",
        "only",
        "or later",
        ">=",
        "|",
        ".",
        "ＧＰＬ",
        "\u{200B}",
        "DocumentRef-a:",
        "tamis-cc-by",
    ]);
    prop_oneof![
        any::<String>(),
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat()),
        expression(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_000) })]

    #[test]
    fn reading_the_result_gives_itself(raw in raw()) {
        if let Some(id) = license_id(&raw) {
            prop_assert_eq!(license_id(&id), Some(id.clone()), "{}", raw);
            prop_assert!(spdx::Expression::parse_mode(&id, spdx::ParseMode {
                allow_deprecated: true, ..spdx::ParseMode::STRICT
            }).is_ok(), "{raw} gives {id}, which is no SPDX expression");
        }
    }

    #[test]
    fn no_expression_is_never_allowed(raw in raw(), use_case in use_case()) {
        let check = check(&raw, use_case);
        prop_assert_eq!(&check.spdx, &license_id(&raw));
        prop_assert!(check.spdx.is_some() || check.verdict != Verdict::Allow);
        prop_assert!(check.obligations.is_sorted());
        prop_assert!(check.verdict >= Verdict::Review || check.obligations.is_empty());
    }

    #[test]
    fn case_space_and_width_do_not_matter(raw in expression()) {
        // References of others keep their case.
        let raw = raw.replace("LicenseRef-nobody-knows", "LicenseRef-tamis-Gemma-Terms");
        let expected = license_id(&raw);
        prop_assert!(expected.is_some());
        let wide: String = raw.chars().map(|c| match c {
            ' ' => '\u{3000}',
            '!'..='~' => char::from_u32(c as u32 + 0xFEE0).expect("full width"),
            other => other,
        }).collect();
        let wide = license_id(&wide);
        prop_assert_eq!(&wide, &expected);
        prop_assert_eq!(&license_id(&raw.to_lowercase()), &expected);
        prop_assert_eq!(&license_id(&raw.to_uppercase()), &expected);
        let spaced = format!("  {}\t", raw.replace(' ', "  \u{A0}").replace('(', "( "));
        prop_assert_eq!(&license_id(&spaced), &expected);
    }

    #[test]
    fn and_or_algebra(
        a in expression(), b in expression(), c in expression(), use_case in use_case()
    ) {
        let of = |raw: String| answer(&raw, use_case);
        for operator in ["AND", "OR"] {
            prop_assert_eq!(of(format!("({a}) {operator} ({b})")), of(format!("({b}) {operator} ({a})")));
            prop_assert_eq!(of(format!("({a}) {operator} ({a})")), of(a.clone()));
            prop_assert_eq!(
                of(format!("(({a}) {operator} ({b})) {operator} ({c})")),
                of(format!("({a}) {operator} (({b}) {operator} ({c}))"))
            );
        }
        let verdict = |raw: String| check(&raw, use_case).verdict;
        let (x, y) = (verdict(a.clone()), verdict(b.clone()));
        prop_assert_eq!(verdict(format!("({a}) AND ({b})")), x.min(y));
        prop_assert_eq!(verdict(format!("({a}) OR ({b})")), x.max(y));
        prop_assert_eq!(verdict(format!("({a}) OR (({a}) AND ({b}))")), x);
        prop_assert_eq!(
            verdict(format!("({a}) AND (({b}) OR ({c}))")),
            verdict(format!("(({a}) AND ({b})) OR (({a}) AND ({c}))"))
        );
    }

    /// Any text behind the name of a family: only what a Creative Commons name gives has a rule.
    #[test]
    fn an_invented_port_has_no_rule(
        elements in "-(BY|NC|ND|SA){0,1}(-NC|-ND|-SA){0,2}",
        rest in "(-[0-9]{1,2}([.][0-9]){0,2}){0,1}(-[A-Z]{2}|-SCOTLAND|-[A-Za-z0-9.-]{0,8}){0,2}",
        use_case in use_case()
    ) {
        let id = format!("CC{elements}{rest}");
        let reference = format!("LicenseRef-tamis-{}", id.to_ascii_uppercase());
        let given = license_id(&id);
        let found = check(&reference, use_case);
        if given.as_ref() == Some(&reference) {
            prop_assert_ne!(found.verdict, Verdict::Missing, "{}", reference);
            prop_assert_eq!(found.verdict, check(&id, use_case).verdict);
        } else {
            prop_assert_eq!(found.verdict, Verdict::Missing, "{}", reference);
        }
    }

    /// The crate's parser reads what it can read the same way.
    #[test]
    fn agrees_with_the_spdx_parser(raw in expression()) {
        let ours = spdx::Expression::parse(&license_id(&raw).expect("an expression"));
        let theirs = spdx::Expression::parse(&raw).expect("an expression");
        let ours = ours.expect("an expression");
        // Same truth table over random answers, since ours drops what is said twice.
        for seed in 0..16_u64 {
            let allowed = |requirement: &spdx::LicenseReq| {
                let hash = requirement.to_string().bytes().fold(seed, |hash, byte| {
                    hash.wrapping_mul(31).wrapping_add(u64::from(byte))
                });
                hash % 3 != 0
            };
            prop_assert_eq!(ours.evaluate(allowed), theirs.evaluate(allowed));
        }
    }
}
