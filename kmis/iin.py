"""The individual identification number (ЖСН / ИИН) of Kazakhstan: check digit, what it says, making one.

Twelve digits: birth date ``YYMMDD``, a digit for century and sex, four digits of serial number, a check
digit. Source: Law No. 223-III of 12.01.2007 on national registers of identification numbers, and the rules
on forming the number made under it (from general knowledge; verify against the edition in force).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from kmis.names import digits_of_kazakh_row

Sex = Literal["M", "F"]
Disagreement = Literal["birth_date", "sex"]

LENGTH: Final = 12
_FIRST_ROUND: Final = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
_SECOND_ROUND: Final = (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2)
_CENTURY_AND_SEX: Final[dict[str, tuple[int, Sex]]] = {
    "1": (1800, "M"),
    "2": (1800, "F"),
    "3": (1900, "M"),
    "4": (1900, "F"),
    "5": (2000, "M"),
    "6": (2000, "F"),
}
_SEPARATORS: Final = str.maketrans("", "", " \t\r\n\u00a0\u202f-")


class IinError(ValueError):
    """A text that is not an IIN. Its text never holds the digits; ``message_key`` names the message for the
    user."""

    message_key = "iin.error.malformed"

    def __init__(self) -> None:
        super().__init__(self.message_key)


class IinNotTwelveDigits(IinError):
    """Something other than twelve digits."""

    message_key = "iin.error.twelve_digits"


class IinCheckDigitWrong(IinError):
    """The twelfth digit is not the one that the other eleven give."""

    message_key = "iin.error.check_digit"


class IinNotAssignable(IinError):
    """Both weight rounds give ten: no number is ever issued with these eleven digits."""

    message_key = "iin.error.not_assignable"


@dataclass(frozen=True, slots=True)
class IinFacts:
    """What a number says of its owner. Either is None where the number does not tell (century digit 0, 7-9,
    or a date that does not exist)."""

    birth_date: date | None
    sex: Sex | None


def normalise(text: str) -> str:
    """The digits meant by ``text``: separators dropped, the Kazakh digit row mapped back to digits."""
    return digits_of_kazakh_row(text.strip()).translate(_SEPARATORS)


def check_digit(first_eleven: str) -> int:
    """The twelfth digit for eleven digits. Raises IinNotTwelveDigits, IinNotAssignable."""
    if len(first_eleven) != LENGTH - 1 or not _all_digits(first_eleven):
        raise IinNotTwelveDigits
    digits = [int(character) for character in first_eleven]
    for weights in (_FIRST_ROUND, _SECOND_ROUND):
        remainder = sum(digit * weight for digit, weight in zip(digits, weights, strict=True)) % 11
        if remainder < 10:
            return remainder
    raise IinNotAssignable


def validate(text: str) -> str:
    """The twelve digits of ``text``. Raises IinNotTwelveDigits, IinCheckDigitWrong, IinNotAssignable."""
    number = normalise(text)
    if len(number) != LENGTH or not _all_digits(number):
        raise IinNotTwelveDigits
    if check_digit(number[:-1]) != int(number[-1]):
        raise IinCheckDigitWrong
    return number


def is_valid(text: str) -> bool:
    """Whether ``text`` is an IIN by its form and check digit."""
    try:
        validate(text)
    except IinError:
        return False
    return True


def decode(number: str) -> IinFacts:
    """Birth date and sex out of twelve digits. Raises as ``validate`` does."""
    number = validate(number)
    century_and_sex = _CENTURY_AND_SEX.get(number[6])
    if century_and_sex is None:
        return IinFacts(birth_date=None, sex=None)
    century, sex = century_and_sex
    try:
        born = date(century + int(number[:2]), int(number[2:4]), int(number[4:6]))
    except ValueError:
        return IinFacts(birth_date=None, sex=sex)
    return IinFacts(birth_date=born, sex=sex)


def disagreements(number: str, birth_date: date | None, sex: str | None) -> tuple[Disagreement, ...]:
    """Which of the given facts the number contradicts; what is not known on either side contradicts nothing.

    A number issued with a mistake stays the person's number, so this is a matter for a warning, never for a
    refusal.
    """
    facts = decode(number)
    found: list[Disagreement] = []
    if birth_date is not None and facts.birth_date is not None and facts.birth_date != birth_date:
        found.append("birth_date")
    if sex in ("M", "F") and facts.sex is not None and facts.sex != sex:
        found.append("sex")
    return tuple(found)


def generate(birth_date: date, sex: Sex, serial: int) -> str:
    """A number for tests and demonstration data; ``serial`` is 0 to 9999.

    Raises IinNotAssignable for a serial that the real register skips too, ValueError outside 1800-2099 or
    0-9999.
    """
    if not 0 <= serial <= 9999:
        raise ValueError("serial is 0 to 9999")
    wanted = (birth_date.year // 100 * 100, sex)
    century_digit = next((digit for digit, meaning in _CENTURY_AND_SEX.items() if meaning == wanted), None)
    if century_digit is None:
        raise ValueError("birth year is 1800 to 2099")
    first_eleven = f"{birth_date:%y%m%d}{century_digit}{serial:04d}"
    return f"{first_eleven}{check_digit(first_eleven)}"


def generate_first(birth_date: date, sex: Sex, serials: Iterable[int]) -> str:
    """The number for the first assignable one of ``serials``. Raises IinNotAssignable when there is none."""
    for serial in serials:
        try:
            return generate(birth_date, sex, serial)
        except IinNotAssignable:
            continue
    raise IinNotAssignable


def _all_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()
