use super::*;

fn texts() -> Vec<LabelledText> {
    let taxonomy = Taxonomy::builtin();
    let bad = taxonomy.index("A4a").expect("known");
    let region = taxonomy.index("A2d").expect("known");
    let mut texts = Vec::new();
    for number in 0..60 {
        let tail = char::from_u32(0x4e00 + number * 7).expect("Han");
        for (text, risks) in [
            (format!("他们都该打{tail}"), vec![bad]),
            (format!("外地人都是骗子{tail}"), vec![region]),
            (format!("外地骗子该打{tail}"), vec![region, bad]),
            (format!("今天去公园散步{tail}"), vec![]),
            (format!("the library opens {tail}"), vec![]),
        ] {
            texts.push(LabelledText { text, risks });
        }
    }
    texts
}

fn go_on(_: TrainProgress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn trained(texts: &[LabelledText], held_out: &[&str], options: &TrainOptions) -> Result<Trained> {
    train(texts, held_out, &Taxonomy::builtin(), options, &mut go_on)
}

#[test]
fn learns_every_risk_and_gives_the_same_bytes_again() {
    let texts = texts();
    let first = trained(&texts, &[], &TrainOptions::default()).expect("trains");
    let again = trained(&texts, &[], &TrainOptions::default()).expect("trains");
    assert!(first.bytes == again.bytes);
    let ids: Vec<&str> = first
        .report
        .risks
        .iter()
        .map(|risk| risk.0.as_str())
        .collect();
    assert_eq!(ids, ["A2d", "A4a"]);
    for (id, risk) in &first.report.risks {
        assert_eq!(risk.confusion.f1(), 1.0, "{id}");
        assert_eq!(risk.positives, 120);
    }
    let mut all = Vec::new();
    let documents = [
        "外地人都是骗子",
        "他们都该打",
        "外地骗子该打",
        "去公园",
        "鑫",
    ];
    first
        .model
        .probabilities(&documents, &mut |_, found| all.push(found.to_vec()))
        .expect("answers");
    let meant: Vec<Vec<bool>> = all
        .iter()
        .map(|found| {
            found
                .iter()
                .zip(first.model.operating_points())
                .map(|(probability, point)| probability >= point)
                .collect()
        })
        .collect();
    assert_eq!(
        meant,
        [
            [true, false],
            [false, true],
            [true, true],
            [false, false],
            [false, false]
        ]
    );
    assert_eq!(all[4], [0.0, 0.0], "nothing known");
    assert!(first.model.to_string().contains("cross-validation A2d"));
}

#[test]
fn held_out_texts_and_repeats_are_counted_and_left_out() {
    let mut texts = texts();
    let clean = "今天去公园散步一";
    texts.push(texts[0].clone());
    texts.push(LabelledText {
        text: texts[1].text.clone(),
        risks: vec![],
    });
    let spaced = "今天 去公园\u{200b}散步一";
    assert_eq!(sameness(spaced), clean);
    let report = trained(&texts, &[spaced, "never there"], &TrainOptions::default())
        .expect("trains")
        .report;
    let counts = (
        report.given,
        report.held_out,
        report.repeated,
        report.contradicting,
        report.used,
    );
    assert_eq!(counts, (302, 1, 1, 1, 300));
}

#[test]
fn what_cannot_be_learnt_is_an_error() {
    let texts = texts();
    let error = |texts: &[LabelledText], options: &TrainOptions| {
        trained(texts, &[], options)
            .expect_err("cannot be learnt")
            .to_string()
    };
    let options = TrainOptions::default();
    assert!(error(&[], &options).contains("no text carries a risk"));
    assert!(error(&texts[..3], &options).contains("two without are the least"));
    let strange = LabelledText {
        text: "x".to_owned(),
        risks: vec![99],
    };
    assert!(error(&[strange], &options).contains("no risk number 99"));
    let folds = TrainOptions {
        folds: 1,
        ..options.clone()
    };
    assert!(error(&texts, &folds).contains("option folds: must be 2 to 20"));
    let mut calls = 0;
    let broken = train(
        &texts,
        &[],
        &Taxonomy::builtin(),
        &options,
        &mut |progress| {
            calls += 1;
            assert_eq!((progress.done, progress.total), (calls, 12));
            if calls == 3 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    );
    assert!(
        broken
            .expect_err("broken off")
            .to_string()
            .contains("broken off")
    );
}

#[test]
fn the_curve_through_sums_is_honest() {
    // Among sums of 2 three in four are positive, among sums of -2 one in four.
    let sums: Vec<f64> = [2.0, -2.0].into_iter().cycle().take(4000).collect();
    let positive: Vec<bool> = (0..4000)
        .map(|at| (at / 2 % 4 == 0) == (at % 2 == 1))
        .collect();
    let (slope, offset) = platt(&sums, &positive);
    assert!((sigmoid(2.0 * slope + offset) - 0.75).abs() < 0.01);
    assert!((sigmoid(-2.0 * slope + offset) - 0.25).abs() < 0.01);
    let turned: Vec<bool> = positive.iter().map(|positive| !positive).collect();
    assert!(platt(&sums, &turned).0 > 0.0);
}
