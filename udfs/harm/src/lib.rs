//! Judging harm in text: a taxonomy of risks, a lexicon that names harmful acts and phrases, a
//! matcher that finds them in the normal form of a text, classifiers, scores per risk with their
//! calibration, and the statistics of harm rates.

mod calibration;
mod evaluation;
mod judge;
mod lexicon;
mod located_toml;
mod matcher;
mod model;
mod rate;
mod taxonomy;
mod thresholds;
mod via;

pub use calibration::{
    Calibration, ReliabilityBin, RiskCalibration, ScoredRow, Target, calibrate, reliability,
    reliability_svg, score_rows,
};
pub use evaluation::{Confusion, Curve, CurvePoint, ScoredText};
pub use judge::{Assessment, Hit, Judge};
pub use lexicon::{
    ALLOW, Entry, LEXICON_COLUMNS, Lexicon, MatchKind, parse_lexicon_csv, parse_lexicon_ndjson,
};
pub use matcher::{DaachorseMatcher, Match, Matcher};
pub use model::{
    CLEAN, Class, LabelledText, Model, ModelEvaluation, ModelMetadata, ModelOptions,
    RiskEvaluation, RiskReport, Segmentation, TrainOptions, TrainProgress, TrainReport, Trained,
    evaluate, train, with_metadata,
};
pub use rate::{Mode, Rate, SourceVerdict, harm_rate, source_verdict};
pub use taxonomy::{Risk, Taxonomy};
pub use thresholds::Thresholds;
pub use via::Via;
