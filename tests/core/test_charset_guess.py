import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.charset_guess import guess_charset

RUSSIAN = "Принтер на втором этаже не работает, помогите пожалуйста."
CHINESE = "二楼的打印机坏了，请尽快派人来修理，谢谢。"
TRADITIONAL = "二樓的印表機壞了，請儘快派人來修理，謝謝。"
JAPANESE = "二階のプリンターが壊れました。すぐに修理をお願いします。"
KOREAN = "이층 프린터가 고장났습니다. 빨리 고쳐 주세요."


@pytest.mark.parametrize(
    ("text", "codec", "guessed"),
    [
        (RUSSIAN, "cp1251", "cp1251"),
        (RUSSIAN, "koi8-r", "koi8_r"),
        (CHINESE, "gbk", "gb18030"),
        (TRADITIONAL, "big5", "big5hkscs"),
        (JAPANESE, "shift_jis", "cp932"),
        (JAPANESE, "euc-jp", "euc_jp"),
        (KOREAN, "euc-kr", "cp949"),
        ("Der Drücker im zweiten Stock ist völlig kaputt, bitte helft uns schön.", "cp1252", "cp1252"),
        ("äöüÄÖÜß äöü", "cp1252", "cp1252"),
        ("L’été où ça a commencé à brûler, déjà", "cp1252", "cp1252"),
        ("ö", "cp1252", "cp1252"),
        ("無法登入系統，請協助重設密碼", "big5", "big5hkscs"),
        ("會議通知", "big5", "big5hkscs"),
        ("会议通知", "gbk", "gb18030"),
        ("회의 안내", "euc-kr", "cp949"),
        ("至急：サーバー停止", "shift_jis", "cp932"),
        ("至急：サーバー停止", "euc-jp", "euc_jp"),
        ("Заявка №15", "cp1251", "cp1251"),
        ("Не работает принтер", "iso8859-5", "iso8859-5"),
        ("Καλημέρα, ο εκτυπωτής δεν λειτουργεί", "cp1253", "cp1253"),
        ("שלום המדפסת לא עובדת", "cp1255", "cp1255"),
        ("مرحبا الطابعة لا تعمل", "cp1256", "cp1256"),
        ("SOLICITAÇÃO DE ATUALIZAÇÃO, ATENÇÃO, OPERAÇÃO", "cp1252", "cp1252"),
        ("20°C 30°C 40°C ±5°C §1 §2", "cp1252", "cp1252"),
        ("ÄÖÜ äöü ß ÀÉÈ ÇÂÊ ÎÔÛ éèêë àâ îï ôö ùûü", "cp1252", "cp1252"),
        ("ÅSA ÄR PÅ ÖN, ÆØÅ æøå", "cp1252", "cp1252"),
        ("éééééé ××××", "cp1252", "cp1252"),
    ],
)
def test_the_shape_of_the_bytes_tells_the_charset(text, codec, guessed):
    data = text.encode(codec)
    assert guess_charset(data) == guessed
    assert guess_charset(data * 200) == guessed
    assert data.decode(guessed) == text


def test_text_that_claims_to_be_latin_is_disbelieved_only_where_there_is_much_of_it():
    assert guess_charset("Привет".encode("cp1251"), is_named=True) == "cp1252"
    assert guess_charset(RUSSIAN.encode("cp1251"), is_named=True) == "cp1251"


@given(st.binary(max_size=200))
def test_any_bytes_get_a_codec_that_exists(data):
    data.decode(guess_charset(data), "replace")
