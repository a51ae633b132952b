"""Judgements that a run and its report share: objectives, prices, budget, limits. Pure."""
