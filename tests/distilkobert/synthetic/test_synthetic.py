"""The synthetic text: distinct, seeded, varied, with agreement; and its task files read back the long way."""

import collections
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from distilkobert.synthetic.generation import MAX_SENTENCES, distinct, generate_sentences, iter_sentences
from distilkobert.synthetic.grammar import conjugate, conjugate_adjective, fill
from distilkobert.synthetic.tasks import write_nsmc
from distilkobert.synthetic.topics import TOPICS
from distilkobert.synthetic.words import BLAME, PRAISE
from distilkobert.tasks.tags.labels import KLUE_NER_LABELS, NAVER_NER_LABELS
from tests.support.tasks.synthetic import write_klue_ner, write_korquad, write_naver_ner


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    return generate_sentences(20_000, seed=1)


def test_sentences_are_distinct_one_line_and_of_many_lengths(sentences: list[str]) -> None:
    assert len(set(sentences)) == 20_000
    assert not any(re.search(r"[\n\t\r{}\[\]]|  |^ | $", sentence) for sentence in sentences)
    lengths = collections.Counter(len(sentence.split()) for sentence in sentences)
    assert sum(lengths[words] for words in range(3, 7)) > 2_000
    assert sum(count for words, count in lengths.items() if words >= 20) > 100
    assert max(lengths) >= 25


def test_sentences_hold_digits_latin_and_punctuation(sentences: list[str]) -> None:
    for pattern in (r"\d", "[A-Z]{3}", '"', "《", r"\?", "!", "ㅋㅋ", r"\d\.\d", r"\d,\d"):
        assert sum(bool(re.search(pattern, sentence)) for sentence in sentences) > 20, pattern


def test_seed_decides_and_a_longer_run_starts_with_the_shorter() -> None:
    assert generate_sentences(300, seed=5)[:200] == generate_sentences(200, seed=5)
    assert generate_sentences(200, seed=5) != generate_sentences(200, seed=6)


def test_another_process_writes_the_same_sentences() -> None:
    names = "from distilkobert.synthetic.generation import generate_sentences"
    code = f"{names}; print('\\n'.join(generate_sentences(200, 7)))"
    environment = os.environ | {"PYTHONHASHSEED": "123", "PYTHONIOENCODING": "utf-8"}
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment).stdout
    assert printed.decode().splitlines() == generate_sentences(200, seed=7)


@pytest.mark.parametrize("count", [-1, MAX_SENTENCES + 1])
def test_count_out_of_range_is_refused_at_once(count: int) -> None:
    with pytest.raises(ValueError, match="500,000"):
        iter_sentences(count, seed=0)


def test_distinct_gives_up_when_nothing_new_comes() -> None:
    numbers = iter(range(10_000))
    with pytest.raises(ValueError, match="only 7 different items"):
        list(distinct(lambda: next(numbers) % 7, 8, key=str))


def test_verbs_take_only_their_own_objects(sentences: list[str]) -> None:
    taken = collections.defaultdict(set)
    for sentence in sentences:
        for noun, stem in re.findall(r"(\w+)[을를] (연주|반죽|예매|채점)[하했]", sentence):
            taken[stem].add(noun)
    expected = {verb: set(objects) for topic in TOPICS for verb, objects in topic.actions.items()}
    assert {f"{stem}하다": nouns for stem, nouns in taken.items()} == {
        verb: expected[verb] for verb in ("연주하다", "반죽하다", "예매하다", "채점하다")
    }


def test_verb_forms() -> None:
    forms = {verb: conjugate(verb) for topic in TOPICS for verb in topic.actions}
    assert [forms[verb].present for verb in ("연주하다", "부르다", "읽다", "썰다")] == [
        "연주한다",
        "부른다",
        "읽는다",
        "썬다",
    ]
    assert [forms[verb].adnominal for verb in ("연주하다", "심다", "팔다")] == ["연주한", "심은", "판"]
    assert conjugate_adjective("감동적이").past == "감동적이었"
    with pytest.raises(ValueError, match="no past stem"):
        conjugate("굽다")
    with pytest.raises(ValueError, match="하 or 이"):
        conjugate_adjective("곱")


def test_fill_chooses_particles_and_remembers_positions() -> None:
    values = {"LOC1": "서울", "LOC2": "부산", "AFW": "푸른 강"}
    sentence = fill("{LOC1}[으로/로] {LOC2}[으로/로] 《{AFW}》[을/를]", values.__getitem__)
    assert sentence.text == "서울로 부산으로 《푸른 강》을"
    assert [(m.slot, m.label, sentence.text[m.start : m.end]) for m in sentence.mentions] == [
        ("LOC1", "LOC", "서울"),
        ("LOC2", "LOC", "부산"),
        ("AFW", "AFW", "푸른 강"),
    ]


def test_no_sentence_has_a_particle_that_does_not_agree(sentences: list[str]) -> None:
    nouns = {noun for topic in TOPICS for objects in topic.actions.values() for noun in objects}
    checked = 0
    for sentence in sentences:
        for noun, particle in re.findall(r"(\w+)([을를])(?= )", sentence):
            if noun in nouns:
                closed = (ord(noun[-1]) - 0xAC00) % 28 > 0
                assert particle == ("을" if closed else "를"), sentence
                checked += 1
    assert checked > 10_000


def _verdict(review: str) -> int:
    """The label by a rule of its own: polarity of the last adjective, turned round by 지 않."""
    stems = {stem[:-1]: polarity for polarity, words in ((0, BLAME), (1, PRAISE)) for stem in words}
    last = list(re.finditer("|".join(stems), review))[-1]
    return stems[last[0]] ^ bool(re.match("[하이]지 않", review[last.end() :]))


def test_nsmc_files(tmp_path: Path) -> None:
    texts = []
    for path, count in zip(write_nsmc(tmp_path, train=900, test=100, seed=3), (900, 100), strict=True):
        header, *rows = path.read_text("utf-8").split("\n")[:-1]
        fields = [row.split("\t") for row in rows]
        assert header == "id\tdocument\tlabel"
        assert [len(row) for row in fields] == [3] * count
        assert all(int(label) == _verdict(text) for _, text, label in fields)
        assert 0.4 < sum(label == "1" for *_, label in fields) / count < 0.6
        texts += [text for _, text, _ in fields]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ratings_test.txt", "ratings_train.txt"]
    assert len(set(texts)) == 1000


def test_naver_ner_files(tmp_path: Path) -> None:
    paths = write_naver_ner(tmp_path, train=900, test=100, seed=3)
    assert [path.name for path in paths] == ["train.tsv", "test.tsv"]
    assert (tmp_path / "label.txt").read_text("utf-8").split("\n") == list(NAVER_NER_LABELS)
    assert len(NAVER_NER_LABELS) == 30
    seen = collections.Counter()
    lines = [line for path in paths for line in path.read_text("utf-8").splitlines()]
    for line in lines:
        words, tags = (field.split(" ") for field in line.split("\t"))
        assert len(words) == len(tags)
        for previous, word, tag in zip(["O", *tags], words, tags, strict=False):
            seen[tag] += 1
            assert not tag.endswith("-I") or previous[:-1] == tag[:-1]
            assert tag != "NUM-B" or re.search(r"\d", word)
            assert tag != "PER-B" or re.match(r"[가-힣]{3}", word)
    assert len(set(lines)) == 1000
    assert {tag for tag in seen if tag.endswith("-B")} == {label for label in NAVER_NER_LABELS if label.endswith("-B")}


def test_klue_ner_files(tmp_path: Path) -> None:
    paths = write_klue_ner(tmp_path, train=400, test=100, seed=3)
    assert [path.name for path in paths] == ["klue-ner-v1.1_train.tsv", "klue-ner-v1.1_dev.tsv"]
    seen = set()
    for path, count in zip(paths, (400, 100), strict=True):
        blocks = re.split(r"(?m)^## synthetic-ner_\w+-\w+\t", path.read_text("utf-8"))
        assert all(line.startswith("##") for line in blocks[0].splitlines())
        assert len(blocks) == count + 1
        for block in blocks[1:]:
            assert block.endswith("\n\n")
            annotated, *lines = block.splitlines()[:-1]
            characters, tags = zip(*(line.split("\t") for line in lines), strict=True)
            text, expected = "", []
            for outside, inside, kind in re.findall(r"([^<]+)|<([^:]+):(\w\w)>", annotated):
                text += outside or inside
                expected += ["O"] * len(outside) + [f"{'BI'[place > 0]}-{kind}" for place in range(len(inside))]
            assert "".join(characters) == text
            assert list(tags) == expected
            seen.update(tags)
    assert seen == set(KLUE_NER_LABELS)


def test_korquad_files(tmp_path: Path) -> None:
    paths = write_korquad(tmp_path, train=400, test=100, seed=3)
    assert [path.name for path in paths] == ["KorQuAD_v1.0_train.json", "KorQuAD_v1.0_dev.json"]
    titles, identifiers, followers, later = [], [], collections.Counter(), 0
    for path, split, count in zip(paths, ("train", "dev"), (400, 100), strict=True):
        corpus = json.loads(path.read_text("utf-8"))
        assert corpus["version"] == f"KorQuAD_v1.0_{split}"
        before = len(identifiers)
        for article in corpus["data"]:
            titles.append(article["title"])
            for paragraph in article["paragraphs"]:
                context = paragraph["context"]
                for question in paragraph["qas"]:
                    (answer,) = question["answers"]
                    end = answer["answer_start"] + len(answer["text"])
                    assert context[answer["answer_start"] : end] == answer["text"]
                    assert question["question"].endswith("?")
                    identifiers.append(question["id"])
                    followers[context[end]] += 1
                    later += context.index(answer["text"]) < answer["answer_start"]
        assert len(identifiers) - before == count
    assert len(set(titles)) == len(titles)
    assert len(set(identifiers)) == 500
    assert later > 10, "some answers must occur earlier in their context"
    assert sum(followers[particle] for particle in "이가을를은는에") > 250


def test_the_seed_decides_every_byte(tmp_path: Path) -> None:
    def written(name: str, seed: int) -> dict[str, bytes]:
        for number, write in enumerate((write_nsmc, write_naver_ner, write_klue_ner, write_korquad)):
            write(tmp_path / name / str(number), train=30, test=10, seed=seed)
        return {str(p.relative_to(tmp_path / name)): p.read_bytes() for p in (tmp_path / name).rglob("*.*")}

    first, again, other = written("a", 1), written("b", 1), written("c", 2)
    assert first == again
    assert [name for name in first if first[name] == other[name]] == ["1/label.txt"]
