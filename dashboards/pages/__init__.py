"""The pages: list of products, exploration of a product, board of the day."""
