"""Past-tense facts that travel upward between domains; one module per domain.

An event names keys only. What it means for others is said in ``operational/handlers.py``.
"""
