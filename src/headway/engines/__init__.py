"""Where runs are started, and the folder through which a run is watched and stopped."""
