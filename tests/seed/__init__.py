"""The article's own two scripts, re-indented (the article lost the white space), as an oracle."""
