"""The individual identification number: form, check digit, what it says."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kmis import iin

BORN = date(1985, 3, 14)


def _by_rounds(first_eleven: str) -> tuple[int, int]:
    digits = [int(c) for c in first_eleven]
    first = sum(d * w for d, w in zip(digits, range(1, 12), strict=True)) % 11
    second = sum(d * w for d, w in zip(digits, (3, 4, 5, 6, 7, 8, 9, 10, 11, 1, 2), strict=True)) % 11
    return first, second


def test_check_digit_by_hand() -> None:
    # 8*1+5*2+0*3+3*4+1*5+4*6+3*7+0*8+0*9+0*10+1*11 = 91; 91 mod 11 = 3
    assert iin.check_digit("85031430001") == 3
    assert iin.validate("850314300013") == "850314300013"


def test_second_round_decides_when_the_first_gives_ten() -> None:
    eleven = next(
        f"8503143{n:04d}"
        for n in range(10000)
        if _by_rounds(f"8503143{n:04d}")[0] == 10 != _by_rounds(f"8503143{n:04d}")[1]
    )
    assert iin.check_digit(eleven) == _by_rounds(eleven)[1]


def test_number_with_ten_in_both_rounds_does_not_exist() -> None:
    eleven = next(f"8503143{n:04d}" for n in range(10000) if _by_rounds(f"8503143{n:04d}") == (10, 10))
    with pytest.raises(iin.IinNotAssignable):
        iin.check_digit(eleven)
    for last in "0123456789":
        assert not iin.is_valid(eleven + last)


@given(
    number=st.dates(date(1800, 1, 1), date(2099, 12, 31)).flatmap(
        lambda born: st.tuples(st.just(born), st.sampled_from(("M", "F")), st.integers(0, 9990))
    )
)
def test_made_number_decodes_to_its_facts(number: tuple[date, iin.Sex, int]) -> None:
    born, sex, serial = number
    made = iin.generate_first(born, sex, range(serial, serial + 9))
    assert iin.decode(made) == iin.IinFacts(born, sex)
    assert iin.disagreements(made, born, sex) == ()


# Not the eleventh place: its weight in the first round is eleven, so the check digit is blind to it.
@given(
    serial=st.integers(0, 9990),
    place=st.sampled_from((0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11)),
    step=st.integers(1, 9),
)
def test_one_mistyped_digit_is_noticed(serial: int, place: int, step: int) -> None:
    right = iin.generate_first(BORN, "M", range(serial, serial + 9))
    if _by_rounds(right[:-1])[0] == 10:
        return  # the second round has other weights: numbers of different rounds may share a digit
    wrong_digit = (int(right[place]) + step) % 10
    wrong = f"{right[:place]}{wrong_digit}{right[place + 1 :]}"
    if wrong[:-1] != right[:-1] and _by_rounds(wrong[:-1])[0] == 10:
        return
    assert not iin.is_valid(wrong)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", iin.IinNotTwelveDigits),
        ("85031430001", iin.IinNotTwelveDigits),
        ("8503143000133", iin.IinNotTwelveDigits),
        ("85031430001x", iin.IinNotTwelveDigits),
        ("٨٥٠٣١٤٣٠٠٠١٣", iin.IinNotTwelveDigits),
        ("850314300014", iin.IinCheckDigitWrong),
    ],
)
def test_refused(text: str, error: type[iin.IinError]) -> None:
    with pytest.raises(error) as caught:
        iin.validate(text)
    assert caught.value.message_key.startswith("iin.error.")
    assert not any(c.isdigit() for c in str(caught.value))


@pytest.mark.parametrize(
    "typed", [" 850314 300013 ", "8503-1430-0013", "850314\u00a0300013", 'үғқі"ңіқққ"і', "ҮҒҚІ!ҢІҚҚҚ!І"]
)
def test_typed_forms_of_one_number(typed: str) -> None:
    assert iin.validate(typed) == "850314300013"


@pytest.mark.parametrize(
    ("century_digit", "expected"),
    [
        ("1", iin.IinFacts(date(1885, 3, 14), "M")),
        ("2", iin.IinFacts(date(1885, 3, 14), "F")),
        ("3", iin.IinFacts(date(1985, 3, 14), "M")),
        ("4", iin.IinFacts(date(1985, 3, 14), "F")),
        ("5", iin.IinFacts(date(2085, 3, 14), "M")),
        ("6", iin.IinFacts(date(2085, 3, 14), "F")),
        ("0", iin.IinFacts(None, None)),
        ("9", iin.IinFacts(None, None)),
    ],
)
def test_century_and_sex(century_digit: str, expected: iin.IinFacts) -> None:
    eleven = next(
        candidate for serial in range(9) if _by_rounds(candidate := f"850314{century_digit}{serial:04d}") != (10, 10)
    )
    assert iin.decode(f"{eleven}{iin.check_digit(eleven)}") == expected


def test_date_that_does_not_exist_still_tells_the_sex() -> None:
    eleven = next(c for n in range(9) if _by_rounds(c := f"8502314{n:04d}") != (10, 10))
    assert iin.decode(f"{eleven}{iin.check_digit(eleven)}") == iin.IinFacts(None, "F")


@pytest.mark.parametrize(
    ("born", "sex", "expected"),
    [
        (BORN, "M", ()),
        (date(1985, 3, 15), "M", ("birth_date",)),
        (BORN, "F", ("sex",)),
        (date(1986, 3, 14), "F", ("birth_date", "sex")),
        (None, "U", ()),
    ],
)
def test_disagreement_is_reported_not_refused(
    born: date | None, sex: str, expected: tuple[iin.Disagreement, ...]
) -> None:
    assert iin.disagreements("850314300013", born, sex) == expected


@pytest.mark.parametrize(("born", "serial"), [(date(1799, 1, 1), 1), (date(2100, 1, 1), 1), (BORN, 10000), (BORN, -1)])
def test_number_that_cannot_be_made(born: date, serial: int) -> None:
    with pytest.raises(ValueError, match="is"):
        iin.generate(born, "M", serial)


def test_no_assignable_serial() -> None:
    with pytest.raises(iin.IinNotAssignable):
        iin.generate_first(BORN, "M", ())
