"""When requests are sent: phases, plans, modes, the operator's own traffic, and the Locust
shapes.
"""
