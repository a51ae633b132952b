"""What is kept: the record of each request, and where it is written."""
