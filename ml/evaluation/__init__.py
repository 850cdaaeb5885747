"""How good a model is: figures, intervals, behavioural checks, charts and the report."""
