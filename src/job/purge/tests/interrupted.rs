//! Purges that die at every change there is, two at a time, and what becomes of kept objects.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_that_dies_at_any_change_completes_on_rerun() {
    let (folder, before) = quickstart().await;
    for keep_old in [false, true] {
        let asked = PurgeOptions {
            keep_old,
            ..demands_on(folder.path(), &before).await
        };
        let calm = store_of(&before, None).await;
        let outcome = purge_in(&output_of(&calm), &stores(), &asked)
            .await
            .unwrap();
        assert!(outcome.record.rows > 1, "{:?}", outcome.record);
        assert!(outcome.files.len() > 1);
        let changes = calm.changes.load(Ordering::SeqCst);
        let after = objects_of(&calm).await;
        assert_eq!(problems(&after).await, Vec::<String>::new());
        let left = all_ids(&before).len() - all_ids(&after).len();
        assert_eq!(left as u64, outcome.record.rows);
        assert!(changes > 20, "{changes}");
        for at in 0..changes {
            for made in [false, true] {
                let dying = store_of(&before, Some((at, made))).await;
                let result = purge_in(&output_of(&dying), &stores(), &asked).await;
                // A lost reply to a create-only write is resolved by reading back; this store is dead by then.
                assert!(result.is_err(), "change {at} of {changes}");
                let between = objects_of(&dying).await;
                let revived = store_of(&between, None).await;
                let resume = PurgeOptions {
                    resume: true,
                    ..options()
                };
                // By turns the same command and `--resume`, which needs a plan to go by.
                let planned = between
                    .keys()
                    .any(|name| name.starts_with("_tamis/purges/0"));
                let again = if (at + usize::from(made)) % 2 == 0 || !planned {
                    &asked
                } else {
                    &resume
                };
                purge_in(&output_of(&revived), &stores(), again)
                    .await
                    .unwrap_or_else(|error| panic!("change {at}, made {made}: {error}"));
                let completed = objects_of(&revived).await;
                let names = |objects: &Objects| objects.keys().cloned().collect::<Vec<_>>();
                assert_eq!(names(&completed), names(&after), "change {at}, made {made}");
                assert!(completed == after, "change {at}, made {made}: other bytes");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_interruption_leaves_is_named_by_verify_and_run_does_not_go_on() {
    let (folder, before) = quickstart().await;
    let asked = demands_on(folder.path(), &before).await;
    let calm = store_of(&before, None).await;
    purge_in(&output_of(&calm), &stores(), &asked)
        .await
        .unwrap();
    let changes = calm.changes.load(Ordering::SeqCst);
    let mut without_success = 0;
    for at in 0..changes {
        let dying = store_of(&before, Some((at, true))).await;
        let _ = purge_in(&output_of(&dying), &stores(), &asked).await;
        let between = objects_of(&dying).await;
        if !between
            .keys()
            .any(|name| name.starts_with("_tamis/purges/0"))
        {
            continue;
        }
        let found = problems(&between).await;
        assert!(found[0].contains("--resume"), "change {at}: {found:?}");
        if between.contains_key("_SUCCESS") {
            continue;
        }
        without_success += 1;
        let out = tempfile::tempdir().unwrap();
        write_to(out.path(), &between);
        let overrides = [(
            "output.uri".to_owned(),
            out.path().to_str().unwrap().to_owned(),
        )];
        let file = JobFile::read(LocalPath::new("examples/quickstart/job.toml"), &overrides);
        let run_options = RunOptions {
            limit: None,
            workers: 1,
            stop: Stop::default(),
            progress: quiet(),
        };
        let error = run(&file.unwrap(), &stores(), &run_options)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("--resume"), "{error}");
        if without_success > 2 {
            break;
        }
    }
    assert!(without_success > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_purges_one_loses_cleanly() {
    let (folder, before) = quickstart().await;
    let asked = demands_on(folder.path(), &before).await;
    let calm = store_of(&before, None).await;
    purge_in(&output_of(&calm), &stores(), &asked)
        .await
        .unwrap();
    let after = objects_of(&calm).await;
    // The first has claimed the output and rewrites when the second comes.
    let mut claimed = 0;
    while {
        let dying = store_of(&before, Some((claimed, false))).await;
        let _ = purge_in(&output_of(&dying), &stores(), &asked).await;
        !objects_of(&dying)
            .await
            .contains_key("_tamis/purges/000002.json")
    } {
        claimed += 1;
    }
    let dying = store_of(&before, Some((claimed + 3, false))).await;
    let _ = purge_in(&output_of(&dying), &stores(), &asked).await;
    let between = objects_of(&dying).await;
    let second = PurgeOptions {
        takedown: asked.takedown.clone(),
        ..options()
    };
    let store = store_of(&between, None).await;
    let error = purge_in(&output_of(&store), &stores(), &second)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("nothing was changed"), "{error}");
    assert!(
        objects_of(&store).await == between,
        "the loser changed something"
    );
    // Both at once, from the start.
    for _ in 0..4 {
        let store = store_of(&before, None).await;
        let (one, two) = (output_of(&store), output_of(&store));
        let both = [asked.clone(), asked.clone()];
        let all = stores();
        let (first, second) = tokio::join!(
            purge_in(&one, &all, &both[0]),
            purge_in(&two, &all, &both[1])
        );
        let won = [&first, &second]
            .iter()
            .filter(|result| matches!(result, Ok(outcome) if outcome.manifest.is_some()))
            .count();
        assert_eq!(won, 1, "{first:?} {second:?}");
        assert!(objects_of(&store).await == after);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_objects_go_with_the_next_purge() {
    let (folder, before) = quickstart().await;
    let asked = PurgeOptions {
        keep_old: true,
        ..demands_on(folder.path(), &before).await
    };
    let store = store_of(&before, None).await;
    let output = output_of(&store);
    purge_in(&output, &stores(), &asked).await.unwrap();
    let kept = objects_of(&store).await;
    let old = |objects: &Objects| {
        objects
            .keys()
            .filter(|name| name.starts_with("_tamis/superseded/"))
            .count()
    };
    assert!(old(&kept) > 4);
    // Every superseded byte is there, out of the folders.
    for (name, bytes) in kept.iter().filter(|(name, _)| name.contains("superseded")) {
        let original = name.strip_prefix("_tamis/superseded/000002/").unwrap();
        assert!(before[original] == *bytes, "{name}");
        assert!(!kept.contains_key(original), "{original}");
    }
    let mut damaged = kept.clone();
    let victim = kept
        .keys()
        .find(|name| name.contains("superseded"))
        .unwrap();
    damaged.remove(victim);
    assert!(problems(&damaged).await[0].contains("is missing"));
    let outcome = purge_in(
        &output,
        &stores(),
        &PurgeOptions {
            drop_old: true,
            ..options()
        },
    )
    .await
    .unwrap();
    assert_eq!(outcome.record.rows, 0);
    let dropped = objects_of(&store).await;
    assert_eq!(old(&dropped), 0);
    assert_eq!(problems(&dropped).await, Vec::<String>::new());
    assert!(dropped.contains_key("_tamis/manifests/000003.json"));
}
