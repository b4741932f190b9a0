"""The table that tests of `prepare augment` start from."""

from collections.abc import Callable

import pandas as pd

Run = Callable[..., int]
WORDS = ["영화를", "친구와", "집에서", "오늘", "정말"]
TOPICS = ["가", "나;가", ""]


def table(count: int = 24) -> pd.DataFrame:
    rows = [
        (n, f"{WORDS[n % 5]} {WORDS[n % 4]} {n}번 봤다.", f"{WORDS[n % 3]} 갔다", n % 2, n % 6) for n in range(count)
    ]
    frame = pd.DataFrame(rows, columns=["번호", "글", "쌍", "감정", "점수"])
    return frame.assign(주제=[TOPICS[n % 3] for n in range(count)])
