"""The table about the queries behind /stats."""

from benchmarks.figures.markdown import Results, command, measured, paragraphs, table


def stats(found: Results) -> str:
    """Render ``stats.json``: how long the queries take on each engine."""
    size, engines = found["size"], found["engines"]
    rows = (
        ("`/stats`", "stats"),
        ("`/stats` before the counts of finished days are stored", "stats_without_days"),
    )
    columns = [f"{name}: {what} (ms)" for name in engines for what in ("median", "slowest")]
    return paragraphs(
        f"The database holds {size['messages']:,} messages of the last {size['days']} days by {size['people']:,} "
        f"people, with a prediction each, and {size['votes']:,} votes. Once a day, the bot stores the counts of "
        f"finished days. `/stats` should take at most {found['limit_ms']:.0f} ms; drawing the picture, "
        "which another process does, is not included.",
        command("python -m benchmarks.stats"),
        table(
            ("Query", *columns),
            [
                (
                    label,
                    *(f"{found[key][of]:,.0f}" for found in engines.values() for of in ("median_ms", "slowest_ms")),
                )
                for label, key in rows
            ],
        ),
        measured(found),
    )
