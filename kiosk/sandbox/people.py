"""The invented people of the sandbox: who they are, what they show, what the hotel has booked for them.

Nobody here exists. Division codes end in 99, which no county has; birth dates and serial numbers repeat a
digit; the check digits are right (GB 11643), because a kiosk looks at them. Two faces are public-domain
photos; they belong to neither name nor number.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

ASTRONAUT = "demo_face_astronaut"
HOPPER = "demo_face_hopper"

ROOMS = tuple(f"{floor}{room:02d}" for floor in range(2, 19) for room in range(1, 19))
"""Every room of the sandbox's hotel; the police endpoint knows the same list."""


@dataclass(frozen=True, slots=True)
class Booking:
    """What the hotel has for a person. Stay id, confirmation and dates are made anew with each credential."""

    room_no: str
    phone: str = field(default="19900000000", repr=False)
    room_type: str = "大床房"
    party: tuple[str, ...] = ()
    """Names of the others who share the room."""
    names_the_document: bool = True
    """False: booked by telephone, found by the phone's tail or the confirmation number only."""
    booked_as: str | None = field(default=None, repr=False)
    """Another name than the guest's own."""
    room_ready: bool = True
    balance_due_fen: int = 0
    status: Literal["DUE_IN", "IN_HOUSE"] = "DUE_IN"

    @property
    def phone_tail(self) -> str:
        """The four digits that a guest remembers."""
        return self.phone[-4:]


@dataclass(frozen=True, slots=True)
class Person:
    """One invented person."""

    key: str
    name: str = field(repr=False)
    id_number: str = field(repr=False)
    household_province: str
    """First two digits of GB/T 2260, as the gateway says."""
    booking: Booking | None
    ethnicity: str | None = "01"
    """None: the gateway's reply lacks it."""
    address: str | None = field(default="虚构市随住路1号", repr=False)
    portrait: str | None = ASTRONAUT
    """Name of the photo in the model cache; None: neither gateway nor code gives one."""
    code_answer: str = "OK"
    """What the gateway says of this person's Suishen code at once."""
    marked: bool = False
    """The gateway's reply carries a field that a kiosk must neither show, log nor keep."""
    algorithm: Literal["EdDSA", "ES256"] = "EdDSA"
    """Signature of this person's e-ID QR."""

    @property
    def birth_date(self) -> date:
        """Digits 7 to 14 of the number."""
        return datetime.strptime(self.id_number[6:14] + "+0000", "%Y%m%d%z").date()

    @property
    def sex(self) -> str:
        """GB/T 2261.1 by digit 17: ``1`` male, ``2`` female."""
        return "1" if int(self.id_number[16]) % 2 else "2"

    @property
    def division_code(self) -> str:
        """First six digits of the number."""
        return self.id_number[:6]


_EVERYBODY = (
    Person("lin", "林随安", "310199199001010026", "31", Booking("1208", "19900001208"), ethnicity=None),
    Person("zhou", "周可验", "330199198505050047", "33", Booking("1606", "19900001606"), portrait=HOPPER),
    Person("shen", "沈其真", "310199199111110060", "31", Booking("907", "19900000907")),
    Person(
        "qian", "钱有签", "340199198901010065", "34", Booking("503", "19900000503"), portrait=None, algorithm="ES256"
    ),
    Person("walkin", "贺无订", "310199198808080012", "31", None),
    Person("minor", "童未长", "310199201905200017", "31", Booking("302", "19900000302")),
    Person("party", "伍同行", "340199197507070030", "34", Booking("1101", "19900001101", "双床房", party=("陆同来",))),
    Person("balance", "欠小款", "310199198303030052", "31", Booking("610", "19900000610", balance_due_fen=18800)),
    Person("notready", "候其房", "310199199309090085", "31", Booking("711", "19900000711", room_ready=False)),
    Person("gd", "粤来客", "440199198606060071", "44", Booking("812", "19900000812")),
    Person("inhouse", "已在住", "310199196909090093", "31", Booking("415", "19900000415", status="IN_HOUSE")),
    Person(
        "namediffers",
        "温异名",
        "310199199512120024",
        "31",
        Booking("1003", "19900004821", names_the_document=False, booked_as="代订人"),
    ),
    Person("byphone", "电话订", "330199199410100034", "33", Booking("1004", "19900007391", names_the_document=False)),
    Person("noportrait", "无此照", "310199197004040010", "31", Booking("1005", "19900001005"), portrait=None),
    Person("noaddress", "白地址", "110199198002020021", "33", Booking("1006", "19900001006"), address=None),
    Person("outside", "远方来", "310199199206060043", "31", None, code_answer="OUT_OF_REGION"),
    Person("marked", "平常人", "110101199003070011", "31", Booking("1010", "19900001010"), marked=True),
)

PEOPLE: dict[str, Person] = {person.key: person for person in _EVERYBODY}
"""Everybody by a short key, which is what tests, the demo and the command line use."""
