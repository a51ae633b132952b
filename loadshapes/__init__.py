"""When requests are sent: phases, plans, modes, own traffic, and the Locust shapes."""
