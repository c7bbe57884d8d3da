"""What lies in the data folder of one host of a portal, and is to be found on all of them."""
