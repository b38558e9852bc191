"""Colours, fonts and Streamlit's settings, in code: no `.streamlit` folder can go astray."""

from __future__ import annotations

from typing import Any, Final

INK: Final = "#1d2b36"
MUTED: Final = "#5c6b77"
ACCENT: Final = "#1f6f8b"
ACCENT_SOFT: Final = "#8fbccb"
ATTENTION: Final = "#b7791f"
CRITICAL: Final = "#b3261e"
GOOD: Final = "#2e7d5b"
LINE: Final = "#d8dee4"
PAPER: Final = "#ffffff"
SERIES: Final = ("#1f6f8b", "#c2853d", "#5b8c5a", "#8a6fa8", "#b05c5c", "#5c7fb0", "#8c8c4a", "#6b7780")

STREAMLIT_OPTIONS: Final[dict[str, Any]] = {
    "browser.gatherUsageStats": False,
    "client.disableDataExport": True,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.toolbarMode": "minimal",
    "global.developmentMode": False,
    "logger.level": "warning",
    "runner.magicEnabled": False,
    "server.enableAgentApi": False,
    "server.enableStaticServing": False,
    "server.fileWatcherType": "none",
    "server.headless": True,
    "server.maxUploadSize": 1,
    "server.runOnSave": False,
    "server.showEmailPrompt": False,
    "theme.base": "light",
    "theme.backgroundColor": "#f6f8fa",
    "theme.secondaryBackgroundColor": PAPER,
    "theme.primaryColor": ACCENT,
    "theme.textColor": INK,
    "theme.borderColor": LINE,
    "theme.baseRadius": "small",
    "theme.showWidgetBorder": True,
    "theme.font": "sans-serif",
    "theme.chartCategoricalColors": list(SERIES),
}

# Streamlit's own chrome tells a clinician nothing: deploy menu, status of the run, footer.
PAGE_CSS: Final = """
<style>
[data-testid="stAppDeployButton"], [data-testid="stMainMenu"], [data-testid="stStatusWidget"],
[data-testid="stDecoration"], footer { display: none !important; }
[data-testid="stMainBlockContainer"] { padding: 3.2rem 1.5rem 3rem; max-width: 1320px; }
[class*="st-key-figure-"] { background: #fff; min-height: 6.4rem; padding: .8rem; }
[class*="st-key-figure-"][class*="-attention"] { background: #fbf0d9; }
[class*="st-key-figure-"][class*="-critical"] { background: #fbe3e1; }
[data-testid="stPageLink"] a { height: auto; }
[data-testid="stPageLink"] p, [data-testid="stPageLink"] span {
  white-space: normal; overflow: visible; text-overflow: clip;
}
.st-key-path [data-testid="stButton"] button { min-height: 0; padding: 0; }
[data-testid="stMetricLabel"] p { white-space: normal; font-size: .82rem; color: #5c6b77; }
[data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; font-size: 1.6rem; }
h1 { font-size: 1.5rem !important; padding: 0 0 .25rem !important; }
h2 { font-size: 1.15rem !important; }
h3 { font-size: 1rem !important; }
@media (max-width: 640px) {
  [data-testid="stMainBlockContainer"] { padding: 4.2rem .75rem 2rem; }
  [data-testid="stMetricValue"] { font-size: 1.3rem; }
}
</style>
"""
