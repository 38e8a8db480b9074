"""Simplified Chinese."""

from collections.abc import Mapping

from triage.alerting.wording.base import Numbers, fit, parts_of, readable, split
from triage.alerting.wording.steps_zh import FIRST_STEPS
from triage.schemas.counts import OTHER

# A Chinese character takes the room of two others.
_CHARS = 52
_NOUNS = {"complaint": "投诉", "review": "差评", "social": "负面帖子"}
_CHANNELS = {"complaint": "投诉", "review": "评价", "social": "帖子"}
_OTHERS = {"brand": "其他品牌", "product": "其他产品", "region": "其他地区", "source": "其他来源"}
_INTENTS = {
    "delivery": "物流配送",
    "product_fault": "商品质量",
    "wrong_item": "发错货",
    "return_refund": "退货退款",
    "billing": "账单费用",
    "payment": "支付失败",
    "order_change": "订单变更",
    "account_access": "账号登录",
    "fraud_security": "欺诈与安全",
    "technical_issue": "系统故障",
    "staff_service": "客服态度",
    "price_promotion": "价格促销",
    "product_question": "商品咨询",
    "praise": "表扬",
    "other": "其他问题",
    OTHER: "其他意图",
}


class Chinese:
    language = "zh"
    what_to_do_first = "先做什么"
    runbook = "处置手册"
    console = "控制台"
    kibana = "Kibana"
    chart = "负面记录"
    observed = "实际"
    expected = "预期"
    unusual_intents = "明显增多的意图"
    unusual_entities = "明显增多的名称"
    unusual_words = "明显增多的词"
    top_intents = "最多的意图"
    top_entities = "最多的名称"
    examples = "用户原话（已脱敏）"
    also = "同一页中还有"
    acknowledge = "我来处理"
    silence = "已知情，2 小时内不再通知"
    sent_again = "重复发送，您可能已收到"
    severities: Mapping[str, str] = {"critical": "紧急", "error": "严重", "warning": "警告", "info": "提示"}

    def intent(self, name: str) -> str:
        return _INTENTS.get(name, readable(name))

    def place(self, dimensions: Mapping[str, str]) -> str:
        if not dimensions:
            return "全部反馈"
        intent, channel = dimensions.get("intent"), dimensions.get("channel")
        noun = _CHANNELS.get(channel, f"{channel} 反馈") if channel else "反馈"
        what = f"{self.intent(intent)}相关{noun}" if intent else noun
        return " · ".join([*parts_of(dimensions, _OTHERS, "其他"), what])

    def subject(self, dimensions: Mapping[str, str]) -> str:
        channel = dimensions.get("channel", "complaint")
        noun = _NOUNS.get(channel, f"{channel} 负面记录")
        intent = dimensions.get("intent")
        what = f"{self.intent(intent)}{noun}" if intent else noun
        return " · ".join([*parts_of(dimensions, _OTHERS, "其他"), what])

    def duration(self, ms: int) -> str:
        return split(ms, ("天", "小时", "分钟", "秒"), " ")

    def span(self, ms: int) -> str:
        return f"最近 {self.duration(ms)}的{self.observed}"

    def share(self, value: str, count: int, expected: float | None) -> str:
        return f"{value} {count} 条" if expected is None else f"{value} {count} 条（通常 {_amount(expected)}）"

    def title(self, subject: str, numbers: Numbers, *, at_peak: bool) -> str:
        peak = "" if at_peak else "峰值"
        seen = f"{self.duration(numbers.window_ms)}内{peak} {numbers.total} 条中 {numbers.negative} 条负面"
        if numbers.ratio is not None:
            return fit(subject, f"达预期的 {numbers.times.removesuffix('×')} 倍 — {seen}", _CHARS)
        if numbers.rare:
            return fit(subject, f"：{seen}，预期不到 1 条", _CHARS)
        return fit(subject, f"：{numbers.share} 负面，{seen}", _CHARS)

    def resolved_title(self, subject: str, numbers: Numbers, lasted_ms: int) -> str:
        tail = f"，历时 {self.duration(lasted_ms)}（峰值 {numbers.total} 条中 {numbers.negative} 条）"
        return fit(f"已恢复：{subject}", tail, _CHARS)

    def summary(self, place: str, peak: Numbers, latest: Numbers | None, since: str, between: tuple[str, str]) -> str:
        of = f"{peak.total} 条记录中有 {peak.negative} 条（{peak.share}）为负面"
        begin, end = between
        if latest is None:
            text = f"{place}：{begin} 至 {end}，{of}"
        else:
            text = f"{place}：峰值时 {self.duration(peak.window_ms)}内 {of}"
        if peak.expected is not None:
            text += f"，预期约 {_amount(peak.expected)} 条"
        if latest is not None:
            text += f"；{begin} 至 {end} 为 {latest.total} 条中 {latest.negative} 条"
        return f"{text}。自 {since} 起持续告警。"

    def over(self, place: str, peak: Numbers, since: str, lasted_ms: int) -> str:
        expected = "" if peak.expected is None else f"，预期约 {_amount(peak.expected)} 条"
        return (
            f"{place}的异常已结束。始于 {since}，历时 {self.duration(lasted_ms)}；峰值时 "
            f"{self.duration(peak.window_ms)}内 {peak.total} 条记录中有 {peak.negative} 条为负面{expected}。"
        )

    def thresholds(self, rule: str, count: int, share: float) -> str:
        return f"规则 {rule} 的触发条件：负面至少 {count} 条且占比至少 {share:.0%}。"

    def late(self, records: int) -> str:
        return f"最近窗口中有 {records} 条记录迟到，现已计入。"

    def flapping(self) -> str:
        return "该告警时断时续，将保持打开直至更长时间没有异常。"

    def still_firing(self, title: str, age_ms: int) -> str:
        return fit(f"持续 {self.duration(age_ms)}：{title}", "", _CHARS)

    def acknowledged(self, title: str, by: str) -> str:
        return fit(f"{by} 已确认：{title}", "", _CHARS)

    def more(self, count: int) -> str:
        return f"（另有 {count} 个）"

    def first_steps(self, intent: str | None) -> tuple[str, ...]:
        return FIRST_STEPS.get(intent or "", FIRST_STEPS[""])


def _amount(value: float) -> str:
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")
