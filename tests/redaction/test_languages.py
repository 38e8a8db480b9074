"""Secrets, numbers and columns as other languages and other clients name them; what only looks like them stays."""

import pytest

from triage.config import Settings
from triage.redaction import Redactor
from triage.redaction.fieldnames import is_personal

REDACTOR = Redactor(Settings().redaction)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Mein Passwort lautet Geheim!7", "Geheim!7"),
        ("mon code PIN est 4471", "4471"),
        ("mi contraseña es Secreto7", "Secreto7"),
        ("clave: Secreto7", "Secreto7"),
        ("パスワードはSecret77です", "Secret77"),
        ("暗証番号は4471です", "4471"),
        ("認証コード482913", "482913"),
        ("I told him my PIN, it is 4471.", "4471"),
        ("AWS AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
        ("here: ghp_16C7e42F292c6912E7710c838347Ae178B4a", "ghp_16C7"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQ1BADANBg\n-----END PRIVATE KEY-----", "MIIEvQ1BADANBg"),
        ("+44·113·496·0000", "0000"),
        ("+44 113\n496 0000", "0000"),
        ("llámenme al 612345678", "612345678"),
        ("NIE X1234567L", "X1234567L"),
        ("邮箱 小明@公司.中国", "小明"),
    ],
)
def test_found(text, secret):
    assert secret not in REDACTOR.redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "Passwort vergessen", "mot de passe oublié", "la clave es buena", "パスワードを忘れました",
        "認証コードが届きません",
        "货号 6901234567892", "We never eat there, nie 12", "Asia is large, 2026", "the API keys page is slow",
    ],
)  # fmt: skip
def test_harmless(text):
    assert REDACTOR.redact_text(text) == text


@pytest.mark.parametrize(
    ("name", "personal"),
    [
        ("Ship To Name", True), ("Bill-to Phone", True), ("WhatsApp number", True), ("Social Security Number", True),
        ("Cc emails", True), ("Name des Kunden", True), ("CPF", True), ("Imię i nazwisko", True), ("旺旺号", True),
        ("来电号码", True), ("抖音号", True), ("User agent", False), ("Email count", False), ("App name", False),
        ("Ship to country", False),
    ],
)  # fmt: skip
def test_columns(name, personal):
    assert is_personal([name]) is personal
