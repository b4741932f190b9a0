"""Topics of the synthetic Korean text, each with its own words.

A topic fixes who does what to which things and where; a verb takes only its own objects. That agreement is what a
masked language model can learn from the text. Every list is our own.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Topic:
    """One subject area.

    Args:
        field: name of the field of study.
        people: who acts, occupations and roles.
        places: common nouns that take 에서.
        actions: verb in its dictionary form to the objects it takes.
        modifiers: adnominal forms that fit the objects.
        manners: adverbs of the actions.
        terms: technical terms, some in Latin letters.
        material: what the objects are made of, or work with.
    """

    field: str
    people: tuple[str, ...]
    places: tuple[str, ...]
    actions: dict[str, tuple[str, ...]]
    modifiers: tuple[str, ...]
    manners: tuple[str, ...]
    terms: tuple[str, ...]
    material: str


def word_list(text: str) -> tuple[str, ...]:
    """The blank-separated words of ``text``."""
    return tuple(text.split())


def _topic(
    field: str,
    people: str,
    places: str,
    actions: tuple[str, ...],
    modifiers: str,
    manners: str,
    terms: str,
    material: str,
) -> Topic:
    """Topic from blank-separated lists; an action is written as verb, colon, objects."""
    verbs = {verb: word_list(objects) for verb, objects in (action.split(": ") for action in actions)}
    lists = (word_list(modifiers), word_list(manners), word_list(terms))
    return Topic(field, word_list(people), word_list(places), verbs, *lists, material)


TOPICS: Final = (
    _topic(
        "음악학",
        "연주자 지휘자 작곡가 성악가 피아니스트 조율사",
        "연습실 공연장 음악당 녹음실 합창실",
        (
            "연주하다: 협주곡 소나타 행진곡 가야금 첼로",
            "부르다: 자장가 민요 가곡 합창곡",
            "작곡하다: 교향곡 가곡 주제곡 소나타",
            "조율하다: 피아노 바이올린 첼로 하프",
            "녹음하다: 음반 합창곡 민요 협주곡",
        ),
        "느린 경쾌한 슬픈 웅장한 부드러운",
        "또렷하게 나지막이 정확하게 힘차게",
        "화음 음계 MIDI 장단",
        "단풍나무",
    ),
    _topic(
        "조리학",
        "요리사 제빵사 영양사 주방장 조리사",
        "주방 식당 빵집 급식실 시장",
        (
            "끓이다: 된장국 미역국 보리차 찌개",
            "볶다: 멸치 버섯 감자 애호박",
            "썰다: 양파 당근 두부 오이",
            "반죽하다: 밀가루 메밀가루 찹쌀가루",
            "맛보다: 김치 된장국 양념장 식혜",
        ),
        "매콤한 담백한 따뜻한 싱싱한 고소한",
        "얇게 정성껏 노릇하게 서둘러",
        "발효 염도 숙성 HACCP",
        "무쇠",
    ),
    _topic(
        "물리학",
        "과학자 연구원 물리학자 조교 박사",
        "실험실 연구소 관측소 강당 온실",
        (
            "측정하다: 온도 질량 전압 파장",
            "관찰하다: 별자리 세포 결정 입자",
            "증명하다: 가설 정리 법칙 이론",
            "분석하다: 시료 자료 파장 수치",
            "발견하다: 입자 소행성 원소 화석",
        ),
        "정밀한 새로운 복잡한 미세한 투명한",
        "꼼꼼하게 반복해서 객관적으로 신중하게",
        "관성 중력 DNA LED",
        "구리",
    ),
    _topic(
        "체육학",
        "투수 타자 감독 포수 심판 주장",
        "야구장 훈련장 체육관 운동장 더그아웃",
        (
            "던지다: 직구 변화구 견제구 공",
            "때리다: 홈런 안타 직구 변화구",
            "훈련하다: 수비 주루 타격 체력",
            "지휘하다: 경기 수비 결승전 작전",
            "응원하다: 신인 구단 대표팀 막내",
        ),
        "빠른 낮은 강한 날카로운 완벽한",
        "끈질기게 침착하게 연달아 힘껏",
        "타율 방어율 ERA 병살타",
        "물푸레나무",
    ),
    _topic(
        "교육학",
        "교사 학생 교장 반장 졸업생 신입생",
        "교실 도서관 기숙사 운동장 과학실",
        (
            "가르치다: 수학 국어 역사 글쓰기",
            "배우다: 한자 수학 영어 악보",
            "읽다: 교과서 소설 시집 신문",
            "채점하다: 시험지 답안지 숙제 보고서",
            "발표하다: 보고서 과제 독후감 소논문",
        ),
        "어려운 쉬운 두꺼운 짧은 흥미로운",
        "열심히 차근차근 또박또박 스스로",
        "학점 방학 EBS 수행평가",
        "종이",
    ),
    _topic(
        "교통공학",
        "기관사 역무원 승무원 정비사 승객",
        "기차역 승강장 차량기지 매표소 대합실",
        (
            "점검하다: 선로 신호기 제동장치 열차",
            "운전하다: 급행열차 화물열차 전동차",
            "안내하다: 승객 환승길 출구 막차",
            "예매하다: 승차권 왕복표 입석표",
            "수리하다: 객차 신호기 개찰구 제동장치",
        ),
        "낡은 긴 안전한 복잡한 빠른",
        "신속하게 제시간에 꼼꼼히 친절하게",
        "환승 배차간격 KTX GTX",
        "강철",
    ),
    _topic(
        "해양학",
        "어부 해녀 선장 항해사 등대지기",
        "항구 갯벌 바닷가 양식장 등대",
        (
            "잡다: 오징어 고등어 꽃게 문어",
            "캐다: 조개 바지락 굴 소라",
            "말리다: 미역 오징어 그물 멸치",
            "수리하다: 그물 어선 닻 돛대",
            "살피다: 파도 물때 바람 해안선",
        ),
        "거센 푸른 싱싱한 잔잔한 깊은",
        "새벽부터 조심스럽게 부지런히 밤새",
        "밀물 썰물 GPS 조류",
        "나일론",
    ),
    _topic(
        "농학",
        "농부 농장주 원예사 이장 목동",
        "논 과수원 비닐하우스 목장 텃밭",
        (
            "심다: 모 고추 배추 사과나무",
            "거두다: 벼 보리 고구마 배추",
            "기르다: 염소 젖소 토마토 닭",
            "말리다: 고추 곶감 볏짚",
            "팔다: 사과 달걀 고구마 꿀",
        ),
        "달콤한 튼튼한 푸른 탐스러운 작은",
        "해마다 정성껏 부지런히 묵묵히",
        "품종 이모작 퇴비 NPK",
        "볏짚",
    ),
    _topic(
        "전산학",
        "개발자 프로그래머 운영자 해커 설계자",
        "전산실 사무실 연구실 서버실 회의실",
        (
            "설계하다: 서버 회로 알고리즘 화면",
            "고치다: 오류 코드 암호문 설정",
            "검사하다: 코드 보안망 서버 로그",
            "저장하다: 자료 파일 로그 암호문",
            "개발하다: 앱 게임 번역기 검색기",
        ),
        "느린 가벼운 안전한 효율적인 새로운",
        "자동으로 밤새 재빨리 꼼꼼하게",
        "메모리 CPU API 캐시",
        "규소",
    ),
    _topic(
        "건축학",
        "건축가 목수 미장이 설계사 현장소장",
        "공사장 작업실 한옥마을 전시관 광장",
        (
            "세우다: 다리 기와집 탑 전시관",
            "그리다: 설계도 평면도 조감도",
            "쌓다: 벽돌 돌담 성벽 축대",
            "칠하다: 대문 기둥 천장 난간",
            "허물다: 담장 헛간 벽",
        ),
        "높은 오래된 튼튼한 아담한 둥근",
        "천천히 반듯하게 튼튼하게 손수",
        "내진설계 철근 단열 BIM",
        "소나무",
    ),
)

# Past stems (the form before 다, 지만, 습니다) of the verbs that do not end in 하다.
_PASTS: Final = (
    "부르다:불렀 끓이다:끓였 볶다:볶았 썰다:썰었 맛보다:맛봤 던지다:던졌 때리다:때렸 가르치다:가르쳤 배우다:배웠 "
    "읽다:읽었 잡다:잡았 캐다:캤 말리다:말렸 살피다:살폈 심다:심었 거두다:거뒀 기르다:길렀 팔다:팔았 고치다:고쳤 "
    "세우다:세웠 그리다:그렸 쌓다:쌓았 허물다:허물었"
)
PAST_STEMS: Final[dict[str, str]] = dict(pair.split(":") for pair in word_list(_PASTS))
