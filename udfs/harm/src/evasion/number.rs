//! Digits in their styles: 9, 九, 玖. Enclosed, superscript and full-width digits are plain ones
//! in the normal form already.

/// The styles of each digit from 0 on, simplified; the plain one first.
const STYLES: [&str; 10] = [
    "0零〇", "1一壹", "2二贰", "3三叁", "4四肆", "5五伍", "6六陆", "7七柒", "8八捌", "9九玖",
];

/// The plain digit a simplified character stands for.
pub(crate) fn digit(c: char) -> Option<char> {
    if c.is_ascii() {
        return c.is_ascii_digit().then_some(c);
    }
    if !('〇'..='零').contains(&c) {
        return None;
    }
    let at = STYLES.iter().position(|styles| styles.contains(c))?;
    STYLES[at].chars().next()
}

/// All styles of the digit a simplified character stands for; empty for other characters.
pub(crate) fn styles(c: char) -> &'static str {
    digit(c).map_or("", |plain| STYLES[plain as usize - '0' as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_style() {
        for (value, styles) in ('0'..='9').zip(STYLES) {
            for c in styles.chars() {
                assert_eq!(digit(c), Some(value), "{c}");
                assert_eq!(super::styles(c), styles);
            }
        }
        assert_eq!(digit('十'), None);
        assert_eq!(digit('a'), None);
        assert_eq!(styles('中'), "");
    }
}
