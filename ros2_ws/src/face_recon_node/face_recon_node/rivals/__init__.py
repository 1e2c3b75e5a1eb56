"""What our best model is compared with; every rival gets the same data and says the same about a face."""
