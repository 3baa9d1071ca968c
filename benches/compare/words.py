"""Invented words, Chinese and English in shape, and units of text made of them.

Nothing here means anything. Words follow a Zipf law, so that common and rare character
pairs occur as unevenly as they do in writing. Chinese words are characters of the first
level of GB 2312 (simplified only: folding traditional characters changes nothing).

Random numbers come from numpy's RandomState, whose streams are frozen: the same seed gives
the same text under every numpy.
"""

import numpy

ONSETS = "b br c ch d dr f fl g gr h j k kl l m n p pl pr r s sh sl st t tr v w z".split()
VOWELS = "a e i o u ai ea oa ie ou".split()
CODAS = ["", "", "n", "r", "s", "t", "l", "m", "nd", "rt", "st", "ck"]
# Characters whose other written form also stands for them, so that folding moves them.
NOT_ONE_TO_ONE = set("乾著藉瞭麽於")

# How common the words in a term are at most, by rank: terms are made of rarer words.
TERM_RANKS_FROM = 1_500
VOCABULARY = 20_000


def han_characters() -> list[str]:
    characters = []
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            try:
                character = bytes([high, low]).decode("gb2312")
            except UnicodeDecodeError:
                continue
            if character not in NOT_ONE_TO_ONE:
                characters.append(character)
    return characters


def zipf(count: int) -> numpy.ndarray:
    weights = 1.0 / (numpy.arange(count) + 2.7)
    return numpy.cumsum(weights / weights.sum())


def draw(rng: numpy.random.RandomState, cumulative: numpy.ndarray, count: int) -> numpy.ndarray:
    picked = numpy.searchsorted(cumulative, rng.random_sample(count))
    return numpy.minimum(picked, len(cumulative) - 1)


class Chinese:
    """Vocabulary, terms and text units without spaces."""

    lang = "zh"

    def __init__(self, rng: numpy.random.RandomState):
        characters = han_characters()
        order = rng.permutation(len(characters))
        cumulative = zipf(len(characters))
        words: dict[str, None] = {}
        while len(words) < VOCABULARY:
            length = 1 if len(words) < 300 else 2 if rng.random_sample() < 0.75 else 3
            words["".join(characters[order[n]] for n in draw(rng, cumulative, length))] = None
        self.words = list(words)
        self.cumulative = zipf(len(self.words))

    def terms(self, rng: numpy.random.RandomState, count: int) -> list[str]:
        terms: dict[str, None] = {}
        while len(terms) < count:
            first, second = rng.randint(TERM_RANKS_FROM, VOCABULARY, 2)
            terms[self.words[first] + self.words[second]] = None
        return list(terms)

    def units(self, rng: numpy.random.RandomState, count: int, terms: list[str]) -> list[str]:
        """Sentences of one to three clauses; none holds a term, nor do two side by side."""
        known = set(terms)
        lengths = sorted({len(term) for term in terms})
        units = []
        while len(units) < count:
            clauses = [
                "".join(self.words[n] for n in draw(rng, self.cumulative, rng.randint(5, 14)))
                for _ in range(rng.randint(1, 4))
            ]
            unit = "，".join(clauses) + "。"
            if not any(unit[at : at + length] in known for at in range(len(unit)) for length in lengths):
                units.append(unit)
        return units

    @staticmethod
    def plant(unit: str, term: str) -> str:
        return unit[:4] + term + unit[4:]


class English:
    """Vocabulary, terms and text units with spaces."""

    lang = "en"

    def __init__(self, rng: numpy.random.RandomState):
        words: dict[str, None] = {}
        while len(words) < VOCABULARY:
            words[self.word(rng, 1 if len(words) < 200 else 2 if rng.random_sample() < 0.6 else 3)] = None
        self.words = list(words)
        self.cumulative = zipf(len(self.words))

    @staticmethod
    def word(rng: numpy.random.RandomState, syllables: int) -> str:
        return "".join(
            parts[rng.randint(len(parts))] for _ in range(syllables) for parts in (ONSETS, VOWELS, CODAS)
        )

    def terms(self, rng: numpy.random.RandomState, count: int) -> list[str]:
        """Four in five are two words of the vocabulary, the rest one word outside it."""
        inside = "\n".join(self.words)
        terms: dict[str, None] = {}
        while len(terms) < count:
            if len(terms) % 5 == 4:
                word = self.word(rng, 4)
                # Inside no other word: exact containment and word boundaries then agree.
                if word not in inside and not any(word in term or term in word for term in terms if " " not in term):
                    terms[word] = None
            else:
                first, second = rng.randint(TERM_RANKS_FROM, VOCABULARY, 2)
                terms[f"{self.words[first]} {self.words[second]}"] = None
        return list(terms)

    def units(self, rng: numpy.random.RandomState, count: int, terms: list[str]) -> list[str]:
        """Sentences of one to three clauses without a term, not even inside longer words."""
        pairs = {term for term in terms if " " in term}
        firsts = {term.split()[0] for term in pairs}
        seconds = {term.split()[1] for term in pairs}
        # Per word: the first words of terms it ends with, the second words it begins with.
        endings = {w: [w[n:] for n in range(len(w)) if w[n:] in firsts] for w in self.words}
        beginnings = {w: [w[:n] for n in range(1, len(w) + 1) if w[:n] in seconds] for w in self.words}
        units = []
        while len(units) < count:
            clauses, holds_term = [], False
            for _ in range(rng.randint(1, 4)):
                words = [self.words[n] for n in draw(rng, self.cumulative, rng.randint(5, 14))]
                clauses.append(" ".join(words))
                holds_term = holds_term or any(
                    f"{first} {second}" in pairs
                    for left, right in zip(words, words[1:])
                    for first in endings[left]
                    for second in beginnings[right]
                )
            if not holds_term:
                text = ", ".join(clauses)
                units.append(text[0].upper() + text[1:] + ". ")
        return units

    @staticmethod
    def plant(unit: str, term: str) -> str:
        first, rest = unit.split(" ", 1)
        return f"{first} {term} {rest}"
