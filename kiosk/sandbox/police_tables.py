"""Code tables of the sandbox's police endpoint, as ``GET /v1/codetables/{name}`` serves them."""

from __future__ import annotations

from kiosk.sandbox.people import ROOMS

VERSION = "sandbox-1"

ID_TYPES = {"11": "居民身份证"}
"""Of the domestic record; other documents have records of their own kind."""

_ETHNIC_GROUPS = """
汉 蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇
柯尔克孜 土 达斡尔 仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京
塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺
"""
ETHNICITIES = {f"{number:02d}": name for number, name in enumerate(_ETHNIC_GROUPS.split(), 1)}
"""GB/T 3304."""

_DIVISIONS = """
11 北京 12 天津 13 河北 14 山西 15 内蒙古 21 辽宁 22 吉林 23 黑龙江 31 上海 32 江苏 33 浙江 34 安徽 35 福建 36 江西
37 山东 41 河南 42 湖北 43 湖南 44 广东 45 广西 46 海南 50 重庆 51 四川 52 贵州 53 云南 54 西藏 61 陕西 62 甘肃
63 青海 64 宁夏 65 新疆 71 台湾 81 香港居住证 82 澳门居住证 83 台湾居住证
"""
PROVINCES = dict(zip(_DIVISIONS.split()[::2], _DIVISIONS.split()[1::2], strict=True))
"""First two digits of GB/T 2260, and those of residence permits."""

ERRORS = {
    "E20": "入住时间",
    "E21": "旅客编号",
    "E22": "姓名",
    "E23": "性别",
    "E24": "民族",
    "E25": "出生日期",
    "E26": "证件类型",
    "E27": "证件号码",
    "E28": "行政区划",
    "E29": "住址",
    "E2A": "缺房号",
    "ENOROOM": "无此房号",
    "E2B": "重复登记",
    "E13": "数据过大",
    "E101": "令牌",
    "E103": "设备停用",
    "E107": "时钟",
    "E301": "校验和",
    "E302": "出生日期与号码不符",
    "E303": "证件过期",
    "E304": "已在住",
    "E305": "未成年人缺监护人",
    "E306": "人数",
    "E307": "照片",
    "E308": "代码表过期",
    "E400": "格式",
    "E409": "同版本内容不同",
    "E410": "版本次序",
    "E429": "请求过多",
    "E503": "维护",
}

TABLES: dict[str, dict[str, str]] = {
    "idType": ID_TYPES,
    "ethnicity": ETHNICITIES,
    "division": PROVINCES,
    "errors": ERRORS,
    "rooms": {room: room for room in ROOMS},
}
