"""Fields and ids that name a person: which are hidden and which are hashed."""

import pytest

from triage.redaction.authors import author_of, mask_author
from triage.redaction.fieldnames import is_person_id, is_personal


@pytest.mark.parametrize(
    ("path", "hashed"),
    [
        (["author_id"], True),
        (["Customer No."], True),
        (["user", "id"], True),
        (["order", "id"], False),
        (["id"], False),
        (["", "id"], False),
        ([], False),
        (["会员编号"], True),
        (["订单编号"], False),
        (["users_id"], True),
        (["product", "user_id"], True),
        (["member no"], True),
        (["ID of customer"], True),
        (["Número de cliente"], True),
        (["Kundennummer"], True),
        (["会員番号"], True),
        (["Contact No"], False),
        (["Number of customers"], False),
    ],
)
def test_ids_of_people(path, hashed):
    assert is_person_id(path) is hashed


@pytest.mark.parametrize(
    ("path", "personal"),
    [
        (["email"], True),
        (["customer", "name"], True),
        (["product", "name"], False),
        (["name"], True),
        (["name", "0"], True),
        (["客户姓名"], True),
        (["商品名称"], False),
        (["机器人"], False),
        (["shippingAddress1"], True),
        (["0"], False),
        ([], False),
        (["colour"], False),
        (["response to consumer"], False),
        (["Signed by"], True),
        (["Sort by"], False),
        (["Paid by"], False),
        (["Ship to"], True),
        (["Nom de famille"], True),
        (["Nom du produit"], False),
        (["Nombre completo"], True),
        (["Nombre de contacts"], False),
        (["Nombre del cliente"], True),
        (["Name of product"], False),
        (["Address of store"], False),
        (["Number of emails"], False),
        (["Numéro de téléphone"], True),
        (["Numéro de commande"], False),
        (["Lieu de naissance"], True),
        (["Date de commande"], False),
        (["Adresse de livraison"], True),
        (["Address Line 2"], True),
        (["Order line 2"], False),
        (["Mobile no"], True),
        (["Order no"], False),
        (["LINE ID"], True),
        (["Line number"], False),
        (["Kundenname"], True),
        (["Produktname"], False),
        (["Rechnungsadresse"], True),
        (["klantnaam"], True),
        (["customeremail"], True),
        (["hostname"], False),
        (["電話番号"], True),
        (["商品番号"], False),
        (["メールアドレス"], True),
        (["お名前"], True),
        (["件名"], False),
        (["護照號碼"], True),
        (["手机号2"], True),
        (["戶名"], True),
        (["商户名"], False),
        (["店铺地址"], False),
    ],
)
def test_personal_fields(path, personal):
    assert is_personal(path) is personal


def test_ids_of_four_characters_or_of_letters_alone_are_words():
    assert mask_author("it is ab12", "ab12") == "it is ab12"
    assert mask_author("it is ab123", "AB123") == "it is [HANDLE]"
    assert mask_author("it is customer", "customer") == "it is customer"
    assert mask_author("it is ab1234", "ab123") == "it is ab1234"
    assert mask_author("it", None) == "it"


@pytest.mark.parametrize(
    ("payload", "author"),
    [
        ('{"author_id": 7}', "7"),
        ('{"author_id": true}', None),
        ('{"author_id": ""}', None),
        ('{"author_id": [1]}', None),
        ("[1]", None),
        ('{"author_id": "u-1', "u-1"),
        ("author_id = u1;", "u1"),
        ("{", None),
    ],
)
def test_authors_of_payloads(payload, author):
    assert author_of(payload) == author
