"""The report's sections: each one turns rows into blocks of a page."""
