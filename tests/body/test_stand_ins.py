"""Stand-ins for no text are whole texts, never a part of one."""

import pytest

from triage.body.stand_ins import is_stand_in


@pytest.mark.parametrize(
    "text",
    [
        "此用户没有填写评价。",
        "此用户没有填写评价内容",
        "该用户未填写评价内容！",
        "买家没有写评价",
        "顾客未发表文字评论",
        "此用戶沒有填寫評價。",
        "評價方未及時做出評價,系統默認好評!",
        "评价方未及时做出评价,系统默认好评!",
        "系统默认好评",
        "默认好评。",
        "暂无评价内容",
        "This customer left no comment.",
        "The buyer did not leave a review",
        "This user has not written any text.",
        "No comment",
        "(no text)",
        "Rating only",
        "N/A",
        "null",
    ],
)
def test_stand_ins(text):
    assert is_stand_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "此用户没有填写评价，我是来说质量的，太差",
        "系统默认好评，其实很差",
        "没有内容可以看，骗钱的",
        "No comment from your support for three weeks",
        "The customer service left no comment on my complaint",
        "Nothing works",
        "无语",
        "none of them works",
        "",
    ],
)
def test_texts(text):
    assert not is_stand_in(text)


@pytest.mark.parametrize(
    "text",
    ["买家未作评价", "该买家没有写评价哦", "买家超过15天未评价，系统默认好评",
     "用户仅打星未评论", "No review written", "(blank)",
     "The shopper hasn't written anything", "Rating submitted without comment", "Comment not available"],
)  # fmt: skip
def test_stand_ins_of_other_shops(text):
    assert is_stand_in(text)
