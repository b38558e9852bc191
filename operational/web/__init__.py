"""Page shell shared by every screen: rendering, texts, components, security of the browser side."""
