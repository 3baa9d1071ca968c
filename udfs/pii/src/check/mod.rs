//! Checksums and published structures, on plain ASCII bytes without separators.

mod document;
mod money;
mod telephone;
mod wallet;

pub(crate) use document::{
    hong_kong, resident_15, resident_18, resident_shape, social_credit, social_credit_shape, taiwan,
};
pub(crate) use money::{Issuer, card_issuer, iban, iban_length, luhn};
pub(crate) use telephone::{
    area_code_length, country_code, is_area_code, is_mobile_prefix, north_american,
};
pub(crate) use wallet::{base58_address, ethereum, segwit};
