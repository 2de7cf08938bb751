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

DOCUMENTS = {
    "14": "护照",
    "16": "港澳居民来往内地通行证",
    "17": "台湾居民来往大陆通行证",
    "18": "外国人永久居留身份证",
    "19": "中华人民共和国旅行证",
}
"""Of guests from overseas. The codes are the sandbox's own."""

_COUNTRIES = """
ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR BHR BHS BIH BLM BLR BLZ
BMU BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG COK COL COM CPV CRI CUB CUW CXR CYM CYP CZE DEU
DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH FIN FJI FLK FRA FRO FSM GAB GBR GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC
GRD GRL GTM GUF GUM GUY HKG HMD HND HRV HTI HUN IDN IMN IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN KAZ KEN KGZ KHM
KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA MAC MAF MAR MCO MDA MDG MDV MEX MHL MKD MLI MLT MMR MNE MNG
MNP MOZ MRT MSR MTQ MUS MWI MYS MYT NAM NCL NER NFK NGA NIC NIU NLD NOR NPL NRU NZL OMN PAK PAN PCN PER PHL PLW PNG POL
PRI PRK PRT PRY PSE PYF QAT REU ROU RUS RWA SAU SDN SEN SGP SGS SHN SJM SLB SLE SLV SMR SOM SPM SRB SSD STP SUR SVK SVN
SWE SWZ SXM SYC SYR TCA TCD TGO THA TJK TKL TKM TLS TON TTO TUN TUR TUV TWN TZA UGA UKR UMI URY USA UZB VAT VCT VEN VGB
VIR VNM VUT WLF WSM YEM ZAF ZMB ZWE
"""
COUNTRIES = {code: code for code in _COUNTRIES.split()}
"""ISO 3166 alpha-3."""

VISA_FREE = "MQ"
_VISAS = """
C D F G J1 J2 L M Q1 Q2 R S1 S2 X1 X2 Z
"""
VISAS = {code: code for code in _VISAS.split()} | {VISA_FREE: "免签"}
PORTS = {"PVG": "上海浦东", "SHA": "上海虹桥", "PEK": "北京首都", "CAN": "广州白云", "SZX": "深圳", "OTH": "其他"}
STAY_REASONS = {"01": "旅游", "02": "商务", "03": "探亲", "04": "学习", "05": "工作", "09": "其他"}
VOID_REASONS = {"no_show": "未入住", "mistake": "误登记", "duplicate": "重复登记", "early_departure": "提前取消"}

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
    "EJW1": "英文姓",
    "EJW2": "国籍",
    "EJW3": "签证种类",
    "EJW4": "停留有效期",
    "EJW5": "入境日期",
    "EJW6": "签证号码",
    "ERJKA": "入境口岸",
    "ETLSY": "停留事由",
    "EQFD": "签发地",
    "EAA": "许可证过期",
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
    "country": COUNTRIES,
    "document": DOCUMENTS,
    "visa": VISAS,
    "port": PORTS,
    "reason": STAY_REASONS,
    "void": VOID_REASONS,
    "errors": ERRORS,
    "rooms": {room: room for room in ROOMS},
}
