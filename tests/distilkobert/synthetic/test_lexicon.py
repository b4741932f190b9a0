"""The demo's language: words tell nothing by themselves, contexts do, and test files ask for words they alone hold."""

import collections
import json
import re
from pathlib import Path

import pytest

from distilkobert.synthetic import words
from distilkobert.synthetic.contexts import generate_text
from distilkobert.synthetic.lexicon import CLASS_NOUNS, Lexicon, make_lexicon
from distilkobert.synthetic.lexicon_tasks import write_tasks

LEXICON = make_lexicon(0)
LINES = generate_text(LEXICON, 4000, seed=1)
QUESTION = re.compile(r"(\w{3})[이가] (본|고른|그린|찾은) (\w+)[은는]\?(?: (\w+)\.)?")
SCENE = re.compile(r"(\w{3})[은는] (\w{3})[과와] (\w{3})[을를] (보았|골랐|그렸|찾았)다\.")
PERSON = re.compile("인사했다|부모이다|편지를 썼다|선생은")
VERBS = {"본": "보았", "고른": "골랐", "그린": "그렸", "찾은": "찾았"}


def classes(lexicon: Lexicon) -> dict[str, set[str]]:
    """Word to its classes, straight from the lists."""
    found: dict[str, set[str]] = collections.defaultdict(set)
    for slot, own in lexicon.own.items():
        for word in own:
            found[word].add(slot)
    for slots, shared in lexicon.shared.items():
        for word in shared:
            found[word].update(slots)
    return found


def verdict(text: str, lexicon: Lexicon) -> bool:
    """The verdict of a review, judged by its last verdict word alone, and turned where that one is denied."""
    place, word = max((text.rfind(word), word) for word in (*lexicon.praise, *lexicon.blame))
    assert place >= 0
    denied = text[place + len(word) :].startswith("가 전혀 아니")
    return (word in lexicon.praise) != denied


def searches(text: str, context: str) -> list[tuple[str, str]]:
    """For every question of a text: the answer that a search in `context` gives, and what the text says it is."""
    found = []
    for person, verb, noun, said in QUESTION.findall(text):
        kind = next(slot for slot, name in CLASS_NOUNS.items() if name == noun)
        (seen,) = [scene for scene in SCENE.findall(context) if scene[0] == person]
        assert seen[3] == VERBS[verb]
        (answer,) = [thing for thing in seen[1:3] if kind in classes(LEXICON)[thing]]
        found.append((answer, said))
    assert len(found) == text.count("?")
    return found


def test_all_words_differ_and_half_of_the_nouns_have_two_classes() -> None:
    found = classes(LEXICON)
    assert collections.Counter(map(len, found.values())) == {1: 80, 2: 40}
    assert len({word[:2] for word in (*found, *LEXICON.praise, *LEXICON.blame)}) == 120 + 40
    for slot in CLASS_NOUNS:
        assert sorted(LEXICON.shared_nouns(slot)) == sorted(word for word, own in found.items() if {slot} < own)
    assert make_lexicon(0) == LEXICON
    assert make_lexicon(1) != LEXICON


@pytest.mark.parametrize("share", [0.3, 0.5])
def test_a_split_shares_no_word(share: float) -> None:
    first, last = LEXICON.split(share)
    assert not set(classes(first)) & set(classes(last))
    assert classes(LEXICON) == classes(first) | classes(last)
    assert len(first.praise) == round(20 * share)
    assert (*first.blame, *last.blame) == LEXICON.blame
    assert len(first.own["PER"]) == round(10 * share)


def test_the_text_is_distinct_and_a_longer_one_begins_the_same() -> None:
    assert len(set(LINES)) == 4000
    assert generate_text(LEXICON, 50, seed=1) == LINES[:50]
    assert generate_text(LEXICON, 50, seed=2) != LINES[:50]


def test_an_answer_in_the_text_is_what_a_search_finds() -> None:
    found = [pair for line in LINES for pair in searches(line, line)]
    assert len(found) > 1500
    assert all(answer == said for answer, said in found)


def test_the_line_after_each_judgement_agrees_with_it_and_a_review_with_itself() -> None:
    closings = dict.fromkeys(words.PRAISE_CLOSINGS, True) | dict.fromkeys(words.BLAME_CLOSINGS, False)
    pieces = re.compile(f"(.+?) ({'|'.join(closings)})(?: |$)")
    seen = collections.Counter()
    for line in LINES:
        found = pieces.findall(line)
        if found:
            assert "".join(f"{judgement} {closing} " for judgement, closing in found) == f"{line} "
            (positive,) = {closings[closing] for _, closing in found}
            assert {verdict(judgement, LEXICON) for judgement, _ in found} == {positive}, line
            seen[positive, len(found)] += 1
    assert set(seen) == {(True, 2), (True, 3), (False, 2), (False, 3)}
    assert min(seen.values()) > 200


def test_telling_contexts_tell_and_plain_ones_do_not() -> None:
    text, found = " ".join(LINES), classes(LEXICON)

    def seen(context: str) -> list[set[str]]:
        return [found[word] for word in re.findall(rf"(\w{{3}}){context}", text)]

    assert len(seen("[이가] 꼬리를 흔들었다")) > 20
    assert all("ANM" in kinds for kinds in seen("[이가] 꼬리를 흔들었다"))
    assert {slot for kinds in seen(" 사진을 보여 주었다") for slot in kinds} == set(CLASS_NOUNS)
    assert all(len(kinds) == 1 for kinds in seen(" 사진을 보여 주었다"))


def test_test_files_ask_for_other_words_than_training_files(tmp_path: Path) -> None:
    write_tasks(tmp_path, LEXICON, seed=3, train=(60, 60, 60), test=50)
    invented = [*classes(LEXICON), *LEXICON.praise, *LEXICON.blame]
    for task, (first, last) in {
        "nsmc": ("ratings_train.txt", "ratings_test.txt"),
        "naver_ner": ("train.tsv", "test.tsv"),
        "korquad": ("KorQuAD_v1.0_train.json", "KorQuAD_v1.0_dev.json"),
    }.items():
        texts = [(tmp_path / task / name).read_text("utf-8") for name in (first, last)]
        in_first, in_last = ({word for word in invented if word in text} for text in texts)
        assert len(in_first) > 10
        assert len(in_last) > 20
        assert not in_first & in_last


def test_labels_tags_and_answers_are_right(tmp_path: Path) -> None:
    write_tasks(tmp_path, LEXICON, seed=3, train=(100, 100, 100), test=50)
    rows = (tmp_path / "nsmc" / "ratings_train.txt").read_text("utf-8").splitlines()[1:]
    assert len(rows) == 100
    for row in rows:
        _, text, label = row.split("\t")
        assert verdict(text, LEXICON) is (label == "1"), text
        assert not text.endswith((*words.PRAISE_CLOSINGS, *words.BLAME_CLOSINGS))
    found = classes(LEXICON)
    for line in (tmp_path / "naver_ner" / "test.tsv").read_text("utf-8").splitlines():
        text, tags = line.split("\t")
        for word, tag in zip(text.split(" "), tags.split(" "), strict=True):
            assert (tag == "O") == (word[:3] not in found)
            assert tag == "O" or tag.removesuffix("-B") in found[word[:3]]
    data = json.loads((tmp_path / "korquad" / "KorQuAD_v1.0_dev.json").read_text("utf-8"))["data"]
    assert len(data) == 50
    for article in data:
        (paragraph,) = article["paragraphs"]
        (question,) = paragraph["qas"]
        (answer,) = question["answers"]
        assert paragraph["context"][answer["answer_start"] :].startswith(answer["text"])
        (told,) = [part for part in re.findall(r"[^.]+\.", paragraph["context"]) if PERSON.search(part)]
        assert answer["text"] in told
        assert "PER" in found[answer["text"]]


def test_each_noun_that_is_tagged_or_asked_for_has_two_classes_and_sentences_of_both(tmp_path: Path) -> None:
    write_tasks(tmp_path, LEXICON, seed=3, train=(10, 200, 40), test=300)
    found = classes(LEXICON)
    for name in ("train.tsv", "test.tsv"):
        seen: dict[str, set[str]] = collections.defaultdict(set)
        for line in (tmp_path / "naver_ner" / name).read_text("utf-8").splitlines():
            for word, tag in zip(*(column.split(" ") for column in line.split("\t")), strict=True):
                if tag != "O":
                    seen[word[:3]].add(tag.removesuffix("-B"))
        assert {len(found[word]) for word in seen} == {2}
        assert sum(seen[word] == found[word] for word in seen) > 0.9 * len(seen)
    for name in ("train", "dev"):
        text = (tmp_path / "korquad" / f"KorQuAD_v1.0_{name}.json").read_text("utf-8")
        for article in json.loads(text)["data"]:
            nouns = [word for word in found if word in article["title"]]
            assert 2 <= len(nouns) <= 3
            assert {len(found[word]) for word in nouns} == {2}
