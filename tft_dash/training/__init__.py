"""Fits, measures and exports forecast models; needs the extra ``train``. Nothing else imports it."""
