"""Compatibility: does every feature that an application uses work through the gateway? Pure.

A check (`check.py`) is data: requests whose right answer is impossible without the feature, and a
judge over the raw evidence. `trial.py` says what to send next and what the answers prove; whoever
sends (over any client) hands back `Evidence`. To add a check, add it to its group in `checks/`.
"""
