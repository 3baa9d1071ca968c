//! `blocked(url, text [, at])`: is an address or a text on the block list?

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, TimestampMicrosecondArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use tamis_consent::{BlockKind, BlockList};
use tamis_resource::sha256_hex;

use crate::arguments::{Argument, UTC};
use crate::documentation::document;
use crate::instants::spans;
use crate::judging::Judging;
use crate::pinned::Pinned;
use crate::resources::Resources;
use crate::results::{blocked_fields, blocked_type, struct_array};
use crate::strings::{text_array, texts};

/// A digest that no entry has.
const NO_DIGEST: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The list, and the instant asked about when the call names none.
pub(crate) struct Listed {
    list: Arc<BlockList>,
    as_of: i64,
}

/// `blocked(url, text [, at])`: Struct{verdict, kind, entry, listed_at}, never NULL. The
/// verdict is `listed`, `not_listed`, or `missing` when url and text are both NULL or the instant is.
pub(crate) struct Blocked;

impl Judging for Blocked {
    const NAME: &'static str = "blocked";
    const ARGUMENTS: &'static [Argument] = &[
        Argument::Text("url"),
        Argument::Text("text"),
        Argument::Span("at"),
    ];
    const REQUIRED: usize = 2;
    type Resource = Listed;

    fn pin(resources: &Resources) -> Pinned<Listed> {
        let listed = resources.blocked.as_ref().map(|list| Listed {
            list: Arc::clone(list),
            as_of: resources.as_of,
        });
        let digest = listed
            .as_ref()
            .map(|listed| format!("{} {}", listed.list.identity().sha256, listed.as_of));
        Pinned::new(
            Self::NAME,
            listed.map(Arc::new),
            digest.unwrap_or_default(),
            &["blocked", "as_of"],
            &resources.settings,
        )
    }

    fn result_type() -> DataType {
        blocked_type()
    }

    fn documentation() -> &'static Documentation {
        static DOCUMENTATION: LazyLock<Documentation> = LazyLock::new(|| {
            document(
                "Whether an address (by domain, host or url) or a text (by digest) is on the block list at an \
                 instant: listed, not_listed or missing, and the entry that lists it.",
                "blocked(url, text [, at])",
                &[
                    ("url", "The address the data was collected from, or NULL."),
                    ("text", "The text, compared by its sha256, or NULL."),
                    (
                        "at",
                        "The instant asked about; a date stands for any instant of its day. Default: the setting tamis.as_of.",
                    ),
                ],
            )
        });
        &DOCUMENTATION
    }

    fn evaluate(listed: &Listed, arguments: &[ArrayRef]) -> Result<ArrayRef> {
        checks(listed, arguments)
    }
}

fn checks(listed: &Listed, arguments: &[ArrayRef]) -> Result<ArrayRef> {
    let urls = texts(&arguments[0])?;
    // The digest of a text costs as much as reading it: only where an entry asks for it.
    let with_digests = listed.list.has_digests();
    let digests = texts(&arguments[1])?.into_iter().map(|text| {
        let text = text?;
        Some(match with_digests {
            true => sha256_hex(text.as_bytes()),
            false => NO_DIGEST.to_owned(),
        })
    });
    let at = match arguments.get(2) {
        Some(at) => spans(at)?,
        None => vec![Some((listed.as_of, listed.as_of)); urls.len()],
    };
    let rows = urls.into_iter().zip(digests).zip(at);
    let checks: Vec<_> = rows
        .map(|((url, digest), at)| match at {
            Some(span) => listed.list.check_span(url, digest.as_deref(), span),
            None => listed.list.check(None, None, listed.as_of),
        })
        .collect();
    let listed_at: TimestampMicrosecondArray = checks.iter().map(|check| check.listed_at).collect();
    struct_array(
        blocked_fields(),
        vec![
            text_array(checks.iter().map(|check| Some(check.verdict))),
            text_array(checks.iter().map(|check| check.kind.map(BlockKind::as_str))),
            text_array(checks.iter().map(|check| check.entry)),
            Arc::new(listed_at.with_timezone(UTC)),
        ],
    )
}
