//! The types of results and how they are built from plain values.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int64Array, ListArray, StringArray, StringBuilder,
    StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::error::Result;

use tamis_consent::opt_out::OptOutSignal;
use tamis_pii::{Finding, Sensitive};

use crate::arguments::{UTC, instant_type};

/// All fields of results are nullable: a result lies under a NULL row sooner or later (an outer
/// join), and then so do its fields.
fn fields(list: &[(&str, DataType)]) -> Fields {
    list.iter()
        .map(|(name, data_type)| Field::new(*name, data_type.clone(), true))
        .collect()
}

fn list_of(data_type: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(data_type, true)))
}

/// List<Utf8>.
pub(crate) fn text_list_type() -> DataType {
    list_of(DataType::Utf8)
}

fn hit_fields() -> Fields {
    fields(&[
        ("risk", DataType::Utf8),
        ("term", DataType::Utf8),
        ("start", DataType::Int64),
        ("end", DataType::Int64),
        ("weight", DataType::Float64),
        ("via", DataType::Utf8),
    ])
}

/// One hit: Struct{risk, term, start, end, weight, via}.
pub(crate) fn hit_type() -> DataType {
    DataType::Struct(hit_fields())
}

/// List of hits.
pub(crate) fn hits_type() -> DataType {
    list_of(hit_type())
}

pub(crate) fn harm_fields() -> Fields {
    fields(&[
        ("score", DataType::Float64),
        ("top_risk", DataType::Utf8),
        ("risks", text_list_type()),
        ("hits", hits_type()),
        ("model", DataType::Utf8),
    ])
}

pub(crate) fn harm_class_fields() -> Fields {
    fields(&[("risk", DataType::Utf8), ("probability", DataType::Float64)])
}

/// The result of `harm_class`.
pub(crate) fn harm_class_type() -> DataType {
    DataType::Struct(harm_class_fields())
}

/// The result of `harm`.
pub(crate) fn harm_type() -> DataType {
    DataType::Struct(harm_fields())
}

pub(crate) fn license_check_fields() -> Fields {
    fields(&[
        ("spdx", DataType::Utf8),
        ("verdict", DataType::Utf8),
        ("reason", DataType::Utf8),
        ("obligations", text_list_type()),
    ])
}

/// The result of `license_check`.
pub(crate) fn license_check_type() -> DataType {
    DataType::Struct(license_check_fields())
}

pub(crate) fn source_check_fields() -> Fields {
    fields(&[
        ("verdict", DataType::Utf8),
        ("acquisition_mode", DataType::Utf8),
        ("origin_region", DataType::Utf8),
        ("missing", text_list_type()),
        ("clauses", text_list_type()),
        ("license", DataType::Utf8),
    ])
}

/// The result of `source_check`.
pub(crate) fn source_check_type() -> DataType {
    DataType::Struct(source_check_fields())
}

pub(crate) fn consent_record_fields() -> Fields {
    fields(&[
        ("status", DataType::Utf8),
        ("record_id", DataType::Utf8),
        ("kind", DataType::Utf8),
        ("granted_at", instant_type()),
        ("expires_at", instant_type()),
        ("withdrawn_at", instant_type()),
        ("evidence_uri", DataType::Utf8),
    ])
}

/// The result of `consent_record`.
pub(crate) fn consent_record_type() -> DataType {
    DataType::Struct(consent_record_fields())
}

pub(crate) fn license_detect_fields() -> Fields {
    fields(&[("spdx", DataType::Utf8), ("confidence", DataType::Float64)])
}

/// The result of `license_detect`.
pub(crate) fn license_detect_type() -> DataType {
    DataType::Struct(license_detect_fields())
}

pub(crate) fn blocked_fields() -> Fields {
    fields(&[
        ("verdict", DataType::Utf8),
        ("kind", DataType::Utf8),
        ("entry", DataType::Utf8),
        ("listed_at", instant_type()),
    ])
}

/// The result of `blocked`.
pub(crate) fn blocked_type() -> DataType {
    DataType::Struct(blocked_fields())
}

fn opt_out_signal_fields() -> Fields {
    fields(&[
        ("signal", DataType::Utf8),
        ("value", DataType::Utf8),
        ("fetched_at", instant_type()),
        ("sha256", DataType::Utf8),
    ])
}

fn opt_out_fields() -> Fields {
    fields(&[
        ("verdict", DataType::Utf8),
        (
            "signals",
            list_of(DataType::Struct(opt_out_signal_fields())),
        ),
    ])
}

/// The result of `opt_out`.
pub(crate) fn opt_out_type() -> DataType {
    DataType::Struct(opt_out_fields())
}

fn pii_fields() -> Fields {
    fields(&[
        ("kind", DataType::Utf8),
        ("start", DataType::Int64),
        ("end", DataType::Int64),
        ("sensitive", DataType::Utf8),
        ("valid", DataType::Boolean),
        ("context", text_list_type()),
    ])
}

/// The result of `pii`.
pub(crate) fn pii_type() -> DataType {
    list_of(DataType::Struct(pii_fields()))
}

pub(crate) fn pii_check_fields() -> Fields {
    fields(&[
        ("kinds", text_list_type()),
        ("sensitive", text_list_type()),
        ("personal", DataType::Boolean),
        ("findings", DataType::Int64),
    ])
}

/// The result of `pii_check`.
pub(crate) fn pii_check_type() -> DataType {
    DataType::Struct(pii_check_fields())
}

pub(crate) fn harm_rate_fields() -> Fields {
    fields(&[
        ("n", DataType::Int64),
        ("harmful", DataType::Int64),
        ("rate", DataType::Float64),
        ("lower", DataType::Float64),
        ("upper", DataType::Float64),
    ])
}

/// The result of `harm_rate`.
pub(crate) fn harm_rate_type() -> DataType {
    DataType::Struct(harm_rate_fields())
}

pub(crate) fn source_verdict_fields() -> Fields {
    let verdict = Field::new("verdict", DataType::Utf8, true);
    harm_rate_fields()
        .iter()
        .cloned()
        .chain([Arc::new(verdict)])
        .collect()
}

/// The result of `source_verdict`.
pub(crate) fn source_verdict_type() -> DataType {
    DataType::Struct(source_verdict_fields())
}

/// Every struct a function of ours returns, also as the element of a list.
pub(crate) fn struct_types() -> [DataType; 14] {
    [
        hit_type(),
        harm_type(),
        harm_class_type(),
        license_detect_type(),
        blocked_type(),
        opt_out_type(),
        DataType::Struct(opt_out_signal_fields()),
        DataType::Struct(pii_fields()),
        pii_check_type(),
        license_check_type(),
        source_check_type(),
        consent_record_type(),
        harm_rate_type(),
        source_verdict_type(),
    ]
}

/// A struct column without NULL rows.
pub(crate) fn struct_array(fields: Fields, columns: Vec<ArrayRef>) -> Result<ArrayRef> {
    Ok(Arc::new(StructArray::try_new(fields, columns, None)?))
}

/// A List<Utf8> column without NULL rows.
pub(crate) fn text_lists<'a, I>(rows: impl IntoIterator<Item = I>) -> Result<ArrayRef>
where
    I: IntoIterator<Item = &'a str>,
{
    let mut values = Vec::new();
    let mut lengths = Vec::new();
    for row in rows {
        let before = values.len();
        values.extend(row);
        lengths.push(values.len() - before);
    }
    list_array(Arc::new(StringArray::from(values)), lengths)
}

fn list_array(values: ArrayRef, lengths: Vec<usize>) -> Result<ArrayRef> {
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(field, offsets, values, None)?))
}

/// Findings of `pii`, column by column, their spans in characters.
#[derive(Debug, Default)]
pub(crate) struct PersonalInformation {
    findings: Vec<Finding>,
    lengths: Vec<usize>,
}

impl PersonalInformation {
    /// Adds the findings of the next document.
    pub(crate) fn push(&mut self, document: impl IntoIterator<Item = Finding>) {
        let before = self.findings.len();
        self.findings.extend(document);
        self.lengths.push(self.findings.len() - before);
    }

    /// A column of [`pii_type`] with one list for each document.
    pub(crate) fn finish(self) -> Result<ArrayRef> {
        let findings = || self.findings.iter();
        let offsets = |offset: fn(&Finding) -> usize| -> ArrayRef {
            let offsets = findings().map(|finding| offset(finding) as i64);
            Arc::new(Int64Array::from_iter_values(offsets))
        };
        let valid: BooleanArray = findings().map(|finding| Some(finding.valid)).collect();
        let sensitive: StringArray = findings()
            .map(|finding| finding.sensitive.map(Sensitive::as_str))
            .collect();
        let kinds = findings().map(|finding| finding.kind.as_str());
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from_iter_values(kinds)),
            offsets(|finding| finding.start),
            offsets(|finding| finding.end),
            Arc::new(sensitive),
            Arc::new(valid),
            text_lists(findings().map(|finding| finding.context.iter().copied()))?,
        ];
        list_array(struct_array(pii_fields(), columns)?, self.lengths.clone())
    }
}

/// Answers of `opt_out`, column by column.
#[derive(Debug, Default)]
pub(crate) struct OptOuts {
    verdicts: Vec<&'static str>,
    kinds: Vec<&'static str>,
    values: StringBuilder,
    fetched: Vec<i64>,
    digests: StringBuilder,
    lengths: Vec<usize>,
}

impl OptOuts {
    /// Adds the answer for the next address.
    pub(crate) fn push(&mut self, verdict: &'static str, signals: &[OptOutSignal]) {
        self.verdicts.push(verdict);
        self.lengths.push(signals.len());
        for signal in signals {
            self.kinds.push(signal.signal);
            self.values.append_value(&signal.value);
            self.fetched.push(signal.fetched_at);
            self.digests.append_value(signal.sha256.as_str());
        }
    }

    /// A column of [`opt_out_type`] with one answer for each address.
    pub(crate) fn finish(mut self) -> Result<ArrayRef> {
        let fetched = TimestampMicrosecondArray::from(self.fetched).with_timezone(UTC);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(self.kinds)),
            Arc::new(self.values.finish()),
            Arc::new(fetched),
            Arc::new(self.digests.finish()),
        ];
        let signals = struct_array(opt_out_signal_fields(), columns)?;
        struct_array(
            opt_out_fields(),
            vec![
                Arc::new(StringArray::from(self.verdicts)),
                list_array(signals, self.lengths)?,
            ],
        )
    }
}

/// Hits of many documents, column by column.
#[derive(Debug, Default)]
pub(crate) struct Hits<'a> {
    risk: Vec<&'a str>,
    term: Vec<&'a str>,
    start: Vec<i64>,
    end: Vec<i64>,
    weight: Vec<f64>,
    via: Vec<&'a str>,
    lengths: Vec<usize>,
}

/// One hit, offsets in characters of the original text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HitRow<'a> {
    pub(crate) risk: &'a str,
    pub(crate) term: &'a str,
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) weight: f64,
    pub(crate) via: &'a str,
}

impl<'a> Hits<'a> {
    /// Adds the hits of the next document.
    pub(crate) fn push(&mut self, document: impl IntoIterator<Item = HitRow<'a>>) {
        let before = self.risk.len();
        for hit in document {
            self.risk.push(hit.risk);
            self.term.push(hit.term);
            self.start.push(hit.start as i64);
            self.end.push(hit.end as i64);
            self.weight.push(hit.weight);
            self.via.push(hit.via);
        }
        self.lengths.push(self.risk.len() - before);
    }

    /// A column of [`hits_type`] with one list for each document.
    pub(crate) fn finish(self) -> Result<ArrayRef> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(self.risk)),
            Arc::new(StringArray::from(self.term)),
            Arc::new(Int64Array::from(self.start)),
            Arc::new(Int64Array::from(self.end)),
            Arc::new(Float64Array::from(self.weight)),
            Arc::new(StringArray::from(self.via)),
        ];
        list_array(struct_array(hit_fields(), columns)?, self.lengths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_columns_have_the_declared_types() {
        let mut hits = Hits::default();
        hits.push([]);
        hits.push([HitRow {
            risk: "A1a",
            term: "t",
            start: 0,
            end: 1,
            weight: 1.0,
            via: "exact",
        }]);
        let hits = hits.finish().unwrap();
        assert_eq!(hits.data_type(), &hits_type());
        assert_eq!(hits.len(), 2);
        let lists = text_lists([vec!["a", "b"], vec![]]).unwrap();
        assert_eq!(lists.data_type(), &text_list_type());
        assert_eq!(lists.len(), 2);
    }
}
