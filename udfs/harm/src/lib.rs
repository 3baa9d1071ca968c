//! Judging harm in text: a taxonomy of risks, a lexicon that names harmful acts and phrases, a
//! matcher that finds them in the normal form of a text, classifiers, scores per risk with their
//! calibration, and the statistics of harm rates.

mod calibration;
mod evaluation;
mod evasion;
mod judge;
mod lexicon;
mod located_toml;
mod matcher;
mod model;
mod rate;
mod simd;
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
    ALLOW, CategoryMap, ChangedEntry, CheckFinding, CheckKind, CheckOptions, Entry, EntryDefaults,
    ExplainedHit, Explainer, Explanation, Impact, Imported, LEXICON_COLUMNS, Layer, Lexicon,
    LexiconCheck, LexiconDiff, LexiconRules, Limit, MatchKind, RiskCount, Sample, Segment, Verdict,
    check_lexicon, day_of_date, diff_lexicons, impact, lexicon_updated, parse_categorised,
    parse_lexicon_csv, parse_lexicon_ndjson, parse_word_list, write_lexicon_csv,
};
pub use matcher::{DaachorseMatcher, GramFrequencies, Kernel, Match, Matcher, PairGramMatcher};
pub use model::{
    Activation, CLEAN, Class, LabelledText, Model, ModelEvaluation, ModelMetadata, ModelOptions,
    OnnxLabels, OnnxPacking, RiskEvaluation, RiskReport, Segmentation, TrainOptions, TrainProgress,
    TrainReport, Trained, evaluate, pack_onnx, train, with_metadata,
};
pub use rate::{Mode, Rate, SourceVerdict, harm_rate, source_verdict};
pub use taxonomy::{Risk, Taxonomy};
pub use thresholds::Thresholds;
pub use via::Via;
