use std::fmt::Write;

use super::ReliabilityBin;

const SIZE: f64 = 320.0;
const MARGIN: f64 = 40.0;

/// A reliability plot as a self-contained SVG document: for every interval of scores with texts a
/// circle at mean score and share of texts with the risk, its area growing with their number; on
/// the diagonal scores are probabilities. Follows the light or dark scheme of the reader.
pub fn reliability_svg(title: &str, bins: &[ReliabilityBin]) -> String {
    let x = |value: f64| MARGIN + value * SIZE;
    let y = |value: f64| MARGIN + (1.0 - value) * SIZE;
    let whole = SIZE + 2.0 * MARGIN;
    let title = title
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {whole} {whole}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"10\">\n<title>{title}</title>\n\
         <style>text{{fill:#333}}path,line{{stroke:#999;fill:none}}circle{{fill:#2563eb;fill-opacity:.7}}\
         @media(prefers-color-scheme:dark){{text{{fill:#ddd}}circle{{fill:#7aa2f7}}}}</style>\n\
         <text x=\"{MARGIN}\" y=\"24\">{title}</text>\n"
    );
    // Writing into a string cannot fail.
    for step in 0..=5 {
        let value = f64::from(step) / 5.0;
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{value}</text>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{value}</text>",
            x(value),
            y(0.0) + 14.0,
            x(0.0) - 6.0,
            y(value) + 3.0,
        );
    }
    let _ = writeln!(
        svg,
        "<path d=\"M{0:.1} {1:.1}H{2:.1}V{3:.1}H{0:.1}Z\"/>\
         <line x1=\"{0:.1}\" y1=\"{1:.1}\" x2=\"{2:.1}\" y2=\"{3:.1}\" stroke-dasharray=\"4 4\"/>",
        x(0.0),
        y(0.0),
        x(1.0),
        y(1.0)
    );
    let total: usize = bins.iter().map(|bin| bin.count).sum();
    for bin in bins.iter().filter(|bin| bin.count > 0) {
        let radius = 3.0 + 17.0 * (bin.count as f64 / total as f64).sqrt();
        let _ = writeln!(
            svg,
            "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"{radius:.1}\"><title>{} texts, mean score \
             {:.3}, share {:.3}</title></circle>",
            x(bin.mean_score),
            y(bin.share),
            bin.count,
            bin.mean_score,
            bin.share
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">score / 得分</text>\n\
         <text x=\"{:.1}\" y=\"{:.1}\">share / 占比</text>\n</svg>",
        x(0.5),
        whole - 8.0,
        6.0,
        MARGIN - 4.0
    );
    svg
}
