"""The words of the paper: what a field, a code or a state is called on a form of the police. Pure."""

from __future__ import annotations

import re
from datetime import datetime

from kiosk.registration.code_tables import ETHNICITIES

OPS = {
    "CI": "入住登记",
    "JI": "境外人员入住登记",
    "CC": "离店",
    "JC": "境外人员离店",
    "RC": "换房",
    "EX": "续住",
    "UP": "更正",
    "VD": "作废",
    "VI": "访客登记",
}

STATES = {
    "BLOCKED": "等待同一登记的前一版本",
    "READY": "等待上传",
    "INFLIGHT": "已上传,尚无回执",
    "REJECTED": "被退回,待人工处理",
    "QUARANTINED": "本机无法解密",
}

FIELDS: dict[str, tuple[str, int]] = {
    "name": ("姓名", 3),
    "surnameLatin": ("英文姓", 4),
    "givenLatin": ("英文名", 5),
    "nameCn": ("中文姓名", 3),
    "sex": ("性别", 1),
    "ethnicity": ("民族", 2),
    "nationality": ("国籍(地区)", 2),
    "birthDate": ("出生日期", 3),
    "idType": ("证件类型", 3),
    "idNumber": ("证件号码", 5),
    "documentType": ("证件类型", 3),
    "documentNumber": ("证件号码", 4),
    "divisionCode": ("行政区划", 2),
    "householdProvince": ("户籍省份", 2),
    "address": ("住址", 12),
    "issuer": ("签发机关", 4),
    "validFrom": ("有效期起", 3),
    "validTo": ("有效期止", 3),
    "visaType": ("签证种类", 2),
    "visaNumber": ("签证号码", 4),
    "stayUntil": ("停留有效期至", 3),
    "entryDate": ("入境日期", 3),
    "entryPort": ("入境口岸", 3),
    "stayReason": ("停留事由", 2),
    "issuedAt": ("签发地", 3),
    "comingFrom": ("何处来", 3),
    "goingTo": ("何处去", 3),
    "fromRoomNo": ("原房号", 2),
    "roomNo": ("房号", 2),
    "checkInAt": ("入住时间", 3),
    "plannedOutAt": ("拟离时间", 3),
    "checkOutAt": ("离店时间", 3),
    "occupantIndex": ("第几位", 1),
    "partySize": ("同住人数", 2),
    "guardianName": ("监护人", 3),
    "guardianPhone": ("监护人电话", 4),
    "relations": ("与同住人关系", 5),
    "visitedRecordId": ("被访登记编号", 7),
    "inAt": ("来访时间", 3),
    "outAt": ("离开时间", 3),
    "voidReason": ("作废原因", 3),
    "consentId": ("同意书编号", 4),
    "guestCode": ("旅客编码", 5),
    "policeStation": ("派出所", 3),
    "declared": ("旅客自述项", 4),
}
"""Key of the record → its name on the form, and the least width in twelfths of a line. In the form's order."""

METHODS = {
    "card+face": "证件+人脸比对",
    "code+face": "扫码+人脸比对",
    "card+staff": "证件+人工核验",
    "code+staff": "扫码+人工核验",
    "code+serverFace": "扫码+后台人脸比对",
    "staff": "人工办理",
    "passport+staff": "护照+人工核验",
    "certificate+staff": "派出所证明+人工核验",
}

PHOTO_ABSENT = {
    "declined": "旅客选择人工核验",
    "no_portrait": "无证件照",
    "under_14": "未满14岁",
    "no_camera": "无摄像头",
    "face_not_completed": "未完成人脸比对",
}

_CODES = {
    "E20": "入住时间",
    "E21": "旅客编码",
    "E22": "姓名",
    "E23": "性别",
    "E24": "民族",
    "E25": "出生日期",
    "E26": "证件类型",
    "E27": "证件号码",
    "E28": "行政区划",
    "E29": "住址",
    "E2A": "缺房号",
    "ENOROOM": "房号不存在",
    "E2B": "重复保存",
    "EJW1": "英文姓",
    "EJW2": "国籍",
    "EJW3": "签证种类",
    "EJW4": "停留有效期",
    "EJW5": "入境日期",
    "EJW6": "签证号码",
    "EAA": "特种行业许可证过期",
    "ERJKA": "入境口岸",
    "ETLSY": "停留事由",
    "EQFD": "签发地",
    "E103": "终端被停用",
    "E107": "终端时钟不准",
    "E301": "校验和",
    "E302": "出生日期与证件号码不符",
    "E303": "证件过期",
    "E305": "未成年人缺监护人",
    "E306": "人数不符",
    "E307": "照片无人脸",
    "E308": "代码表过期",
    "E400": "格式或操作次序",
    "E409": "同版本内容不同",
    "E410": "已有更新版本",
    "E429": "接口繁忙",
    "E503": "接口维护中",
}
"""The authority's codes; one that is not here stays as it came."""

_NOTES = {
    "unreachable": "网络不通",
    "timeout": "接口超时未答",
    "cut": "连接中断",
    "tls": "安全连接失败",
    "token refused": "令牌被拒",
    "no token": "未取得令牌",
    "restart": "终端重启",
    "retry by": "人工重新上传",
    "poison": "多次上传未成",
    "http": "接口报错",
    "cannot be opened": "本机无法解密",
}
"""How a note of the outbox begins, when no code of the authority stands in it; another note stays as it is."""

_CODE = re.compile(r"\bE[A-Z0-9]{1,7}\b")
_SEXES = {"0": "未知", "1": "男", "2": "女", "9": "未说明"}
_VOID_REASONS = {"no_show": "未到店", "mistake": "误登", "duplicate": "重复登记", "early_departure": "提前离店"}
_ID_TYPES = {"11": "居民身份证", "12": "临时身份证", "13": "户口簿"}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


def named(key: str) -> str:
    """Return a field's name on the form; a key that the form does not know stays as it is."""
    return FIELDS[key][0] if key in FIELDS else key


def width(key: str) -> int:
    """Return a field's least width in twelfths of a line."""
    return FIELDS[key][1] if key in FIELDS else 3


def value(key: str, raw: object) -> str:
    """Return a field's value for people: codes with their meaning, moments without seconds."""
    text = _joined(raw)
    match key:
        case "sex":
            return _SEXES.get(text, text)
        case "ethnicity":
            return ETHNICITIES.get(text, text)
        case "idType":
            return _ID_TYPES.get(text, text)
        case "voidReason":
            return _VOID_REASONS.get(text, text)
        case "declared":
            return _joined([named(part) for part in raw] if isinstance(raw, list) else raw)
        case _:
            return moment(text)


def answer(text: str) -> str:
    """Return the authority's last answer: its code with the meaning, or what the outbox noted."""
    found = _CODE.search(text)
    if found:
        return f"{found[0]} {_CODES[found[0]]}" if found[0] in _CODES else text
    note = next((told for begins, told in _NOTES.items() if text.startswith(begins)), "")
    return f"{note} ({text})" if note.endswith("报错") else note or text


def moment(text: str) -> str:
    """Return a moment as ``2026-11-24 03:12``, the hotel's time; another text as it is."""
    if not _MOMENT.match(text):
        return text
    try:
        return datetime.fromisoformat(text).isoformat(sep=" ", timespec="minutes")[:16]
    except ValueError:
        return text


def _joined(raw: object) -> str:
    if isinstance(raw, list):
        return "、".join(_joined(part) for part in raw)
    if isinstance(raw, dict):
        return "、".join(f"{key}: {_joined(part)}" for key, part in raw.items())
    return "" if raw is None else str(raw)
