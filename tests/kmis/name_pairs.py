"""What a registrar types and whom it has to find, or must not: used without and with the database."""

from __future__ import annotations

Person = tuple[str, str | None, str | None] | tuple[str, str | None, str | None, tuple[str, ...]]

OMIRBEK: Person = ("Өмірбек", "Әлия", "Серікқызы")
IVANOV: Person = ("Иванов", "Иван", "Игоревич")
JUMABAEV: Person = ("Жұмабаев", "Нұрсұлтан", "Қайратұлы")
SHCHERBAKOVA: Person = ("Щербакова", "Юлия", "Геннадьевна")
HASENOV: Person = ("Хасенов", "Ғабит", None)
MARRIED: Person = ("Ермекова", "Гүлнар", "Бақытқызы", ("Төлегенова", "Ким"))
TOKAEV: Person = ("Тоқаев", "Қасым-Жомарт", "Кемелұлы")
SOLOVYOV: Person = ("Соловьёв", "Фёдор", "Андреевич")
FOREIGNER: Person = ("Müller", "Jürgen", None)
UZBEK: Person = ("Yo'ldoshev", "Javohir", None)
MUHAMED: Person = ("Мұхаммедияров", "Шыңғыс", "Жәңгірұлы")
AIGUL: Person = ("Қыдырәлиева", "Айгүл", "Ыбырайымқызы")
AHMETOV: Person = ("Ахметов", "Нұрлан", "Серік ұлы")
ERLAN: Person = ("Ерланов", "Ержан", "Ерболұлы")
TSOI: Person = ("Цой", "Виктор", "Робертович")
DMITRY: Person = ("Высоцкий", "Дмитрий", "Юрьевич")

FOUND: list[tuple[str, Person]] = [
    # Kazakh letters and their Russian neighbours, both ways
    ("Алия", OMIRBEK),
    ("Әлия", OMIRBEK),
    ("Омирбек", OMIRBEK),
    ("Өмірбек", OMIRBEK),
    ("ӨМІРБЕК ӘЛИЯ", OMIRBEK),
    ("омирбек алия", OMIRBEK),
    ("Әлия Өмірбек", OMIRBEK),
    ("Жумабаев", JUMABAEV),
    ("Жұмабаев Нурсултан", JUMABAEV),
    ("Габит", HASENOV),
    ("Ғабит Хасенов", HASENOV),
    ("Токаев Касым-Жомарт", TOKAEV),
    ("Жомарт Тоқаев", TOKAEV),
    ("Шынгыс Мухаммедияров", MUHAMED),
    ("Мухамедияров", MUHAMED),
    ("Кыдыралиева", AIGUL),
    ("Айгуль", AIGUL),
    ("Соловьев Федор", SOLOVYOV),
    ("Соловьёв Фёдор", SOLOVYOV),
    # beginnings of words, as in type-ahead
    ("Өм", OMIRBEK),
    ("ом ал", OMIRBEK),
    ("Щерб Ю", SHCHERBAKOVA),
    ("жұма нұр қай", JUMABAEV),
    # missing patronymic on either side
    ("Иванов Иван", IVANOV),
    ("Хасенов Ғабит", HASENOV),
    ("Щербакова Юлия", SHCHERBAKOVA),
    ("Иванов Игоревич", IVANOV),
    # initials
    ("Иванов И.И.", IVANOV),
    ("Иванов И. И.", IVANOV),
    ("И.И. Иванов", IVANOV),
    ("Иванов ИИ", IVANOV),
    ("Жұмабаев Н.Қ.", JUMABAEV),
    ("Жумабаев Н К", JUMABAEV),
    ("Ерланов Е.Е.", ERLAN),
    ("Щербакова Ю.Г.", SHCHERBAKOVA),
    ("Ә. Өмірбек", OMIRBEK),
    # earlier surnames
    ("Төлегенова", MARRIED),
    ("Толегенова Гульнар", MARRIED),
    ("Ким Гүлнар", MARRIED),
    ("Ермекова Г.Б.", MARRIED),
    # Latin: passport, Kazakh 2018 and 2021
    ("Nursultan", JUMABAEV),
    ("Zhumabayev", JUMABAEV),
    ("Jumabaev Nursultan", JUMABAEV),
    ("Jumabaev Nursultan Qairatuly", JUMABAEV),
    ("Jūmabaev Nūrsūltan Qairatūly", JUMABAEV),
    ("Aliya", OMIRBEK),
    ("Álıa Ómirbek", OMIRBEK),
    ("Äliia Ömırbek", OMIRBEK),
    ("Aigul Kydyralieva", AIGUL),
    ("Aıgúl Qydyráliev", AIGUL),
    ("Aigül Qydyraliyeva", AIGUL),
    ("Shynggys", MUHAMED),
    ("Şyñğys Muhammediarov", MUHAMED),
    ("Shyńǵys", MUHAMED),
    ("Gabit Khassenov", HASENOV),
    ("Ğabit Hasenov", HASENOV),
    ("Shcherbakova Yuliya", SHCHERBAKOVA),
    ("Iuliia Shcherbakova", SHCHERBAKOVA),
    ("Kassym-Jomart Tokayev", TOKAEV),
    ("Qasym-Jomart Toqaev", TOKAEV),
    ("Fyodor Solovyov", SOLOVYOV),
    ("Fedor Solovyev", SOLOVYOV),
    ("Yerlanov Yerzhan", ERLAN),
    ("Erlanov Erjan", ERLAN),
    ("Tsoi Viktor", TSOI),
    ("Tsoy V.", TSOI),
    ("Vysotskiy Dmitry", DMITRY),
    ("Vysotsky Dmitrii", DMITRY),
    # a stored Latin name looked for in Cyrillic and without its marks
    ("Muller Jurgen", FOREIGNER),
    ("Муллер", FOREIGNER),
    ("Yoldoshev", UZBEK),
    # a patronymic in two words and in one
    ("Ахметов Нұрлан Серікұлы", AHMETOV),
    ("Ахметов Серік ұлы", AHMETOV),
    ("Әлия Серік қызы", OMIRBEK),
    # the wrong keyboard layout
    ("Bdfyjd", IVANOV),
    ("bdfyjd bdfy", IVANOV),
    ("Bdfyjd B/B/", IVANOV),
    ("0v3h,tr", ("Қмірбек", None, None)),
    ("-v3h,tr", OMIRBEK),
    ("2kbz", OMIRBEK),
    ("_v#h,tr @kbz", OMIRBEK),
    (":9vf,ftd Y9hc9knfy", JUMABAEV),
    ("Of,bn", ("Щабит", None, None)),
    ("%f,bn", HASENOV),
    ("Oth,frjdf >kbz", SHCHERBAKOVA),
    ("Тгкыгдефт", JUMABAEV),
    ("Огьфифум", JUMABAEV),
    ("Фднф", ("Омарова", "Alya", None)),
    ("Eregbc", ("Укупис", None, None)),
]

NOT_FOUND: list[tuple[str, Person]] = [
    ("Иванова", IVANOV),
    ("Иван Иван Иван", IVANOV),
    ("Иванов И.И.И.И.", IVANOV),
    ("Иванов С.", IVANOV),
    ("Өмірбекова", OMIRBEK),
    ("Әлия Әлия", OMIRBEK),
    ("Хасанов", HASENOV),
    ("мірбек", OMIRBEK),
    ("Төлегенова Айгүл", MARRIED),
    ("Bdfyjd Gtnh", IVANOV),
    ("", IVANOV),
    ("  .. ", IVANOV),
]
