//! Runs calls from the loop on one thread that owns the ledger. Must not know how it is stored.

use std::path::Path;
use std::sync::mpsc as thread_channel;

use tokio::sync::oneshot;

use super::error::LedgerError;
use super::store::LedgerStore;
use crate::fs::path_error::AtPath as _;

/// A handle on the ledger's thread.
#[derive(Clone, Debug)]
pub struct Ledger {
    calls: thread_channel::Sender<LedgerMessage>,
}

enum LedgerMessage {
    Call(Call),
    Close(thread_channel::SyncSender<Result<(), LedgerError>>),
}

type Call = Box<dyn FnOnce(&mut dyn LedgerStore) + Send>;

impl Ledger {
    /// Starts a thread that owns `ledger`.
    pub fn start(mut ledger: Box<dyn LedgerStore>) -> Result<Self, LedgerError> {
        let (calls, inbox) = thread_channel::channel::<LedgerMessage>();
        std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || {
                while let Ok(message) = inbox.recv() {
                    match message {
                        LedgerMessage::Call(call) => call(&mut *ledger),
                        LedgerMessage::Close(answer) => {
                            answer.send(ledger.close()).ok();
                            return;
                        }
                    }
                }
            })
            .at(Path::new("the ledger's thread"))?;
        Ok(Self { calls })
    }

    /// Runs `work` on the ledger's thread. Its writes are durable when this returns.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn LedgerStore) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.send(work)?.await.map_err(|_| LedgerError::Gone)?
    }

    /// As [`Self::call`], for a thread that may block. Panics on a thread that runs async tasks.
    pub fn call_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn LedgerStore) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.send(work)?
            .blocking_recv()
            .map_err(|_| LedgerError::Gone)?
    }

    fn send<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn LedgerStore) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, LedgerError>>, LedgerError> {
        let (answer, result) = oneshot::channel();
        let call: Call = Box::new(move |ledger| {
            // The caller may have been dropped; the work is still done.
            drop(answer.send(work(ledger)));
        });
        self.calls
            .send(LedgerMessage::Call(call))
            .map_err(|_| LedgerError::Gone)?;
        Ok(result)
    }

    /// Closes the ledger, so that its one file is complete; later calls fail. Blocks for a few seconds at most.
    pub fn close(self) -> Result<(), LedgerError> {
        let (answer, result) = thread_channel::sync_channel(1);
        self.calls
            .send(LedgerMessage::Close(answer))
            .map_err(|_| LedgerError::Gone)?;
        result.recv().map_err(|_| LedgerError::Gone)?
    }
}
