//! The worker's loop: reads frames from stdin and writes frames to stdout, with every session loaded once. Must not open photos.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use super::protocol::{self, CutReport, Order, Reply, Task};
use super::sandbox;
use crate::imaging::{self, CutRequest, CutoutError, Output, SelfTestError};
use crate::inference::{self, Runtime, Session, SessionError};
use crate::model::{ManifestError, ModelManifest};

/// The setup of a worker, from its command line.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Process number of the daemon. The worker ends when the daemon ends.
    pub parent: u32,
    /// The folder with the manifests of `models`.
    pub models_dir: PathBuf,
    /// Every model that an order may name.
    pub models: Vec<String>,
    /// Threads within a model.
    pub threads: usize,
    /// Largest photo, in millions of pixels.
    pub megapixels_max: u32,
    /// Address space, in bytes.
    pub memory_bytes: u64,
}

/// Why a worker cannot start.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    #[error("model \"{model}\": {source}")]
    Manifest {
        model: String,
        source: ManifestError,
    },
    #[error("model \"{model}\": {source}")]
    Session {
        model: String,
        source: Box<SessionError>,
    },
    #[error("model \"{model}\": {source}")]
    SelfTest {
        model: String,
        source: Box<SelfTestError>,
    },
    #[error(
        "`worker_memory` is {limit_mib} MiB, but loading the models takes {mib} MiB; allow more"
    )]
    NoRoom { mib: u64, limit_mib: u64 },
    #[error(transparent)]
    NoLibrary(#[from] inference::NotFound),
    #[error(transparent)]
    Runtime(Box<SessionError>),
}

/// Serves orders until stdin ends. An error means that the daemon has ended or sent invalid data.
pub fn serve(setting: &Setting) -> io::Result<()> {
    if !sandbox::follow_parent(setting.parent) {
        return Ok(());
    }
    #[cfg(feature = "chaos")]
    super::chaos::start()?;
    let (mut orders, mut replies) = (io::stdin().lock(), io::stdout().lock());
    let mut sessions = match load(setting) {
        Ok(sessions) => sessions,
        Err(error) => return send(&mut replies, &Reply::Refused(error.to_string()), &[]),
    };
    if let Some(taken) =
        sandbox::address_space_bytes().filter(|taken| *taken >= setting.memory_bytes)
    {
        let refusal = Unfit::NoRoom {
            mib: taken >> 20,
            limit_mib: setting.memory_bytes >> 20,
        };
        return send(&mut replies, &Reply::Refused(refusal.to_string()), &[]);
    }
    let confinement = sandbox::confine(setting.memory_bytes);
    send(&mut replies, &Reply::Ready(confinement), &[])?;
    while let Some(order) = protocol::read::<Order>(&mut orders)? {
        match carry_out(setting, &order, &mut orders, &mut sessions)? {
            Ok(output) => {
                let report = CutReport {
                    len: output.png.len() as u64,
                    width: output.width,
                    height: output.height,
                    stages: output.stages,
                    sha256: output.sha256,
                    end: output.end,
                };
                send(&mut replies, &Reply::Cut(report), &output.png)?;
            }
            Err(error) => send(&mut replies, &Reply::Failed(error), &[])?,
        }
    }
    Ok(())
}

fn load(setting: &Setting) -> Result<BTreeMap<String, Session>, Unfit> {
    let runtime =
        Runtime::load(&inference::find()?).map_err(|error| Unfit::Runtime(Box::new(error)))?;
    let mut sessions = BTreeMap::new();
    for model in &setting.models {
        let manifest =
            ModelManifest::load(&setting.models_dir, model).map_err(|source| Unfit::Manifest {
                model: model.clone(),
                source,
            })?;
        let unfit = |source| Unfit::Session {
            model: model.clone(),
            source: Box::new(source),
        };
        let mut session = Session::load(&runtime, &manifest, setting.threads).map_err(unfit)?;
        // The file and its parsed graph are freed; they leave 4 MiB of holes in the heap.
        sandbox::give_back_holes();
        // The first run may open, map or start things. It must happen before the sandbox forbids that.
        imaging::self_test(&mut session).map_err(|source| Unfit::SelfTest {
            model: model.clone(),
            source: Box::new(source),
        })?;
        sessions.insert(model.clone(), session);
    }
    Ok(sessions)
}

fn carry_out(
    setting: &Setting,
    order: &Order,
    orders: &mut impl Read,
    sessions: &mut BTreeMap<String, Session>,
) -> io::Result<Result<Output, CutoutError>> {
    let mut photo = Vec::new();
    let length = usize::try_from(order.len).unwrap_or(usize::MAX);
    let mut content = orders.take(order.len);
    if photo.try_reserve_exact(length).is_err() {
        // The next order follows this photo in the pipe, so the photo must be read to its end.
        io::copy(&mut content, &mut io::sink())?;
        return Ok(Err(CutoutError::OutOfMemory));
    }
    if content.read_to_end(&mut photo)? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    #[cfg(feature = "chaos")]
    super::chaos::obey(&photo)?;
    let megapixels_max = setting.megapixels_max;
    let (model, source, zeros, edges) = match &order.task {
        Task::Cut {
            model,
            source,
            zeros,
            edges,
        } => (model, source, *zeros, *edges),
        Task::Shrink { side } => return Ok(imaging::shrink(&photo, *side, megapixels_max)),
    };
    let Some(session) = sessions.get_mut(model) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "an order for a model that is not loaded",
        ));
    };
    let request = CutRequest {
        photo: &photo,
        source,
        megapixels_max,
        zeros,
        edges,
    };
    Ok(imaging::cut(&request, session))
}

fn send(to: &mut impl Write, reply: &Reply, body: &[u8]) -> io::Result<()> {
    to.write_all(&protocol::encode(reply)?)?;
    to.write_all(body)?;
    to.flush()
}
