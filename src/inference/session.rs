//! Runs a model on a tensor and returns the mask. The only file that names `ort`: loads the library, checks a model against its
//! manifest, and runs it. Must not depend on photos.

use std::error::Error as _;
use std::fs;
use std::path::Path;

use ort::LoadDynamicError;
use ort::environment::Environment;
use ort::session::builder::GraphOptimizationLevel;
use ort::value::{Outlet, TensorElementType, TensorRef};
use sha2::{Digest as _, Sha256};

use super::error::{RunError, SessionError, Signature};
use super::tensor::{Mask, Tensor};
use crate::model::ModelManifest;

/// The loaded ONNX Runtime library. One per process.
#[derive(Debug, Clone)]
pub struct Runtime {
    environment: Environment,
}

impl Runtime {
    /// Loads the library at `dylib`, with telemetry off.
    ///
    /// # Errors
    /// `Library` and `LibraryTooOld`; `Library` also for a second call in one process.
    pub fn load(dylib: &Path) -> Result<Runtime, SessionError> {
        let refused = |reason: String| SessionError::Library {
            path: dylib.to_owned(),
            reason,
        };
        let builder = ort::init_from(dylib).map_err(|error| match error {
            LoadDynamicError::BadVersion {
                version_str: found,
                path,
            } => SessionError::LibraryTooOld {
                path,
                found,
                needed: ort::MINOR_VERSION,
            },
            LoadDynamicError::MissingApi { .. } | LoadDynamicError::InvalidVersionString => {
                refused("it is another library".to_owned())
            }
            LoadDynamicError::Dlopen { .. } if !dylib.exists() => {
                refused("there is no such file".to_owned())
            }
            // The loader's message is in the source of the error.
            LoadDynamicError::Dlopen { error, .. } => refused(
                error
                    .source()
                    .map_or_else(|| error.to_string(), ToString::to_string),
            ),
        })?;
        let built = builder.with_name("hotcut").with_telemetry(false).build();
        built
            .map(|environment| Runtime { environment })
            .map_err(|error| refused(error.to_string()))
    }
}

/// A model in memory, ready to run. Holds no open file and opens none later.
#[derive(Debug)]
pub struct Session {
    inner: ort::session::Session,
    manifest: ModelManifest,
    golden_picture: Option<Vec<u8>>,
}

impl Session {
    /// Reads the manifest's model, checks it against the manifest and prepares it for `threads` threads.
    ///
    /// # Errors
    /// The first fault, with the model's path.
    pub fn load(
        runtime: &Runtime,
        manifest: &ModelManifest,
        threads: usize,
    ) -> Result<Session, SessionError> {
        let path = || manifest.file.clone();
        let bytes = fs::read(&manifest.file).map_err(|source| SessionError::Read {
            path: path(),
            source,
        })?;
        let found: [u8; 32] = Sha256::digest(&bytes).into();
        if found != manifest.sha256 {
            return Err(SessionError::Checksum {
                path: path(),
                found,
            });
        }
        let inner = build(runtime, &bytes, threads).map_err(|error| SessionError::Model {
            path: path(),
            reason: error.to_string(),
        })?;
        check(&inner, manifest).map_err(|differs| SessionError::Signature {
            path: path(),
            differs,
        })?;
        let golden_picture = manifest
            .golden
            .as_ref()
            .map(|golden| {
                fs::read(&golden.picture).map_err(|source| SessionError::Read {
                    path: golden.picture.clone(),
                    source,
                })
            })
            .transpose()?;
        Ok(Session {
            inner,
            manifest: manifest.clone(),
            golden_picture,
        })
    }

    /// The file of the manifest's golden picture; only the first call returns it.
    pub fn take_golden_picture(&mut self) -> Option<Vec<u8>> {
        self.golden_picture.take()
    }

    /// The manifest of the loaded model.
    pub fn manifest(&self) -> &ModelManifest {
        &self.manifest
    }

    /// Runs the network.
    ///
    /// # Errors
    /// `OutOfMemory`, or `Failed` with the reason.
    pub fn run(&mut self, tensor: &Tensor) -> Result<Mask, RunError> {
        let size = tensor.size() as usize;
        let input = TensorRef::from_array_view(([1, 3, size, size], tensor.values()))
            .map_err(|e| failed(&e))?;
        let inputs = ort::inputs![self.manifest.input.as_str() => input];
        let outputs = self.inner.run(inputs).map_err(|e| failed(&e))?;
        let output = outputs
            .get(&self.manifest.output)
            .ok_or_else(|| RunError::Failed("the mask is missing".to_owned()))?;
        let (_, mask) = output.try_extract_tensor::<f32>().map_err(|e| failed(&e))?;
        if mask.len() != size * size || !mask.iter().all(|v| v.is_finite()) {
            return Err(RunError::Failed(
                "the mask is not a picture of numbers".to_owned(),
            ));
        }
        let mut values = Vec::new();
        values
            .try_reserve_exact(mask.len())
            .map_err(|_| RunError::OutOfMemory)?;
        values.extend_from_slice(mask);
        Ok(Mask::new(values, tensor.size()))
    }
}

fn failed(error: &ort::Error) -> RunError {
    let reason = error.to_string();
    // Only the text identifies the cause: the error code is the same for any failing operator.
    if reason.contains("bad_alloc") || reason.contains("Failed to allocate memory") {
        RunError::OutOfMemory
    } else {
        RunError::Failed(reason)
    }
}

/// Models with longer files are as wide as U²-Net; for them the runtime's arena needs too much memory.
const ARENA_MODEL_BYTES_MAX: usize = 64 << 20;

fn build(runtime: &Runtime, model: &[u8], threads: usize) -> ort::Result<ort::session::Session> {
    // Without the arena, the kernel clears the memory that each layer writes. Measured at 1 megapixel: the arena halves the
    // student's time and costs a worker 13 MiB; for U²-Net it saves a fifth of the time and permanently costs 300 MiB. The memory
    // pattern saves no time and costs 50 and 170 MiB.
    let cpu = ort::ep::CPU::default()
        .with_arena_allocator(model.len() <= ARENA_MODEL_BYTES_MAX)
        .build();
    ort::session::Session::builder(&runtime.environment)?
        .with_execution_providers([cpu])?
        .with_memory_pattern(false)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(threads)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .with_inter_op_spinning(false)?
        .commit_from_memory(model)
}

fn check(session: &ort::session::Session, manifest: &ModelManifest) -> Result<(), Signature> {
    let size = i64::from(manifest.size);
    if session.inputs().len() != 1 {
        return Err(Signature::Inputs(session.inputs().len()));
    }
    let square = [1, 1, size, size];
    check_one(
        "input",
        &manifest.input,
        session.inputs(),
        &[&[1, 3, size, size]],
    )?;
    check_one(
        "output",
        &manifest.output,
        session.outputs(),
        &[&square, &square[1..]],
    )
}

fn check_one(
    side: &'static str,
    name: &str,
    outlets: &[Outlet],
    shapes: &[&[i64]],
) -> Result<(), Signature> {
    let Some(outlet) = outlets.iter().find(|outlet| outlet.name() == name) else {
        let has = outlets
            .iter()
            .map(|outlet| format!("{:?}", outlet.name()))
            .collect();
        return Err(Signature::Name {
            side,
            name: name.to_owned(),
            has,
        });
    };
    let name = || name.to_owned();
    if outlet.dtype().tensor_type() != Some(TensorElementType::Float32) {
        return Err(Signature::Type { side, name: name() });
    }
    let found = outlet
        .dtype()
        .tensor_shape()
        .map(|shape| shape.to_vec())
        .unwrap_or_default();
    let fits = |shape: &&&[i64]| {
        shape.len() == found.len() && shape.iter().zip(&found).all(|(s, f)| *f < 0 || f == s)
    };
    if shapes.iter().any(|shape| fits(&shape)) {
        return Ok(());
    }
    let manifest = shapes
        .first()
        .map(|shape| shape.to_vec())
        .unwrap_or_default();
    Err(Signature::Shape {
        side,
        name: name(),
        found,
        manifest,
    })
}
