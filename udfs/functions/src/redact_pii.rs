//! `redact_pii(text [, kinds])`: the text without its personal information.

use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::DataType;
use datafusion::common::plan_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_pii::{Detector, Kind, KindSet};

use crate::arguments::Argument;
use crate::documentation::{TEXT, document};
use crate::pure::Pure;
use crate::strings::{map_texts, texts};

/// `redact_pii(text [, kinds])`: Utf8; NULL when an argument is NULL.
#[derive(Debug)]
pub(crate) struct RedactPii;

impl Pure for RedactPii {
    const NAME: &'static str = "redact_pii";
    const ARGUMENTS: &'static [Argument] = &[Argument::Text("text"), Argument::Names("kinds")];
    const REQUIRED: usize = 1;

    fn result_type() -> DataType {
        DataType::Utf8
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "The text with each piece of personal information replaced by its kind in brackets, such as \
                 [EMAIL]. What is left holds none of those kinds.",
                "redact_pii(text [, kinds])",
                &[
                    TEXT,
                    (
                        "kinds",
                        "The kinds to replace: a list, or names with commas between them. Default: all.",
                    ),
                ],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(arguments: &[ArrayRef]) -> Result<ArrayRef> {
        let detector = Detector::builtin();
        let Some(kinds) = arguments.get(1) else {
            return map_texts(&arguments[0], &|documents| {
                let redacted = documents.iter().map(|text| detector.redact(text, None));
                Ok(Arc::new(StringArray::from_iter_values(redacted)))
            });
        };
        let kinds = kind_sets(kinds)?;
        let rows = texts(&arguments[0])?.into_iter().zip(kinds);
        let redacted: StringArray = rows
            .map(|(text, kinds)| Some(detector.redact(text?, Some(kinds?))))
            .collect();
        Ok(Arc::new(redacted))
    }
}

/// The kinds of each row; rows of one literal are read once.
fn kind_sets(array: &dyn Array) -> Result<Vec<Option<KindSet>>> {
    let mut known: Option<(Vec<String>, KindSet)> = None;
    let mut set_of = |names: Vec<String>| -> Result<KindSet> {
        match &known {
            Some((last, set)) if *last == names => Ok(*set),
            _ => {
                let set = kind_set(&names)?;
                known = Some((names, set));
                Ok(set)
            }
        }
    };
    if let Some(lists) = array.as_list_opt::<i32>() {
        let rows = lists.iter().map(|list| match list {
            None => Ok(None),
            Some(list) => {
                let names = texts(&list)?.into_iter().map(|name| match name {
                    Some(name) => Ok(name.to_owned()),
                    None => Err(plan_datafusion_err!("redact_pii: a kind is NULL")),
                });
                set_of(names.collect::<Result<_>>()?).map(Some)
            }
        });
        return rows.collect();
    }
    let rows = texts(array)?.into_iter().map(|names| match names {
        None => Ok(None),
        Some(names) => {
            let names = names.split(',').map(|name| name.trim().to_owned());
            set_of(names.filter(|name| !name.is_empty()).collect()).map(Some)
        }
    });
    rows.collect()
}

fn kind_set(names: &[String]) -> Result<KindSet> {
    let mut set = KindSet::EMPTY;
    for name in names {
        let kind = Kind::parse(name);
        set.insert(kind.map_err(|error| plan_datafusion_err!("redact_pii: {error}"))?);
    }
    Ok(set)
}
