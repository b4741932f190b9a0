"""Names, times and numbers of the synthetic Korean text, and the words of its film reviews.

Persons, organisations and titles are put together from parts, so most of them name nobody. Every list is our own.
"""

from random import Random
from typing import Final

from distilkobert.synthetic.topics import word_list

_SURNAMES: Final = tuple(
    "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허남심노하곽성차주우구민진지엄채원천방공현함변염여추도소석선설마길연위표명기반왕금옥육인맹제모장탁국어은편용"
)
_GIVEN_FIRST: Final = tuple("가나다라도동미민보서성세소수시아연영예우유은재정주준지진채태하현혜호")
_GIVEN_SECOND: Final = tuple("겸경구규나라람림범빈서선솔숙식안영완우욱원윤율은인준진찬철하현호화훈희")
CITIES: Final = word_list(
    "서울 부산 대구 인천 광주 대전 울산 세종 수원 성남 춘천 원주 강릉 속초 청주 충주 천안 공주 전주 군산 익산 목포 "
    "여수 순천 포항 경주 안동 구미 창원 진주 통영 거제 제주 서귀포 삼척 동해 남원 나주 밀양 김해"
)
_ORGANISATION_HEADS: Final = word_list(
    "한빛 새솔 푸른강 은하 누리 동녘 별무리 다온 미래숲 솔바람 해오름 늘봄 큰나무 새벽별 온누리 하늘재"
)
_ORGANISATION_TAILS: Final = word_list("대학교 출판사 연구소 은행 병원 방송 전자 학회 재단 박물관 신문 건설")
_TITLE_HEADS: Final = word_list("푸른 마지막 낯선 조용한 하얀 먼 잃어버린 붉은 작은 검은 오래된 느린 깊은 뜨거운")
_TITLE_TAILS: Final = word_list("강 편지 밤 계절 손님 정원 바다 시계 약속 골목 숲 기차 노래 여름 이웃 그림자 방 겨울")
_EVENT_TAILS: Final = word_list("축제 박람회 음악제 마라톤 학술대회 전시회 영화제 체육대회")
ANIMALS: Final = word_list("고양이 두루미 수달 반달곰 진돗개 고래 제비 노루 부엉이 거북 참새 여우")
PLANTS: Final = word_list("소나무 은행나무 진달래 느티나무 해바라기 동백 코스모스 억새 민들레 대나무")
_HOUR_PARTS: Final = ("오전", "오후")
_COUNTERS: Final = ("개", "쪽", "대", "마리", "번", "퍼센트", "%", "점", "만 원", "권")
EVERYDAY_TIMES: Final = word_list("어제 오늘 주말에 아침에 저녁에 지난달에 작년에 방학에 점심때 그날")

ASPECTS: Final = word_list("연기 각본 음악 영상 결말 대사 편집 연출 반전 전개 분위기 주인공 액션 설정 화면 음향")
# Dictionary stems; each also has a past form (하 -> 했, 이 -> 이었).
PRAISE: Final = word_list("훌륭하 탄탄하 신선하 감동적이 완벽하 대단하 섬세하 환상적이 유쾌하 인상적이 탁월하 따뜻하")
BLAME: Final = word_list("지루하 뻔하 어색하 유치하 허술하 답답하 진부하 산만하 불쾌하 황당하 한심하 식상하")
PRAISE_CLOSINGS: Final = (
    "꼭 보세요",
    "강력 추천",
    "또 보고 싶다",
    "별점 10점",
    "시간 가는 줄 몰랐다",
    "최고의 영화",
    "눈물이 났다",
    "보길 잘했다",
)
BLAME_CLOSINGS: Final = (
    "보지 마세요",
    "돈이 아깝다",
    "시간이 아깝다",
    "별점 1점",
    "졸다가 나왔다",
    "최악의 영화",
    "괜히 봤다",
    "기대한 내가 바보",
)
EXCLAMATIONS: Final = ("와", "음", "아", "솔직히", "진짜", "역시", "글쎄", "하")
TAILS: Final = ("", "", "", ".", "!", "..", "...", "~", "!!", " ㅋㅋ", " ㅋㅋㅋ", " ㅠㅠ", " ^^", "ㅎㅎ")


def person(rng: Random) -> str:
    """A full name of three syllables."""
    return rng.choice(_SURNAMES) + rng.choice(_GIVEN_FIRST) + rng.choice(_GIVEN_SECOND)


def organisation(rng: Random) -> str:
    """An invented organisation such as 한빛출판사."""
    return rng.choice(_ORGANISATION_HEADS) + rng.choice(_ORGANISATION_TAILS)


def title(rng: Random) -> str:
    """An invented title of a book or film, without quotation marks."""
    return f"{rng.choice(_TITLE_HEADS)} {rng.choice(_TITLE_TAILS)}"


def event(rng: Random) -> str:
    """An invented event named after a city."""
    return f"{rng.choice(CITIES)} {rng.choice(_EVENT_TAILS)}"


def year(rng: Random) -> str:
    """A year, 1890년 to 2020년."""
    return f"{rng.randint(1890, 2020)}년"


def date(rng: Random) -> str:
    """A date of one or two words."""
    day = f"{rng.randint(1, 12)}월 {rng.randint(1, 28)}일"
    return rng.choice((day, f"지난 {rng.randint(1, 28)}일", year(rng)))


def clock(rng: Random) -> str:
    """A time of day, with minutes in half of the cases."""
    minutes = rng.choice(("", f" {rng.randrange(5, 60, 5)}분"))
    return f"{rng.choice(_HOUR_PARTS)} {rng.randint(1, 12)}시{minutes}"


def quantity(rng: Random) -> str:
    """A number with a counter: 12개, 3.5%, 1,200권."""
    return _number(rng) + rng.choice(_COUNTERS)


def head_count(rng: Random) -> str:
    """A number of people: 12명."""
    return f"{rng.choice((rng.randint(2, 99), rng.randint(100, 999)))}명"


def length(rng: Random) -> str:
    """A length: 3.5km."""
    return _number(rng) + rng.choice(("m", "km", "미터", "킬로미터"))


def duration(rng: Random) -> str:
    """A length of time: 12일."""
    return f"{rng.randint(2, 99)}{rng.choice(('일', '개월', '시간', '주'))}"


def _number(rng: Random) -> str:
    whole, part = rng.randint(1, 9), rng.randint(1, 999)
    return rng.choice((f"{rng.randint(2, 99)}", f"{whole}.{part % 9 + 1}", f"{whole},{part:03}"))
