"""Kills the bot under load on a faulty wire, and checks that each text is answered once and in order.

Run it with ``python -m benchmarks.delivery``.
"""
