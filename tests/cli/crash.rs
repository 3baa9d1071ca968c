//! Killed at any moment, a job completes on the next run, byte for byte as if nothing had happened.

use std::process::Stdio;
use std::time::Duration;

use crate::support::{files, path, quickstart, run_ok, tamis};

#[test]
fn ten_kills_leave_no_trace() {
    let folder = tempfile::tempdir().unwrap();
    let (calm, killed) = (folder.path().join("calm"), folder.path().join("killed"));
    let started = std::time::Instant::now();
    quickstart(&calm);
    let whole = started.elapsed();
    // Moments spread over a whole run, in an order that is not theirs; each run goes a little further.
    for moment in [3u32, 7, 1, 9, 5, 2, 8, 4, 6, 10] {
        let mut run = tamis()
            .args([
                "run",
                "examples/quickstart/job.toml",
                "--output",
                path(&killed),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep((whole * moment / 11).min(Duration::from_secs(20)));
        // SIGKILL; a run that is already over is fine.
        let _ = run.kill();
        run.wait().unwrap();
    }
    quickstart(&killed);
    run_ok(&["verify", path(&killed)], 0);
    let (calm, killed) = (files(&calm), files(&killed));
    assert_eq!(
        calm.keys().collect::<Vec<_>>(),
        killed.keys().collect::<Vec<_>>()
    );
    for (name, bytes) in &calm {
        assert!(killed[name] == *bytes, "{name} differs");
    }
}

#[cfg(unix)]
#[test]
fn a_termination_request_ends_cleanly_and_says_how_to_resume() {
    let corpus = crate::support::Corpus::new();
    for file in 0..40 {
        corpus.clean(&format!("{file}.parquet"), 2000, 500);
    }
    let job = corpus.job("");
    let run = tamis()
        .args(["run", &job, "--workers", "1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Wait for the first receipt, so that the job is under way.
    let receipts = corpus.at("out").join("_tamis/receipts");
    for _ in 0..600 {
        if receipts.exists() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    std::process::Command::new("kill")
        .args(["-INT", &run.id().to_string()])
        .status()
        .unwrap();
    let output = run.wait_with_output().unwrap();
    let (code, _, error) = crate::support::parts(&output);
    assert_eq!(code, 1, "{error}");
    assert!(
        error.contains("Run the same command again to resume"),
        "{error}"
    );
    run_ok(&["run", &job], 0);
    run_ok(&["verify", path(&corpus.at("out"))], 0);
    assert_eq!(corpus.count("data"), 80_000);
}
