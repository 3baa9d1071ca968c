use proptest::prelude::*;
use statrs::distribution::{Binomial, DiscreteCDF};

use super::*;

fn upper(n: u64, harmful: u64) -> f64 {
    harm_rate(n, harmful).upper.expect("n > 0")
}

fn lower(n: u64, harmful: u64) -> f64 {
    harm_rate(n, harmful).lower.expect("n > 0")
}

#[test]
fn none_of_59() {
    let rate = harm_rate(59, 0);
    assert_eq!((rate.rate, rate.lower), (Some(0.0), Some(0.0)));
    assert_eq!(format!("{:.4}", upper(59, 0)), "0.0495");
    // Closed form for no hit.
    assert!((upper(59, 0) - (1.0 - 0.05_f64.powf(1.0 / 59.0))).abs() < 1e-15);
    assert!(upper(58, 0) > 0.05);
}

/// The largest counts known to be at most 5 %, the smallest known to be above.
#[test]
fn counts_that_decide_five_percent() {
    for (n, most) in [(59, 0), (100, 1), (400, 12), (1_000, 38), (4_000, 177)] {
        assert!(upper(n, most) <= 0.05, "{most} of {n}");
        assert!(upper(n, most + 1) > 0.05, "{} of {n}", most + 1);
    }
    for (n, least) in [(100, 10), (400, 28), (1_000, 63), (4_000, 224)] {
        assert!(lower(n, least) > 0.05, "{least} of {n}");
        assert!(lower(n, least - 1) <= 0.05, "{} of {n}", least - 1);
    }
    assert_eq!(format!("{:.4}", upper(4_000, 160)), "0.0455");
}

#[test]
fn ends_of_the_range() {
    assert_eq!(lower(10, 0), 0.0);
    assert_eq!(upper(10, 10), 1.0);
    assert_eq!((lower(1, 0), upper(1, 1)), (0.0, 1.0));
    assert!((upper(1, 0) - 0.95).abs() < 1e-14);
    assert!((lower(1, 1) - 0.05).abs() < 1e-14);
    let none = harm_rate(0, 0);
    assert_eq!((none.rate, none.lower, none.upper), (None, None, None));
    assert_eq!(harm_rate(3, 9), harm_rate(3, 3));
}

#[test]
fn verdicts_of_a_census_are_exact() {
    let verdict = |n, harmful, limit| source_verdict(n, harmful, limit, Mode::Census);
    assert_eq!(verdict(1_000, 50, 0.05), SourceVerdict::Accept);
    assert_eq!(verdict(1_000, 51, 0.05), SourceVerdict::Reject);
    assert_eq!(verdict(20, 1, 0.05), SourceVerdict::Accept);
    // 0.3 and 0.7 lie below their decimals as binary fractions.
    assert_eq!(verdict(10, 3, 0.3), SourceVerdict::Accept);
    assert_eq!(verdict(10, 7, 0.7), SourceVerdict::Accept);
    assert_eq!(verdict(10, 7, 0.69), SourceVerdict::Reject);
    let many = u64::MAX / 20 * 20;
    assert_eq!(verdict(many, many / 20, 0.05), SourceVerdict::Accept);
    assert_eq!(verdict(many, many / 20 + 1, 0.05), SourceVerdict::Reject);
    assert_eq!(verdict(10, 0, 0.0), SourceVerdict::Accept);
    assert_eq!(verdict(10, 1, 0.0), SourceVerdict::Reject);
    assert_eq!(verdict(10, 10, 1.0), SourceVerdict::Accept);
    assert_eq!(verdict(10, 0, -0.1), SourceVerdict::Reject);
    assert_eq!(verdict(10, 10, f64::INFINITY), SourceVerdict::Accept);
    assert_eq!(verdict(10, 1, 1e-30), SourceVerdict::Reject);
    assert_eq!(
        verdict(10, 1, 0.123_456_789_012_345_68),
        SourceVerdict::Accept
    );
    assert_eq!(verdict(10, 0, f64::NAN), SourceVerdict::Undecided);
    assert_eq!(verdict(0, 0, 0.05), SourceVerdict::Undecided);
}

#[test]
fn verdicts_of_a_sample_need_evidence() {
    let verdict = |n, harmful| source_verdict(n, harmful, 0.05, Mode::Sample);
    assert_eq!(verdict(58, 0), SourceVerdict::Undecided);
    assert_eq!(verdict(59, 0), SourceVerdict::Accept);
    assert_eq!(verdict(1_000, 38), SourceVerdict::Accept);
    assert_eq!(verdict(1_000, 39), SourceVerdict::Undecided);
    assert_eq!(verdict(1_000, 62), SourceVerdict::Undecided);
    assert_eq!(verdict(1_000, 63), SourceVerdict::Reject);
    assert_eq!(verdict(0, 0), SourceVerdict::Undecided);
    let all = source_verdict(1_000, 1_000, 1.0, Mode::Sample);
    assert_eq!(all, SourceVerdict::Accept);
}

#[test]
fn names() {
    for mode in [Mode::Census, Mode::Sample] {
        assert_eq!(Mode::parse(mode.as_str()), Some(mode));
    }
    assert_eq!(Mode::parse("Census"), None);
    assert_eq!(SourceVerdict::Accept.as_str(), "accept");
    assert_eq!(SourceVerdict::Reject.as_str(), "reject");
    assert_eq!(SourceVerdict::Undecided.as_str(), "undecided");
}

/// Against the normal approximation with its first correction, which is close where both counts
/// are large.
#[test]
fn large_counts_are_quick_and_close() {
    let z = 1.644_853_626_951_472_7_f64;
    let started = std::time::Instant::now();
    for n in [1_000_000_u64, 1_000_000_000] {
        for harmful in [n / 1_000, n / 20, n / 2, n - n / 20] {
            let (n_, k) = (n as f64, harmful as f64);
            let correction = |k: f64| {
                let p = k / n_;
                let spread = z * (p * (1.0 - p) / n_).sqrt();
                (p, spread, (1.0 - 2.0 * p) * (z * z + 2.0) / (3.0 * n_))
            };
            let (p, spread, shift) = correction(k);
            let (low, high) = (p - spread + shift - 1.0 / n_, p + spread + shift);
            let tolerance = 4.0 / n_;
            assert!(
                (lower(n, harmful) - low).abs() < tolerance,
                "{harmful} of {n}"
            );
            assert!(
                (upper(n, harmful) - high).abs() < tolerance,
                "{harmful} of {n}"
            );
        }
        // The few-hits end is that of the Poisson distribution: 3 / n for none.
        assert!((upper(n, 0) * n as f64 - 2.995_732_273_553_991).abs() < 1e-5);
        assert!((upper(n, 1) * n as f64 - 4.743_864_518_390_6).abs() < 1e-4);
        assert!(((1.0 - lower(n, n)) * n as f64 - 2.995_732_273_553_991).abs() < 1e-4);
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn the_largest_counts_end() {
    for harmful in [
        0,
        1,
        1_000,
        u64::MAX / 20,
        u64::MAX / 2,
        u64::MAX - 1,
        u64::MAX,
    ] {
        let rate = harm_rate(u64::MAX, harmful);
        let (Some(p), Some(low), Some(high)) = (rate.rate, rate.lower, rate.upper) else {
            panic!("n > 0")
        };
        assert!(low <= p && p <= high, "{rate:?}");
        assert!(high - low < 1e-8, "{rate:?}");
    }
}

/// Closed forms for no hit and for nothing but hits.
#[test]
fn ends_keep_their_digits() {
    for n in [1_u64, 7, 59, 1_000, 1_000_000, 1_000_000_000, 1 << 60] {
        let expected = -(0.05_f64.ln() / n as f64).exp_m1();
        assert!((upper(n, 0) / expected - 1.0).abs() < 1e-13, "{n}");
        let expected = (0.05_f64.ln() / n as f64).exp();
        assert!((lower(n, n) - expected).abs() < 1e-15 * 10.0, "{n}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// The definition: at the bounds, the observed count is just as unlikely as stated.
    #[test]
    fn bounds_are_where_the_tails_hold_five_percent(n in 1u64..3_000, share in 0.0f64..=1.0) {
        let harmful = ((n as f64 * share) as u64).min(n);
        let rate = harm_rate(n, harmful);
        let (low, high) = (rate.lower.expect("n > 0"), rate.upper.expect("n > 0"));
        if harmful > 0 {
            let tail = Binomial::new(low, n).expect("a probability").sf(harmful - 1);
            prop_assert!((tail - 0.05).abs() < 1e-9, "{tail}");
        }
        if harmful < n {
            let tail = Binomial::new(high, n).expect("a probability").cdf(harmful);
            prop_assert!((tail - 0.05).abs() < 1e-9, "{tail}");
        }
        // More harm moves both bounds up.
        if harmful < n {
            prop_assert!(lower(n, harmful + 1) > low);
            prop_assert!(upper(n, harmful + 1) > high);
        }
    }
}
