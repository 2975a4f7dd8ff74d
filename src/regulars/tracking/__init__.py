"""Revenue trackings: a segment measured over a period, exactly."""
