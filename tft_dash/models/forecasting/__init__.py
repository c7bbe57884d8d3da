"""What a forecast model is, without the tools that train one: its layout, its windows, its outcomes, its answers."""
