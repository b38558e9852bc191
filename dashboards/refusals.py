"""The pages of the guard for a visitor who may not enter, in Kazakh and Russian at once.

The visitor's language is unknown before the sign-in, so both texts stand on the page.
"""

from __future__ import annotations

import html
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request does not pass: HTTP status, WebSocket close code and what the visitor is told."""

    status: int
    close_code: int
    reason: str
    title_kk: str
    title_ru: str
    text_kk: str
    text_ru: str


SIGNED_OUT = Refusal(
    401,
    4401,
    "signed out",
    "Жүйеге кіріңіз",
    "Войдите в систему",
    "Бұл бетті көру үшін жүйеге кіру керек: сеанс ашылмаған немесе аяқталған.",
    "Чтобы увидеть эту страницу, нужно войти: сеанс не открыт или завершён.",
)
NOT_PERMITTED = Refusal(
    403,
    4403,
    "not permitted",
    "Рұқсат жоқ",
    "Нет доступа",
    "Сіздің рөліңізде бұл бөлімге рұқсат жоқ. Қажет болса, әкімшіге хабарласыңыз.",
    "Ваша роль не даёт доступа к этому разделу. При необходимости обратитесь к администратору.",
)
UNAVAILABLE = Refusal(
    503,
    1013,
    "session store unavailable",
    "Қызмет уақытша қолжетімсіз",
    "Сервис временно недоступен",
    "Сеансты тексеру мүмкін болмады. Бірер минуттан кейін қайталап көріңіз.",
    "Не удалось проверить сеанс. Повторите попытку через минуту.",
)
STARTING = Refusal(
    503,
    1013,
    "starting",
    "Іске қосылуда",
    "Запускается",
    "Бөлім әлі жүктелуде. Бірер минуттан кейін бетті жаңартыңыз.",
    "Раздел ещё загружается. Обновите страницу через минуту.",
)
FOREIGN_ORIGIN = Refusal(
    403,
    4403,
    "foreign origin",
    "Сұраныс қабылданбады",
    "Запрос отклонён",
    "Сұраныс басқа сайттан келді.",
    "Запрос пришёл с другого сайта.",
)
REFUSALS = (SIGNED_OUT, NOT_PERMITTED, UNAVAILABLE, STARTING, FOREIGN_ORIGIN)

_STYLE = (
    "body{margin:0;font:16px/1.5 system-ui,sans-serif;background:#f4f6f8;color:#1d2b36}"
    "main{max-width:34rem;margin:12vh auto 0;padding:1.5rem;background:#fff;border:1px solid #d8dee4;"
    "border-radius:8px}h1{font-size:1.25rem;margin:.5rem 0}p{margin:.25rem 0 1rem}"
    "hr{border:0;border-top:1px solid #e3e8ec;margin:1rem 0}"
    "a{display:inline-block;padding:.6rem 1.2rem;border-radius:6px;background:#1f6f8b;color:#fff;"
    "text-decoration:none}a:focus{outline:3px solid #9fd0e0}"
)


def refusal_page(refusal: Refusal, sign_in_url: str) -> bytes:
    """A self-contained HTML page, UTF-8."""
    link = html.escape(sign_in_url, quote=True)
    button = (
        f'<p><a href="{link}">Кіру · Войти</a></p>'
        if refusal is SIGNED_OUT
        else f'<p><a href="{link}">Басты бет · На главную</a></p>'
    )
    return (
        '<!doctype html><html lang="kk"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{refusal.title_kk} · {refusal.title_ru}</title><style>{_STYLE}</style></head><body><main>"
        f"<h1>{refusal.title_kk}</h1><p>{refusal.text_kk}</p><hr>"
        f'<div lang="ru"><h1>{refusal.title_ru}</h1><p>{refusal.text_ru}</p></div>{button}'
        "</main></body></html>"
    ).encode()
