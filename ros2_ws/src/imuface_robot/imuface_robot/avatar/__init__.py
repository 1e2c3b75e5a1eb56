"""A VRM avatar in the place of the page's drawn head: its file, and the libraries that draw it."""
