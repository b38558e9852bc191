"""The query service: the only way from the lake to a figure, its rows, its unload.

Screens, dashboards, unloads and the API ask it and nothing else, so one selection gives one number everywhere.
"""

from kmis.query.contract import (
    Breakdown,
    BreakdownRow,
    Figures,
    Label,
    MeasureValue,
    Published,
    RowPage,
    RowStream,
    Scope,
    Summary,
    SummaryLine,
    TrendPoint,
)
from kmis.query.errors import (
    MESSAGES,
    LakeUnavailable,
    NothingPublished,
    QueryError,
    QueryFailed,
    QueryTooLong,
    ScopeRequired,
    SelectionError,
    ServiceBusy,
    SnapshotUnknown,
)
from kmis.query.selection import Selection
from kmis.query.service import QueryService

__all__ = [
    "MESSAGES",
    "Breakdown",
    "BreakdownRow",
    "Figures",
    "Label",
    "LakeUnavailable",
    "MeasureValue",
    "NothingPublished",
    "Published",
    "QueryError",
    "QueryFailed",
    "QueryService",
    "QueryTooLong",
    "RowPage",
    "RowStream",
    "Scope",
    "ScopeRequired",
    "Selection",
    "SelectionError",
    "ServiceBusy",
    "SnapshotUnknown",
    "Summary",
    "SummaryLine",
    "TrendPoint",
]
