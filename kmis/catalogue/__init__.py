"""The catalogue of analytical products: one definition of each figure, its rows, its columns, and its passport."""

from kmis.catalogue.loader import Catalogue, CatalogueError, UnknownProduct, catalogue, load
from kmis.catalogue.models import LANGUAGES, Column, Dimension, Language, Measure, Passport, Product

__all__ = [
    "LANGUAGES",
    "Catalogue",
    "CatalogueError",
    "Column",
    "Dimension",
    "Language",
    "Measure",
    "Passport",
    "Product",
    "UnknownProduct",
    "catalogue",
    "load",
]
