//! Letters that look like Latin letters, and enclosed letters and digits that no compatibility
//! decomposition opens. All in lower case, as folding leaves them.

use std::sync::OnceLock;

use unicode_normalization::char::decompose_canonical;

/// Greek and Cyrillic letters beside the Latin letter they look like. They count as look-alikes
/// only in a word all of whose Greek and Cyrillic letters stand here.
const OTHER_SCRIPT: &[(&str, &str)] = &[
    ("авгекмнопрстухь", "abrekmhonpctyxb"),
    ("ѕіјԁһԛԝѵӏґҽ", "sijdhqwvlre"),
    ("αβγεηικνορτυχωμϳζ", "abyenikvoptuxwujz"),
];

/// Greek capitals that look like another letter than their lower case does.
const CAPITALS: &[(char, char)] = &[('Η', 'h'), ('Ν', 'n'), ('Υ', 'y'), ('Μ', 'm')];

/// Latin letters that look like others: small capitals, letters with a stroke, phonetic signs.
const LATIN: &[(&str, &str)] = &[
    ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz"),
    ("ıɩɑɡƒʋøđħłŧƀɍȼⱥɇɉɏƶ", "iiagfvodhltbrcaejyz"),
];

/// A block of enclosed signs in a row, the first sign, and the first of what they hold.
const ENCLOSED: &[(u32, u32, u32)] = &[
    (0x1F150, 26, 'a' as u32),
    (0x1F170, 26, 'a' as u32),
    (0x24F5, 10, 1),
    (0x2776, 10, 1),
    (0x2780, 10, 1),
    (0x278A, 10, 1),
    (0x24EB, 10, 11),
    (0x24FF, 1, 0),
    (0x1F10B, 1, 0),
    (0x1F10C, 1, 0),
];

/// What a folded character becomes on its own: an enclosed sign what it holds, a Latin letter
/// with marks or of another shape the plain letter.
pub(super) fn plain(c: char) -> Option<&'static str> {
    static PLAIN: OnceLock<Vec<(char, String)>> = OnceLock::new();
    // Nothing is there: Han, Hangul and most of what stands beside them.
    if matches!(u32::from(c), ..0xC0 | 0x2E80..=0xA6FF | 0xA800..=0x1F0FF | 0x1F200..) {
        return None;
    }
    let plain = PLAIN.get_or_init(|| {
        let mut pairs: Vec<(char, String)> = pairs(LATIN)
            .map(|(from, to)| (from, to.to_string()))
            .collect();
        for c in ('\u{C0}'..'\u{250}').chain('\u{1E00}'..'\u{1F00}') {
            let mut first = None;
            decompose_canonical(c, |part| {
                first.get_or_insert(part);
            });
            let base = first.filter(|base| *base != c);
            let base = base.map(|base| {
                pairs
                    .iter()
                    .find(|pair| pair.0 == base)
                    .map_or_else(|| base.to_string(), |pair| pair.1.clone())
            });
            if let Some(base) = base.filter(|base| base.is_ascii()) {
                pairs.push((c, base.to_lowercase()));
            }
        }
        for &(first, count, value) in ENCLOSED {
            for offset in 0..count {
                let text = match char::from_u32(value + offset) {
                    Some(letter) if letter.is_ascii_lowercase() => letter.to_string(),
                    _ => (value + offset).to_string(),
                };
                pairs.push((char::from_u32(first + offset).expect("a character"), text));
            }
        }
        pairs.sort();
        pairs
    });
    plain
        .binary_search_by_key(&c, |pair| pair.0)
        .ok()
        .map(|at| plain[at].1.as_str())
}

/// The Latin letter a Greek or Cyrillic letter in lower case looks like.
pub(super) fn other_script(c: char) -> Option<char> {
    static ALIKE: OnceLock<Vec<(char, char)>> = OnceLock::new();
    let alike = ALIKE.get_or_init(|| {
        let mut alike: Vec<(char, char)> = pairs(OTHER_SCRIPT).collect();
        alike.sort_unstable();
        alike
    });
    alike
        .binary_search_by_key(&c, |pair| pair.0)
        .ok()
        .map(|at| alike[at].1)
}

/// The Latin letter a capital looks like, where its lower case looks like another.
pub(super) fn capital(c: char) -> Option<char> {
    CAPITALS.iter().find(|pair| pair.0 == c).map(|pair| pair.1)
}

/// Whether `c` is a letter of the Greek or Cyrillic blocks.
pub(super) fn is_other_script(c: char) -> bool {
    matches!(u32::from(c), 0x370..=0x52F | 0x1C80..=0x1C8F | 0x1D26..=0x1D2B | 0x1F00..=0x1FFF | 0xA640..=0xA69F)
        && c.is_alphabetic()
}

/// Every pair of look-alikes: a letter and the Latin letter it looks like. For making examples.
pub fn look_alikes() -> impl Iterator<Item = (char, char)> {
    pairs(OTHER_SCRIPT).chain(pairs(LATIN))
}

fn pairs(rows: &'static [(&str, &str)]) -> impl Iterator<Item = (char, char)> {
    rows.iter()
        .flat_map(|(from, to)| from.chars().zip(to.chars()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_pair_up() {
        for (from, to) in OTHER_SCRIPT.iter().chain(LATIN) {
            assert_eq!(from.chars().count(), to.chars().count(), "{from}");
            assert!(to.bytes().all(|byte| byte.is_ascii_lowercase()));
            assert!(from.chars().all(|c| c.to_lowercase().eq([c])), "{from}");
        }
        let mut all: Vec<char> = look_alikes().map(|pair| pair.0).collect();
        all.sort_unstable();
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(pairs(OTHER_SCRIPT).all(|(c, _)| is_other_script(c)));
    }

    #[test]
    fn examples() {
        assert_eq!(plain('é'), Some("e"));
        assert_eq!(plain('ǿ'), Some("o"));
        assert_eq!(plain('ꜰ'), Some("f"));
        assert_eq!(plain('🅵'), Some("f"));
        assert_eq!(plain('❾'), Some("9"));
        assert_eq!(plain('⓾'), Some("10"));
        assert_eq!(plain('æ'), None);
        assert_eq!(plain('中'), None);
        assert_eq!(other_script('с'), Some('c'));
        assert_eq!(other_script('ж'), None);
        assert_eq!(capital('Η'), Some('h'));
    }
}
