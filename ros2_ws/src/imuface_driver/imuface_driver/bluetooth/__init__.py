"""What the Bluetooth source and the commands around it share: which devices are the person's, and what is amiss."""
