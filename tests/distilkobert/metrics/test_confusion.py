"""The confusion matrix and its picture."""

import numpy as np
import pytest

from distilkobert.metrics.confusion import confusion_matrix, draw_confusion

NAMES = ("PS", "LC", "O")


def test_rows_are_true_classes_and_columns_predicted_ones() -> None:
    pairs = {("PS", "PS"): 3, ("PS", "O"): 1, ("O", "LC"): 2}
    assert confusion_matrix(pairs, NAMES).tolist() == [[3, 0, 1], [0, 0, 0], [0, 2, 0]]


def test_a_class_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="class 'QT' is not among the 3 classes PS, LC, O"):
        confusion_matrix({("O", "QT"): 1}, NAMES)


def test_the_picture_is_coloured_by_the_share_of_the_row() -> None:
    pytest.importorskip("matplotlib")
    matrix = np.array([[1000, 0, 0], [0, 1, 0], [0, 0, 123456]])
    picture = draw_confusion(matrix, NAMES, "val, step 3")
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    assert picture.shape[0] > 300
    # Every row is full on the diagonal, whatever its count: so the same picture as with equal counts, text aside.
    other = draw_confusion(np.diag([1000, 1, 123456]) * 0 + np.diag([1000, 1000, 123456]), NAMES, "val, step 3")
    assert other.shape == picture.shape
    assert (picture != other).any(-1).mean() < 0.02
    spread = draw_confusion(np.full((3, 3), 1000), NAMES, "val, step 3")
    assert (picture != spread).any(-1).mean() > 0.1


def test_drawing_leaves_the_callers_figures_alone() -> None:
    pyplot = pytest.importorskip("matplotlib.pyplot")
    before = pyplot.get_fignums()
    draw_confusion(np.eye(3, dtype=np.int64), NAMES, "title")
    assert pyplot.get_fignums() == before


@pytest.mark.filterwarnings("error:.*Glyph.*")
def test_korean_classes_are_no_boxes() -> None:
    pytest.importorskip("koreanize_matplotlib")
    both = ("긍정", "부정"), ("중립", "기쁨")
    pictures = [draw_confusion(np.eye(2, dtype=np.int64), names, "test") for names in both]
    assert pictures[0].shape != pictures[1].shape or (pictures[0] != pictures[1]).any(), "boxes would all look the same"
