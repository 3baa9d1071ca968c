//! Licence names to SPDX expressions, and what a licence policy says of them.
//!
//! [`license_id`] reads what people write in a licence column and [`explain`] says how;
//! [`LicensePolicy::check`] says whether a use is allowed; [`license_detect`] finds the licence a
//! document carries itself, and [`license_conflicts`] holds it against the one that was stated.
//! None of them guesses: a name that could mean two licences means none.

mod address;
mod covers;
mod creative_commons;
mod detect;
mod explain;
mod expression;
mod fold;
mod gnu;
mod key;
mod names;
mod parse;
mod policy;

use names::Name;
use parse::Reading;

pub use covers::{license_conflicts, terms};
pub use detect::{Detection, license_detect};
pub use explain::{Explanation, Form, explain};
pub use policy::{Check, LicensePolicy, Permission, Row, UseRow, Verdict};

/// The canonical SPDX expression that a raw licence string names.
///
/// Reads SPDX ids and expressions in any case (`AND`, `OR`, `WITH`, `+`, parentheses,
/// `LicenseRef-…`), licence titles, short forms, Creative Commons by elements, version and
/// jurisdiction, licence addresses, Chinese names and the tags of model hubs. Deprecated ids
/// give their successor. Operators come out in capitals, in the order given, each nested AND or
/// OR in parentheses, no operand twice. A licence without an SPDX id is
/// `LicenseRef-tamis-NAME`.
///
/// `None` for everything else: an unknown name, a family without its version (`CC BY`, `GPL`,
/// `BSD`), a string over 4,096 bytes, a name over 300, control characters. `/`, `,` and `;`
/// between names can mean AND as well as OR and are not read. The result is a fixed point:
/// reading it gives itself.
///
/// ```
/// use tamis_license::license_id;
///
/// assert_eq!(license_id("GPLv2+ or MIT License").unwrap(), "GPL-2.0-or-later OR MIT");
/// assert_eq!(license_id("署名-非商业性使用 4.0 国际").unwrap(), "CC-BY-NC-4.0");
/// assert_eq!(license_id("CC BY"), None);
/// ```
pub fn license_id(raw: &str) -> Option<String> {
    match parse::read(raw) {
        Reading::Named(Name::Expression(expression)) => Some(expression.to_string()),
        _ => None,
    }
}
