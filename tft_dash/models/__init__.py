"""Risk models: window in, assessments out."""
