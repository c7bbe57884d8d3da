"""The figures of the models' page: how far a forecast can be trusted, drawn from its evidence."""
