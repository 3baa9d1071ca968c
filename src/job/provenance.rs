//! The provenance columns: what every written row says of itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, ListBuilder, RecordBatch,
    StringArray, StringBuilder, StructArray, TimestampMicrosecondArray, make_array, new_null_array,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::compute::{cast, is_not_null, not, nullif};
use datafusion::arrow::datatypes::{
    DataType, Field, Fields, Int64Type, Schema, SchemaRef, TimeUnit,
};
use sha2::{Digest, Sha256};

use super::error::{JobError, Result};
use super::receipt::VERDICTS;
use super::spec::Spec;

/// Columns that are never NULL, whatever the verdict.
pub const ALWAYS: &[&str] = &[
    "prov_row_id",
    "prov_input_uri",
    "prov_input_etag",
    "prov_input_row_group",
    "prov_input_row",
    "prov_verdict",
    "prov_reasons",
    "prov_job",
    "prov_policy",
    "prov_checked_at",
];

/// Columns that are never NULL in `data/`: a kept row was checked for all of this.
pub const WHEN_KEPT: &[&str] = &[
    "prov_source_id",
    "prov_acquisition_mode",
    "prov_text_sha256",
    "prov_license_verdict",
    "prov_consent_status",
    "prov_opt_out",
    "prov_harm_score",
    "prov_harm_risks",
    "prov_pii_kinds",
    "prov_pet_applied",
];

/// What a pack may put in place of a row's text: the text without its personal information.
pub const REDACTED: &str = "redacted_text";
/// What `prov_pet_applied` calls it.
const REDACTION: &str = "redact_pii";

/// Columns this version does not fill: NULL means not checked.
pub const NOT_CHECKED: &[&str] = &[];

/// The fields of a reason.
pub fn reason_fields() -> Fields {
    Fields::from(vec![
        Field::new("rule", DataType::Utf8, false),
        Field::new("clause", DataType::Utf8, false),
        Field::new("detail", DataType::Utf8, true),
    ])
}

/// The opt-out signals that were looked at: which, what it said, when it was fetched, and the digest of
/// the snapshot.
fn signals_type() -> DataType {
    let instant = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let fields = Fields::from(vec![
        Field::new("signal", DataType::Utf8, true),
        Field::new("value", DataType::Utf8, true),
        Field::new("fetched_at", instant, true),
        Field::new("sha256", DataType::Utf8, true),
    ]);
    DataType::List(Arc::new(Field::new_list_field(
        DataType::Struct(fields),
        true,
    )))
}

/// The provenance columns in the order they are written.
pub fn provenance_fields() -> Vec<Field> {
    let utf8 = |name: &str| Field::new(name, DataType::Utf8, !ALWAYS.contains(&name));
    let list =
        |name: &str| Field::new_list(name, Field::new_list_field(DataType::Utf8, true), true);
    vec![
        utf8("prov_row_id"),
        utf8("prov_input_uri"),
        utf8("prov_input_etag"),
        Field::new("prov_input_row_group", DataType::Int64, false),
        Field::new("prov_input_row", DataType::Int64, false),
        utf8("prov_source_id"),
        utf8("prov_url"),
        utf8("prov_acquisition_mode"),
        utf8("prov_text_sha256"),
        utf8("prov_license"),
        utf8("prov_license_verdict"),
        utf8("prov_subject_ref"),
        utf8("prov_consent_status"),
        utf8("prov_consent_record"),
        utf8("prov_opt_out"),
        Field::new("prov_opt_out_signals", signals_type(), true),
        Field::new("prov_harm_score", DataType::Float64, true),
        list("prov_harm_risks"),
        list("prov_pii_kinds"),
        list("prov_pet_applied"),
        utf8("prov_verdict"),
        Field::new_list(
            "prov_reasons",
            Field::new_list_field(DataType::Struct(reason_fields()), false),
            false,
        ),
        utf8("prov_job"),
        utf8("prov_policy"),
        Field::new(
            "prov_checked_at",
            DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            false,
        ),
    ]
}

/// The schemas of the four folders.
#[derive(Debug, Clone)]
pub struct OutputSchemas {
    /// `data/` and `review/`.
    pub rows: SchemaRef,
    /// `quarantine/`: input columns may all be NULL (rows that could not be read).
    pub quarantine: SchemaRef,
    /// `dropped/`.
    pub dropped: SchemaRef,
    /// For each column of `rows` before the provenance: what it is.
    input: Vec<InputColumn>,
}

#[derive(Debug, Clone)]
enum InputColumn {
    Copied(usize),
    /// The text, or what stands in its place.
    Text(usize),
    SubjectRef,
}

impl OutputSchemas {
    /// From the corpus schema and the spec. Reserved names are refused here.
    pub fn new(corpus: &Schema, spec: &Spec) -> Result<Self> {
        for (from, to) in &spec.rename {
            if corpus.field_with_name(from).is_err() {
                return Err(JobError::usage(format!(
                    "corpus.rename: the corpus has no column `{from}`"
                )));
            }
            if corpus.field_with_name(to).is_ok() {
                return Err(JobError::usage(format!(
                    "corpus.rename: the corpus already has a column `{to}`"
                )));
            }
        }
        let mut input = Vec::new();
        let mut fields = Vec::new();
        let mut id = None;
        for (index, field) in corpus.fields().iter().enumerate() {
            let name = spec.rename.get(field.name()).unwrap_or(field.name());
            if name.starts_with("prov_") || name == "verdict" || name.starts_with("__tamis_") {
                return Err(JobError::usage(format!(
                    "the corpus holds a column `{name}`, a name Tamis writes itself. Give it another one in the output: [corpus] rename = {{ {name} = \"input_{name}\" }}"
                )));
            }
            let is = |part: &Option<String>| part.as_deref() == Some(field.name().as_str());
            if is(&spec.columns.subject) {
                if spec.subject == "drop" {
                    continue;
                }
                input.push(InputColumn::SubjectRef);
                fields.push(Field::new(name, DataType::Utf8, true));
                continue;
            }
            if is(&spec.columns.id) {
                id = Some(Field::new(name, field.data_type().clone(), true));
            }
            input.push(match is(&spec.columns.text) {
                true => InputColumn::Text(index),
                false => InputColumn::Copied(index),
            });
            fields.push(field.as_ref().clone().with_name(name));
        }
        let provenance = provenance_fields();
        let with_provenance = |columns: Vec<Field>| -> SchemaRef {
            Arc::new(Schema::new(
                columns
                    .into_iter()
                    .chain(provenance.clone())
                    .collect::<Vec<_>>(),
            ))
        };
        let nullable: Vec<Field> = fields
            .iter()
            .map(|field| field.clone().with_nullable(true))
            .collect();
        Ok(Self {
            dropped: with_provenance(if spec.dropped == "rows" {
                nullable.clone()
            } else {
                id.into_iter().collect()
            }),
            rows: with_provenance(fields),
            quarantine: with_provenance(nullable),
            input,
        })
    }

    /// The schema of a verdict's folder.
    pub fn of(&self, verdict: &str) -> &SchemaRef {
        match verdict {
            "keep" | "review" => &self.rows,
            "drop" => &self.dropped,
            _ => &self.quarantine,
        }
    }
}

/// What is the same for every row of a unit.
#[derive(Debug)]
pub struct UnitFacts<'a> {
    /// Input file, relative to the corpus root.
    pub relative: &'a str,
    /// Input uri.
    pub uri: &'a str,
    /// Input etag.
    pub etag: &'a str,
    /// Job identity.
    pub job: &'a str,
    /// Pack name and digest.
    pub policy: &'a str,
    /// Microseconds UTC.
    pub as_of: i64,
}

/// One batch, ready to be split by verdict.
#[derive(Debug)]
pub struct Judged {
    /// Input columns and provenance in the schema of `data/`, all columns nullable.
    pub batch: RecordBatch,
    /// Verdict of each row, one of [`VERDICTS`].
    pub verdicts: Vec<&'static str>,
    /// First reason's rule of each row that has one.
    pub first_reasons: Vec<Option<String>>,
    /// Bytes of text.
    pub text_bytes: u64,
}

/// 128 bits that name a row: BLAKE3 of the relative path and the row's index, in hex.
pub fn row_id(relative: &str, row: i64) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(relative.as_bytes());
    hasher.update(&[0]);
    hasher.update(&row.to_le_bytes());
    hasher.finalize().to_hex()[..32].to_owned()
}

/// Turns a batch of `clear.sql` into output rows.
pub fn judged_batch(
    batch: &RecordBatch,
    schemas: &OutputSchemas,
    facts: &UnitFacts<'_>,
) -> Result<Judged> {
    let rows = batch.num_rows();
    let row_index = column(batch, "row_index")?
        .as_primitive::<Int64Type>()
        .clone();
    let row_group = column(batch, "row_group")?
        .as_primitive::<Int64Type>()
        .clone();
    let input = structure(batch, "input")?;
    let text = utf8(column(batch, "text")?)?;
    let subject_ref = utf8(column(batch, "subject_ref")?)?;
    let (verdicts, reasons, first_reasons) = decisions(batch)?;

    let redacted = match batch.column_by_name(REDACTED) {
        Some(column) => Some(utf8(column)?),
        None => None,
    };
    let is_redacted = |row: usize| redacted.as_ref().is_some_and(|texts| texts.is_valid(row));
    let consent_required = column(batch, "consent_required")?.as_boolean().clone();
    let consent = structure(batch, "consent")?;
    let status = utf8(&field(consent, "status")?)?;
    // Without its personal information a text that is nobody's needs nobody's consent.
    let has_subject = column(batch, "has_subject")?.as_boolean().clone();
    let needs_none = |row: usize| {
        is_redacted(row)
            && !is_true(&has_subject, row)
            && status.is_valid(row)
            && status.value(row) == "missing"
    };
    let consent_status: StringArray = (0..rows)
        .map(|row| {
            Some(if is_true(&consent_required, row) && !needs_none(row) {
                value(&status, row)?
            } else {
                "not_required"
            })
        })
        .collect();
    let record_id = utf8(&field(consent, "record_id")?)?;
    let consent_record: StringArray = (0..rows)
        .map(|row| {
            is_true(&consent_required, row)
                .then(|| value(&record_id, row))
                .flatten()
        })
        .collect();

    let harm = structure(batch, "harm")?;
    let license = structure(batch, "license")?;
    let source = structure(batch, "source")?;
    let digests: StringArray = text
        .iter()
        .map(|text| text.map(|text| hex::encode(Sha256::digest(text.as_bytes()))))
        .collect();
    let ids: StringArray = row_index
        .values()
        .iter()
        .map(|row| Some(row_id(facts.relative, *row)))
        .collect();
    let constant = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; rows])) };
    let text_list = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));

    let mut arrays: Vec<ArrayRef> = Vec::with_capacity(schemas.rows.fields().len());
    for column in &schemas.input {
        arrays.push(match column {
            InputColumn::Copied(index) => Arc::clone(input.column(*index)),
            InputColumn::Text(index) => with_redacted(input.column(*index), redacted.as_ref())?,
            InputColumn::SubjectRef => Arc::new(subject_ref.clone()),
        });
    }
    let provenance: Vec<ArrayRef> = vec![
        Arc::new(ids),
        constant(facts.uri),
        constant(facts.etag),
        Arc::new(row_group),
        Arc::new(row_index),
        Arc::new(utf8(column(batch, "source_id")?)?),
        Arc::new(utf8(column(batch, "url")?)?),
        Arc::new(utf8(&field(source, "acquisition_mode")?)?),
        Arc::new(digests),
        Arc::new(utf8(&field(license, "spdx")?)?),
        Arc::new(utf8(&field(license, "verdict")?)?),
        Arc::new(subject_ref),
        Arc::new(consent_status),
        Arc::new(consent_record),
        Arc::new(utf8(&field(structure(batch, "opt_out")?, "verdict")?)?),
        signals(&field(structure(batch, "opt_out")?, "signals")?)?,
        cast(&field(harm, "score")?, &DataType::Float64)?,
        cast(&field(harm, "risks")?, &text_list)?,
        cast(&field(structure(batch, "pii")?, "kinds")?, &text_list)?,
        applied(rows, &is_redacted),
        Arc::new(StringArray::from(verdicts.clone())),
        reasons,
        constant(facts.job),
        constant(facts.policy),
        Arc::new(TimestampMicrosecondArray::from_value(facts.as_of, rows).with_timezone("UTC")),
    ];
    arrays.extend(provenance);
    let fields: Vec<Field> = schemas
        .rows
        .fields()
        .iter()
        .map(|field| field.as_ref().clone().with_nullable(true))
        .collect();
    let text_bytes = text.value_data().len() as u64;
    Ok(Judged {
        batch: RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)?,
        verdicts,
        first_reasons,
        text_bytes,
    })
}

/// A text column with the redacted texts in place of those of their rows, in its own type.
fn with_redacted(texts: &ArrayRef, redacted: Option<&StringArray>) -> Result<ArrayRef> {
    match redacted {
        Some(redacted) if redacted.null_count() < redacted.len() => {
            let mask = is_not_null(redacted)?;
            let redacted = cast(redacted, texts.data_type())?;
            Ok(zip(&mask, &redacted, texts)?)
        }
        _ => Ok(Arc::clone(texts)),
    }
}

/// The signals of each row; NULL where none were asked for.
fn signals(found: &ArrayRef) -> Result<ArrayRef> {
    let found = cast(found, &signals_type())?;
    let lists = found.as_list::<i32>();
    let first_is_none = |row: usize| {
        let list = lists.value(row);
        !list.is_empty() && list.as_struct().column(0).is_null(0)
    };
    let asked: Vec<bool> = (0..lists.len())
        .map(|row| lists.is_valid(row) && !first_is_none(row))
        .collect();
    if asked.iter().all(|asked| *asked) {
        return Ok(found);
    }
    Ok(nullif(&found, &not(&BooleanArray::from(asked))?)?)
}

/// The privacy-enhancing techniques applied to each row; an empty list is none.
fn applied(rows: usize, is_redacted: &dyn Fn(usize) -> bool) -> ArrayRef {
    let mut builder = ListBuilder::new(StringBuilder::new());
    for row in 0..rows {
        if is_redacted(row) {
            builder.values().append_value(REDACTION);
        }
        builder.append(true);
    }
    Arc::new(builder.finish())
}

/// Rows of a row group that could not be read: quarantined by index, everything else NULL.
pub fn unreadable_batch(
    row_group: usize,
    rows: std::ops::Range<i64>,
    clause: &str,
    schemas: &OutputSchemas,
    facts: &UnitFacts<'_>,
) -> Result<RecordBatch> {
    let count = usize::try_from(rows.end - rows.start).unwrap_or(0);
    let constant = |text: &str| -> ArrayRef { Arc::new(StringArray::from(vec![text; count])) };
    let group = i64::try_from(row_group).unwrap_or(i64::MAX);
    let reason = StructArray::new(
        reason_fields(),
        vec![
            constant("row_unreadable"),
            constant(clause),
            constant(&format!("row group {row_group} could not be read")),
        ],
        None,
    );
    let item = Arc::new(Field::new_list_field(
        DataType::Struct(reason_fields()),
        false,
    ));
    let reasons = ListArray::new(
        item,
        OffsetBuffer::from_lengths(vec![1; count]),
        Arc::new(reason),
        None,
    );
    let arrays = schemas
        .quarantine
        .fields()
        .iter()
        .map(|field| -> ArrayRef {
            match field.name().as_str() {
                "prov_row_id" => Arc::new(
                    rows.clone()
                        .map(|row| Some(row_id(facts.relative, row)))
                        .collect::<StringArray>(),
                ),
                "prov_input_uri" => constant(facts.uri),
                "prov_input_etag" => constant(facts.etag),
                "prov_input_row_group" => Arc::new(Int64Array::from_value(group, count)),
                "prov_input_row" => Arc::new(Int64Array::from_iter_values(rows.clone())),
                "prov_verdict" => constant("quarantine"),
                "prov_reasons" => Arc::new(reasons.clone()),
                "prov_job" => constant(facts.job),
                "prov_policy" => constant(facts.policy),
                "prov_checked_at" => Arc::new(
                    TimestampMicrosecondArray::from_value(facts.as_of, count).with_timezone("UTC"),
                ),
                _ => new_null_array(field.data_type(), count),
            }
        })
        .collect();
    Ok(RecordBatch::try_new(
        Arc::clone(&schemas.quarantine),
        arrays,
    )?)
}

type Decisions = (Vec<&'static str>, ArrayRef, Vec<Option<String>>);

/// Verdicts and reasons; a NULL or unknown verdict is quarantine and says so.
fn decisions(batch: &RecordBatch) -> Result<Decisions> {
    let given = utf8(column(batch, "verdict")?)?;
    let reasons = column(batch, "reasons")?;
    let DataType::List(_) = reasons.data_type() else {
        return Err(JobError::usage(format!(
            "clear.sql: reasons is {}, it must be List<Struct{{rule, clause, detail}}>",
            reasons.data_type()
        )));
    };
    let reasons = reasons.as_list::<i32>();
    let items = reasons.values().as_struct_opt().ok_or_else(|| {
        JobError::usage("clear.sql: reasons must be a list of structs {rule, clause, detail}")
    })?;
    let [rule, clause, detail] =
        ["rule", "clause", "detail"].map(|name| field(items, name).and_then(|array| utf8(&array)));
    let (rule, clause, detail) = (rule?, clause?, detail?);
    let mut verdicts = Vec::with_capacity(batch.num_rows());
    let mut first = Vec::with_capacity(batch.num_rows());
    let mut lengths = Vec::with_capacity(batch.num_rows());
    let (mut rules, mut clauses, mut details) = (
        StringBuilder::new(),
        StringBuilder::new(),
        StringBuilder::new(),
    );
    for row in 0..batch.num_rows() {
        let known =
            value(&given, row).and_then(|given| VERDICTS.iter().find(|known| **known == given));
        verdicts.push(known.copied().unwrap_or("quarantine"));
        let mut length = 0;
        let mut first_rule = None;
        let mut push = |rule: &str, clause: &str, detail: Option<&str>| {
            rules.append_value(rule);
            clauses.append_value(clause);
            details.append_option(detail);
            first_rule.get_or_insert_with(|| rule.to_owned());
            length += 1;
        };
        if known.is_none() {
            push(
                "verdict_missing",
                "",
                Some("the policy gave no verdict it knows"),
            );
        }
        if !reasons.is_null(row) {
            let offsets = reasons.value_offsets();
            for item in offsets[row] as usize..offsets[row + 1] as usize {
                if items.is_valid(item) {
                    push(
                        value(&rule, item).unwrap_or("unnamed"),
                        value(&clause, item).unwrap_or_default(),
                        value(&detail, item),
                    );
                }
            }
        }
        lengths.push(length);
        first.push(first_rule);
    }
    let items = StructArray::new(
        reason_fields(),
        vec![
            Arc::new(rules.finish()),
            Arc::new(clauses.finish()),
            Arc::new(details.finish()),
        ],
        None,
    );
    let item = Arc::new(Field::new_list_field(
        DataType::Struct(reason_fields()),
        false,
    ));
    let list = ListArray::new(
        item,
        OffsetBuffer::from_lengths(lengths),
        Arc::new(items),
        None,
    );
    Ok((verdicts, Arc::new(list), first))
}

/// The consent records that decided rows of this batch: record id to its canonical JSON and subject ref.
pub fn consent_evidence(
    batch: &RecordBatch,
    into: &mut BTreeMap<String, ConsentEvidence>,
) -> Result<()> {
    let required = column(batch, "consent_required")?.as_boolean();
    let consent = structure(batch, "consent")?;
    let record_id = utf8(&field(consent, "record_id")?)?;
    let subject = utf8(column(batch, "subject_ref")?)?;
    let texts: Vec<(&str, StringArray)> = [
        "status",
        "kind",
        "granted_at",
        "expires_at",
        "withdrawn_at",
        "evidence_uri",
    ]
    .into_iter()
    .map(|name| Ok((name, utf8(&field(consent, name)?)?)))
    .collect::<Result<_>>()?;
    for row in 0..batch.num_rows() {
        let Some(id) = value(&record_id, row).filter(|_| is_true(required, row)) else {
            continue;
        };
        into.entry(id.to_owned()).or_insert_with(|| {
            let record: serde_json::Map<String, serde_json::Value> = texts
                .iter()
                .map(|(name, array)| ((*name).to_owned(), value(array, row).into()))
                .collect();
            ConsentEvidence {
                subject_ref: value(&subject, row).map(str::to_owned),
                record: serde_json::Value::Object(record).to_string(),
            }
        });
    }
    Ok(())
}

/// A consent record as it stood when it decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentEvidence {
    /// Whose consent.
    pub subject_ref: Option<String>,
    /// Status, kind, times and evidence uri as JSON.
    pub record: String,
}

fn column<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    batch
        .column_by_name(name)
        .ok_or_else(|| JobError::usage(format!("clear.sql does not give the column `{name}`")))
}

fn structure<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StructArray> {
    column(batch, name)?.as_struct_opt().ok_or_else(|| {
        JobError::usage(format!(
            "clear.sql: column `{name}` is not the struct `judged` gives"
        ))
    })
}

/// A field of a struct; NULL where the struct is NULL.
fn field(array: &StructArray, name: &str) -> Result<ArrayRef> {
    let child = array.column_by_name(name).ok_or_else(|| {
        JobError::usage(format!(
            "clear.sql: a struct of `judged` lost its field `{name}`"
        ))
    })?;
    if array.null_count() == 0 {
        return Ok(Arc::clone(child));
    }
    let nulls = NullBuffer::union(array.nulls(), child.nulls());
    Ok(make_array(
        child.to_data().into_builder().nulls(nulls).build()?,
    ))
}

fn utf8(array: &dyn Array) -> Result<StringArray> {
    Ok(cast(array, &DataType::Utf8)?.as_string::<i32>().clone())
}

fn value(array: &StringArray, row: usize) -> Option<&str> {
    array.is_valid(row).then(|| array.value(row))
}

fn is_true(array: &BooleanArray, row: usize) -> bool {
    // NULL counts as required: fail closed.
    array.is_null(row) || array.value(row)
}
