"""Tamis and Presidio's pattern recognisers on the same texts: MB/s of one core, and what each
finds of the vectors in udfs/pii/tests.

    cargo build --release --manifest-path benches/pii_presidio/Cargo.toml
    python3 -m venv target/presidio-venv
    target/presidio-venv/bin/pip install -r benches/pii_presidio/requirements.txt
    target/presidio-venv/bin/python benches/pii_presidio/compare.py BINARY [ROUNDS]

In each round all read the same texts in turns; medians and ranges of the rounds are printed.

Presidio runs without a language model: spaCy's blank English tokeniser stands in,
and the recogniser of a model's entities (names, places) is left out. It is given more than it
ships: all recognisers that are on by default for English read Chinese texts too, and telephone
numbers are looked for in the region CN as well.
"""

import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib

import phonenumbers
import spacy
import tldextract
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import SpacyNlpEngine
from presidio_analyzer.predefined_recognizers import PhoneRecognizer

HERE = pathlib.Path(__file__).parent
VECTORS = HERE.parent.parent / "udfs" / "pii" / "tests" / "vectors.toml"
BYTES = 8_000_000
DOCUMENT = 2_048
# A slow engine reads as many documents as it can in these CPU seconds.
AT_MOST_SECONDS = 5

ENTITIES = {
    "email": "EMAIL_ADDRESS",
    "bank_card": "CREDIT_CARD",
    "ipv4": "IP_ADDRESS",
    "ipv6": "IP_ADDRESS",
    "iban": "IBAN_CODE",
    "crypto_wallet": "CRYPTO",
    "us_ssn": "US_SSN",
    "phone": "PHONE_NUMBER",
    "cn_phone": "PHONE_NUMBER",
}

CHINESE = "今天 天气 我们 一起 公园 散步 经济 发展 需要 长期 努力 研究 表明 方法 有效 地区 市场 价格 上涨 公司 发布 新产品 用户 反馈 良好 历史 文化 传统 节日 人们 喜欢 学校 老师 学生 考试 城市 交通 建设 手机 电话 信息 安全 ， 。".split()
ENGLISH = "the of and to in that it was for on are with they be at one have this from by some what there we can other were all your when use word how said each which their time will about many then them would write like these long make thing look more day could come sound most number people over know water call first".split()


def words(random_: random.Random, is_chinese: bool) -> str:
    if is_chinese:
        return "".join(random_.choice(CHINESE) for _ in range(12))
    return " ".join(random_.choice(ENGLISH) for _ in range(12)) + ". "


def identifier(random_: random.Random, is_chinese: bool) -> str:
    digits = lambda count: "".join(random_.choice("0123456789") for _ in range(count))
    labels = ("手机", "邮箱", "地址", "年") if is_chinese else ("Phone ", "mail ", "host ", "in ")
    kinds = (
        f"{labels[0]}138{digits(8)} " if is_chinese else f"{labels[0]}+1 202-555-0{digits(3)} ",
        f"{labels[1]}user{digits(6)}@example.com ",
        f"{labels[2]}192.0.2.{random_.randrange(256)} ",
        f"{random_.randrange(1990, 2026)}{labels[3]}",
    )
    return random_.choice(kinds)


def documents() -> list[str]:
    """Half of the bytes Chinese, half English, an identifier or a year in each KB or so."""
    random_ = random.Random(20_260_131)
    texts, written = [], 0
    while written < BYTES:
        is_chinese = len(texts) % 2 == 0
        parts, length = [], 0
        while length < DOCUMENT:
            part = words(random_, is_chinese)
            if random_.random() < 0.05:
                part += identifier(random_, is_chinese)
            parts.append(part)
            length += len(part.encode())
        texts.append("".join(parts))
        written += length
    return texts


def vectors() -> tuple[list[tuple[str, list]], list[str]]:
    """Texts with their valid findings (kind, start, end in characters), and texts without."""
    found, none = [], []
    for table in tomllib.loads(VECTORS.read_text(encoding="utf-8")).values():
        none += table.get("none", [])
        for marked in table.get("found", []):
            text, spans = "", []
            for plain, kind, valid, value in re.findall(r"([^⟦]*)(?:⟦(\w+)(\??)(?:/\w+)?:([^⟧]*)⟧)?", marked):
                text += plain
                if kind and not valid:
                    spans.append((kind, len(text), len(text) + len(value)))
                text += value
            found.append((text, spans))
    return found, none


def tamis(binary: str, texts: list[str]) -> tuple[list[list], float]:
    """Findings of each text in characters, and MB/s."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(texts, file, ensure_ascii=False)
        file.flush()
        result = json.loads(subprocess.run([binary, file.name], check=True, capture_output=True).stdout)
    findings = []
    for text, found in zip(texts, result["findings"]):
        raw = text.encode()
        findings.append([(kind, len(raw[:start].decode()), len(raw[:end].decode())) for kind, start, end in found])
    return findings, result["bytes"] / result["seconds"] / 1e6


class Tokenisers(SpacyNlpEngine):
    """Without a model: nothing is downloaded."""

    def load(self) -> None:
        self.nlp = {language: spacy.blank(language) for language in ("en",)}


def presidio() -> AnalyzerEngine:
    # Its e-mail recogniser would fetch the list of public suffixes; the one in the package does.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    registry = RecognizerRegistry(supported_languages=["en"])
    registry.load_predefined_recognizers(languages=["en"])
    replaced = ("SpacyRecognizer", "PhoneRecognizer")
    kept = [each for each in registry.recognizers if type(each).__name__ not in replaced]
    regions = (*PhoneRecognizer.DEFAULT_SUPPORTED_REGIONS, "CN")
    registry.recognizers = []
    for recogniser in [*kept, PhoneRecognizer(supported_regions=regions)]:
        registry.add_recognizer(recogniser)
    engine = Tokenisers()
    engine.load()
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=["en"])


def rate(texts: list[str], find) -> float:
    """MB/s of this thread's CPU time."""
    started, read = time.process_time(), 0
    for text in texts:
        find(text)
        read += len(text.encode())
        if time.process_time() - started > AT_MOST_SECONDS:
            break
    return read / (time.process_time() - started) / 1e6


def main() -> None:
    binary = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    engine = presidio()
    texts = documents()
    halves = {"zh": texts[0::2], "en": texts[1::2]}
    recognisers = engine.registry.recognizers
    print(f"recognisers: {', '.join(type(each).__name__ for each in recognisers)}")
    print(f"phonenumbers {phonenumbers.__version__}, spaCy {spacy.__version__}")
    readers = {
        "Tamis": lambda half: tamis(binary, half)[1],
        "recognisers one after the other": lambda half: rate(half, lambda text: [each.analyze(text, each.supported_entities, None) for each in recognisers]),
        "analyzer engine": lambda half: rate(half, lambda text: engine.analyze(text, language="en")),
    }
    speeds: dict[tuple, list[float]] = {(language, name): [] for language in halves for name in readers}
    order = list(speeds)
    for number in range(rounds):
        print(f"round {number + 1}, load {os.getloadavg()[0]:.1f}", flush=True)
        first = number % len(order)
        for language, name in order[first:] + order[:first]:
            speeds[language, name].append(readers[name](halves[language]))
    print("| | MB/s | range | Tamis is so many times faster |\n|---|---:|---:|---:|")
    for (language, name), measured in speeds.items():
        ratio = statistics.median(ours / theirs for ours, theirs in zip(speeds[language, "Tamis"], measured))
        print(f"| {language}, {name} | {statistics.median(measured):.2f} | {min(measured):.2f}–{max(measured):.2f} | {ratio:.0f} |", flush=True)

    found, none = vectors()
    ours, _ = tamis(binary, [text for text, _ in found])
    theirs = [engine.analyze(text, language="en") for text, _ in found]
    print("| kind | in the vectors | Tamis | Presidio | as |\n|---|---:|---:|---:|---|")
    for kind in sorted({kind for _, spans in found for kind, *_ in spans}):
        entity = ENTITIES.get(kind)
        counts = [0, 0, 0]
        for (_, spans), our, their in zip(found, ours, theirs):
            seen = {(each.entity_type, each.start, each.end) for each in their}
            for span in spans:
                if span[0] == kind:
                    counts[0] += 1
                    counts[1] += span in our
                    counts[2] += (entity, *span[1:]) in seen
        print(f"| `{kind}` | {counts[0]} | {counts[1]} | {counts[2] if entity else '–'} | {entity or 'none'} |")
    wanted = sorted(set(ENTITIES.values()))
    ours, _ = tamis(binary, none)
    theirs = [engine.analyze(text, language="en", entities=wanted) for text in none]
    print(f"texts without anything: {len(none)}; with a finding: Tamis {sum(map(bool, ours))}, Presidio {sum(map(bool, theirs))} (of {', '.join(wanted)})")


main()
