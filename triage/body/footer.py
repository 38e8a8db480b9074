"""Cuts signatures, mobile clients' lines and legal footers off the end of a message, never a paragraph that asks."""

import re

from triage.body.thread import Line, split_lines

_DELIMITER = re.compile(r"\s*(?:--|—|–|__|\*\*|-{3,}|_{3,}|={3,})\s*$")
_MOBILE = re.compile(
    r"\s*(?:sent (?:from|via|with|using) (?:my |the )?(?:iphone|ipad|android|galaxy|samsung|huawei|xiaomi|blackberry|mobile|phone|outlook|"
    r"yahoo|gmail|proton|mail for|windows)[^\n]{0,60}|get outlook for (?:ios|android|mac)[^\n]{0,40}|"
    r"(?:von|mit) mein(?:em|er) [^\n]{1,40} gesendet|gesendet (?:von|mit) [^\n]{1,50}|diese nachricht wurde von mein[^\n]{1,60}gesendet[^\n]{0,20}|"
    r"envoyé (?:de|depuis) (?:mon|ma) [^\n]{1,40}|enviado desde (?:mi|el|la) [^\n]{1,40}|enviado do meu [^\n]{1,40}|inviato da[l]? [^\n]{1,40}|"
    r"(?:发自|發自|来自|來自|從我的|从我的)(?:我的|手机|手機)?\s*[^\n]{1,24}(?:发送|發送|傳送|寄出|客户端|客戶端)?|[^\n]{1,20}から送信)\s*[.。]?\s*$",
    re.IGNORECASE,
)
_SIGN_OFF = re.compile(
    r"\s*(?:(?:with )?(?:kind(?:est)?|best|warm(?:est)?|many) (?:regards|wishes|thanks)|regards|best|cheers|yours (?:sincerely|faithfully|truly)|sincerely(?: yours)?|"
    r"(?:mit )?(?:freundlichen|besten|lieben|herzlichen) grü(?:ß|ss)en|(?:freundliche|beste|liebe|viele|herzliche) grü(?:ß|ss)e|mfg|"
    r"(?:bien )?cordialement|salutations(?: distinguées)?|(?:un )?cordial saludo|saludos(?: cordiales)?|atentamente|"
    r"此致(?:\s*敬礼|\s*敬禮)?|敬礼|敬禮|(?:顺|順)?祝(?:商祺|好|安好|生活愉快)|以上|よろしくお願い(?:いた|致)?します|敬具)\s*[,，.。!！]?\s*$",
    re.IGNORECASE,
)
# What only footers say. A paragraph with two of these, or that begins with a shouted one, is boilerplate.
_BOILERPLATE = re.compile(
    r"\bconfidential(?:ity)?\b|\bprivileged\b|\baddressees?\b|\bintended (?:only )?(?:for|recipient)|\b(?:received|reached you|sent to you) (?:this [^\n]{0,30})?"
    r"(?:in error|by mistake)|if it was not meant for you|\bdelete (?:it|this)\b|strictly (?:forbidden|prohibited)|unauthori[sz]ed (?:use|copying|disclosure)|"
    r"\b(?:computer )?virus(?:es)?\b|\bliab(?:le|ility)\b|\boutside (?:of )?(?:our|the|your) organi[sz]ation\b|\b(?:open|click) no link|do not (?:click|open) (?:any )?(?:links?|attachments?)|"
    r"never ask (?:you )?for your (?:password|card|pin|code)|beware of (?:fraud|phishing|scams?)|\bprint this (?:e-?)?mail\b|before printing|save paper|"
    r"\bregistered (?:in|office|no|number|company)\b|\bcompany (?:number|no)\b|\bvat (?:no|number|reg|gb)\b|monitor (?:e-?mail|communications)|views expressed|"
    r"\bregulated by\b|\bauthori[sz]ed and regulated\b|\bGDPR\b|\bpersonal data in accordance\b|privacy (?:policy|notice)|\bunsubscribe\b|report abuse|as a subscriber|"
    r"forgive (?:any )?(?:typ|spelling)|excuse (?:my |any )?(?:brevity|typ)|sent from my|"
    r"vertraulich|irrtümlich|handelsregister|amtsgericht|geschäftsführer|ust-?id|bitte (?:denken sie|prüfen sie)[^\n]{0,40}(?:umwelt|drucken)|"
    r"confidentiel|destinataire|par erreur|avant d'imprimer|siret\b|confidencial|destinatario|por error|"
    r"仅供(?:收件人|内部)|僅供(?:收件人|內部)|商业机密|商業機密|商业秘密|商業秘密|严禁|嚴禁|误收|誤收|错误收到|錯誤收到|(?:马上|立即|立刻|请)(?:告知|通知)发件人|通知寄件[人者]|不要转发|"
    r"保密(?:信息|資訊|义务|義務)|机密邮件|機密郵件|注意防骗|注意防騙|谨防(?:诈骗|受骗)|謹防(?:詐騙|受騙)|(?:不会|不會)(?:通过|透過|以|向)[^\n]{0,16}(?:验证码|驗證碼|密码|密碼)|"
    r"请考虑环保|請考慮環保|退订|退訂|取消订阅|取消訂閱|隐私(?:政策|声明)|隱私(?:政策|聲明)|機密|秘密保持|誤送信",
    re.IGNORECASE,
)
_SHOUTED = re.compile(
    r"\s*[*_]*(?:CONFIDENTIAL(?:ITY)?(?: NOTICE)?|DISCLAIMER|WARNING|CAUTION|NOTICE|IMPORTANT(?: NOTICE)?|EXTERNAL(?: EMAIL)?|LEGAL NOTICE|PRIVACY NOTICE|"
    r"Disclaimer|Confidentiality [Nn]otice|Vertraulichkeitshinweis|Avertissement|Aviso legal|免责声明|免責聲明|保密声明|保密聲明|重要提示|声明|聲明)\s*[:：*_]"
)
# Somebody speaks for himself: a request, a complaint, a postscript.
_PERSONAL = re.compile(
    r"\b(?:p\.?\s?s\.?\b[:：]?|i|i'm|i've|i'd|i'll|me|my|mine|ich|mir|mich|meine?[rnm]?|je|j'ai|mon|ma|mes|yo|mi|mis)\b(?!-)|[?？]|我(?!司|公司|们不会|們不會|们将|們將|行)|私(?!人)",
    re.IGNORECASE,
)
_NOT_PERSONAL = re.compile(r"sent (?:from|via) my|von meinem|de mon|desde mi|发自我的|發自我的|從我的|(?:addressee|subscriber)s?[^\n]{0,40}\?", re.IGNORECASE)
_CONTACT = re.compile(
    r"\[(?:PHONE|EMAIL|URL|NATIONAL_ID|IBAN)\]|\S@\S+\.\S|www\.|https?://|\b(?:tel|phone|mobile|fax|telefon|tél|电话|電話|手机|手機|传真|傳真|地址|邮箱|郵箱)\s*[.:：]|"
    r"(?:^|\s)[TMFE]\s*[:.]?\s*(?:\+?\d|\[PHONE\])|\s\|\s",
    re.IGNORECASE,
)
_LONGEST_SIGNATURE = 10
# Bounds on work, for texts that hold nothing but delimiters.
_ROUNDS = 6
_DELIMITERS = 4
_SHORT_LINE = 60
_CUE = re.compile(
    r"--|—|__|\bregards\b|\bsent |\bget outlook|wishes|gr(?:ü|u)(?:ß|ss)|cordial|saludos|祝|敬|发自|發自|來自|来自|从我的|從我的|送信|gesendet|envoy|enviado|inviato|"
    r"\n\s*\n|cheers|best|yours|sincerely",
    re.IGNORECASE,
)


def without_footer(text: str, start: int, end: int) -> int:
    """Where the message itself ends in `text[start:end]`: `end`, or earlier where a signature or footer follows.

    Never `start`: a message that is all footer stays as it is.
    """
    part = text[start:end]
    if "\n" not in part and "\r" not in part:
        return end
    if not _CUE.search(part):
        return end
    lines = split_lines(part)
    last = _cut(lines)
    while last > 0 and lines[last - 1].blank:
        last -= 1
    return start + lines[last - 1].end if last else end


def _cut(lines: list[Line]) -> int:
    """The number of lines that stay."""
    stay = len(lines)
    for _ in range(_ROUNDS):
        before = stay
        for cut in (_delimited, _mobile, _legal, _signed):
            shorter = cut(lines[:stay])
            if any(not line.blank for line in lines[:shorter]):
                stay = shorter
        if stay == before:
            break
    return stay


def _delimited(lines: list[Line]) -> int:
    """Below `-- ` all is signature, unless somebody speaks for himself there."""
    delimiters = [index for index, line in enumerate(lines) if index and _DELIMITER.match(line.text)]
    for index in delimiters[:_DELIMITERS]:
        below = "\n".join(later.text for later in lines[index + 1 :])
        if _may_go(below):
            return index
    return len(lines)


def _may_go(paragraph: str) -> bool:
    return bool(_BOILERPLATE.search(paragraph)) or not _PERSONAL.search(_NOT_PERSONAL.sub(" ", paragraph))


def _mobile(lines: list[Line]) -> int:
    last = len(lines)
    while last and lines[last - 1].blank:
        last -= 1
    return last - 1 if last > 1 and _MOBILE.match(lines[last - 1].text) else len(lines)


def _legal(lines: list[Line]) -> int:
    """A last paragraph of boilerplate, with no delimiter above it."""
    last = len(lines)
    while last and lines[last - 1].blank:
        last -= 1
    first = last
    while first and not lines[first - 1].blank:
        first -= 1
    if not first:
        return len(lines)
    paragraph = "\n".join(line.text for line in lines[first:last])
    found = len({match[0].lower() for match in _BOILERPLATE.finditer(paragraph)})
    shouted = bool(_SHOUTED.match(paragraph))
    personal = bool(_PERSONAL.search(_NOT_PERSONAL.sub(" ", paragraph)))
    return first if (shouted and found) or (found > 1 and not personal) else len(lines)


def _signed(lines: list[Line]) -> int:
    """`Kind regards,` and the name, job and address below it."""
    for index in range(len(lines) - 1, 0, -1):
        if not _SIGN_OFF.match(lines[index].text):
            continue
        below = [line.text for line in lines[index + 1 :] if line.text.strip()]
        if not below or len(below) > _LONGEST_SIGNATURE:
            return len(lines)
        short = all(len(text) <= _SHORT_LINE or _CONTACT.search(text) or _BOILERPLATE.search(text) for text in below)
        spoken = _PERSONAL.search("\n".join(text for text in below if not _CONTACT.search(text)))
        return index if short and not spoken else len(lines)
    return len(lines)
