"""What a page is made of, and its Markdown and HTML."""
