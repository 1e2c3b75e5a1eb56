"""A study: the sessions of several people in one folder, recorded or simulated, and what is measured on them."""
