//! Training and data mining assertions in C2PA manifests (CAWG Training and Data Mining
//! Assertion 1.1, before that C2PA 1.x).

use std::collections::BTreeMap;

use super::Permission;
use super::json::Json;

/// What a C2PA manifest says about training a generative model on the asset it belongs to.
///
/// `manifest_json` is the JSON form that readers of C2PA give: a manifest store
/// (`active_manifest`, `manifests`), one manifest (`assertions`, or `assertion_store` in the
/// detailed form), one assertion (`label`, `data`), or the data of one (`entries`). Assertions
/// count whose label is `cawg.training-mining` or `c2pa.training-mining`, with or without a
/// version (`.v2`) and an instance (`__1`).
///
/// - `ai_generative_training`, `ai_training` and `data_mining` (each with the prefix `cawg.` or
///   `c2pa.`) restrict: making a training corpus is data mining, and its use is training.
///   `ai_inference` and custom entries say nothing of training.
/// - `notAllowed` is `Disallowed`. `constrained` with an explanation (`constraint_info`, or
///   `constraints_info` as the prose of the standard has it) is `Conditional`, without one
///   `Disallowed` (section Overview). Any other value is `Disallowed`.
/// - `allowed` for generative training, with no restriction, is `Allowed`. For the other
///   entries alone it gives no leave to train a generative model: `None`.
/// - The most restrictive entry of all assertions wins. Manifests of ingredients can only
///   restrict; leave must stand in the active manifest.
///
/// `None`: no such assertion, or none that speaks of training. Malformed input is `Disallowed`:
/// JSON that cannot be read, is longer than 8 MiB or nests deeper than 127 levels, names a
/// member twice, is not an object or array, or has an assertion in a shape that is none of
/// these. Signatures are not checked here.
pub fn c2pa_training(manifest_json: &str) -> Option<Permission> {
    Json::parse(manifest_json.as_bytes())
        .and_then(|document| read(&document))
        .unwrap_or(Some(Permission::Disallowed))
}

/// What a part of a document says; the outer `None` for a part that is malformed.
type Reading = Option<Option<Permission>>;

fn read(document: &Json) -> Reading {
    match document {
        Json::Array(assertions) => list(assertions),
        Json::Object(members) => match members.get("manifests") {
            Some(manifests) => store(members, manifests),
            None => manifest(members),
        },
        _ => None,
    }
}

fn store(members: &BTreeMap<String, Json>, manifests: &Json) -> Reading {
    let manifests = manifests.as_object()?;
    let active = match members.get("active_manifest") {
        Some(label) => Some(manifests.get_key_value(label.as_str()?)?.0),
        None => None,
    };
    let mut strictest = None;
    for (label, content) in manifests {
        let said = manifest(content.as_object()?)?;
        let restricts = said > Some(Permission::Allowed);
        if restricts || active.is_none_or(|active| active == label) {
            strictest = strictest.max(said);
        }
    }
    Some(strictest)
}

/// A manifest, or one assertion, or the data of one.
fn manifest(members: &BTreeMap<String, Json>) -> Reading {
    let mut strictest = None;
    let mut is_manifest = false;
    for name in ["assertions", "assertion_store"] {
        let said = match members.get(name) {
            None => continue,
            Some(Json::Array(assertions)) => list(assertions)?,
            Some(Json::Object(assertions)) => {
                let mut strictest = None;
                for (label, data) in assertions {
                    strictest = strictest.max(labelled(label, Some(data))?);
                }
                strictest
            }
            Some(_) => return None,
        };
        is_manifest = true;
        strictest = strictest.max(said);
    }
    if is_manifest {
        return Some(strictest);
    }
    match members.get("label") {
        Some(label) => labelled(label.as_str()?, members.get("data")),
        None => data(members),
    }
}

fn list(assertions: &[Json]) -> Reading {
    let mut strictest = None;
    for assertion in assertions {
        let assertion = assertion.as_object()?;
        let label = assertion.get("label")?.as_str()?;
        strictest = strictest.max(labelled(label, assertion.get("data"))?);
    }
    Some(strictest)
}

fn labelled(label: &str, content: Option<&Json>) -> Reading {
    if is_training_label(label) {
        data(content?.as_object()?)
    } else {
        Some(None)
    }
}

/// Whether a label is that of the assertion, whatever its version and instance (C2PA 2.x,
/// sections Labels and Multiple instances).
fn is_training_label(label: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let label = match label.rsplit_once("__") {
        Some((base, instance)) if digits(instance) => base,
        _ => label,
    };
    let label = match label.rsplit_once(".v") {
        Some((base, version)) if digits(version) => base,
        _ => label,
    };
    ["cawg.training-mining", "c2pa.training-mining"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(label))
}

/// The entries of an assertion: under `entries`, or, as the first version had them, directly.
fn data(members: &BTreeMap<String, Json>) -> Reading {
    let entries = match members.get("entries") {
        Some(entries) => entries.as_object()?,
        None => members,
    };
    let mut strictest = None;
    for prefix in ["cawg", "c2pa"] {
        for name in ["ai_generative_training", "ai_training", "data_mining"] {
            let Some(entry) = entries.get(&format!("{prefix}.{name}")) else {
                continue;
            };
            let said = use_of(entry)?;
            if said > Permission::Allowed || name == "ai_generative_training" {
                strictest = strictest.max(Some(said));
            }
        }
    }
    Some(strictest)
}

/// `None` for an entry that is not an object.
fn use_of(entry: &Json) -> Option<Permission> {
    let entry = entry.as_object()?;
    let explained = || {
        ["constraint_info", "constraints_info"].iter().any(|name| {
            let info = entry.get(*name).and_then(Json::as_str);
            info.is_some_and(|info| !info.trim().is_empty())
        })
    };
    Some(match entry.get("use").and_then(Json::as_str) {
        Some("allowed") => Permission::Allowed,
        Some("constrained") if explained() => Permission::Conditional,
        _ => Permission::Disallowed,
    })
}
