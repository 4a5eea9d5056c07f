"""``report.json`` for people and for other programs: a page and a JUnit file, each a function of the report alone."""
