"""Code tables that a record is made with: GB/T 3304 ethnicities, GB/T 2260 provinces. Editable; the authority's win."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FILE = "code_tables.json"
"""The authority's tables in the state folder, as the outbox fetched them last."""

ETHNICITIES: dict[str, str] = {
    "01": "汉族", "02": "蒙古族", "03": "回族", "04": "藏族", "05": "维吾尔族", "06": "苗族",
    "07": "彝族", "08": "壮族", "09": "布依族", "10": "朝鲜族", "11": "满族", "12": "侗族",
    "13": "瑶族", "14": "白族", "15": "土家族", "16": "哈尼族", "17": "哈萨克族", "18": "傣族",
    "19": "黎族", "20": "傈僳族", "21": "佤族", "22": "畲族", "23": "高山族", "24": "拉祜族",
    "25": "水族", "26": "东乡族", "27": "纳西族", "28": "景颇族", "29": "柯尔克孜族", "30": "土族",
    "31": "达斡尔族", "32": "仫佬族", "33": "羌族", "34": "布朗族", "35": "撒拉族", "36": "毛南族",
    "37": "仡佬族", "38": "锡伯族", "39": "阿昌族", "40": "普米族", "41": "塔吉克族", "42": "怒族",
    "43": "乌孜别克族", "44": "俄罗斯族", "45": "鄂温克族", "46": "德昂族", "47": "保安族", "48": "裕固族",
    "49": "京族", "50": "塔塔尔族", "51": "独龙族", "52": "鄂伦春族", "53": "赫哲族", "54": "门巴族",
    "55": "珞巴族", "56": "基诺族",
}  # fmt: skip
"""Code → name."""

PROVINCES: dict[str, str] = {
    "11": "北京市",
    "12": "天津市",
    "13": "河北省",
    "14": "山西省",
    "15": "内蒙古自治区",
    "21": "辽宁省",
    "22": "吉林省",
    "23": "黑龙江省",
    "31": "上海市",
    "32": "江苏省",
    "33": "浙江省",
    "34": "安徽省",
    "35": "福建省",
    "36": "江西省",
    "37": "山东省",
    "41": "河南省",
    "42": "湖北省",
    "43": "湖南省",
    "44": "广东省",
    "45": "广西壮族自治区",
    "46": "海南省",
    "50": "重庆市",
    "51": "四川省",
    "52": "贵州省",
    "53": "云南省",
    "54": "西藏自治区",
    "61": "陕西省",
    "62": "甘肃省",
    "63": "青海省",
    "64": "宁夏回族自治区",
    "65": "新疆维吾尔自治区",
    "71": "台湾省",
    "81": "香港特别行政区",
    "82": "澳门特别行政区",
}
"""First two digits of a division code → name. ``83`` begins residence permits only."""


@dataclass(frozen=True, slots=True)
class CodeTables:
    """What a record's codes are checked against."""

    version: str
    """The authority's; empty for those that the kiosk was built with."""
    ethnicities: frozenset[str]
    provinces: frozenset[str]
    rooms: frozenset[str] | None = None
    """The hotel's rooms as the authority has them; None: not known, any room."""
    countries: frozenset[str] | None = None
    """ISO 3166 alpha-3; None: not known, any code of that form."""
    visas: frozenset[str] | None = None
    ports: frozenset[str] | None = None
    documents: frozenset[str] | None = None
    reasons: frozenset[str] | None = None


BUILT_IN = CodeTables("", frozenset(ETHNICITIES), frozenset(PROVINCES))


def load(state_dir: Path) -> CodeTables:
    """Read the authority's tables from the state folder; blocks for a small file.

    A table that is absent, or empty, leaves what is built in, so does a file that is absent or broken: a kiosk must be
    able to register a guest before it ever reached the authority.
    """
    try:
        told = json.loads((state_dir / FILE).read_text(encoding="utf-8"))
        version, tables = str(told["version"]), told["tables"]
        codes = {name: frozenset(map(str, table)) for name, table in tables.items() if isinstance(table, Mapping)}
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return BUILT_IN
    divisions = frozenset(code[:2] for code in codes.get("division", ()))
    return CodeTables(
        version,
        codes.get("ethnicity") or BUILT_IN.ethnicities,
        divisions or BUILT_IN.provinces,
        codes.get("rooms") or None,
        codes.get("country") or None,
        codes.get("visa") or None,
        codes.get("port") or None,
        codes.get("document") or None,
        codes.get("reason") or None,
    )


ADDRESS_NOT_GIVEN = "（来源未提供详细住址）"


def address_of(given: str | None, division: str) -> str:
    """Return the address for the record, which must not be empty.

    A source that gives none leaves the province of the number's division, and words that say so: nobody types an
    address at a kiosk, and an invented one would be a false registration.
    """
    return given or f"{PROVINCES.get(division[:2], '')}{ADDRESS_NOT_GIVEN}"
