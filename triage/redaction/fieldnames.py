"""Recognizes fields that hold personal data by their name, which is compared in lower case, letters and digits only."""

import re

_PEOPLE_WORDS = """
user author customer client member buyer seller sender recipient receiver consignee contact account owner person profile
reviewer commenter employee agent subscriber holder cardholder patient guest passenger
用户 客户 会员 买家 作者 收货人 收件人 寄件人 联系人 持卡人
"""
_ID_WORDS = "id no number code key hash 编号 号"
_MORE_IDS = "uid openid unionid userno customerno memberno 会员号 客户号"
_PERSONAL_WORDS = """
name username userlogin login nick nickname screenname displayname fullname firstname lastname surname givenname
familyname middlename realname authorname customername buyername recipientname contactname membername accountname
email emailaddress useremail customeremail mail phone phonenumber phoneno customerphone mobile mobileno mobilephone tel
telephone cell cellphone fax whatsapp wechat wechatid weixin wxid qq telegram handle twitter instagram
address addr address1 address2 street streetaddress homeaddress shippingaddress billingaddress deliveryaddress
birthday birthdate dateofbirth dob gender sex ssn sin idcard idno idnumber nationalid passport passportno passportnumber
driverslicense driverlicense licenseplate card cardno cardnumber pan cvv cvc iban accountnumber accountno bankaccount
password passwd pwd secret token accesstoken refreshtoken idtoken apikey authorization auth cookie cookies session
sessionid ip ipaddress clientip remoteaddr userip deviceid imei imsi macaddress
latitude longitude lat lon lng geo coordinates
姓名 名字 昵称 用户名 网名 手机 手机号 手机号码 电话 电话号码 联系电话 联系方式 邮箱 电子邮箱 微信 微信号 密码
地址 住址 收货地址 身份证 身份证号 身份证号码 证件号 证件号码 护照 护照号 银行卡 银行卡号 卡号 生日 出生日期 车牌 车牌号
"""
_PEOPLE = frozenset(_PEOPLE_WORDS.split())
_ID_OF = frozenset(_ID_WORDS.split())
_IDS = frozenset(f"{person}{suffix}" for person in _PEOPLE for suffix in ("id", "key")) | frozenset(_MORE_IDS.split())
_PERSONAL = (_PEOPLE - {"account"}) | frozenset(_PERSONAL_WORDS.split())


def plain(name: str) -> str:
    return re.sub(r"[^0-9a-z\u4e00-\u9fff]", "", name.lower())


def is_person_id(path: list[str]) -> bool:
    """True for `author_id`, `customerId`, `user.id`: hashed, so that a person's records can still be counted."""
    last = plain(path[-1]) if path else ""
    return last in _IDS or (last in _ID_OF and len(path) > 1 and plain(path[-2]) in _PEOPLE)


def is_personal(path: list[str]) -> bool:
    """True for `email`, `shipping_address`; `name` is personal unless its parent is not a person: `product.name`."""
    names = [plain(part) for part in path if part and not part.isdigit()]
    if not names:
        return False
    if names[-1] == "name" and len(names) > 1:
        return names[-2] in _PEOPLE
    return names[-1] in _PERSONAL
