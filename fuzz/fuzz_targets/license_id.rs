//! A licence string of any kind: read once, the result reads as itself.
#![no_main]

use tamis_license::license_id;

libfuzzer_sys::fuzz_target!(|raw: &str| {
    if let Some(id) = license_id(raw) {
        assert_eq!(license_id(&id).as_deref(), Some(id.as_str()));
    }
});
