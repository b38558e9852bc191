"""Messages as laboratories send them; all people in them are invented."""

from __future__ import annotations

HEADER = r"MSH|^~\&|{sender}|KMIS||{at}||ORU^R01^ORU_R01|{control}|P|{version}||||||{charset}"
PERSON = "PID|1||{iin}^^^RK^NI||ҚҰРЫЛҒЫБАЕВА^СЫНАҚГҮЛ||19800101|F"
WBC = "OBX|{n}|NM|6690-2^Leukocytes^LN||{value}|10*9/L|4.0-9.0|{flag}|||{status}|||20261120081500"


def oru(
    control: str, *, iin: str = "", placer: str = "", filler: str = "", values: tuple[str, ...] = (),
    status: str = "F", issued: str = "20261120090000", sender: str = "ANALYSER|LAB", version: str = "2.5.1",
    charset: str = "UNICODE UTF-8", at: str = "20261120090000",
) -> bytes:  # fmt: skip
    """An ORU^R01 with one report."""
    segments = [
        HEADER.format(sender=sender, at=at, control=control, version=version, charset=charset),
        PERSON.format(iin=iin),
        f"OBR|1|{placer}|{filler}|CBC^Blood count|||20261120080000|||||||||||||||{issued}|||{status}",
        *(values or (wbc("5.6"),)),
    ]
    return "".join(f"{segment}\r" for segment in segments).encode("utf-8")


def wbc(value: str, *, flag: str = "N", status: str = "F", n: int = 1) -> str:
    """The leukocyte count."""
    return WBC.format(n=n, value=value, flag=flag, status=status)
