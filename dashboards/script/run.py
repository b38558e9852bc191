"""The file that Streamlit executes on each run.

It stands in a folder of its own: Streamlit takes a folder `pages` beside its script for pages of its older kind.
"""

from dashboards.app import main

main()
