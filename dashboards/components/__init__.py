"""Building blocks of the pages; each draws one part of a product for one view."""
