//! The source gate: harmful rows of each source, summed over all units, before the first row is cleared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{Float64Array, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use tamis_harm::{Mode, SourceVerdict, harm_rate, source_verdict};

use super::error::{JobError, Result};
use super::pack::Gate;
use super::receipt::{AssessReceipt, SourceCount};

/// One row of `source_assessment`.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceAssessment {
    /// The source; `None` collects rows without one and is not in the side table.
    pub source_id: Option<String>,
    /// Rows and harmful rows.
    pub count: SourceCount,
    /// Units in which the source has rows that could not be read.
    pub unreadable_units: u64,
    /// `accept`, `reject` or `undecided`.
    pub verdict: &'static str,
}

/// Sums partial counts and decides each source, in order of its id.
pub fn assess_sources(receipts: &[AssessReceipt], gate: &Gate) -> Result<Vec<SourceAssessment>> {
    let mode = match gate.mode.as_str() {
        "census" => Mode::Census,
        "sample" => Mode::Sample,
        other => {
            return Err(JobError::usage(format!(
                "pack.toml: gate.mode `{other}` is neither census nor sample"
            )));
        }
    };
    let mut counts: BTreeMap<Option<&str>, (SourceCount, u64)> = BTreeMap::new();
    for receipt in receipts {
        for (source, count) in &receipt.sources {
            let (sum, _) = counts.entry(source.as_deref()).or_default();
            sum.n += count.n;
            sum.harmful += count.harmful;
        }
        let unreadable: BTreeSet<&str> =
            receipt.corrupt_sources.iter().map(String::as_str).collect();
        for source in unreadable {
            counts.entry(Some(source)).or_default().1 += 1;
        }
    }
    Ok(counts
        .into_iter()
        .map(|(source, (count, unreadable_units))| {
            let verdict = match source_verdict(count.n, count.harmful, gate.limit, mode) {
                SourceVerdict::Reject => "reject",
                // What was not read may change the answer: undecided at best.
                SourceVerdict::Accept if unreadable_units == 0 => "accept",
                SourceVerdict::Accept | SourceVerdict::Undecided => "undecided",
            };
            SourceAssessment {
                source_id: source.map(str::to_owned),
                count,
                unreadable_units,
                verdict,
            }
        })
        .collect())
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        Field::new("source_id", DataType::Utf8, true),
        Field::new("n", DataType::Int64, false),
        Field::new("harmful", DataType::Int64, false),
        Field::new("rate", DataType::Float64, true),
        Field::new("lower", DataType::Float64, true),
        Field::new("upper", DataType::Float64, true),
        Field::new("unreadable_units", DataType::Int64, false),
        Field::new("verdict", DataType::Utf8, false),
    ]))
}

/// The side table of no source at all.
pub fn empty_assessment() -> RecordBatch {
    RecordBatch::new_empty(schema())
}

/// `source_assessment` as a batch; ids are unique because they come from a map.
pub fn to_batch(assessments: &[SourceAssessment]) -> Result<RecordBatch> {
    let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let rates: Vec<_> = assessments
        .iter()
        .map(|a| harm_rate(a.count.n, a.count.harmful))
        .collect();
    Ok(RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(
                assessments
                    .iter()
                    .map(|a| a.source_id.as_deref())
                    .collect::<StringArray>(),
            ),
            Arc::new(
                assessments
                    .iter()
                    .map(|a| Some(count(a.count.n)))
                    .collect::<Int64Array>(),
            ),
            Arc::new(
                assessments
                    .iter()
                    .map(|a| Some(count(a.count.harmful)))
                    .collect::<Int64Array>(),
            ),
            Arc::new(rates.iter().map(|rate| rate.rate).collect::<Float64Array>()),
            Arc::new(
                rates
                    .iter()
                    .map(|rate| rate.lower)
                    .collect::<Float64Array>(),
            ),
            Arc::new(
                rates
                    .iter()
                    .map(|rate| rate.upper)
                    .collect::<Float64Array>(),
            ),
            Arc::new(
                assessments
                    .iter()
                    .map(|a| Some(count(a.unreadable_units)))
                    .collect::<Int64Array>(),
            ),
            Arc::new(
                assessments
                    .iter()
                    .map(|a| Some(a.verdict))
                    .collect::<StringArray>(),
            ),
        ],
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(sources: &[(&str, u64, u64)], corrupt: &[&str]) -> AssessReceipt {
        AssessReceipt {
            unit: String::new(),
            sources: sources
                .iter()
                .map(|(id, n, harmful)| {
                    (
                        Some((*id).to_owned()),
                        SourceCount {
                            n: *n,
                            harmful: *harmful,
                        },
                    )
                })
                .collect(),
            corrupt: BTreeMap::new(),
            corrupt_sources: corrupt.iter().map(|id| (*id).to_owned()).collect(),
        }
    }

    #[test]
    fn fifty_of_a_thousand_pass_and_fifty_one_do_not() {
        let gate = Gate {
            risk_set: "illegal29".into(),
            limit: 0.05,
            mode: "census".into(),
        };
        let receipts = [
            receipt(&[("a", 400, 20), ("b", 999, 51)], &[]),
            receipt(&[("a", 600, 30), ("b", 1, 0)], &["c"]),
        ];
        let found = assess_sources(&receipts, &gate).unwrap();
        let verdicts: Vec<_> = found
            .iter()
            .map(|a| (a.source_id.as_deref().unwrap(), a.verdict))
            .collect();
        assert_eq!(
            verdicts,
            vec![("a", "accept"), ("b", "reject"), ("c", "undecided")]
        );
    }

    #[test]
    fn unreadable_units_never_accept() {
        let gate = Gate {
            risk_set: "illegal29".into(),
            limit: 0.05,
            mode: "census".into(),
        };
        let found = assess_sources(
            &[receipt(&[("a", 100, 0), ("b", 100, 90)], &["a", "b"])],
            &gate,
        )
        .unwrap();
        assert_eq!(found[0].verdict, "undecided");
        assert_eq!(found[1].verdict, "reject");
    }
}
