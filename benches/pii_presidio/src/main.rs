//! What the detectors find in texts, and how fast: `pii-presidio TEXTS.json`.
//!
//! The file holds a JSON list of texts. The output is a JSON object: `findings`, for each text
//! a list of kind, start and end in bytes; `seconds`, the CPU seconds of its one thread for a
//! pass over all texts, on average (Linux); `bytes` of all texts.

use std::error::Error;
use std::fs;

use serde_json::json;
use tamis_pii::Detector;

/// So long the passes are repeated.
const AT_LEAST_SECONDS: f64 = 2.0;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("give a file of texts")?;
    let texts: Vec<String> = serde_json::from_str(&fs::read_to_string(path)?)?;
    let detector = Detector::builtin();
    // The kernel counts in ticks of some milliseconds: one pass is too short to be timed.
    let (started, mut passes, mut findings) = (cpu_seconds()?, 0u32, Vec::new());
    let mut seconds = 0.0;
    while seconds < AT_LEAST_SECONDS {
        findings = texts.iter().map(|text| detector.find(text)).collect();
        passes += 1;
        seconds = cpu_seconds()? - started;
    }
    let findings: Vec<Vec<_>> = findings
        .iter()
        .map(|found| {
            let each = found.iter();
            each.map(|one| json!([one.kind.as_str(), one.start, one.end]))
                .collect()
        })
        .collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    println!(
        "{}",
        json!({"findings": findings, "seconds": seconds / f64::from(passes), "bytes": bytes})
    );
    Ok(())
}

/// What this thread has run so far.
fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = text.split_whitespace().next().ok_or("empty schedstat")?;
    Ok(nanoseconds.parse::<f64>()? / 1e9)
}
