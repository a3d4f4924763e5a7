//! The input and output values of a network. Must not depend on their origin.

/// A network's input: 1 x 3 x `size` x `size`.
#[derive(Debug)]
pub struct Tensor {
    values: Vec<f32>,
    size: u32,
}

impl Tensor {
    /// Takes `3 * size * size` values, red plane first.
    pub fn new(values: Vec<f32>, size: u32) -> Self {
        Self { values, size }
    }

    /// The values, red plane first.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The side, in cells.
    pub fn size(&self) -> u32 {
        self.size
    }
}

/// A network's raw output: `size` x `size`, row by row.
#[derive(Debug)]
pub struct Mask {
    values: Vec<f32>,
    size: u32,
}

impl Mask {
    /// Takes `size * size` values, row by row.
    pub fn new(values: Vec<f32>, size: u32) -> Self {
        Self { values, size }
    }

    /// The values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The side, in cells.
    pub fn size(&self) -> u32 {
        self.size
    }
}
