//! Personal information in Chinese and English text: where it is, of what kind, whether its
//! checksum holds, whether it is sensitive, and the text without it.
//!
//! A number counts by its structure, its checksum and the label before it; a topic alone (an
//! illness, a religion) is never a finding, it only makes an identifier near it sensitive.
//!
//! ```
//! use tamis_pii::{Detector, Kind};
//!
//! let detector = Detector::builtin();
//! let found = detector.find("电话13812345678打我");
//! assert_eq!(found[0].kind, Kind::CnPhone);
//! assert_eq!((found[0].start, found[0].end), (6, 17));
//! assert_eq!(detector.redact("电话13812345678打我", None), "电话[CN_PHONE]打我");
//! ```
#![forbid(unsafe_code)]

mod address;
mod chat;
mod check;
mod detector;
mod finding;
mod groups;
mod kind;
mod label;
mod name;
mod narrow;
mod network;
mod number;
mod scan;
mod secret;
mod sensitive;
mod street;
mod telephone;
mod word;

pub use detector::Detector;
pub use finding::Finding;
pub use kind::{Kind, KindSet, Sensitive, UnknownKind};
pub use sensitive::WINDOW as SENSITIVE_WINDOW;
