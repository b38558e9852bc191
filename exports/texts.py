"""The words of files in Kazakh and Russian: sheet names, headers of the service sheets, lines of the
passport, footers.
"""

from __future__ import annotations

from typing import Literal

Language = Literal["kk", "ru"]

TEXTS: dict[str, dict[Language, str]] = {
    "sheet.summary": {"kk": "Жиынтық (Свод)", "ru": "Свод"},
    "sheet.passport": {"kk": "Паспорт", "ru": "Паспорт"},
    "summary.measure": {"kk": "Көрсеткіш", "ru": "Показатель"},
    "summary.member": {"kk": "Атауы", "ru": "Наименование"},
    "summary.value": {"kk": "Мәні", "ru": "Значение"},
    "summary.numerator": {"kk": "Алымы", "ru": "Числитель"},
    "summary.denominator": {"kk": "Бөлімі", "ru": "Знаменатель"},
    "summary.unit": {"kk": "Өлшем бірлігі", "ru": "Единица"},
    "summary.total": {"kk": "Барлығы", "ru": "Всего"},
    "summary.unknown": {"kk": "Белгісіз", "ru": "Не указано"},
    "summary.dimension": {"kk": "Бөлініс", "ru": "Разрез"},
    "passport.grain": {"kk": "Бір жолда", "ru": "В одной строке"},
    "passport.measure": {"kk": "Жолдары берілген көрсеткіш", "ru": "Строки показателя"},
    "passport.definition": {"kk": "Анықтамасы", "ru": "Определение"},
    "passport.field.period_date": {"kk": "Кезеңге жатқызу күні", "ru": "Дата отнесения к периоду"},
    "passport.field.organisation": {"kk": "Ұйым", "ru": "Организация"},
    "passport.field.region": {"kk": "Өңір", "ru": "Регион"},
    "passport.field.age": {"kk": "Жас", "ru": "Возраст"},
    "passport.field.left_out": {"kk": "Есепке кірмейді", "ru": "Не входит"},
    "passport.field.numerator": {"kk": "Алымы", "ru": "Числитель"},
    "passport.field.denominator": {"kk": "Бөлімі", "ru": "Знаменатель"},
    "passport.field.unit": {"kk": "Өлшем бірлігі", "ru": "Единица измерения"},
    "passport.field.source": {"kk": "Анықтама дереккөзі", "ru": "Источник определения"},
    "passport.field": {"kk": "Белгісі", "ru": "Реквизит"},
    "passport.value": {"kk": "Мәні", "ru": "Значение"},
    "passport.product": {"kk": "Өнім", "ru": "Продукт"},
    "passport.period": {"kk": "Кезең", "ru": "Период"},
    "passport.path": {"kk": "Таңдау", "ru": "Отбор"},
    "passport.filter": {"kk": "Сүзгі", "ru": "Фильтр"},
    "passport.all": {
        "kk": "Пайдаланушыға қолжетімді барлық ұйымдар",
        "ru": "Все организации, доступные пользователю",
    },
    "passport.organisations": {"kk": "Қолжетімді ұйымдар саны", "ru": "Доступно организаций"},
    "passport.snapshot": {"kk": "Деректер түсірілімі, нөмірі", "ru": "Снимок данных (номер)"},
    "passport.event_at": {"kk": "Деректердің соңғы оқиғасы", "ru": "Последнее событие в данных"},
    "passport.published_at": {"kk": "Түсірілім жарияланған уақыт", "ru": "Снимок опубликован"},
    "passport.reconciliation": {"kk": "Салыстырып тексеру", "ru": "Сверка"},
    "passport.reconciled": {"kk": "айырмашылық жоқ", "ru": "расхождений нет"},
    "passport.not_reconciled": {
        "kk": "айырмашылық бар немесе аяқталмаған",
        "ru": "есть расхождения или не завершена",
    },
    "passport.rows": {"kk": "Жол саны", "ru": "Строк"},
    "passport.total": {"kk": "Бақылау сомасы", "ru": "Контрольная сумма"},
    "passport.early_dates": {
        "kk": "1900 жылға дейінгі күндер (Excel сақтай алмайды, ұяшық бос)",
        "ru": "Даты до 1900 года (Excel их не хранит, ячейка пуста)",
    },
    "passport.shortened": {
        "kk": "32 767 таңбаға дейін қысқартылған ұяшықтар",
        "ru": "Ячейки, сокращённые до 32 767 знаков",
    },
    "passport.made_by": {"kk": "Кім жасады", "ru": "Кто выгрузил"},
    "passport.made_at": {"kk": "Қашан жасалды", "ru": "Когда выгружено"},
    "passport.mark": {"kk": "* белгісі", "ru": "Знак *"},
    "passport.mark.meaning": {
        "kk": "анықтамалықта қазақша атауы жоқ, орысшасы көрсетілген",
        "ru": "в справочнике нет казахского названия, показано русское",
    },
    "passport.act": {"kk": "Негіздеме акт", "ru": "Акт-основание"},
    "print.page": {"kk": "{page}-бет, барлығы {pages}", "ru": "стр. {page} из {pages}"},
    "print.snapshot": {
        "kk": "Деректер түсірілімі {number}, {moment}",
        "ru": "Снимок данных {number} от {moment}",
    },
    "print.rows": {"kk": "Жол саны: {rows}", "ru": "Строк: {rows}"},
    "print.totals": {"kk": "Жиынтық", "ru": "Итоги"},
    "print.made": {"kk": "Жасаған: {who}, {when}", "ru": "Сформировал: {who}, {when}"},
    "error.too_long": {
        "kk": "Тізімде {rows} жол бар, басып шығаруға 10 000 жолдан артық берілмейді: xlsx файлын алыңыз.",
        "ru": "В списке {rows} строк, на печать выводится не больше 10 000: получите файл xlsx.",
    },
    "error.memory": {
        "kk": "Баспа нысанына жад жетпеді: тізімді қысқартыңыз немесе xlsx файлын алыңыз.",
        "ru": "Печатной форме не хватило памяти: сократите отбор или получите файл xlsx.",
    },
}


def text(key: str, language: Language, **values: object) -> str:
    """The text of a key in the language with its ``{name}`` places filled. Raises KeyError for an unknown
    key.
    """
    return TEXTS[key][language].format(**values)
