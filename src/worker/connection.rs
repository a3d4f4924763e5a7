//! The daemon's end of a worker process: sends task and photo, receives files and report. Must not depend on folders or the ledger.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, ChildStdout};

use super::png_check::PngCheck;
use super::process::{Ending, Process};
use super::protocol::{self, Confinement, Order, Reply, Task};
use super::shortage::Shortage;
use super::spec::WorkerSpec;
use crate::config::{Edges, OutputSpec};
use crate::imaging::{CutReport, CutoutError, ZeroEnd};

/// How long a worker may take to load its models before its start counts as failed.
const START_TIMEOUT: Duration = Duration::from_mins(2);

/// Bytes moved between pipe and disk at a time; also the requested size of the pipes.
const BLOCK: usize = 1 << 18;

/// A picture of 48 by 48 pixels for the self-test.
const PROBE: &[u8] = include_bytes!("probe.jpg");

/// An idle worker. Dropping it kills the process.
#[derive(Debug)]
pub struct Worker {
    process: Process,
    orders: ChildStdin,
    replies: ChildStdout,
    spec: Arc<WorkerSpec>,
    confinement: Confinement,
}

/// Why a worker could not be started. The photo is not at fault.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The machine was short of memory or processes.
    #[error("{0}")]
    Short(Shortage),
    /// The worker reports that it cannot work: model or runtime are wrong.
    #[error("{0}")]
    Refused(String),
    /// The process could not be created.
    #[error("the worker process cannot be started: {0}")]
    Spawn(#[source] io::Error),
    /// The process ended, or sent invalid data, before it was ready.
    #[error("the worker process failed while starting: {0}")]
    NotReady(#[source] io::Error),
    /// The process took too long to get ready.
    #[error("the worker process was not ready after {} seconds", START_TIMEOUT.as_secs())]
    TooSlow,
    /// The process was ready but could not cut the probe.
    #[error("the worker process failed on the trial picture: {0}")]
    Probe(String),
}

/// Why an order failed. The worker must not be used again, except after [`OrderError::Failed`].
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// The worker reports that this photo cannot be processed.
    #[error(transparent)]
    Failed(CutoutError),
    /// The photo could not be read to its end.
    #[error("reading the photo: {0}")]
    Photo(#[source] io::Error),
    /// A received file could not be written.
    #[error("writing the file: {0}")]
    Sink(#[source] io::Error),
    /// The pipe to the worker broke, or the worker sent invalid data.
    #[error("the connection to the worker failed: {0}")]
    Lost(#[source] io::Error),
}

impl Worker {
    /// Starts a worker and waits until it is ready.
    ///
    /// Must be called on the daemon's main thread: the kernel ends a worker when the thread that started it ends.
    pub async fn start(spec: Arc<WorkerSpec>) -> Result<Self, StartError> {
        let command = spec.command().map_err(StartError::Spawn)?;
        let mut process = Process::start(command)?;
        let child = process.child();
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (orders, mut replies) =
            pipes.ok_or_else(|| StartError::Spawn(io::ErrorKind::BrokenPipe.into()))?;
        // Larger pipes need fewer wake-ups for big photos; the default size also works.
        rustix::pipe::fcntl_setpipe_size(&orders, BLOCK).ok();
        rustix::pipe::fcntl_setpipe_size(&replies, BLOCK).ok();
        let first = tokio::time::timeout(START_TIMEOUT, protocol::receive(&mut replies)).await;
        let ready = match first.map_err(|_| StartError::TooSlow)? {
            Ok(Reply::Ready(confinement)) => Ok(confinement),
            Ok(Reply::Refused(reason)) => Err(StartError::Refused(reason)),
            Ok(Reply::File(_) | Reply::Done(_) | Reply::Failed(_)) => {
                Err(StartError::NotReady(io::ErrorKind::InvalidData.into()))
            }
            Err(error) => Err(StartError::NotReady(error)),
        };
        match ready {
            Ok(confinement) => Ok(Self {
                process,
                orders,
                replies,
                spec,
                confinement,
            }),
            Err(error) => Err(process.explain(error).await),
        }
    }

    /// Sends a small picture through each model, like a photo from a folder.
    pub async fn self_test(mut self) -> Result<Self, StartError> {
        for model in self.spec.model_names() {
            let source = "probe.jpg".to_owned();
            let task = Task::Cut {
                model,
                source,
                zeros: ZeroEnd::Refuse,
                edges: Edges::default(),
                outputs: vec![OutputSpec::default()],
            };
            let result = match self.try_probe(task).await {
                // The picture passed through the network, even if that found no subject.
                Ok(_) | Err(OrderError::Failed(CutoutError::NoSubject)) => Ok(()),
                Err(error) => Err(error),
            };
            if let Err(error) = result {
                let probe = StartError::Probe(error.to_string());
                return Err(self.process.explain(probe).await);
            }
        }
        Ok(self)
    }

    async fn try_probe(&mut self, task: Task) -> Result<CutReport, OrderError> {
        self.send(task, PROBE, PROBE.len() as u64).await?;
        let len = self.next_file().await?;
        self.receive(len, &mut tokio::io::sink()).await?;
        self.finish().await
    }

    /// Sends an order with the first `len` bytes of `photo`. Its files and its report must be read next.
    pub async fn send(
        &mut self,
        task: Task,
        photo: impl tokio::io::AsyncRead + Unpin,
        len: u64,
    ) -> Result<(), OrderError> {
        self.process.begin_order();
        let order = Order { task, len };
        let header = protocol::encode(&order).map_err(OrderError::Lost)?;
        self.orders
            .write_all(&header)
            .await
            .map_err(OrderError::Lost)?;
        let mut photo = photo.take(len);
        copy(
            &mut photo,
            &mut self.orders,
            len,
            |_| (),
            [OrderError::Photo, OrderError::Lost],
        )
        .await
    }

    /// Waits for the next file of the order and returns its length in bytes.
    pub async fn next_file(&mut self) -> Result<u64, OrderError> {
        match self.reply().await? {
            // The worker holds the file in its own memory, so a longer one is invalid and would fill the disk until the deadline.
            Reply::File(len) if len <= self.spec.memory_bytes() => Ok(len),
            Reply::Failed(error) => Err(OrderError::Failed(error)),
            Reply::File(_) | Reply::Done(_) | Reply::Ready(_) | Reply::Refused(_) => {
                Err(OrderError::Lost(io::ErrorKind::InvalidData.into()))
            }
        }
    }

    /// Waits for the report that follows the last file.
    pub async fn finish(&mut self) -> Result<CutReport, OrderError> {
        match self.reply().await? {
            Reply::Done(report) => Ok(report),
            Reply::Failed(error) => Err(OrderError::Failed(error)),
            Reply::File(_) | Reply::Ready(_) | Reply::Refused(_) => {
                Err(OrderError::Lost(io::ErrorKind::InvalidData.into()))
            }
        }
    }

    async fn reply(&mut self) -> Result<Reply, OrderError> {
        let reply = protocol::receive(&mut self.replies).await;
        reply.map_err(OrderError::Lost)
    }

    /// Copies the file of `len` bytes that [`Self::next_file`] announced to `sink`.
    pub async fn receive(
        &mut self,
        len: u64,
        sink: &mut (impl tokio::io::AsyncWrite + Unpin),
    ) -> Result<(), OrderError> {
        let mut png = (&mut self.replies).take(len);
        let mut png_check = PngCheck::default();
        copy(
            &mut png,
            sink,
            len,
            |bytes| png_check.see(bytes),
            [OrderError::Lost, OrderError::Sink],
        )
        .await?;
        sink.flush().await.map_err(OrderError::Sink)?;
        png_check.check().map_err(OrderError::Lost)
    }

    /// Whether the process still runs and has written nothing. Unexpected output would be taken for the reply to the next photo.
    pub fn is_fit(&mut self) -> bool {
        let mut replies = [PollFd::new(&self.replies, PollFlags::IN)];
        let now = Timespec::default();
        self.process.is_running() && rustix::event::poll(&mut replies, Some(&now)) == Ok(0)
    }

    /// What the machine was short of, if the kernel killed the worker for that reason since its last order.
    pub fn shortage(&mut self) -> Option<Shortage> {
        self.process.shortage()
    }

    /// The specification that the worker was started with.
    pub fn spec(&self) -> &Arc<WorkerSpec> {
        &self.spec
    }

    /// The confinement of the worker.
    pub fn confinement(&self) -> Confinement {
        self.confinement
    }

    /// Kills the worker, if it still runs, and returns how it ended.
    pub async fn end(self) -> Ending {
        self.process.end().await
    }
}

/// Copies exactly `len` bytes and passes them to `seen`. The error tells which side failed.
async fn copy(
    from: &mut (impl tokio::io::AsyncRead + Unpin),
    to: &mut (impl tokio::io::AsyncWrite + Unpin),
    len: u64,
    mut seen: impl FnMut(&[u8]),
    [reading, writing]: [fn(io::Error) -> OrderError; 2],
) -> Result<(), OrderError> {
    let mut block = vec![0; BLOCK];
    let mut left = len;
    while left > 0 {
        let count = from.read(&mut block).await.map_err(reading)?;
        let Some(bytes @ [_, ..]) = block.get(..count) else {
            return Err(reading(io::ErrorKind::UnexpectedEof.into()));
        };
        seen(bytes);
        to.write_all(bytes).await.map_err(writing)?;
        left = left.saturating_sub(bytes.len() as u64);
    }
    Ok(())
}
