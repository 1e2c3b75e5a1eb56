"""Launch files, RViz configuration, viewer and the imuface command."""
