"""Labels between words, characters and pieces: hand-made cases and round trips."""

import random

import pytest

from distilkobert.metrics.entities import strict_entities
from distilkobert.tasks.tags.alignment import (
    IGNORE_INDEX,
    AlignedWords,
    align_words,
    all_word_tags,
    character_tags,
    first_piece_labels,
    piece_tags,
)

UNK = 0


def test_words_are_labelled_at_their_first_piece_and_empty_ones_become_unk() -> None:
    aligned = align_words([[5, 6], [], [7], [8, 9, 10]], UNK)
    assert aligned.input_ids == [5, 6, UNK, 7, 8, 9, 10]
    assert aligned.first_pieces == [0, 2, 3, 4]
    assert aligned.words == 4
    assert first_piece_labels(aligned, [1, 2, 3, 4]) == [1, IGNORE_INDEX, 2, 3, 4, IGNORE_INDEX, IGNORE_INDEX]


def test_every_limit_keeps_a_prefix_and_counts_the_rest() -> None:
    words = [[5, 6], [], [7], [8, 9, 10]]
    full = align_words(words, UNK)
    for limit in range(len(full.input_ids) + 2):
        places = [place for place in full.first_pieces if place < limit]
        cut = AlignedWords(full.input_ids[:limit], places, 4)
        assert first_piece_labels(cut, [1, 2, 3, 4]) == first_piece_labels(full, [1, 2, 3, 4])[:limit]
        kept = [f"T{number}" for number in range(len(cut.first_pieces))]
        assert all_word_tags(kept, cut.words) == kept + ["O"] * (4 - len(kept))


def test_counts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="3 labels for 1 words"):
        first_piece_labels(align_words([[5]], UNK), [1, 2, 3])
    with pytest.raises(ValueError, match="2 tags for 1 words"):
        all_word_tags(["O", "O"], 1)
    with pytest.raises(ValueError, match="1 tags for 2 pieces"):
        character_tags(["O"], [(0, 1), (1, 2)], 2)


def test_characters_to_pieces_and_back() -> None:
    #       김    철    수    는   sp   한    국    은   행
    tags = ["B-PS", "I-PS", "I-PS", "O", "O", "B-OG", "I-OG", "I-OG", "I-OG"]
    offsets = [(0, 1), (1, 3), (3, 4), (5, 5), (5, 7), (7, 9)]
    pieces = piece_tags(tags, offsets)
    assert pieces == ["B-PS", "I-PS", "O", "O", "B-OG", "I-OG"]
    assert character_tags(pieces, offsets, 9) == tags


def test_a_lone_mark_goes_on_with_an_entity_but_never_opens_one_and_is_not_read() -> None:
    #       이    산    sp     다    리    sp   갔    다
    tags = ["B-LC", "I-LC", "I-LC", "I-LC", "I-LC", "O", "O", "O"]
    offsets = [(0, 0), (0, 2), (3, 3), (3, 5), (6, 6), (6, 8)]
    assert piece_tags(tags, offsets) == ["O", "B-LC", "I-LC", "I-LC", "O", "O"]
    assert piece_tags(["O", "B-LC"], [(0, 1), (1, 1), (1, 2), (2, 2)]) == ["O", "O", "B-LC", "O"]
    for mark in ("O", "B-PS", "I-LC"):
        assert character_tags([mark, "B-LC", mark, "I-LC", mark, "O"], offsets, 8) == tags


def test_space_inside_an_entity_is_inside_and_between_two_is_not() -> None:
    offsets = [(0, 1), (2, 2), (2, 3), (4, 5)]
    assert character_tags(["B-LC", "O", "I-LC", "B-LC"], offsets, 6) == ["B-LC", "I-LC", "I-LC", "O", "B-LC", "O"]
    assert character_tags(["B-LC", "O", "I-PS", "I-LC"], offsets, 5) == ["B-LC", "O", "I-PS", "O", "I-LC"]
    assert character_tags(["O", "O", "I-PS", "O"], offsets, 5) == ["O", "O", "I-PS", "O", "O"]


def test_pieces_that_share_a_character_open_one_entity() -> None:
    offsets = [(0, 1), (0, 1), (1, 2)]  # one original character became two pieces
    pieces = piece_tags(["B-QT", "I-QT"], offsets)
    assert pieces == ["B-QT", "I-QT", "I-QT"]
    assert character_tags(pieces, offsets, 2) == ["B-QT", "I-QT"]


def test_piece_across_an_entity_end_gives_its_tag_to_all_its_characters() -> None:
    offsets = [(0, 1), (1, 3)]
    pieces = piece_tags(["B-PS", "I-PS", "O"], offsets)
    assert character_tags(pieces, offsets, 3) == ["B-PS", "I-PS", "I-PS"]


def test_round_trip_is_exact_where_no_piece_crosses_an_entity_border() -> None:
    rng = random.Random(0)
    for _ in range(500):
        tags: list[str] = []
        offsets: list[tuple[int, int]] = []
        while len(tags) < 20:
            kind = rng.choice(("O", "PS", "LC"))
            pieces = rng.randint(1, 3)
            for number in range(pieces):
                start, width = len(tags), rng.randint(1, 3)
                opening = "O" if kind == "O" else f"B-{kind}" if number == 0 else f"I-{kind}"
                tags += [opening] + ["O" if kind == "O" else f"I-{kind}"] * (width - 1)
                offsets.append((start, len(tags)))
                if rng.random() < 0.3 and number < pieces - 1:  # a space, which has no piece
                    tags.append("O" if kind == "O" else f"I-{kind}")
        labels = piece_tags(tags, offsets)
        assert strict_entities(character_tags(labels, offsets, len(tags))) == strict_entities(tags)
