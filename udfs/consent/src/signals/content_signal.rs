//! `Content-Signal`, the Content Signals Policy (contentsignals.org).
//!
//! A signal is `yes` or `no` for a use; a use without a signal is neither granted nor
//! restricted. The uses are `search`, `ai-input` and `ai-train`.

use super::content_usage::{Preference, header, is_robots_txt, values_of};
use super::robots::Robots;

/// Reads `search=yes, ai-train=no`: only `yes` permits, any other value refuses.
pub(super) fn preference_in_signal(value: &[u8], category: &str) -> Preference {
    values_of(value, category)
        .map(|word| {
            if word.eq_ignore_ascii_case(b"yes") {
                Preference::Allowed
            } else {
                Preference::Refused
            }
        })
        .max()
        .unwrap_or(Preference::Unknown)
}

/// What the `Content-Signal` lines of a robots.txt say of a use: `Some(true)` for `yes`,
/// `Some(false)` for `no` and for a value that cannot be read, `None` for no signal.
///
/// `category` is `search`, `ai-input` or `ai-train`, in any case. The lines for `*` apply, see
/// [`Robots::content_signal`] for other agents and for how several lines combine. A text
/// without a `User-agent` line is read as the values of `Content-Signal` headers, one a line,
/// with or without their name: a refusal in one wins, then a permission.
///
/// ```
/// use tamis_consent::signals::content_signal;
///
/// let robots_txt = "User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n";
/// let url = "https://example.org/page";
/// assert_eq!(content_signal(robots_txt, url, "ai-train"), Some(false));
/// assert_eq!(content_signal(robots_txt, url, "search"), Some(true));
/// assert_eq!(content_signal(robots_txt, url, "ai-input"), None);
/// ```
pub fn content_signal(robots_txt: &str, url: &str, category: &str) -> Option<bool> {
    let text = robots_txt.as_bytes();
    if is_robots_txt(text) {
        return Robots::parse(text).content_signal(url, "*", category);
    }
    header(text, b"content-signal", url, |value| {
        preference_in_signal(value, category)
    })
}
