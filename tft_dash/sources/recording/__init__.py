"""From a recording's files to its arrays: rows find their ticks, and everything odd becomes a finding."""
