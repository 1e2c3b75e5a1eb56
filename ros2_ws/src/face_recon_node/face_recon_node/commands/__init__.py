"""The commands of this package that ``imuface`` offers."""
