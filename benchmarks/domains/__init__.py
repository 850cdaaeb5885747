"""Evaluates published models, as they are served, on IMDB and on four other domains.

``python -m benchmarks.domains`` compares the models with a plain fine-tune and lists the candidates for the next
starter.
"""
