"""The callbacks of the pages of alerts: what they show, what people do on them."""
