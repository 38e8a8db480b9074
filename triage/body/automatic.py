"""Recognizes messages that a program wrote: absence notes, receipts, bounces, notices, one-time codes."""

import re

# At the beginning of the text, after a greeting or a bracketed sender: these say by themselves that a program writes.
_BEGINNINGS = (
    r"(?:re: |aw: |fwd?: )?auto(?:matic|mated)?[- ]?(?:reply|response|answer)\b(?!\w| again)(?=\s*[:：.\-–—\n]|$)",
    r"(?:re: |aw: )?out of (?:the )?office\b(?=\s*[:：.\-–—\n]|$| (?:until|till|from|auto|reply|notice|message))",
    r"this is an auto(?:matic|mated)\b",
    r"(?:mail )?delivery (?:status notification|incomplete|delayed|failed|failure|has failed)\b",
    r"mail delivery (?:failed|subsystem|system)\b|returned mail\b|undeliver(?:able|ed)(?: mail)?\s*[:：]",
    r"undelivered mail returned|failure notice\b|message (?:not delivered|delivery)|warning: message delayed",
    r"(?:read|not read|gelesen|lu|leído|letto)\s*[:：] ",
    r"(?:accepted|declined|tentative|canceled|cancelled|updated invitation|invitation|zugesagt|abgelehnt|accepté|aceptado)"
    r"(?: event)?\s*[:：] ",
    r"(?:new )?voice ?mail (?:from|message)\b|missed call from\b",
    r"abwesenheits(?:notiz|nachricht|assistent)|automatische (?:antwort|abwesenheit|empfangs)|unzustellbar",
    r"r[ée]ponse automatique|message automatique|notification d'[ée]tat|non remis\s*[:：]|absence du bureau",
    r"respuesta autom[áa]tica|mensaje autom[áa]tico|fuera de (?:la )?oficina\s*[:：]|no se ha podido entregar",
    r"risposta automatica|resposta autom[áa]tica|automatisch antwoord",
    r"(?:自动|自動)(?:回复|回覆|回復|答复|答覆|应答|應答)(?=[\s:：,，。.!！\-—】\]]|$|邮件|郵件|信息|訊息)",
    r"(?:系统|系統)?退信(?=[\s:：,，。\-—】\]]|通知|$)|(?:邮件|郵件|信件)?(?:投递|投遞|递送|遞送|发送|發送|寄送)(?:失败|失敗)",
    r"自動返信|自動応答|自動送信|不在通知|配信不能|不達通知",
    r"(?:系统|系統)(?:通知|消息|訊息|提示|邮件|郵件)(?=[\s:：])",
)
# Anywhere, as sentences that only programs and absence notes hold.
_SENTENCES = (
    r"this (?:is an? |message (?:is|was) |e-?mail (?:is|was) )auto(?:matic|matically|mated)",
    r"(?:please )?do not reply to this (?:message|e-?mail|mail)|(?:this|an) unmonitored (?:mailbox|address|inbox)",
    r"(?:we )?(?:no longer|do not|don't) monitor this (?:mailbox|inbox|address)|this (?:mailbox|inbox) is (?:not|no longer) monitored",
    r"your (?:e-?mails?|messages?|mails?) will (?:not|n't) be (?:forwarded|read|answered)",
    r"(?:i am|i'm|i will be|i'll be) (?:currently |now )?(?:out of (?:the )?office|on (?:annual |parental |maternity |sick |paternity )?"
    r"(?:leave|holiday|vacation)|away)(?: from [^.\n]{1,40})?,? (?:and (?:will|shall)|until|till|with (?:no|limited))",
    r"your (?:message|request|e-?mail|ticket|enquiry|inquiry) (?:has been|was) (?:received|logged|registered|created)",
    r"your (?:ticket|case|reference|request) (?:number|id|no\.?) is\b",
    r"your mailbox is (?:almost )?full|your storage is (?:almost )?full|(?:mailbox|storage) (?:quota|limit) (?:reached|exceeded)",
    r"your (?:one[- ]time |verification |security |login |sign-?in |access |confirmation )(?:code|passcode|password|pin) (?:is|:)",
    r"is your (?:one[- ]time |verification |security |login |sign-?in |access |confirmation )(?:code|passcode|password|pin)\b",
    r"the message was returned|returning message to sender|recipients? could not be reached|550[ -]5\.\d\.\d",
    r"ich bin (?:derzeit|aktuell|zurzeit|momentan|bis|vom|ab|wieder)\b[^.\n]{0,60}(?:nicht im b(?:ü|ue)ro|nicht erreichbar|außer haus|im urlaub|abwesend)",
    r"(?:bitte antworten sie nicht auf diese|diese (?:e-?mail|nachricht) wurde automatisch)",
    r"je suis (?:actuellement )?absente?s? (?:du|jusqu|et|de mon)|(?:merci de )?ne pas r[ée]pondre [àa] ce (?:message|mail|courriel)",
    r"estar[ée] (?:fuera de la oficina|ausente)|no responda a este (?:mensaje|correo)",
    r"(?:您|你)的?(?:短信|簡訊|动态|動態|登录|登入|安全|注册|註冊)?(?:验证码|驗證碼|校验码|校驗碼|动态码|動態碼|确认码|確認碼)(?:是|为|為|[:：])",
    r"(?:验证码|驗證碼|校验码|校驗碼)\s*[:：]?\s*(?:是|为|為)?\s*(?:\d{4,8}|\[SECRET\])[,，。 ]",
    r"(?:本人|我)(?:正在|目前|现|現|已)?(?:休假|外出|出差|放假|请假|請假|公幹|公干|年假|休年假|不在办公室|不在辦公室)(?:中|期间|期間)?[^。\n]{0,24}"
    r"(?:返岗|返崗|返回|回来上班|回來上班|恢复|恢復|上班|联系|聯繫|聯絡|回复|回覆|回復)",
    r"(?:此|本)(?:邮件|郵件|信|短信|簡訊|消息|訊息)(?:为|為|由|是)?(?:系统|系統|电脑|電腦)(?:自动|自動)?(?:发送|發送|发出|發出|生成)",
    r"请勿(?:直接)?回复(?:此|本)?(?:邮件|短信)|請勿(?:直接)?回[覆復](?:此|本)?(?:郵件|簡訊|信)",
    r"(?:您|你)的(?:邮件|郵件|来信|來信|留言)(?:我)?(?:们|們)?(?:已经|已經|已)?(?:收到|收悉)[^。\n]{0,20}(?:尽快|盡快|儘快)",
    r"(?:尊敬的|亲爱的|親愛的)(?:用户|用戶|客户|客戶|顾客|顧客|会员|會員|买家|買家)[:：,，][^。\n]{0,12}(?:您|你)的(?:快递|快遞|包裹|订单|訂單|商品|账单|賬單|話費|话费|余额|餘額)",
    r"(?:收件人|对方|對方)(?:邮箱|郵箱|信箱)(?:地址)?(?:不存在|已满|已滿)|(?:邮件|郵件)(?:无法|無法)(?:送达|送達|投递|投遞)",
    r"不在にしております|このメールは自動|本メールは自動|返信不要",
)
_BEGINNING = re.compile("|".join(_BEGINNINGS), re.IGNORECASE)
_SENTENCE = re.compile("|".join(_SENTENCES), re.IGNORECASE)
_OPENING = re.compile(
    r"(?:\s|【[^】\n]{1,20}】|\[[^\]\n]{1,20}\]|(?:subject|betreff|objet|主题|主題|主旨)\s*[:：]|(?:dear|hello|hi|hallo|bonjour)\b[^,\n]{0,40},|"
    r"(?:您好|你好)[,，!！。]?)*",
    re.IGNORECASE,
)
# A text without any of these holds none of the sentences: most texts end here. Lower case; a test holds them to it.
_CUES = (
    "automat", "not reply", "n't reply", "monitor", "not be ", "n't be ", "leave", "holiday", "vacation", "of office", "of the office",
    "away", "received", "registered", "logged", "created", "number", " id ", "no.", "full", "quota", "limit", "code", "pin",
    "password", "returned", "returning", "recipient", "550", "ich bin", "antworten sie nicht", "je suis", "pas r", "estar", "responda",
    "码", "碼", "休假", "外出", "出差", "放假", "假", "公幹", "公干", "系统", "系統", "电脑", "電腦", "勿", "收到", "收悉", "尊敬的", "亲爱的",
    "親愛的", "收件人", "对方", "對方", "无法", "無法", "不在", "自動", "返信",
)  # fmt: skip
# Somebody who writes so wants something: absence notes and receipts ask for nothing but not to be answered.
_OWN_WORDS = re.compile(
    r"\b(?:please (?:deliver|send|refund|call|help|sort|fix|cancel|change|check|stop|explain|tell|let|give|return|replace|confirm)"
    r"|i (?:want|need|demand|never|ordered|paid|bought|did ?n.t|would like|was charged)|my (?:order|parcel|money|refund|account|card)"
    r"|why|unacceptable|hopeless|terrible|disappointed|scam)\b|[!！]{2,}|投诉|投訴|退款|太差|骗|騙|为什么|為什麼|我要|我想|差劲|差勁",
    re.IGNORECASE,
)
_LONGEST = 2_000


def is_automatic(text: str) -> bool:
    """True where the text was written by a program or is an absence note; False where a person wants something."""
    if len(text) > _LONGEST:
        return False
    opening = _OPENING.match(text)
    if _BEGINNING.match(text, opening.end() if opening else 0) is None:
        lowered = text.lower()
        if not any(cue in lowered for cue in _CUES) or _SENTENCE.search(text) is None:
            return False
    return _OWN_WORDS.search(text) is None
