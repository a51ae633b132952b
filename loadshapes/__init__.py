"""When requests are sent: options, plans, and the Locust shapes that run them."""
