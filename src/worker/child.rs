//! The worker's loop: reads frames from stdin and writes frames to stdout, with every session loaded once. Must not open photos.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;

use super::protocol::{self, Order, Reply, Task};
use super::sandbox;
use crate::imaging::{self, CutReport, CutRequest, Cutout, CutoutError, SelfTestError};
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
        let Some(photo) = receive(order.len, &mut orders)? else {
            send(&mut replies, &Reply::Failed(CutoutError::OutOfMemory), &[])?;
            continue;
        };
        let mut send_file = |file: &[u8]| send(&mut replies, &Reply::File(file.len() as u64), file);
        let end = match carry_out(setting, &order.task, &photo, &mut sessions, &mut send_file)? {
            Ok(report) => Reply::Done(report),
            Err(error) => Reply::Failed(error),
        };
        send(&mut replies, &end, &[])?;
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

/// Reads a photo of `len` bytes; `None` if it does not fit in memory.
fn receive(len: u64, orders: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut photo = Vec::new();
    let length = usize::try_from(len).unwrap_or(usize::MAX);
    let mut content = orders.take(len);
    if photo.try_reserve_exact(length).is_err() {
        // The next order follows this photo in the pipe, so the photo must be read to its end.
        io::copy(&mut content, &mut io::sink())?;
        return Ok(None);
    }
    if content.read_to_end(&mut photo)? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    #[cfg(feature = "chaos")]
    super::chaos::obey(&photo)?;
    Ok(Some(photo))
}

/// Makes the files of a task and passes each to `send_file`.
fn carry_out(
    setting: &Setting,
    task: &Task,
    photo: &[u8],
    sessions: &mut BTreeMap<String, Session>,
    send_file: &mut impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Result<CutReport, CutoutError>> {
    let megapixels_max = setting.megapixels_max;
    let (model, source, zeros, edges, outputs) = match task {
        Task::Cut {
            model,
            source,
            zeros,
            edges,
            outputs,
        } => (model, source, *zeros, *edges, outputs),
        Task::Shrink { side } => match imaging::shrink(photo, *side, megapixels_max) {
            Ok((png, report)) => return send_file(&png).map(|()| Ok(report)),
            Err(error) => return Ok(Err(error)),
        },
    };
    let Some(session) = sessions.get_mut(model) else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "an order for a model that is not loaded",
        ));
    };
    let request = CutRequest {
        photo,
        source,
        megapixels_max,
        zeros,
        edges,
    };
    let mut cutout = match Cutout::new(&request, session) {
        Ok(cutout) => cutout,
        Err(error) => return Ok(Err(error)),
    };
    for spec in outputs {
        match cutout.render(*spec) {
            Ok(file) => send_file(&file)?,
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(cutout.report()))
}

fn send(to: &mut impl Write, reply: &Reply, body: &[u8]) -> io::Result<()> {
    to.write_all(&protocol::encode(reply)?)?;
    to.write_all(body)?;
    to.flush()
}
