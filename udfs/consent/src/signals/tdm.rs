//! TDMRep: the W3C TDM Reservation Protocol (Community Group Report).

use super::headers::header_values;
use super::html;
use super::json::Json;
use super::url_pattern::{Address, UrlPattern};

/// Where a reservation was declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TdmVia {
    /// A meta element of the page.
    Html,
    /// A field of the HTTP response.
    Header,
    /// The file `/.well-known/tdmrep.json` of the server.
    WellKnown,
}

impl TdmVia {
    /// `html`, `header` or `well_known`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Header => "header",
            Self::WellKnown => "well_known",
        }
    }
}

/// A declaration on text and data mining.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tdm {
    /// The rights are reserved: no mining without the rightsholder.
    pub reserved: bool,
    /// The address of a policy that says how to get leave. Only with a reservation (section
    /// tdm-policy: not processed where nothing is reserved).
    pub policy: Option<String>,
    /// Where the reservation was declared.
    pub via: TdmVia,
}

/// Whether text and data mining of `url` is reserved. See `tdm`.
pub fn tdm_reserved(
    headers: Option<&str>,
    html: Option<&str>,
    well_known_json: Option<&str>,
    url: &str,
) -> Option<bool> {
    tdm(headers, html, well_known_json, url).map(|declared| declared.reserved)
}

/// What the three places of TDMRep together declare for `url`.
///
/// `headers` is the text of the response's header block, `html` the page, `well_known_json` the
/// content of `/.well-known/tdmrep.json`; `None` for each that was not fetched or does not
/// exist. A page's declaration supersedes the header's, and that the file's (section Processing
/// priority), each of the two properties for itself. A place without a declaration, or with a
/// value other than 0 and 1, leaves the others as they are. Of several declarations in one
/// place the most restrictive counts. `None`: nothing is declared.
///
/// A file that cannot be read counts as a reservation of everything on the server, see
/// `TdmRules`; so does a page whose head has no end within 16 MiB and no declaration.
pub fn tdm(
    headers: Option<&str>,
    html: Option<&str>,
    well_known_json: Option<&str>,
    url: &str,
) -> Option<Tdm> {
    let rules = well_known_json.map(|text| TdmRules::parse(text.as_bytes()));
    combine(headers, html, rules.as_ref(), url)
}

/// Pages are read further here than in `html_signals`: a reservation must not be missed.
const HTML_LIMIT: usize = 16 << 20;

/// A place's declaration: the properties it sets.
#[derive(Default)]
struct Declared {
    reserved: Option<bool>,
    policy: Option<String>,
}

fn combine(
    headers: Option<&str>,
    html: Option<&str>,
    rules: Option<&TdmRules>,
    url: &str,
) -> Option<Tdm> {
    let places = [
        (TdmVia::Html, html.map(from_html)),
        (TdmVia::Header, headers.map(from_headers)),
        (TdmVia::WellKnown, rules.map(|rules| rules.declared(url))),
    ];
    let mut result: Option<(bool, TdmVia)> = None;
    let mut policy = None;
    for (via, declared) in places {
        let declared = declared.unwrap_or_default();
        result = result.or(declared.reserved.map(|reserved| (reserved, via)));
        policy = policy.or(declared.policy);
    }
    result.map(|(reserved, via)| Tdm {
        reserved,
        policy: policy.filter(|_| reserved),
        via,
    })
}

fn from_html(page: &str) -> Declared {
    let signals = html::scan(page.as_bytes(), HTML_LIMIT);
    let declared = signals.tdm_reservation.as_deref().and_then(reservation);
    Declared {
        reserved: declared.or(signals.truncated.then_some(true)),
        policy: signals.tdm_policy,
    }
}

fn from_headers(headers: &str) -> Declared {
    let best = header_values(headers, "tdm-reservation")
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .max_by_key(|value| reservation_rank(value));
    let policy = header_values(headers, "tdm-policy").find(|value| !value.is_empty());
    Declared {
        reserved: best.and_then(reservation),
        policy: policy.map(str::to_owned),
    }
}

/// Section tdm-reservation: 1 and 0; every other value is as none.
fn reservation(value: &str) -> Option<bool> {
    match value {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

/// Orders values that stand in one place: a reservation, then none, then an error.
pub(super) fn reservation_rank(value: &str) -> u8 {
    match reservation(value) {
        Some(true) => 2,
        Some(false) => 1,
        None => 0,
    }
}

/// The rules of a server's `tdmrep.json`, read once for many addresses.
///
/// Malformed is: JSON that cannot be read, is longer than 8 MiB or nests deeper than 127
/// levels, names a member twice; anything but an array of objects; a rule whose `location` is
/// not text. All of the server is then reserved, whatever else the file says: nobody can say
/// what its author meant to leave open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TdmRules {
    /// `None` for a malformed file.
    rules: Option<Vec<Rule>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    location: UrlPattern,
    reserved: Option<bool>,
    policy: Option<String>,
}

impl TdmRules {
    /// Reads a file. Never fails: see the type for what is malformed.
    pub fn parse(json: &[u8]) -> Self {
        let rules = Json::parse(json).and_then(|file| file.as_array()?.iter().map(rule).collect());
        Self { rules }
    }

    /// What the file declares for `url`, by the first rule in sequence whose location matches
    /// (section TDM File on the Origin Server). `None` if no rule matches, or if that rule's
    /// reservation is none. The host of `url` does not count, unless a location names one.
    pub fn reserved(&self, url: &str) -> Option<Tdm> {
        combine(None, None, Some(self), url)
    }

    /// The bytes this holds on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let policy = |rule: &Rule| rule.policy.as_ref().map_or(0, String::capacity);
        let rules = self.rules.iter().flatten();
        rules
            .map(|rule| size_of::<Rule>() + rule.location.heap_bytes() + policy(rule))
            .sum()
    }

    /// Whether the file could be read.
    pub fn is_malformed(&self) -> bool {
        self.rules.is_none()
    }

    fn declared(&self, url: &str) -> Declared {
        let Some(rules) = &self.rules else {
            return Declared {
                reserved: Some(true),
                policy: None,
            };
        };
        let address = Address::parse(url);
        let matching = rules.iter().find(|rule| rule.location.matches(&address));
        matching.map_or_else(Declared::default, |rule| Declared {
            reserved: rule.reserved,
            policy: rule.policy.clone(),
        })
    }
}

fn rule(entry: &Json) -> Option<Rule> {
    let entry = entry.as_object()?;
    let reserved = match entry.get("tdm-reservation") {
        Some(Json::Number(number)) if *number == 1.0 => Some(true),
        Some(Json::Number(number)) if *number == 0.0 => Some(false),
        // Strictly only a number counts. A reservation in quotes is clear all the same; leave
        // in quotes is not taken.
        Some(Json::String(text)) if text.trim() == "1" => Some(true),
        _ => None,
    };
    let policy = entry.get("tdm-policy").and_then(Json::as_str);
    Some(Rule {
        location: UrlPattern::parse(entry.get("location")?.as_str()?),
        reserved,
        policy: policy
            .map(|policy| policy.trim().to_owned())
            .filter(|policy| !policy.is_empty()),
    })
}
