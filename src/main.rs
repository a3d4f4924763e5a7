//! argv -> command; knows no stage of the pipeline.

fn main() {}
