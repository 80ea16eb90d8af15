"""Whole scrapes, cleaned by worker processes: what is done is remembered, and nothing is done twice."""
