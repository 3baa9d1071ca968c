//! What the matchers share: the normal form of a text with the way back, character offsets and
//! word boundaries.

mod boundary;
mod fold;
mod normal;
mod offsets;

pub use boundary::{is_word_char, on_word_boundaries};
pub use fold::{Folded, fold, is_default_ignorable};
pub use normal::{Normal, is_normal, look_alikes, normal_form, simplified, traditional};
pub use offsets::CharOffsets;
