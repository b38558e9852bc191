"""Refusals of the query service. No text holds a person's data; ``key`` names the message of ``MESSAGES``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class QueryError(Exception):
    """Base of every refusal. ``status`` is the HTTP status of an API, ``key`` the message key."""

    status: ClassVar[int] = 400
    key: ClassVar[str] = "query.refused"


class ScopeRequired(QueryError):
    """A query without a scope, or with one that holds no organisation."""

    status = 403
    key = "query.scope_required"


class NothingPublished(QueryError):
    """No snapshot has been published yet."""

    status = 503
    key = "query.nothing_published"


class SnapshotUnknown(QueryError):
    """The snapshot was never published or has expired."""

    status = 404
    key = "query.snapshot_unknown"


class LakeUnavailable(QueryError):
    """The lake's catalogue or files cannot be reached now."""

    status = 503
    key = "query.lake_unavailable"


class QueryFailed(QueryError):
    """The statement failed: a fault of the catalogue or of the marts. Holds names of columns at most."""

    status = 500
    key = "query.failed"


class QueryTooLong(QueryError):
    """The query ran longer than the time a page may take, and was stopped."""

    status = 504
    key = "query.too_long"


class ServiceBusy(QueryError):
    """Too many queries wait; the caller may try again."""

    status = 503
    key = "query.busy"


class SelectionError(QueryError):
    """A selection that cannot be used. ``errors`` maps the field of the form to the message key."""

    status = 422
    key = "selection.invalid"

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{name}: {key}" for name, key in sorted(errors.items())))
        self.errors: dict[str, str] = dict(errors)


MESSAGES: dict[str, dict[str, str]] = {
    "query.refused": {"kk": "Сұрау қабылданбады.", "ru": "Запрос отклонён."},
    "query.scope_required": {
        "kk": "Сізге бірде-бір ұйымның деректері ашылмаған.",
        "ru": "Вам не открыты данные ни одной организации.",
    },
    "query.nothing_published": {
        "kk": "Деректер әлі жарияланған жоқ. Бірнеше секундтан кейін қайталап көріңіз.",
        "ru": "Данные ещё не опубликованы. Повторите через несколько секунд.",
    },
    "query.snapshot_unknown": {
        "kk": "Деректердің бұл түсірілімі енді сақталмайды. Жаңасын ашыңыз.",
        "ru": "Этот снимок данных больше не хранится. Откройте новый.",
    },
    "query.too_long": {
        "kk": "Сұрау тым ұзақ орындалды. Кезеңді немесе таңдауды тарылтыңыз.",
        "ru": "Запрос выполнялся слишком долго. Сузьте период или отбор.",
    },
    "query.lake_unavailable": {
        "kk": "Деректер қоймасы уақытша қолжетімсіз. Сәл кейінірек қайталап көріңіз.",
        "ru": "Хранилище данных временно недоступно. Повторите немного позже.",
    },
    "query.failed": {
        "kk": "Сұрау орындалмады. Әкімшіге хабарлаңыз.",
        "ru": "Запрос не выполнен. Сообщите администратору.",
    },
    "query.busy": {
        "kk": "Жүйе бос емес. Бірнеше секундтан кейін қайталап көріңіз.",
        "ru": "Система занята. Повторите через несколько секунд.",
    },
    "selection.invalid": {"kk": "Таңдау дұрыс емес.", "ru": "Отбор задан неверно."},
    "selection.period_required": {
        "kk": "Кезеңнің басы мен соңын көрсетіңіз.",
        "ru": "Укажите начало и конец периода.",
    },
    "selection.date_invalid": {
        "kk": "Күнді КК.АА.ЖЖЖЖ түрінде жазыңыз.",
        "ru": "Запишите дату в виде ДД.ММ.ГГГГ.",
    },
    "selection.period_reversed": {
        "kk": "Кезеңнің соңы басынан бұрын болмауы керек.",
        "ru": "Конец периода не может быть раньше его начала.",
    },
    "selection.one_day": {
        "kk": "Бұл тақта бір күнді көрсетеді: кезеңнің басы мен соңы бірдей болуы керек.",
        "ru": "Эта панель показывает один день: начало и конец периода должны совпадать.",
    },
    "selection.dimension_unknown": {
        "kk": "Бұл өнімде мұндай бөлініс жоқ.",
        "ru": "В этом продукте нет такого разреза.",
    },
    "selection.filter_unknown": {
        "kk": "Бұл өнімде мұндай сүзгі жоқ.",
        "ru": "В этом продукте нет такого фильтра.",
    },
    "selection.measure_unknown": {
        "kk": "Бұл өнімде мұндай көрсеткіш жоқ.",
        "ru": "В этом продукте нет такого показателя.",
    },
    "selection.key_invalid": {"kk": "Мән дұрыс емес.", "ru": "Значение задано неверно."},
}
