"""Signal sheets: the rules that put a person on a sheet, and the sheet on paper."""
