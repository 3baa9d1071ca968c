/// Turns byte offsets of a text into character offsets.
///
/// Remembers the last answer and counts from there, so ascending queries read the text once in
/// all; any other order is as correct and pays for the distance.
#[derive(Debug, Clone)]
pub struct CharOffsets<'a> {
    text: &'a [u8],
    byte: usize,
    character: usize,
}

impl<'a> CharOffsets<'a> {
    /// Offsets into `text`.
    pub fn new(text: &'a str) -> Self {
        Self {
            text: text.as_bytes(),
            byte: 0,
            character: 0,
        }
    }

    /// How many Unicode characters of the text start before the byte offset `byte`.
    ///
    /// Offsets past the end count as the end; an offset inside a character counts that character.
    pub fn at(&mut self, byte: usize) -> usize {
        let byte = byte.min(self.text.len());
        self.character = if byte >= self.byte {
            self.character + characters(&self.text[self.byte..byte])
        } else if self.byte - byte < byte {
            self.character - characters(&self.text[byte..self.byte])
        } else {
            characters(&self.text[..byte])
        };
        self.byte = byte;
        self.character
    }
}

/// Counts the bytes that begin a character.
fn characters(utf8: &[u8]) -> usize {
    // Counted in single bytes, which vector units add up many at a time.
    let starts = |bytes: &[u8]| -> u8 {
        bytes
            .iter()
            .map(|&byte| u8::from(byte & 0xC0 != 0x80))
            .sum()
    };
    let (chunks, rest) = utf8.as_chunks::<128>();
    let whole: usize = chunks.iter().map(|chunk| usize::from(starts(chunk))).sum();
    whole + usize::from(starts(rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_characters_of_every_length() {
        let text = "aé中😀b";
        let mut offsets = CharOffsets::new(text);
        for (character, (byte, _)) in text.char_indices().enumerate() {
            assert_eq!(offsets.at(byte), character);
        }
        assert_eq!(offsets.at(text.len()), 5);
        assert_eq!(offsets.at(usize::MAX), 5);
        assert_eq!(offsets.at(0), 0);
        assert_eq!(offsets.at(2), 2, "inside é: é has begun");
    }

    #[test]
    fn long_texts() {
        for text in ["中".repeat(1000), "a".repeat(1000), "a中é😀".repeat(300)] {
            for (character, (byte, _)) in text.char_indices().enumerate().step_by(7) {
                assert_eq!(CharOffsets::new(&text).at(byte), character);
            }
        }
    }

    #[test]
    fn empty_text() {
        assert_eq!(CharOffsets::new("").at(0), 0);
        assert_eq!(CharOffsets::new("").at(9), 0);
    }

    proptest! {
        #[test]
        fn any_order_agrees_with_counting(
            text in "[a é中\u{1F600}]{0,40}",
            picks in proptest::collection::vec(0usize..200, 0..20),
        ) {
            let borders: Vec<usize> = text
                .char_indices()
                .map(|(byte, _)| byte)
                .chain([text.len()])
                .collect();
            let mut offsets = CharOffsets::new(&text);
            for pick in picks {
                let byte = borders[pick % borders.len()];
                prop_assert_eq!(offsets.at(byte), text[..byte].chars().count());
            }
        }
    }
}
