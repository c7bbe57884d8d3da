"""The risk model ``scripted``: tells the story of a drill's script, for presenters who want exactly that.

It reads the script's phase and says so; what the metrics do only decides which servers it points at.
"""
