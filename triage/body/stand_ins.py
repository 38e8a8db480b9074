"""Recognizes the texts that shops put where a customer wrote nothing."""

import re

# Chinese in both scripts. A stand-in is the whole text: the same words inside a sentence are somebody's own.
_WHO = "(?:此|该|該|本|这位|這位|评价方|評價方)?(?:用户|用戶|买家|買家|顾客|顧客|客户|客戶|会员|會員|评价方|評價方|消费者|消費者|评论者|評論者)"
_NOT = "(?:没有|沒有|没|沒|未|未能|暂未|暫未|并未|並未)"
_WRITE = "(?:及时|及時)?(?:填写|填寫|写下|寫下|写|寫|发表|發表|作出|做出|给出|給出|给予|給予|留下|输入|輸入|撰写|撰寫|提供|评价|評價)(?:过|過|任何)?"
_WHAT = "(?:文字|书面|書面)?(?:评价|評價|评论|評論|评语|評語|内容|內容|文字|留言|意见|意見)*"
_CHINESE = re.compile(
    rf"(?:{_WHO}{_NOT}{_WRITE}(?:任何)?{_WHAT}(?:系统|系統)?(?:默认|默認)?(?:给予|給予)?(?:好评|好評)?"
    rf"|(?:系统|系統)?(?:默认|默認|自动|自動)(?:好评|好評|评价|評價)"
    rf"|(?:暂无|暫無|无|無|未填写|未填寫|没有|沒有)(?:评价|評價|评论|評論|文字|评语|評語)?(?:内容|內容)?)"
)
_PERSON = "(?:user|customer|buyer|reviewer|member|client|guest|shopper|purchaser|author|visitor)"
_TEXT = "(?:comments?|reviews?|text|feedback|message|description|content|remarks?|words?)"
_ENGLISH = re.compile(
    rf"(?:(?:this|the|an?) (?:verified )?{_PERSON} (?:(?:has |have )?(?:left|gave|given|wrote|written|provided|entered|added"
    rf"|submitted) no (?:written )?{_TEXT}"
    rf"|(?:did not|didn't|has not|hasn't) (?:leave|left|give|given|write|written|provide|provided|enter|entered|add|added"
    rf"|submit|submitted) (?:an?y?|any) ?(?:written )?{_TEXT})"
    rf"|no (?:written )?{_TEXT}(?: (?:was |were )?(?:left|given|provided|entered|available|submitted))?"
    rf"|{_TEXT} (?:was )?(?:left )?(?:empty|blank)|(?:rating|rated) only|rating without (?:an?y? )?{_TEXT}"
    r"|n/?a|null|none|nil|undefined|\(?empty\)?)",
    re.IGNORECASE,
)
_TRIMMED = " \t\r\n.。!！,，、…~～()（）[]【】\"'“”‘’「」*-—"
# The longest stand-in seen has 30 characters; longer texts are not even compared.
_LONGEST = 80


def is_stand_in(text: str) -> bool:
    """True for `此用户没有填写评价。`, `This customer left no comment.` and their many forms, and for nothing else."""
    if len(text) > _LONGEST:
        return False
    bare = re.sub(r"[\s,，、!！。.]+", " ", text.strip(_TRIMMED)).strip()
    if not bare:
        return False
    if bare.isascii():
        return _ENGLISH.fullmatch(bare) is not None
    return _CHINESE.fullmatch(bare.replace(" ", "")) is not None
