"""The team's scenarios: presets and saved documents."""
