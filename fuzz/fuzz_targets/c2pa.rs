//! A C2PA manifest of any shape: in a store, as the active manifest, it says the same.
#![no_main]

use tamis_consent::signals::{Permission, c2pa_training};

libfuzzer_sys::fuzz_target!(|manifest: &str| {
    let alone = c2pa_training(manifest);
    // What is malformed alone may be well-formed inside, and a store is no manifest.
    if alone == Some(Permission::Disallowed)
        || manifest.contains(['\\'])
        || manifest.contains("manifests")
    {
        return;
    }
    let store =
        format!("{{\"active_manifest\":\"a\",\"manifests\":{{\"a\":{manifest},\"b\":{{}}}}}}");
    let stored = c2pa_training(&store);
    // A list of assertions is no manifest, and nesting has a bound.
    assert!(stored == alone || stored == Some(Permission::Disallowed));
});
