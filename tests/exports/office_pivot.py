"""Run by the system's Python, which has LibreOffice's ``uno``: opens a file, builds a pivot, prints JSON.

Arguments: a running office's pipe name, the file, the row field, the data field. Output: names of the sheets, the
pivot's lines, and its grand total.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.sheet.DataPilotFieldOrientation import DATA, ROW
from com.sun.star.sheet.GeneralFunction import SUM

DEADLINE_S = 60.0
PAUSE_S = 0.2


def desktop(pipe: str) -> Any:
    """The office's desktop; it needs some seconds to open its pipe."""
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            return context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
        except NoConnectException:
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_S)  # lint: LibreOffice tells nobody when it listens


def main(pipe: str, file: str, row_field: str, data_field: str) -> None:
    """Open, pivot the first sheet's whole used area, print, close the office."""
    office = desktop(pipe)
    document = office.loadComponentFromURL(
        uno.systemPathToFileUrl(file), "_blank", 0, (PropertyValue(Name="Hidden", Value=True),)
    )
    try:
        sheets = document.Sheets
        data = sheets.getByIndex(0)
        cursor = data.createCursor()
        cursor.gotoEndOfUsedArea(False)
        area = data.getCellRangeByPosition(0, 0, cursor.RangeAddress.EndColumn, cursor.RangeAddress.EndRow)
        names = list(sheets.ElementNames)
        sheets.insertNewByName("Pivot", len(names))
        place = sheets.getByName("Pivot")
        tables = place.getDataPilotTables()
        descriptor = tables.createDataPilotDescriptor()
        descriptor.setSourceRange(area.RangeAddress)
        fields = descriptor.getDataPilotFields()
        fields.getByName(row_field).Orientation = ROW
        measured = fields.getByName(data_field)
        measured.Orientation = DATA
        measured.Function = SUM
        tables.insertNewByName("pivot", place.getCellByPosition(0, 0).CellAddress, descriptor)
        made = tables.getByName("pivot").OutputRange
        lines = [
            [cell if cell != "" else None for cell in line]
            for line in place.getCellRangeByPosition(0, 0, made.EndColumn, made.EndRow).getDataArray()
        ]
        sys.stdout.write(
            json.dumps({"sheets": names, "rows": cursor.RangeAddress.EndRow, "lines": lines, "total": lines[-1][-1]})
        )
    finally:
        document.close(True)
        office.terminate()


if __name__ == "__main__":
    main(*sys.argv[1:])
