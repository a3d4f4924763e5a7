//! hotcut: a photo that arrives in a hot folder leaves as a transparent PNG.
