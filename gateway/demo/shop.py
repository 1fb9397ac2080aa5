"""The demonstration's own site, /demo/site: a page of a shop with the chat's widget and a form on it."""

from importlib import resources

from aiohttp import web

from connectors.webchat.settings import WebchatSettings
from gateway.domain.connecting import Face

PATH = "/demo/site"
CHAT = WebchatSettings(kind="webchat", name="site", queue="support", ask=("name",))

_RU = {
    "lang": "ru",
    "other": "en",
    "other_name": "English",
    "title": "Чайная лавка «Северный лист»",
    "shop": "Северный лист",
    "heading": "Чай, который собирают к вашему столу",
    "lead": "Сайт для показа: справа внизу чат Перезвона. Напишите в него, и сообщение придёт операторам.",
    "goods": "Товары",
    "one": "Иван-чай",
    "one_text": "Ферментированный, с Алтая. 100 г.",
    "two": "Улун",
    "two_text": "Молочный, весенний сбор. 100 г.",
    "three": "Чабрец",
    "three_text": "Цветы и листья, Кавказ. 50 г.",
    "ask": "Перезвоним вам",
    "name": "Имя",
    "phone": "Телефон",
    "text": "Что вас интересует",
    "back": "Перезвоните мне",
    "send": "Оставить заявку",
}
_EN = {
    "lang": "en",
    "other": "ru",
    "other_name": "Русский",
    "title": "Northern Leaf tea shop",
    "shop": "Northern Leaf",
    "heading": "Tea picked for your table",
    "lead": "A site for show: Perezvon's chat is at the lower right. Write there and operators receive it.",
    "goods": "Goods",
    "one": "Fireweed tea",
    "one_text": "Fermented, from the Altai. 100 g.",
    "two": "Oolong",
    "two_text": "Milk oolong, spring harvest. 100 g.",
    "three": "Thyme",
    "three_text": "Flowers and leaves, Caucasus. 50 g.",
    "ask": "We call you back",
    "name": "Name",
    "phone": "Phone",
    "text": "What would you like to know",
    "back": "Call me back",
    "send": "Send",
}


def faces() -> tuple[Face, ...]:
    """The page and its style."""
    return (Face("GET", PATH, _page), Face("GET", f"{PATH}.css", _style))


async def _page(request: web.Request) -> web.Response:
    words = _EN if request.query.get("lang") == "en" else _RU
    return web.Response(text=_file("page.html").format(**words), content_type="text/html")


async def _style(_: web.Request) -> web.Response:
    return web.Response(text=_file("page.css"), content_type="text/css")


def _file(name: str) -> str:
    return (resources.files("gateway.demo") / "site" / name).read_text(encoding="utf-8")
